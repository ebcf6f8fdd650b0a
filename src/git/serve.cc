#include "git/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "git/body.h"
#include "git/direct_push.h"
#include "git/folder.h"
#include "git/git_environment.h"
#include "git/hooks.h"
#include "git/listing.h"
#include "git/pkt_line.h"
#include "git/session.h"
#include "git/slots.h"
#include "git/upkeep.h"
#include "process/descriptor.h"
#include "process/run.h"

namespace headrace::git {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;
using namespace std::chrono_literals;

constexpr size_t many_refs = 50;     // from here on hooks copy by cat
constexpr auto lock_patience = 10s;  // for who settles a repository right now
constexpr auto lock_retry = 5ms;
constexpr size_t serving_threads = 2;
constexpr uint64_t push_overhead_bytes = push_head_bytes_max;

bool is_version(std::string_view protocol, int version) {
  return (":" + accepted_protocol(protocol) + ":").find(fmt::format(":version={}:", version)) != std::string::npos;
}

Result<> check_path(const Request& request) {
  if (is_bare_repository(request.path)) return {};
  return core::fail(Code::not_found, "There is no such repository.", request.path);
}

Task<Result<std::unique_ptr<FolderLock>>> share_lock(core::Executor executor, std::string path) {
  const auto give_up = std::chrono::steady_clock::now() + lock_patience;
  asio::steady_timer timer(executor);
  for (;;) {
    auto lock = FolderLock::try_lock(path, FolderLock::Mode::shared);
    if (!lock || *lock) co_return lock;
    if (std::chrono::steady_clock::now() > give_up)
      co_return core::fail(Code::unavailable,
                           "The repository is being put in order after an interruption. Push again in a moment.");
    timer.expires_after(lock_retry);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

Task<Result<PushHeadReader>> read_head(Body& body, size_t commands_max) {
  PushHeadReader head(commands_max);
  std::vector<std::byte> buffer(chunk_bytes);
  for (;;) {
    auto count = co_await body.read(buffer);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0)
      co_return core::fail(Code::invalid, "The request ends before it says which refs to move. Push again.");
    auto whole = head.feed({reinterpret_cast<const char*>(buffer.data()), *count});
    if (!whole) co_return std::unexpected(whole.error());
    if (*whole) co_return std::move(head);
  }
}

// What comes of the body until there is more than `bytes_max` of it, or its end.
struct Beginning {
  std::string bytes;
  bool whole = false;
};
Task<Result<Beginning>> read_beginning(core::Executor executor, Body& body, std::string already, size_t bytes_max,
                                       std::chrono::milliseconds idle_max) {
  using namespace asio::experimental::awaitable_operators;
  Beginning beginning{std::move(already), false};
  std::vector<std::byte> buffer(chunk_bytes);
  asio::steady_timer patience(executor);
  while (beginning.bytes.size() <= bytes_max) {
    patience.expires_after(idle_max);
    auto first = co_await (body.read(buffer) || patience.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (first.index() == 1) co_return core::fail(Code::unavailable, "Nothing was sent for too long. Try again.");
    const auto& count = std::get<0>(first);
    if (!count) co_return std::unexpected(count.error());
    beginning.whole = *count == 0;
    if (beginning.whole) break;
    beginning.bytes.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
  co_return beginning;
}

// A plain function: g++ 12 destroys a lambda that stands within a co_await twice.
Task<Result<Listing>> list(core::Pool& pool, std::string path, Peel peel) {
  return core::blocking(pool, [path, peel] { return list_refs(path, peel); });
}

Task<Result<PackState>> look_at(core::Pool& pool, std::string path) {
  return core::blocking(pool, [path] { return look_at_packs(path); });
}

// -k keeps what no ref reaches: a push whose refs are about to move, and what moments of the past show.
const std::vector<std::string> repack_whole = {"repack", "-a", "-d", "-k", "-l", "-q", "--write-bitmap-index"};
const std::vector<std::string> repack_small = {"-c", "repack.writeBitmaps=false", "repack", "--geometric=2", "-d", "-l",
                                               "-q"};
const std::vector<std::string> write_graph = {"commit-graph", "write", "--reachable"};

}  // namespace

Result<Service> parse_service(std::string_view text) {
  for (const auto service : {Service::upload_pack, Service::receive_pack})
    if (text == name_of(service)) return service;
  return core::fail(Code::invalid,
                    "The service must be git-upload-pack or git-receive-pack. Use git itself to clone and push.");
}

std::string_view name_of(Service service) {
  return service == Service::upload_pack ? "git-upload-pack" : "git-receive-pack";
}

std::string content_type(Service service, bool advertisement) {
  return fmt::format("application/x-{}-{}", name_of(service), advertisement ? "advertisement" : "result");
}

std::string request_content_type(Service service) { return fmt::format("application/x-{}-request", name_of(service)); }

struct Server::Impl {
  Impl(core::Executor where, ServeOptions given)
      : executor(where),
        options(std::move(given)),
        slots(where, {options.processes_max, options.waiting_max, options.wait_max}),
        pool("git serve", {.threads = serving_threads}) {}

  process::Spec spec(std::vector<std::string> arguments, const Request& request) const {
    process::Spec spec;
    spec.argv = {options.git};
    for (auto& argument : arguments) spec.argv.push_back(std::move(argument));
    spec.argv.push_back(request.path);
    spec.environment = git_environment(options, request.protocol);
    spec.in = spec.out = spec.err = process::Redirect::pipe();
    return spec;
  }

  Task<Result<Slots::Slot>> take_slot() {
    auto slot = co_await slots.take();
    if (!slot) ++counters.refused;
    co_return slot;
  }

  Task<Result<>> converse(process::Child& child, Body* body, WriteChunk write, Session::ClientGone when_gone) {
    Session session(executor, child, body, std::move(write), options.idle_max, when_gone);
    auto ended = co_await session.run();
    if (ended) co_return ended;
    ++counters.failed;
    core::diagnose(core::Level::info, "git", ended.error().message + " " + ended.error().detail);
    co_return ended;
  }

  Task<Result<>> pack(std::string path, std::vector<std::string> arguments, const FolderLock& lock);
  Task<Result<std::string>> list_without_git(Service service, Request request);
  Task<Result<std::optional<std::string>>> answer_without_git(const Request& request, Body& body);
  Task<Result<>> push_through_git(Request request, PushHead head, const FolderLock& lock, Gatekeeper& gatekeeper,
                                  Body& body, WriteChunk write);

  core::Executor executor;
  ServeOptions options;
  Slots slots;
  core::Pool pool;  // where libgit2 blocks for requests; its own, so that pages that read do not hold up a push
  mutable ServeCounters counters;
  std::string version_2;  // what upload-pack says of itself to version 2: the same for every repository
};

Server::Server(core::Executor executor, ServeOptions options)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options))) {}
Server::~Server() = default;

