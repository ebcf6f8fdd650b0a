// The log of a job as GitHub gives it: a line is its time and its text.
#include <algorithm>

#include "server/answers.h"
#include "server/github_api.h"
#include "server/streaming.h"
#include "services/runner/log_lines.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

constexpr size_t log_bytes_at_once = 2 * runner::log_line_max;  // so that a piece always holds a whole line

// "2026-11-23T07:16:00.123456Z 1 text" -> "2026-11-23T07:16:00.1234560Z text": seven digits, and no number of the step.
void add_line(std::string& out, std::string_view line) {
  auto time = line.find(' ');
  auto step = time == std::string_view::npos ? time : line.find(' ', time + 1);
  if (step == std::string_view::npos || time == 0 || line[time - 1] != 'Z') {
    out.append(line);
  } else {
    out.append(line.substr(0, time - 1)).append("0Z").append(line.substr(step));
  }
  out.push_back('\n');
}

std::string as_github_has_it(std::string_view lines) {
  std::string out;
  out.reserve(lines.size());
  while (!lines.empty()) {
    auto end = std::min(lines.find('\n'), lines.size());
    add_line(out, lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

Task<> pump(Platform& platform, net::Exchange& exchange, runner::LogName name) {
  auto& logs = platform.runner.logs();
  for (uint64_t from = 0;;) {
    auto reading = [&logs, name, from] { return logs.read(name, from, log_bytes_at_once); };
    auto piece = co_await core::blocking(platform.git_reads, std::move(reading));
    if (!piece) co_return;
    if (piece->empty()) break;
    if (auto last = piece->rfind('\n'); last != std::string::npos) piece->resize(last + 1);
    from += piece->size();
    auto sent = co_await exchange.write(as_github_has_it(*piece));
    if (!sent) co_return;
  }
  if (auto finished = co_await exchange.finish(); !finished) co_return;
}

// GitHub answers with the address of the text, good for a minute; here it is one that wants a token as well.
Task<Result<>> redirect(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "job");
  if (!found) co_return std::unexpected(found.error());
  net::Response response;
  response.status = net::Status::found;
  response.headers.set("Location", platform.public_url + "/api/v3/repos/" + found->repo.full_name + "/actions/jobs/" +
                                       std::to_string(found->job.id) + "/logs/text");
  co_return co_await call.exchange.respond(std::move(response));
}

Task<Result<>> text(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "job");
  if (!found) co_return std::unexpected(found.error());
  net::Headers headers{{"Content-Type", "text/plain; charset=utf-8"},
                       {"Cache-Control", "no-store"},
                       {"X-Content-Type-Options", "nosniff"}};
  if (auto started = co_await call.exchange.start(net::Status::ok, std::move(headers), std::nullopt); !started)
    co_return Result<>{};
  runner::LogName name{found->job.job, found->job.attempt};
  auto pumping = pump(platform, call.exchange, std::move(name));
  co_await stream_while_open(platform.loop, call.exchange, std::move(pumping));
  co_return Result<>{};
}

}  // namespace

void add_github_log_route(Router& router, Platform& platform) {
  const std::string log = "/api/v3/repos/{owner}/{repo}/actions/jobs/{job}/logs";
  router.add({net::Method::get,
              log,
              Right::read_runs,
              {"Where the log of a job is", "github", {}, {}, {}, 302},
              [&platform](Call& call) { return redirect(platform, call); }});
  router.add({net::Method::get,
              log + "/text",
              Right::read_runs,
              {"The log of a job: a line is its time and its text", "github", {}, {}, "text/plain"},
              [&platform](Call& call) { return text(platform, call); }});
}

}  // namespace headrace::server
