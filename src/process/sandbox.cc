#include "process/sandbox.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "core/bytes.h"
#include "process/init_image.h"
#include "process/init_protocol.h"
#include "process/launch.h"
#include "process/sandbox_filter.h"

namespace headrace::process {
namespace {

using core::Code;
using core::Result;
using core::Task;

constexpr std::chrono::milliseconds end_limit{2'000};
constexpr size_t words_bytes_max = 4'096;
std::vector<std::string> init_options(const SandboxOptions& options) {
  std::vector<std::string> words;
  auto add = [&words](const char* name, auto value) {
    if (value > 0) words.insert(words.end(), {name, std::to_string(value)});
  };
  add("--processes", options.processes);
  add("--open-files", options.open_files);
  add("--file-bytes", options.file_bytes);
  add("--memory-watch", options.memory_watch_bytes);
  return words;
}

// What the launcher said, with what would help.
core::Error refusal(std::string words) {
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  std::string message =
      "The sandbox could not be made: " + (words.empty() ? "its launcher ended without a word" : words);
  auto says = [&words](const char* part) { return words.find(part) != std::string::npos; };
  if (says("name spaces") || says("Operation not permitted") || says("Permission denied") || says("No space left"))
    message +=
        ". This user may not make user name spaces: look at the sysctls user.max_user_namespaces and "
        "kernel.unprivileged_userns_clone; on Ubuntu an unprivileged runner needs an AppArmor profile with `userns,` "
        "(the package of Headrace brings one). Within a container, the engine has to allow them.";
  else
    message += ".";
  return {Code::unavailable, std::move(message), {}};
}

class LocalSandbox final : public Sandbox {
 public:
  LocalSandbox(core::Executor loop, std::unique_ptr<Child> child, Descriptor control, std::optional<uid_t> user)
      : loop_(loop), child_(std::move(child)), init_(std::move(loop), std::move(control), user) {
    init_.outside(child_->pid(), child_->start_time());
  }

  InitClient& init() override { return init_; }
  pid_t pid() const override { return child_->pid(); }

  // An init that does not answer is killed, and all within with it.
  Task<> quiet() override {
    if (!child_->ended()) co_await init_.end(end_limit);
    if (!init_.ended()) co_await end();
  }

  Task<> end() override {
    using namespace boost::asio::experimental::awaitable_operators;
    if (child_->ended()) co_return;
    co_await init_.end(end_limit);
    // The process outside ends when it has reaped the init, and the init is gone when all within is.
    boost::asio::steady_timer patience(loop_, end_limit);
    auto first = co_await (child_->wait() || patience.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable)));
    if (first.index() == 0) co_return;
    auto ended = co_await child_->end(std::chrono::milliseconds(0));
    static_cast<void>(ended);  // it has, or the kernel keeps it from us
  }

  Task<Result<>> begin() {
    auto ready = co_await init_.ready(start_limit);
    if (ready) co_return ready;
    child_->signal_group(SIGKILL);
    auto words = co_await last_words();
    co_return std::unexpected(refusal(std::move(words)));
  }

 private:
  Task<std::string> last_words() {
    std::string text;
    std::array<std::byte, words_bytes_max> chunk;
    auto ended = co_await child_->end(std::chrono::milliseconds(0));
    if (!ended) co_return text;
    while (text.size() < words_bytes_max) {
      auto count = co_await child_->read(Stream::err, chunk);
      if (!count || *count == 0) break;
      text.append(reinterpret_cast<const char*>(chunk.data()), *count);
    }
    co_return text;
  }

  core::Executor loop_;
  std::unique_ptr<Child> child_;
  InitClient init_;
};

}  // namespace

Task<Result<std::unique_ptr<Sandbox>>> Sandbox::start(core::Executor loop, SandboxOptions options) {
  core::require(::geteuid() != 0 || options.user, "a sandbox is not made as user 0 of the host");
  auto image = InitFile::get();
  if (!image) co_return std::unexpected(image.error());
  auto filter = sandbox_filter();
  if (!filter) co_return std::unexpected(filter.error());
  SandboxPlan plan = plan_sandbox(options);
  SandboxStep last{.kind = init::StepKind::filter, .text = std::move(*filter)};
  plan.push_back(std::move(last));
  auto steps = memory_file("headrace-sandbox", encode(plan));
  if (!steps) co_return std::unexpected(steps.error());
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    co_return std::unexpected(core::error_of_errno(errno, "making the socket of a sandbox"));
  Descriptor ours(ends[0]), theirs(ends[1]);

  Spec spec;
  spec.argv = {(*image)->path(), "make", options.user ? std::to_string(*options.user) : "-"};
  for (const auto& door : options.cgroup_doors) spec.argv.insert(spec.argv.end(), {"--cgroup", door});
  spec.argv.push_back("--");
  for (auto& word : init_options(options)) spec.argv.push_back(std::move(word));
  spec.err = Redirect::pipe();
  spec.extra = {theirs.get(), steps->get()};
  spec.directory = "/";
  auto child = spawn(loop, std::move(spec));
  if (!child) co_return std::unexpected(child.error());
  theirs.reset();
  auto made = std::make_unique<LocalSandbox>(loop, std::move(*child), std::move(ours), options.user);
  if (auto begun = co_await made->begin(); !begun) co_return std::unexpected(begun.error());
  co_return std::unique_ptr<Sandbox>(std::move(made));
}

}  // namespace headrace::process
