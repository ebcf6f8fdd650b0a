#include "process/child.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "process/launch.h"
#include "process/pidfd.h"
#include "process/proc_stat.h"

namespace headrace::process {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

// A write to a child that is gone is an error to us, not a signal.
void ignore_broken_pipes() {
  static const bool once = [] {
    struct sigaction now{};
    ::sigaction(SIGPIPE, nullptr, &now);
    if (now.sa_handler == SIG_DFL) ::signal(SIGPIPE, SIG_IGN);
    return true;
  }();
  static_cast<void>(once);
}

core::Error stream_error(const boost::system::error_code& error, std::string_view what) {
  return {Code::unavailable, fmt::format("The connection to a child process ended while {}.", what), error.message()};
}

class SpawnedChild final : public Child {
 public:
  SpawnedChild(const core::Executor& executor, Launched launched, const Spec& spec)
      : pid_(launched.pid),
        group_(spec.group),
        leftovers_(spec.leftovers),
        abandoned_(spec.abandoned),
        pidfd_(executor, launched.pidfd.release()),
        in_(executor),
        out_(executor),
        err_(executor) {
    if (launched.in) in_.assign(launched.in.release());
    if (launched.out) out_.assign(launched.out.release());
    if (launched.err) err_.assign(launched.err.release());
    if (const auto stat = read_proc_stat(pid_)) start_time_ = stat->start_time;
  }

  ~SpawnedChild() override {
    if (exit_) return;
    if (abandoned_ == Spec::Abandoned::end) {
      send_to_group(SIGKILL);
      reap(0);
    } else {
      reap(WNOHANG);
    }
  }

  pid_t pid() const override { return pid_; }
  uint64_t start_time() const override { return start_time_; }
  bool ended() const override { return exit_.has_value(); }

  Task<Result<size_t>> read(Stream stream, std::span<std::byte> bytes) override {
    auto [error, count] = co_await of(stream).async_read_some(asio::buffer(bytes.data(), bytes.size()), as_value);
    if (error == asio::error::eof) co_return size_t{0};
    if (error) co_return std::unexpected(stream_error(error, "reading what it prints"));
    co_return count;
  }

  Task<Result<>> write(std::span<const std::byte> bytes) override {
    auto [error, count] = co_await asio::async_write(in_, asio::buffer(bytes.data(), bytes.size()), as_value);
    if (error) co_return std::unexpected(stream_error(error, "writing its input"));
    co_return Result<>{};
  }

  void close_in() override { close(in_); }
  void close(Stream stream) override { close(of(stream)); }

  Task<Result<Exit>> wait() override {
    while (!exit_) {
      auto [error] = co_await pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
      if (exit_) break;  // another task that waits has been quicker
      if (error) co_return std::unexpected(stream_error(error, "waiting for its end"));
      if (!has_ended()) continue;  // the event was of an older child, whose place in the reactor this one has taken
      if (leftovers_ == Spec::Leftovers::end && group_ != Spec::Group::shared) send_to_group(SIGKILL);
      if (!reap(WNOHANG))
        co_return core::fail(Code::unavailable, "The exit of a child process was taken by somebody else.");
    }
    co_return *exit_;
  }

  void signal(int number) override {
    if (!exit_) signal_pidfd(pidfd_.native_handle(), number);
  }
  void signal_group(int number) override {
    if (!exit_) send_to_group(number);
  }

  Task<Result<Exit>> end(std::chrono::milliseconds grace) override {
    using namespace asio::experimental::awaitable_operators;
    if (exit_) co_return *exit_;
    if (grace.count() > 0) {
      signal_group(SIGTERM);
      asio::steady_timer patience(pidfd_.get_executor(), grace);
      auto first = co_await (pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, as_value) ||
                             patience.async_wait(as_value));
      static_cast<void>(first);
    }
    signal_group(SIGKILL);
    co_return co_await wait();
  }

 private:
  using Pipe = asio::posix::stream_descriptor;

  Pipe& of(Stream stream) { return stream == Stream::out ? out_ : err_; }

  static void close(Pipe& pipe) {
    boost::system::error_code ignored;  // the descriptor is closed whatever close(2) says
    pipe.close(ignored);
  }

  // Until it is reaped its pid is its own, so this reaches no stranger.
  void send_to_group(int number) {
    if (group_ == Spec::Group::shared || ::kill(-pid_, number) != 0) signal_pidfd(pidfd_.native_handle(), number);
  }

  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  }

  // By its pid: through a pidfd that does not block (Asio makes it so) waitid never waits, whatever the flags
  // (waitid(2), EAGAIN).
  bool reap(int flags) {
    siginfo_t info{};
    int done = 0;
    do {
      done = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | flags);
    } while (done != 0 && errno == EINTR);
    if (done != 0 || info.si_pid == 0) return false;
    exit_ = info.si_code == CLD_EXITED ? Exit{.code = info.si_status, .signal = 0}
                                       : Exit{.code = 0, .signal = info.si_status};
    return true;
  }

  pid_t pid_;
  uint64_t start_time_ = 0;
  Spec::Group group_;
  Spec::Leftovers leftovers_;
  Spec::Abandoned abandoned_;
  std::optional<Exit> exit_;
  Pipe pidfd_, in_, out_, err_;
};

}  // namespace

std::vector<std::string> inherited_environment(std::initializer_list<std::string_view> names) {
  std::vector<std::string> result;
  for (const auto name : names)
    if (const char* value = std::getenv(std::string(name).c_str())) result.push_back(fmt::format("{}={}", name, value));
  return result;
}

std::string to_string(const Exit& exit) {
  if (exit.signal == 0) return fmt::format("exit code {}", exit.code);
  const char* name = ::sigdescr_np(exit.signal);
  return fmt::format("killed by signal {} ({})", exit.signal, name != nullptr ? name : "unknown");
}

Result<std::unique_ptr<Child>> spawn(core::Executor executor, Spec spec) {
  ignore_broken_pipes();
  auto launched = launch(spec);
  if (!launched) return std::unexpected(launched.error());
  return std::make_unique<SpawnedChild>(executor, std::move(*launched), spec);
}

}  // namespace headrace::process
