#include "server/summary_api.h"

#include "server/answers.h"
#include "server/runs_api.h"
#include "server/streaming.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

bool is_named(const pipeline::Job& job, const std::string& name) {
  return job.key == name || job.job == name || (job.id > 0 && std::to_string(job.id) == name);
}

// A name is text, whatever it looks like: CommonMark 0.31, section 2.4.
std::string heading_of(const pipeline::Job& job) {
  constexpr std::string_view markup = "\\`*[]<&";
  std::string line = "## ";
  for (char c : job.name) {
    if (markup.contains(c)) line.push_back('\\');
    line.push_back(c == '\n' || c == '\r' ? ' ' : c);
  }
  return line + "\n\n";
}

enum class Heading { none, of_job };

// A job's pieces one after the other, so that never more than one is in memory. False: the client has gone.
Task<bool> write_job(Platform& platform, net::Exchange& exchange, pipeline::Job job, Heading heading) {
  const auto store = platform.runner.summaries();
  const runner::LogName name{job.job, job.attempt};
  auto look = [store, name] { return store.pieces(name); };
  auto pieces = co_await core::blocking(platform.git_reads, std::move(look));
  if (!pieces || pieces->empty()) co_return true;
  if (heading == Heading::of_job) {
    auto sent = co_await exchange.write(heading_of(job));
    if (!sent) co_return false;
  }
  for (const auto& piece : *pieces) {
    auto reading = [store, name, piece] { return store.read(name, piece); };
    auto text = co_await core::blocking(platform.git_reads, std::move(reading));
    if (!text) co_return false;
    if (!text->ends_with('\n')) text->push_back('\n');
    text->push_back('\n');
    auto sent = co_await exchange.write(*text);
    if (!sent) co_return false;
  }
  co_return true;
}

Task<> write_all(Platform& platform, net::Exchange& exchange, std::vector<pipeline::Job> jobs, Heading heading) {
  for (auto& job : jobs) {
    const bool written = co_await write_job(platform, exchange, std::move(job), heading);
    if (!written) co_return;
  }
  if (auto finished = co_await exchange.finish(); !finished) co_return;
}

Task<Result<>> summary(Platform& platform, Call& call) {
  auto run = co_await run_in(platform, call);
  if (!run) co_return std::unexpected(run.error());
  const std::string only = call.query("job");
  std::erase_if(run->jobs, [&only](const auto& job) { return !only.empty() && !is_named(job, only); });
  if (run->jobs.empty() && !only.empty())
    co_return core::fail(Code::not_found, "This run has no job '" + only.substr(0, 200) + "'.");
  net::Headers headers{{"Content-Type", "text/markdown; charset=utf-8"},
                       {"Cache-Control", "no-store"},
                       {"X-Content-Type-Options", "nosniff"}};
  if (auto started = co_await call.exchange.start(net::Status::ok, std::move(headers), std::nullopt); !started)
    co_return Result<>{};
  auto writing =
      write_all(platform, call.exchange, std::move(run->jobs), only.empty() ? Heading::of_job : Heading::none);
  co_await stream_while_open(platform.loop, call.exchange, std::move(writing));
  co_return Result<>{};
}

}  // namespace

void add_summary_route(Router& router, Platform& platform) {
  router.add({net::Method::get,
              "/api/v1/runs/{run}/summary",
              Right::signed_in,
              {"What the steps of a run wrote to GITHUB_STEP_SUMMARY, under a heading for each job",
               "runs",
               {{"job", "key, id or UUID: only of this one, without its heading"}},
               {},
               "text/markdown"},
              [&platform](Call& call) { return summary(platform, call); }});
}

}  // namespace headrace::server