const ServeCounters& Server::counters() const {
  impl_->counters.running = impl_->slots.taken();
  impl_->counters.waiting = impl_->slots.waiting();
  return impl_->counters;
}

// The advertisement of version 2 holds no refs, only what git and our settings offer. It is asked for once, of an empty
// repository, and spares a process on every fetch.
Task<Result<>> Server::prepare() {
  impl_->options.hooks = std::filesystem::absolute(impl_->options.hooks).string();  // git would begin at the repository
  if (auto written = write_hooks(impl_->options.hooks); !written) co_return written;
  const std::string sample = impl_->options.hooks + "/sample.git";
  if (auto removed = remove_bare(sample); !removed) co_return removed;
  if (auto made = create_bare(sample, "main"); !made) co_return made;
  const Request request{sample, "version=2", false};
  auto asked = impl_->spec({"upload-pack", "--stateless-rpc", "--http-backend-info-refs"}, request);
  process::RunLimits limits;
  std::string nothing;
  auto ran = co_await process::run(impl_->executor, std::move(asked), std::move(nothing), limits);
  if (!ran) co_return std::unexpected(ran.error());
  if (!ran->exit.succeeded() || !ran->out.starts_with("000eversion 2\n"))
    co_return core::fail(Code::unavailable, "git on this machine is too old to serve: 2.36 or newer is needed.",
                         ran->err);
  impl_->version_2 = ran->out;
  co_return remove_bare(sample);
}

