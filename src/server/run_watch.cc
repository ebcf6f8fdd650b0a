// A run as it happens, over one stream: its state whenever it changes, and the lines of its jobs' logs as they come.
#include <deque>
#include <set>

#include "net/sse.h"
#include "server/answers.h"
#include "server/door.h"
#include "server/runs_api.h"
#include "server/streaming.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t piece_bytes = 64 * 1024;
constexpr size_t outgoing_bytes_max = 512 * 1024;  // beyond it logs wait for the client
constexpr std::chrono::seconds heartbeat_every{15};

// What several tasks have to say to one client, in order.
class Outbox {
 public:
  explicit Outbox(core::Executor executor) : changed_(std::move(executor)) {}

  void put(std::string name, std::string data) {
    net::ServerSentEvent event{{}, std::move(name), std::move(data)};
    waiting_.push_back(net::encode(event));
    bytes_ += waiting_.back().size();
    changed_.notify_all();
  }
  Task<> until_room() {
    while (bytes_ > outgoing_bytes_max) co_await changed_.wait();
  }
  void close() {
    closed_ = true;
    changed_.notify_all();
  }
  Task<> send_all(net::SseWriter& out) {
    while (!closed_ || !waiting_.empty()) {
      if (waiting_.empty()) {
        bool heard = co_await changed_.wait_for(heartbeat_every);
        if (heard) continue;
        if (auto alive = co_await out.heartbeat(); !alive) co_return;
        continue;
      }
      std::string next = std::move(waiting_.front());
      waiting_.pop_front();
      bytes_ -= next.size();
      changed_.notify_all();
      if (auto sent = co_await out.send_encoded(next); !sent) co_return;
    }
  }

 private:
  std::deque<std::string> waiting_;
  size_t bytes_ = 0;
  bool closed_ = false;
  core::Signal changed_;
};

class Watcher {
 public:
  Watcher(Platform& platform, int64_t run) : platform_(platform), run_(run), outbox_(platform.loop.executor()), changed_(platform.loop.executor()), logs_(platform.loop.executor()) {}

  Task<> pump(net::SseWriter& out) {
    core::Scope telling(platform_.loop.executor());
    telling.spawn("tell of a run", tell());
    co_await outbox_.send_all(out);
    co_await logs_.close();
    co_await telling.close();
  }

 private:
  Task<> tell() {
    auto view = co_await platform_.pipeline.view(run_);
    if (!view) co_return outbox_.close();
    auto wake = [this](store::Offset) { changed_.notify_all(); };
    auto watch = platform_.store.watch("pipeline", wake);
    auto steps = platform_.bus.channels().listen(runner::steps_topic(view->run));
    core::Scope listening(platform_.loop.executor());
    listening.spawn("steps of a run", hear_steps(*steps));
    std::string last;
    while (true) {
      view = co_await platform_.pipeline.view(run_);
      if (!view) break;
      for (const auto& job : view->jobs)
        if (!job.runner.empty() && followed_.insert({job.job, job.attempt}).second) logs_.spawn("log of a job", follow(job));
      auto now = core::to_text(run_json(platform_, *view, true));
      if (now != last) outbox_.put("run", now);
      last = std::move(now);
      if (view->status == pipeline::Status::completed) break;
      co_await changed_.wait_for(heartbeat_every);
    }
    co_await listening.close();
    co_await logs_.until_idle();
    outbox_.put("end", last.empty() ? "{}" : last);
    outbox_.close();
  }

  Task<> hear_steps(bus::Listener& steps) {
    while (true) {
      auto heard = co_await steps.next(100, heartbeat_every);
      if (!heard.payloads.empty()) changed_.notify_all();
    }
  }

  Task<> follow(pipeline::Job job) {
    auto& logs = platform_.runner.logs();
    runner::LogName name{job.job, job.attempt};
    uint64_t from = 0;
    while (true) {
      bool growing = logs.growing(name);
      auto reading = [&logs, name, from] { return logs.read(name, from, piece_bytes); };
      auto piece = co_await core::blocking(platform_.git_reads, std::move(reading));
      if (!piece) co_return;
      // Only whole lines, so that no character is cut in two.
      piece->resize(piece->rfind('\n') == std::string::npos ? 0 : piece->rfind('\n') + 1);
      if (!piece->empty()) {
        json::object told{{"job", job.job}, {"key", job.key}, {"name", job.name}, {"attempt", job.attempt}, {"offset", from}, {"text", *piece}};
        outbox_.put("log", core::to_text(told));
        from += piece->size();
        co_await outbox_.until_room();
        continue;
      }
      if (!growing) co_return;
      co_await logs.until_beyond(name, from, heartbeat_every);
    }
  }

  Platform& platform_;
  int64_t run_;
  Outbox outbox_;
  core::Signal changed_;
  std::set<std::pair<std::string, int64_t>> followed_;
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
  router.add({net::Method::get, "/api/v1/runs/{run}/watch", Right::signed_in,
              {"A run live (server-sent events): run, log, and end as the last", "runs", {}, {}, "text/event-stream"},
              [&platform](Call& call) { return watch(platform, call); }});
}

}  // namespace headrace::server
