#include "process/adopt.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <span>

#include "core/json.h"
#include "process/descriptor.h"
#include "process/pidfd.h"
#include "process/proc_stat.h"

namespace headrace::process {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr size_t record_bytes_max = 4096;

// A pidfd is readable from the moment its process has ended.
bool has_ended(int pidfd) {
  pollfd one{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) > 0;
}

class FoundProcess final : public Adopted {
 public:
  FoundProcess(const core::Executor& executor, Descriptor pidfd, Record record)
      : record_(std::move(record)), pidfd_(executor, pidfd.release()) {}

  const Record& record() const override { return record_; }
  bool alive() const override { return !has_ended(const_cast<Pidfd&>(pidfd_).native_handle()); }

  Result<> signal(int number) override {
    if (signal_pidfd(pidfd_.native_handle(), number) == 0) return {};
    if (errno == ESRCH) return core::fail(Code::not_found, fmt::format("Process {} has ended already.", record_.pid));
    return std::unexpected(core::error_of_errno(errno, "sending a signal"));
  }

  Task<Result<>> gone() override {
    auto [error] = co_await pidfd_.async_wait(Pidfd::wait_read, as_value);
    if (error)
      co_return core::fail(Code::unavailable, fmt::format("Waiting for process {} was given up.", record_.pid),
                           error.message());
    co_return Result<>{};
  }

  Task<Result<>> end(std::chrono::milliseconds grace) override {
    using namespace asio::experimental::awaitable_operators;
    if (!alive()) co_return Result<>{};
    if (auto told = signal(SIGTERM); !told) co_return gone_already(told.error());
    asio::steady_timer patience(pidfd_.get_executor(), grace);
    auto first = co_await (gone() || patience.async_wait(as_value));
    if (first.index() == 0) co_return std::get<0>(first);
    if (auto told = signal(SIGKILL); !told) co_return gone_already(told.error());
    co_return co_await gone();
  }

 private:
  using Pidfd = asio::posix::stream_descriptor;

  static Result<> gone_already(core::Error error) {
    if (error.code == Code::not_found) return {};
    return std::unexpected(std::move(error));
  }

  Record record_;
  Pidfd pidfd_;
};

Result<Record> parse_record(std::string_view text, const std::string& path) {
  const auto value = core::parse_json(text);
  const auto pid = value ? core::integer_at(*value, "pid") : std::nullopt;
  const auto start_time = value ? core::integer_at(*value, "start_time") : std::nullopt;
  const auto boot_id = value ? core::string_at(*value, "boot_id") : std::nullopt;
  if (!pid || !start_time || !boot_id || *pid < 1 || *start_time < 0)
    return core::fail(Code::corrupt,
                      fmt::format("{} does not name a process. If nothing of Headrace is running, delete it.", path));
  return Record{static_cast<pid_t>(*pid), static_cast<uint64_t>(*start_time), *boot_id};
}

Result<std::optional<std::string>> read_if_there(core::Disk& disk, const std::string& path) {
  auto text = core::read_file(disk, path, record_bytes_max);
  if (text) return std::optional(std::move(*text));
  if (text.error().code == Code::not_found) return std::optional<std::string>();
  return std::unexpected(text.error());
}

}  // namespace

Result<Record> record_of(pid_t pid) {
  const auto stat = read_proc_stat(pid);
  if (!stat || stat->state == 'Z' || stat->state == 'X')
    return core::fail(Code::not_found, fmt::format("There is no process {}.", pid));
  return Record{pid, stat->start_time, read_boot_id()};
}

Result<Record> record_of_ourselves() { return record_of(::getpid()); }

Result<> save_record(core::Disk& disk, const std::string& path, const Record& record, Outlives outlives) {
  const core::json::value value = {{"pid", record.pid}, {"start_time", record.start_time}, {"boot_id", record.boot_id}};
  const auto text = core::to_pretty_text(value);
  if (outlives == Outlives::power_cut) return core::write_file(disk, path, text);
  const auto beside = path + ".new";
  auto file = disk.open(beside, core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(text))); !written) return written;
  return disk.rename(beside, path);
}

Result<std::optional<Record>> load_record(core::Disk& disk, const std::string& path) {
  auto text = read_if_there(disk, path);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::optional<Record>();
  auto record = parse_record(**text, path);
  if (!record) return std::unexpected(record.error());
  return std::optional(std::move(*record));
}

// The order matters: once the pidfd is open the pid cannot come to mean another process behind our back, so what /proc
// says then is of the process we hold, provided that it is alive afterwards still.
Result<std::unique_ptr<Adopted>> adopt(core::Executor executor, const Record& record) {
  Descriptor pidfd(record.pid > 0 ? open_pidfd(record.pid) : -1);
  if (!pidfd) {
    if (record.pid <= 0 || errno == ESRCH) return std::unique_ptr<Adopted>();
    return std::unexpected(core::error_of_errno(errno, "looking for a process"));
  }
  const auto stat = read_proc_stat(record.pid);
  const bool same = stat && stat->start_time == record.start_time && read_boot_id() == record.boot_id;
  if (!same || has_ended(pidfd.get())) return std::unique_ptr<Adopted>();
  return std::make_unique<FoundProcess>(executor, std::move(pidfd), record);
}

Result<> save_exit(core::Disk& disk, const std::string& path, const Exit& exit) {
  const core::json::value value = {{"code", exit.code}, {"signal", exit.signal}};
  return core::write_file(disk, path, core::to_pretty_text(value));
}

Result<std::optional<Exit>> load_exit(core::Disk& disk, const std::string& path) {
  auto text = read_if_there(disk, path);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::optional<Exit>();
  const auto value = core::parse_json(**text);
  const auto code = value ? core::integer_at(*value, "code") : std::nullopt;
  const auto signal = value ? core::integer_at(*value, "signal") : std::nullopt;
  if (!code || !signal) return core::fail(Code::corrupt, fmt::format("{} does not hold the exit of a process.", path));
  return std::optional(Exit{static_cast<int>(*code), static_cast<int>(*signal)});
}

}  // namespace headrace::process