Task<Result<std::string>> Server::Impl::list_without_git(Service service, Request request) {
  const auto peel = service == Service::upload_pack ? Peel::yes : Peel::no;
  auto listing = co_await list(pool, request.path, peel);
  if (!listing) co_return std::unexpected(listing.error());
  co_return old_advertisement(*listing, service,
                              is_version(request.protocol, 1) ? Announce::version_1 : Announce::nothing);
}

Task<Result<>> Server::advertise(Service service, Request request, WriteChunk write) {
  if (auto known = check_path(request); !known) co_return known;
  const bool fetch = service == Service::upload_pack;
  if (fetch && is_version(request.protocol, 2)) co_return co_await write(core::as_bytes(impl_->version_2));
  const auto head = to_packet(fmt::format("# service={}\n", name_of(service))) + std::string(flush_packet);
  if (auto listed = co_await impl_->list_without_git(service, request)) {
    const auto whole = head + *listed;
    co_return co_await write(core::as_bytes(whole));
  }
  auto slot = co_await impl_->take_slot();
  if (!slot) co_return std::unexpected(slot.error());
  auto child = process::spawn(
      impl_->executor,
      impl_->spec({fetch ? "upload-pack" : "receive-pack", "--stateless-rpc", "--http-backend-info-refs"}, request));
  if (!child) co_return std::unexpected(child.error());
  if (auto begun = co_await write(core::as_bytes(head)); !begun) co_return begun;
  co_return co_await impl_->converse(**child, nullptr, std::move(write), Session::ClientGone::end);
}

// Nothing where git must answer; then the body is as it was.
Task<Result<std::optional<std::string>>> Server::Impl::answer_without_git(const Request& request, Body& body) {
  std::optional<std::string> answer;
  if (!is_version(request.protocol, 2)) co_return answer;
  std::string nothing;
  auto asked = co_await read_beginning(executor, body, std::move(nothing), ls_refs_bytes_max, options.idle_max);
  if (!asked) co_return std::unexpected(asked.error());
  if (const auto ls_refs = asked->whole ? parse_ls_refs(asked->bytes) : std::nullopt) {
    const auto peel = ls_refs->peel ? Peel::yes : Peel::no;
    auto listing = co_await list(pool, request.path, peel);
    if (listing) answer = answer_ls_refs(*listing, *ls_refs);
  }
  body.put_back(std::move(asked->bytes));
  co_return answer;
}

Task<Result<>> Server::upload_pack(Request request, ReadBody read, WriteChunk write) {
  if (auto known = check_path(request); !known) co_return known;
  Body body(std::move(read), request.gzip, impl_->options.fetch_request_bytes_max);
  auto answer = co_await impl_->answer_without_git(request, body);
  if (!answer) co_return std::unexpected(answer.error());
  if (*answer) co_return co_await write(core::as_bytes(**answer));
  auto slot = co_await impl_->take_slot();
  if (!slot) co_return std::unexpected(slot.error());
  ++impl_->counters.fetches;
  auto child = process::spawn(impl_->executor, impl_->spec({"upload-pack", "--stateless-rpc"}, request));
  if (!child) co_return std::unexpected(child.error());
  co_return co_await impl_->converse(**child, &body, std::move(write), Session::ClientGone::end);
}

Task<Result<>> Server::receive_pack(Request request, Gatekeeper& gatekeeper, ReadBody read, WriteChunk write) {
  if (auto known = check_path(request); !known) co_return known;
  Body body(std::move(read), request.gzip, impl_->options.pack_bytes_max + push_overhead_bytes);
  auto head = co_await read_head(body, impl_->options.commands_max);
  if (!head) co_return std::unexpected(head.error());
  if (head->head().changes.empty()) co_return Result<>{};  // a probe before a large push: would we answer?
  auto slot = co_await impl_->take_slot();
  if (!slot) co_return std::unexpected(slot.error());
  ++impl_->counters.pushes;
  Beginning beginning{head->fed(), false};
  if (may_be_direct(head->head(), impl_->options.direct_refs_max)) {
    const size_t bytes_max = head->consumed() + direct_pack_bytes_max;
    auto more = co_await read_beginning(impl_->executor, body, head->fed(), bytes_max, impl_->options.idle_max);
    if (!more) co_return std::unexpected(more.error());
    beginning = std::move(*more);
  }
  auto lock = co_await share_lock(impl_->executor, request.path);
  if (!lock) co_return std::unexpected(lock.error());
  if (beginning.whole) {
    DirectPush push(impl_->executor, impl_->pool, impl_->options, request, head->head(), **lock, gatekeeper, write);
    co_return co_await push.run(beginning.bytes.substr(head->consumed()));
  }
  body.put_back(std::move(beginning.bytes));
  co_return co_await impl_->push_through_git(std::move(request), head->head(), **lock, gatekeeper, body,
                                             std::move(write));
}

