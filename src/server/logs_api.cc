#include "server/logs_api.h"

#include "server/answers.h"
#include "server/door.h"
#include "server/request.h"
#include "server/streaming.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t piece_bytes = 256 * 1024;
constexpr size_t counted_at_once = 16 * 1024 * 1024;  // bytes looked through in one turn of the pool
constexpr std::chrono::seconds patience{15};

Result<runner::LogName> log_of(Platform& platform, Call& call) {
  auto row = platform.store.read_here(runner::JobsProjection::projection_name, {}, [&](sqlite::Connection& tables) {
    return runner::find_job(tables, call.capture("job"));
  });
  if (!row) return std::unexpected(row.error());
  if (!*row) return core::fail(Code::not_found, "There is no job " + call.capture("job") + ".");
  const std::string what = "the job " + call.capture("job");
  if (auto may = may_see_of_repository(platform, call.caller, (*row)->repository, what); !may)
    return std::unexpected(may.error());
  auto attempt = number_in(call, "attempt", 1, INT32_MAX, static_cast<uint64_t>((*row)->attempt));
  if (!attempt) return std::unexpected(attempt.error());
  return runner::LogName{(*row)->job, static_cast<int64_t>(*attempt)};
}

// From the file, and as long as it grows and `follow` is asked for, what comes to it.
Task<> pump(Platform& platform, net::Exchange& exchange, runner::LogName name, uint64_t from, bool follow) {
  auto& logs = platform.runner.logs();
  while (true) {
    bool growing = logs.growing(name);  // asked before reading: what comes between is read the next time
    auto reading = [&logs, name, from] { return logs.read(name, from, piece_bytes); };
    auto piece = co_await core::blocking(platform.git_reads, std::move(reading));
    if (!piece) co_return;
    if (!piece->empty()) {
      from += piece->size();
      if (auto sent = co_await exchange.write(*piece); !sent) co_return;
      continue;
    }
    if (!follow || !growing) break;
    co_await logs.until_beyond(name, from, patience);
  }
  if (auto finished = co_await exchange.finish(); !finished) co_return;
}

// Where a line begins, and its number in the whole log, from 1; 0: nobody counted.
struct LineStart {
  uint64_t byte = 0;
  uint64_t line = 1;
};

struct Counted {
  LineStart start;     // of the line after the last that was seen to end
  uint64_t next = 0;   // byte to go on at
  bool found = false;  // `start` is the first at or beyond what was wanted, or the log ends
};

// Blocks: from `counted` on, to the first line that begins at `wanted` or beyond, as far as one turn goes.
Result<Counted> count_lines(const runner::LogStore& logs, const runner::LogName& name, Counted counted,
                            uint64_t wanted) {
  const auto turn_ends = counted.next + counted_at_once;
  while (counted.next < turn_ends) {
    auto piece = logs.read(name, counted.next, piece_bytes);
    if (!piece) return std::unexpected(piece.error());
    for (auto feed = piece->find('\n'); feed != std::string::npos; feed = piece->find('\n', feed + 1)) {
      counted.start = {counted.next + feed + 1, counted.start.line + 1};
      if (counted.start.byte >= wanted) {
        counted.found = true;
        return counted;
      }
    }
    counted.next += piece->size();
    counted.found = piece->empty();
    if (counted.found) break;
  }
  return counted;
}

// The first line of the last `bytes` of a log; the first of all where it is not longer.
Task<Result<LineStart>> start_of_last(Platform& platform, runner::LogName name, uint64_t bytes) {
  const auto& logs = platform.runner.logs();
  const auto size = logs.size(name);
  if (!size) co_return std::unexpected(size.error());
  if (*size <= bytes) co_return LineStart();
  Counted counted;
  while (!counted.found) {
    auto counting = [&logs, name, counted, wanted = *size - bytes] { return count_lines(logs, name, counted, wanted); };
    auto further = co_await core::blocking(platform.git_reads, std::move(counting));
    if (!further) co_return std::unexpected(further.error());
    counted = *further;
  }
  co_return counted.start;
}

Task<Result<LineStart>> start_of(Platform& platform, const Call& call, const runner::LogName& name) {
  auto from = number_in(call, "from", 0, INT64_MAX, 0);
  if (!from) co_return std::unexpected(from.error());
  auto last = number_in(call, "last", 1, INT64_MAX, 0);
  if (!last) co_return std::unexpected(last.error());
  if (*last == 0) co_return LineStart{*from, 0};
  if (!call.query("from").empty()) co_return core::fail(Code::invalid, "Give from or last: one place to begin at.");
  co_return co_await start_of_last(platform, name, *last);
}

Task<Result<>> log(Platform& platform, Call& call) {
  auto name = log_of(platform, call);
  if (!name) co_return std::unexpected(name.error());
  auto follow = flag_in(call, "follow");
  if (!follow) co_return std::unexpected(follow.error());
  auto start = co_await start_of(platform, call, *name);
  if (!start) co_return std::unexpected(start.error());
  net::Headers headers{{"Content-Type", "text/plain; charset=utf-8"},
                       {"Cache-Control", "no-store"},
                       {"X-Content-Type-Options", "nosniff"}};
  if (start->line > 0) {
    headers.set("X-Headrace-First-Byte", std::to_string(start->byte));
    headers.set("X-Headrace-First-Line", std::to_string(start->line));
  }
  if (auto started = co_await call.exchange.start(net::Status::ok, std::move(headers), std::nullopt); !started)
    co_return Result<>{};
  auto pumping = pump(platform, call.exchange, std::move(*name), start->byte, *follow);
  co_await stream_while_open(platform.loop, call.exchange, std::move(pumping));
  co_return Result<>{};
}

}  // namespace

void add_log_routes(Router& router, Platform& platform) {
  router.add({net::Method::get,
              "/api/v1/jobs/{job}/log",
              Right::signed_in,
              {"The log of a job: a line is its time, the number of its step, its text",
               "runs",
               {{"attempt", "of the job; the newest where absent", "integer"},
                {"from", "byte to begin at", "integer"},
                {"last",
                 "in place of from: the lines within so many bytes before the end; X-Headrace-First-Byte and "
                 "X-Headrace-First-Line say where that begins",
                 "integer"},
                {"follow", "true: until the job has ended", "boolean"}},
               {},
               "text/plain"},
              [&platform](Call& call) { return log(platform, call); }});
}

}  // namespace headrace::server
