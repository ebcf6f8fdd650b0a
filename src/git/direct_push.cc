#include "git/direct_push.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "git/connected.h"
#include "git/git_environment.h"
#include "git/names.h"
#include "git/report.h"
#include "git/repository.h"
#include "process/run.h"

namespace headrace::git {
namespace {

using core::Result;
using core::Task;

constexpr size_t pack_head_bytes = 12;
const std::string no_object(40, '0');

// gitformat-pack(5): "PACK", version, number of objects. A pack of none needs no process: git sends one where all that
// is pushed is there already.
bool holds_nothing(std::string_view pack) {
  constexpr std::string_view head("PACK\0\0\0\2\0\0\0\0", pack_head_bytes);
  constexpr std::string_view sum("\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e",
                                 20);
  return pack.size() == head.size() + sum.size() && pack.starts_with(head) && pack.ends_with(sum);
}

bool deletes(const RefChange& change) { return change.new_commit == no_object; }

// Plain functions that hand a lambda to the pool: g++ 12 destroys one that stands within a co_await twice.
Task<Result<std::unique_ptr<Quarantine>>> make_quarantine(core::Pool& pool, std::string path) {
  return core::blocking(pool, [path] { return Quarantine::make(path); });
}
Task<Result<Connected>> look(core::Pool& pool, std::string path, std::string quarantine,
                             std::vector<std::string> tips) {
  return core::blocking(pool, [path, quarantine, tips] { return is_connected(path, quarantine, tips); });
}
Task<Result<std::string>> find_default_branch(core::Pool& pool, std::string path) {
  return core::blocking(pool, [path]() -> Result<std::string> {
    auto repository = Repository::open(path);
    if (!repository) return std::unexpected(repository.error());
    return (*repository)->default_branch();
  });
}

// The objects first: a ref that is there after a power cut leads to something.
Result<std::vector<Result<>>> let_in_and_move(const std::string& path, Quarantine* quarantine,
                                              const std::vector<RefMove>& moves, bool atomic) {
  if (quarantine != nullptr)
    if (auto let_in = quarantine->let_in(); !let_in) return std::unexpected(let_in.error());
  if (!atomic) return move_each(path, moves);
  return std::vector<Result<>>(moves.size(), move_refs(path, moves));
}
Task<Result<std::vector<Result<>>>> let_in(core::Pool& pool, std::string path, Quarantine* quarantine,
                                           std::vector<RefMove> moves, bool atomic) {
  return core::blocking(pool,
                        [path, quarantine, moves, atomic] { return let_in_and_move(path, quarantine, moves, atomic); });
}
Task<Result<>> drop(core::Pool& pool, std::unique_ptr<Quarantine> quarantine) {
  auto held = std::make_shared<std::unique_ptr<Quarantine>>(std::move(quarantine));
  return core::blocking(pool, [held]() -> Result<> {
    held->reset();
    return {};
  });
}

}  // namespace

bool may_be_direct(const PushHead& head, size_t most) {
  return head.changes.size() <= most && !head.shallow &&
         std::ranges::none_of(head.changes,
                              [](const RefChange& change) { return change.ref.starts_with(hidden_refs); }) &&
         std::ranges::all_of(head.capabilities, [](std::string_view capability) {
           return !capability.starts_with("object-format=") || capability == "object-format=sha1";
         });
}

DirectPush::DirectPush(core::Executor executor, core::Pool& pool, const ServeOptions& options, const Request& request,
                       const PushHead& head, const FolderLock& lock, Gatekeeper& gatekeeper, WriteChunk write)
    : executor_(std::move(executor)),
      pool_(pool),
      options_(options),
      request_(request),
      head_(head),
      lock_(lock),
      gatekeeper_(gatekeeper),
      write_(std::move(write)),
      troubles_(head.changes.size()) {}

Task<Result<>> DirectPush::run(std::string pack) {
  auto unpacked = co_await unpack(std::move(pack));
  if (unpacked) {
    co_await check_tips();
    co_await carry_out();
  } else {
    trouble_all("unpacker error");
  }
  if (quarantine_) static_cast<void>(co_await drop(pool_, std::move(quarantine_)));
  const std::string told = unpacked ? "ok" : unpacked.error().message;
  co_await write(push_report(head_, told, troubles_));
  if (gone_) co_return core::fail(core::Code::unavailable, "The client has gone.");
  co_return Result<>{};
}

Task<Result<>> DirectPush::unpack(std::string pack) {
  if (!head_.wants_pack() || holds_nothing(pack)) co_return Result<>{};
  auto made = co_await make_quarantine(pool_, request_.path);
  if (!made) co_return std::unexpected(made.error());
  quarantine_ = std::move(*made);
  co_return co_await index(std::move(pack));
}

std::vector<std::string> DirectPush::git_environment_of_push() const {
  auto environment = git_environment(options_, {});
  if (!quarantine_) return environment;
  environment.push_back("GIT_OBJECT_DIRECTORY=" + quarantine_->path());
  environment.push_back("GIT_ALTERNATE_OBJECT_DIRECTORIES=" + request_.path + "/objects");
  environment.push_back("GIT_QUARANTINE_PATH=" + quarantine_->path());
  return environment;
}

// It holds the lock too: nobody tidies up under a process that outlives us.
Task<Result<>> DirectPush::index(std::string pack) {
  process::Spec spec;
  spec.argv = {options_.git,  "--git-dir=" + request_.path,
               "index-pack",  "--stdin",
               "--fix-thin",  std::string(index_pack_strict),
               "--threads=1", fmt::format("--max-input-size={}", options_.pack_bytes_max)};
  spec.environment = git_environment_of_push();
  spec.extra = {lock_.descriptor()};
  process::RunLimits limits;
  limits.deadline = options_.idle_max;
  auto ran = co_await process::run(executor_, std::move(spec), std::move(pack), limits);
  if (!ran) co_return std::unexpected(ran.error());
  if (!ran->err.empty() && head_.has("side-band-64k")) co_await write(on_band(Band::words, ran->err));
  if (ran->exit.succeeded()) co_return Result<>{};
  co_return core::fail(core::Code::invalid, "index-pack abnormal exit", ran->err);
}

Task<> DirectPush::check_tips() {
  std::vector<std::string> tips;
  for (const auto& change : head_.changes)
    if (!deletes(change)) tips.push_back(change.new_commit);
  if (tips.empty()) co_return;
  std::string input;
  for (const auto& tip : tips) input += tip + "\n";
  const std::string fresh = quarantine_ ? quarantine_->path() : std::string();
  auto connected = co_await look(pool_, request_.path, fresh, std::move(tips));
  bool whole = connected && *connected == Connected::yes;
  if (!connected || *connected == Connected::unknown) whole = co_await git_finds_connected(std::move(input));
  if (whole) co_return;
  for (size_t index = 0; index < troubles_.size(); ++index)
    if (!deletes(head_.changes[index])) troubles_[index] = "missing necessary objects";
}

Task<bool> DirectPush::git_finds_connected(std::string tips) {
  process::Spec spec;
  spec.argv = {options_.git, "--git-dir=" + request_.path, "rev-list", "--objects", "--quiet", "--stdin", "--not",
               "--all"};
  spec.environment = git_environment_of_push();
  spec.extra = {lock_.descriptor()};
  process::RunLimits limits;
  limits.deadline = options_.idle_max;
  auto ran = co_await process::run(executor_, std::move(spec), std::move(tips), limits);
  co_return ran && ran->exit.succeeded();
}

void DirectPush::trouble_all(const std::string& why) {
  for (auto& trouble : troubles_)
    if (trouble.empty()) trouble = why;
}

std::vector<RefChange> DirectPush::untroubled() const {
  std::vector<RefChange> changes;
  for (size_t index = 0; index < troubles_.size(); ++index)
    if (troubles_[index].empty()) changes.push_back(head_.changes[index]);
  return changes;
}

Task<> DirectPush::carry_out() {
  const bool atomic = head_.has("atomic");
  auto changes = untroubled();
  if (changes.size() < head_.changes.size() && atomic) trouble_all("transaction failed");
  if (changes.empty() || (atomic && changes.size() < head_.changes.size())) co_return;
  const Say speak = [this](std::string line) { return say(std::move(line)); };
  Gatekeeper::Push push{std::move(changes), head_.options, quarantine_ ? quarantine_->path() : std::string()};
  auto accepted = co_await gatekeeper_.accept(std::move(push), speak);
  if (!accepted) {
    co_await say(accepted.error().message);
    co_return trouble_all("pre-receive hook declined");
  }
  co_await move();
  Gatekeeper::Received received{untroubled(), true};
  if (!received.changes.empty()) co_await gatekeeper_.received(std::move(received), speak);
}

Task<> DirectPush::keep_default_branch() {
  auto current = co_await find_default_branch(pool_, request_.path);
  for (size_t index = 0; index < troubles_.size(); ++index)
    if (deletes(head_.changes[index]) && current && head_.changes[index].ref == "refs/heads/" + *current)
      troubles_[index] = "deletion of the current branch prohibited";
}

Task<> DirectPush::move() {
  if (std::ranges::any_of(head_.changes, deletes)) co_await keep_default_branch();
  const bool atomic = head_.has("atomic");
  auto changes = untroubled();
  if (atomic && changes.size() < head_.changes.size()) co_return trouble_all("transaction failed");
  std::vector<RefMove> moves;
  for (const auto& change : changes) moves.push_back({change.ref, change.old_commit, change.new_commit});
  auto outcomes = co_await let_in(pool_, request_.path, quarantine_.get(), std::move(moves), atomic);
  if (!outcomes) {
    core::diagnose(core::Level::error, "git", outcomes.error().message + " " + outcomes.error().detail);
    co_return trouble_all("failed to update ref");
  }
  size_t outcome = 0;
  for (auto& trouble : troubles_) {
    if (!trouble.empty()) continue;
    const auto& moved = (*outcomes)[outcome++];
    if (moved) continue;
    co_await say(moved.error().message);
    trouble = atomic ? "transaction failed" : "failed to update ref";
  }
}

Task<> DirectPush::say(std::string line) {
  if (head_.has("side-band-64k")) co_await write(on_band(Band::words, line + "\n"));
}

Task<> DirectPush::write(std::string bytes) {
  if (gone_ || bytes.empty()) co_return;
  auto written = co_await write_(core::as_bytes(bytes));
  gone_ = !written;
}

}  // namespace headrace::git