Task<Result<>> Server::Impl::push_through_git(Request request, PushHead head, const FolderLock& lock,
                                              Gatekeeper& gatekeeper, Body& body, WriteChunk write) {
  using namespace asio::experimental::awaitable_operators;
  auto pair = make_hook_pair();
  if (!pair) co_return std::unexpected(pair.error());
  process::Descriptor ours(pair->ours);
  process::Descriptor theirs(pair->theirs);
  auto how = spec({"receive-pack", "--stateless-rpc"}, request);
  how.extra = {theirs.get(), lock.descriptor()};
  how.group = process::Spec::Group::session;
  how.abandoned = process::Spec::Abandoned::keep;
  if (head.changes.size() >= many_refs) how.environment.emplace_back("HEADRACE_MANY=1");
  auto child = process::spawn(executor, std::move(how));
  if (!child) co_return std::unexpected(child.error());
  theirs.reset();
  co_return co_await (
      converse(**child, &body, std::move(write), Session::ClientGone::go_on) &&
      serve_hooks(executor, ours.release(), std::move(head.changes), std::move(head.options), gatekeeper));
}

// It holds the lock too: who tidies up waits for it, though we were killed.
Task<Result<>> Server::Impl::pack(std::string path, std::vector<std::string> arguments, const FolderLock& lock) {
  process::Spec how;
  how.argv = {"nice",
              "-n",
              "19",
              options.git,
              "--git-dir=" + path,
              "-c",
              "pack.threads=1",
              "-c",
              "pack.windowMemory=64m",
              "-c",
              "core.bigFileThreshold=16m"};
  how.argv.insert(how.argv.end(), arguments.begin(), arguments.end());
  how.environment = git_environment(options, {});
  how.extra = {lock.descriptor()};
  process::RunLimits limits;
  limits.deadline = options.upkeep_max;
  std::string nothing;
  auto ran = co_await process::run(executor, std::move(how), std::move(nothing), limits);
  if (!ran) co_return std::unexpected(ran.error());
  if (ran->exit.succeeded()) co_return Result<>{};
  co_return core::fail(Code::unavailable, "A repository could not be packed.", path + ": " + ran->err);
}

Task<Result<bool>> Server::maintain(std::string path) {
  if (!is_bare_repository(path)) co_return core::fail(Code::not_found, "There is no such repository.", path);
  bool done = false;
  // Twice: folding small packs may leave one that wants a bitmap.
  for (int round = 0; round < 2; ++round) {
    auto state = co_await look_at(impl_->pool, path);
    if (!state) co_return std::unexpected(state.error());
    if (state->loose_refs >= loose_refs_max) {
      auto alone = FolderLock::try_lock(path, FolderLock::Mode::alone);
      if (!alone) co_return std::unexpected(alone.error());
      std::vector<std::string> pack_refs = {"pack-refs", "--all"};
      if (*alone)
        if (auto packed = co_await impl_->pack(path, std::move(pack_refs), **alone); !packed)
          co_return std::unexpected(packed.error());
      done = done || *alone != nullptr;
    }
    const auto due = upkeep_due(*state);
    if (due == Upkeep::nothing) co_return done;
    auto lock = co_await share_lock(impl_->executor, path);
    if (!lock) co_return std::unexpected(lock.error());
    const bool whole = due == Upkeep::whole;
    auto arguments = whole ? repack_whole : repack_small;
    auto packed = co_await impl_->pack(path, std::move(arguments), **lock);
    auto graph = write_graph;
    if (packed && whole) packed = co_await impl_->pack(path, std::move(graph), **lock);
    if (!packed) co_return std::unexpected(packed.error());
    done = true;
  }
  co_return done;
}

}  // namespace headrace::git
