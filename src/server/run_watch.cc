// A run as it happens, over one stream: its state whenever it changes, the lines of its jobs' logs as they come, and
// each test that failed as soon as its report has been read.
#include <map>
#include <set>

#include "core/bytes.h"
#include "net/sse.h"
#include "server/answers.h"
#include "server/door.h"
#include "server/outbox.h"
#include "server/runs_api.h"
#include "server/streaming.h"
#include "server/tests_api.h"
#include "services/runner/log_lines.h"
#include "services/runner/runner.h"
#include "services/tests/tests.h"

namespace headrace::server {

using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t piece_bytes = 2 * runner::log_line_max;  // so that a piece always holds a whole line
constexpr std::chrono::seconds look_again_after{15};

// Everything it spawns is closed before pump() ends, so it may live in the frame of its request.
class Watcher {
 public:
  Watcher(Platform& platform, int64_t run)
      : platform_(platform),
        run_(run),
        outbox_(platform.loop.executor()),
        changed_(platform.loop.executor()),
        tasks_(platform.loop.executor()),
        logs_(platform.loop.executor()) {}

  Task<> pump(net::SseWriter& out) {
    tasks_.spawn("tell of a run", tell());
    co_await then_close(then_close(outbox_.send_all(out), tasks_), logs_);
  }

 private:
  Task<> tell() {
    auto view = co_await platform_.pipeline.view(run_);
    if (!view) co_return outbox_.close();
    auto wake = [this](store::Offset) { changed_.notify_all(); };
    auto watch = platform_.store.watch("pipeline", wake);
    auto steps = platform_.bus.channels().listen(runner::steps_topic(view->run));
    auto red = platform_.bus.channels().listen(tests::red_topic(view->run));
    core::Scope listening(platform_.loop.executor());
    listening.spawn("steps of a run", hear_steps(*steps));
    listening.spawn("failed tests of a run", hear_tests(*red, view->run));
    co_await then_close(tell_states(), listening);
    over_ = true;
    changed_.notify_all();
    co_await logs_.until_idle();
    co_await tell_last_tests(view->run);
    outbox_.put("end", last_.empty() ? "{}" : last_);
    outbox_.close();
  }

  // As it is now; for a client that reads slowly, states in between are left out.
  Task<> tell_states() {
    while (true) {
      co_await outbox_.until_room();
      auto view = co_await platform_.pipeline.view(run_);
      if (!view) co_return;
      for (const auto& job : view->jobs) attempts_[job.job] = {job.attempt, job.status == pipeline::Status::completed};
      for (const auto& job : view->jobs)
        if (!job.runner.empty() && followed_.insert({job.job, job.attempt}).second)
          logs_.spawn("log of a job", follow(job));
      auto now = core::to_valid_utf8(core::to_text(run_json(platform_, *view, true)));
      if (now != last_) outbox_.put("run", now);
      last_ = std::move(now);
      if (view->status == pipeline::Status::completed) co_return;
      co_await changed_.wait_for(look_again_after);
    }
  }

  Task<> hear_steps(bus::Listener& steps) {
    while (true) {
      auto heard = co_await steps.next(100, look_again_after);
      if (!heard.payloads.empty()) changed_.notify_all();
    }
  }

  Task<> hear_tests(bus::Listener& red, std::string run) {
    while (true) {
      if (!co_await tell_tests(run)) co_return;
      [[maybe_unused]] auto there_are_some = co_await red.next(100, look_again_after);
    }
  }

  // Those of reports that nobody has asked for yet.
  Task<bool> tell_tests(std::string run) {
    for (bool more = true; more;) {
      co_await outbox_.until_room();
      auto page = co_await platform_.tests.red(run, tests_after_);
      if (!page) co_return false;
      more = page->after > tests_after_;
      tests_after_ = page->after;
      for (const auto& test : page->tests) outbox_.put("test", core::to_text(red_json(test)));
    }
    co_return true;
  }

  // The run's end may be known before the last report has been read into the history of tests.
  Task<> tell_last_tests(std::string run) {
    const auto end = platform_.store.applied("pipeline");
    auto there = co_await platform_.store.caught_up("tests", end, look_again_after);
    if (there) co_await tell_tests(run);
  }

  bool is_over(const pipeline::Job& job) const {
    auto now = attempts_.find(job.job);
    return over_ || (now != attempts_.end() && (now->second.first > job.attempt || now->second.second));
  }

  Task<> follow(pipeline::Job job) {
    auto& logs = platform_.runner.logs();
    runner::LogName name{job.job, job.attempt};
    uint64_t from = 0;
    while (true) {
      bool growing = logs.growing(name);
      bool over = is_over(job);  // asked before reading: what comes between is read the next time
      auto reading = [&logs, name, from] { return logs.read(name, from, piece_bytes); };
      auto piece = co_await core::blocking(platform_.git_reads, std::move(reading));
      if (!piece) co_return;
      // Only whole lines, so that no character is cut in two; what a runner that died left of one comes at the end.
      auto whole = piece->rfind('\n') == std::string::npos ? 0 : piece->rfind('\n') + 1;
      if (whole > 0 || growing) piece->resize(whole);
      if (!piece->empty()) {
        auto to = from + piece->size();
        json::object told{{"job", job.job},
                          {"key", job.key},
                          {"name", job.name},
                          {"attempt", job.attempt},
                          {"offset", from},
                          {"next", to},
                          {"text", core::to_valid_utf8(std::move(*piece))}};
        outbox_.put("log", core::to_text(told));
        from = to;
        co_await outbox_.until_room();
        continue;
      }
      if (growing) {
        co_await logs.until_beyond(name, from, look_again_after);
      } else if (over) {
        co_return;
      } else {  // a runner has the job, and its log has not begun
        co_await changed_.wait_for(look_again_after);
      }
    }
  }

  Platform& platform_;
  int64_t run_;
  Outbox outbox_;
  core::Signal changed_;
  std::string last_;  // state that was told
  std::set<std::pair<std::string, int64_t>> followed_;
  std::map<std::string, std::pair<int64_t, bool>> attempts_;  // of each job the newest, and whether that has ended
  int64_t tests_after_ = 0;                                   // of tests that failed, how far they are told
  bool over_ = false;                                         // no state follows
  core::Scope tasks_;
  core::Scope logs_;
};

Task<Result<>> watch(Platform& platform, Call& call) {
  auto run = co_await run_in(platform, call);
  if (!run) co_return std::unexpected(run.error());
  net::SseWriter out(call.exchange);
  if (auto opened = co_await out.open(); !opened) co_return Result<>{};
  Watcher watcher(platform, run->id);
  co_await stream_while_open(platform.loop, call.exchange, watcher.pump(out));
  co_return co_await out.close();
}

}  // namespace

void add_run_watch(Router& router, Platform& platform) {
  router.add({net::Method::get,
              "/api/v1/runs/{run}/watch",
              Right::signed_in,
              {"A run live (server-sent events): run, log, test (one that failed), and end as the last",
               "runs",
               {},
               {},
               "text/event-stream"},
              [&platform](Call& call) { return watch(platform, call); }});
}

}  // namespace headrace::server
