#include "server/logs_api.h"

#include <memory>

#include "server/answers.h"
#include "server/door.h"
#include "server/request.h"
#include "server/streaming.h"
#include "services/runner/line_counts.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t piece_bytes = 256 * 1024;
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

struct Start {
  uint64_t byte = 0;
  uint64_t line = 0;  // in the whole log, from 1; 0: nobody counted
};

// The first line of the last `bytes` of a log; the first of all where it is not longer.
Task<Result<Start>> start_of_last(Platform& platform, runner::LineCounts& counts, runner::LogName name,
                                  uint64_t bytes) {
  const auto size = platform.runner.logs().size(name);
  if (!size) co_return std::unexpected(size.error());
  if (*size <= bytes) co_return Start{0, 1};
  while (true) {
    auto counting = [&counts, name, wanted = *size - bytes] { return counts.first_from(name, wanted); };
    auto found = co_await core::blocking(platform.git_reads, std::move(counting));
    if (!found) co_return std::unexpected(found.error());
    if (*found) co_return Start{(*found)->byte, (*found)->line};
  }
}

Task<Result<Start>> start_of(Platform& platform, runner::LineCounts& counts, const Call& call,
                             const runner::LogName& name) {
  auto from = number_in(call, "from", 0, INT64_MAX, 0);
  if (!from) co_return std::unexpected(from.error());
  auto last = number_in(call, "last", 1, INT64_MAX, 0);
  if (!last) co_return std::unexpected(last.error());
  if (*last == 0) co_return Start{*from, 0};
  if (!call.query("from").empty()) co_return core::fail(Code::invalid, "Give from or last: one place to begin at.");
  co_return co_await start_of_last(platform, counts, name, *last);
}

Task<Result<>> log(Platform& platform, runner::LineCounts& counts, Call& call) {
  auto name = log_of(platform, call);
  if (!name) co_return std::unexpected(name.error());
  auto follow = flag_in(call, "follow");
  if (!follow) co_return std::unexpected(follow.error());
  auto start = co_await start_of(platform, counts, call, *name);
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
  auto counts = std::make_shared<runner::LineCounts>(platform.runner.logs());
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
              [&platform, counts](Call& call) { return log(platform, *counts, call); }});
}

}  // namespace headrace::server
