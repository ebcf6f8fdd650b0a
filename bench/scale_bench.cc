// rooms: net pipeline report events log bus core
//
// How quick lists, searches and the past are with many runs: a data folder of N runs and about ten events a run is made
// through the log, the projections are built from it, and the whole binary is asked over HTTP as pages and command line
// ask it. HEADRACE_BINARY names the binary, HEADRACE_SCALE_RUNS is N (1,000,000), HEADRACE_SCALE_FOLDER where it is
// made
// (/tmp/scale; at most some 30 KB a run). Takes half an hour with a million runs; the folder is removed afterwards.
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>

#include "bus/cursor_store.h"
#include "core/disk.h"
#include "core/random.h"
#include "log/segment_log.h"
#include "net/url.h"
#include "platform.h"
#include "report.h"
#include "scale_events.h"

namespace headrace::bench {
namespace {

constexpr size_t batch_events = 1'000;
constexpr size_t batches_at_once = 4;
constexpr double seconds_a_figure = 6;
constexpr int questions_max = 200;
constexpr double p99_wanted_ms = 50;

[[noreturn]] void fail(const std::string& what) { Wire::fail(what); }

// --- the log

// Batches of what is said, some of them on their way at once.
class Writing {
 public:
  explicit Writing(log::SegmentLog& log) : log_(log) {}
  void say(events::Event event) {
    batch_.push_back(std::move(event));
    if (batch_.size() == batch_events) write();
  }
  void finish() {
    if (!batch_.empty()) write();
    wait_for_less_than(1);
  }

 private:
  void write() {
    wait_for_less_than(batches_at_once);
    const std::lock_guard lock(mutex_);
    ++at_work_;
    log_.submit({.events = std::move(batch_), .key = {}, .expected = {}}, [this](core::Result<log::Appended> appended) {
      if (!appended) fail("the log refuses: " + appended.error().message + " " + appended.error().detail);
      const std::lock_guard done(mutex_);
      --at_work_;
      changed_.notify_all();
    });
    batch_ = {};
  }
  void wait_for_less_than(size_t most) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return at_work_ < most; });
  }

  log::SegmentLog& log_;
  std::vector<events::Event> batch_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t at_work_ = 0;
};

// The services have heard all of it: none starts runs for what is years old.
void settle_bus(const std::string& data, log::Offset tail) {
  auto store = bus::CursorStore::open(data + "/bus.db");
  if (!store) fail("the cursors cannot be opened: " + store.error().message);
  auto all = (*store)->load();
  if (!all) fail("the cursors cannot be read: " + all.error().message);
  std::vector<bus::Change> changes;
  for (const auto& one : *all)
    changes.push_back({.name = one.subscription.name,
                       .cursor = bus::Cursor{.floor = tail, .seen = tail, .unsettled = {}},
                       .troubles = {},
                       .gone = {}});
  if (auto written = (*store)->write(changes); !written)
    fail("the cursors cannot be moved: " + written.error().message);
}

log::Offset write_log(const std::string& data, int64_t runs) {
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SeededRandom random(7);
  auto log = log::SegmentLog::open(disk, clock, random, data + "/log");
  if (!log) fail("the log cannot be opened: " + log.error().message);
  Writing writing(**log);
  ScaleEvents(runs, [&](events::Event event) { writing.say(std::move(event)); }).say_all();
  writing.finish();
  return (*log)->durable();
}

// --- asking

class Api {
 public:
  Api(int port, std::string token) : wire_(port), token_(std::move(token)) {}

  std::string get(const std::string& path) {
    wire_.send("GET /api/v1" + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token_ + "\r\n\r\n");
    const std::string status = wire_.line();
    size_t length = 0;
    for (std::string line = wire_.line(); !line.empty(); line = wire_.line())
      if (line.starts_with("Content-Length: ")) length = std::stoul(line.substr(16));
    std::string body = wire_.exactly(length);
    if (!status.starts_with("HTTP/1.1 200")) fail(path + ": " + status + " " + body.substr(0, 300));
    return body;
  }

 private:
  Wire wire_;
  std::string token_;
};

// What stands behind "name": in a JSON text, up to the next comma or brace; without quotes.
std::string value_in(const std::string& json, const std::string& name, size_t from = 0) {
  auto at = json.find("\"" + name + "\":", from);
  if (at == std::string::npos) return {};
  at += name.size() + 3;
  std::string value = json.substr(at, json.find_first_of(",}", at) - at);
  std::erase(value, '"');
  return value == "null" ? std::string() : value;
}

using Question = std::function<std::string()>;  // a path, another each time

class Asking {
 public:
  Asking(const Platform& platform, int64_t runs, log::Offset tail)
      : api_(platform.port, platform.token), runs_(runs), tail_(tail) {}

  void all() {
    ask("runs, newest", [] { return "/runs?limit=50"; });
    ask("runs of a repository", [this] { return "/runs?limit=50&repository=" + repository(); });
    ask("runs of the branch main", [] { return "/runs?limit=50&branch=main"; });
    ask("runs of a feature branch", [this] { return "/runs?limit=50&branch=feature/" + below(50'000); });
    ask("runs of an actor", [this] { return "/runs?limit=50&actor=user" + below(scale_actors); });
    ask("runs of an event that is rare", [] { return "/runs?limit=50&event=workflow_dispatch"; });
    for (const char* result : {"failed", "running", "queued", "skipped", "waiting"})
      ask(std::string("runs with result ") + result,
          [result] { return std::string("/runs?limit=50&result=") + result; });
    ask("runs of a commit", [this] { return "/runs?limit=50&commit=" + commit(); });
    ask("runs of a workflow of a repository",
        [this] { return "/runs?limit=50&workflow=docs.yml&repository=" + repository(); });
    ask("failed runs of main of a repository",
        [this] { return "/runs?limit=50&result=failed&branch=main&repository=" + repository(); });
    ask("a run by its number", [this] { return "/runs?limit=50&number=3&repository=" + repository(); });
    ask("runs by a word that is common", [] { return "/runs?limit=50&q=cart"; });
    ask("runs by words that are rare, one look",
        [this] { return "/runs?limit=50&q=parser+totals+%23" + below(100'000); });
    ask("runs by a word that is nowhere, one look", [] { return "/runs?limit=50&q=nowhere"; });
    ask("runs behind a cursor in the middle", [this] { return "/runs?limit=50&cursor=" + offset(); });
    ask("runs in the past", [this] { return "/runs?limit=50&at=" + offset(); });
    ask("runs of a repository in the past",
        [this] { return "/runs?limit=50&repository=" + repository() + "&at=" + offset(); });
    ask("failed runs in the past", [this] { return "/runs?limit=50&result=failed&at=" + offset(); });
    ask("running runs in the past, one look", [this] { return "/runs?limit=50&result=running&at=" + offset(); });
    ask("a run", [this] { return "/runs/" + run(); });
    ask("a run in the past", [this] { return "/runs/" + run() + "?at=" + std::to_string(tail_); });
    ask("tests of a run", [this] { return "/runs/" + run() + "/tests"; });
    ask("flaky tests of a repository", [this] { return "/repositories/" + repository() + "/tests/flaky"; });
    ask("slowest tests of a repository", [this] { return "/repositories/" + repository() + "/tests/slowest"; });
    ask("events from the middle", [this] { return "/events?limit=100&from=" + offset(); });
    ask("events of a type", [this] { return events("type = 'com.example.deployed'"); });
    ask("events of a type that is rare, one look", [this] { return events("type = 'com.example.never'"); });
    ask("events by a filter that nothing matches, one look", [this] { return events("subject LIKE '%nowhere%'"); });
    ask("events, newest", [] { return std::string("/events?order=newest&limit=100"); });
    ask("events by a filter that nothing matches, newest first, one look",
        [] { return "/events?order=newest&limit=100&filter=" + net::percent_encode("subject LIKE '%nowhere%'"); });
    ask("an event", [this] { return "/events/" + event(); });
    ask("why an event", [this] { return "/events/" + event() + "/why"; });
    ask("repositories", [] { return "/repositories"; });
    ask("status", [] { return "/status"; });
    whole("runs by a word that is nowhere, looked for to the end", "/runs?limit=50&q=nowhere", "cursor");
  }

 private:
  void ask(const std::string& figure, const Question& question) {
    std::vector<double> took;
    const auto began = Clock::now();
    size_t bytes = 0;
    while (took.size() < questions_max && milliseconds_since(began) < seconds_a_figure * 1000) {
      const std::string path = question();
      const auto start = Clock::now();
      bytes += api_.get(path).size();
      took.push_back(milliseconds_since(start));
    }
    std::fprintf(stderr, "%-55s p50 %8.2f p99 %8.2f ms\n", figure.c_str(), median(took), quantile(took, 0.99));
    print({.figure = figure + ", p99",
           .unit = "ms",
           .ours = quantile(took, 0.99),
           .reference = {},
           .against = {},
           .better = Better::lower,
           .target = at_most(p99_wanted_ms),
           .note = "p50 " + shown(median(took)) + " ms; " + std::to_string(took.size()) + " times, " +
                   std::to_string(bytes / took.size() / 1024) + " KiB each"});
  }

  // As a page does that looks on until there is no more.
  void whole(const std::string& figure, const std::string& path, const std::string& by) {
    int pages = 0;
    const auto began = Clock::now();
    for (std::string next = api_.get(path); ++pages < 10'000;) {
      const std::string cursor = value_in(next, "next", next.size() - std::min<size_t>(next.size(), 200));
      if (cursor.empty()) break;
      next = api_.get(path + "&" + by + "=" + cursor);
    }
    std::fprintf(stderr, "%-55s %8.2f ms, %d answers\n", figure.c_str(), milliseconds_since(began), pages);
    print({.figure = figure,
           .unit = "ms",
           .ours = milliseconds_since(began),
           .reference = {},
           .against = {},
           .better = Better::lower,
           .target = {},
           .note = std::to_string(pages) + " answers"});
  }

  static std::string shown(double milliseconds) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", milliseconds);
    return text.data();
  }
  std::string below(int64_t most) {
    return std::to_string(static_cast<int64_t>(random_() % static_cast<uint64_t>(most)));
  }
  std::string repository() { return scale_repository(std::stoi(below(scale_repositories))); }
  std::string offset() { return std::to_string(static_cast<int64_t>(tail_ / 4 + random_() % (tail_ / 2))); }
  std::string run() { return std::to_string(1'000'001 + std::stoll(below(runs_ - unfinished_runs))); }
  std::string commit() { return value_in(api_.get("/runs/" + run()), "commit").substr(0, 10); }
  std::string event() { return value_in(api_.get("/events?limit=1&from=" + offset()), "id"); }
  std::string events(const std::string& filter) {
    return "/events?limit=100&from=" + offset() + "&filter=" + net::percent_encode(filter);
  }

  Api api_;
  int64_t runs_;
  log::Offset tail_;
  std::mt19937_64 random_{11};
};

// --- all of it

uintmax_t bytes_of(const fs::path& folder) {
  uintmax_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

void tell(const std::string& figure, const std::string& unit, double ours, const std::string& note,
          Target target = {}) {
  std::fprintf(stderr, "%-55s %10.1f %s  %s\n", figure.c_str(), ours, unit.c_str(), note.c_str());
  print({.figure = figure,
         .unit = unit,
         .ours = ours,
         .reference = {},
         .against = {},
         .better = Better::lower,
         .target = target,
         .note = note});
}

std::string mib(uintmax_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

void measure(const std::string& binary, const fs::path& folder, int64_t runs) {
  const std::string data = folder / "data";
  Platform platform(binary, folder);
  platform.stop();
  log::Offset tail = 0;
  const double writing = seconds([&] { tail = write_log(data, runs); });
  settle_bus(data, tail);
  tell(std::to_string(runs) + " runs, " + std::to_string(tail) + " events: written to the log", "s", writing,
       mib(bytes_of(data + "/log")) + " of log");
  const double rebuilding = seconds([&] { run(binary + " projections rebuild --data " + data); });
  tell("all projections built from it", "s", rebuilding,
       std::to_string(static_cast<int64_t>(static_cast<double>(tail) / rebuilding)) + " events/s, " +
           mib(bytes_of(data + "/projections")) + " of tables");
  const double first = platform.start();
  platform.stop();
  tell("start to ready", "ms", platform.start(),
       "the first start, which indexes causes: " + std::to_string(first) + " ms", at_most(100));
  Asking(platform, runs, tail).all();
  std::this_thread::sleep_for(std::chrono::seconds(3));
  int processes = 0;
  const double memory = pss_mib_of_all(platform.data(), processes);
  tell("memory after all these questions, PSS of all processes", "MiB", memory,
       std::to_string(processes) + " processes", at_most(64));
}

}  // namespace
}  // namespace headrace::bench

int main() {
  using namespace headrace::bench;
  const char* binary = std::getenv("HEADRACE_BINARY");
  const char* runs = std::getenv("HEADRACE_SCALE_RUNS");
  const char* where = std::getenv("HEADRACE_SCALE_FOLDER");
  if (binary == nullptr) Wire::fail("HEADRACE_BINARY names no binary");
  const fs::path folder = where == nullptr ? "/tmp/scale" : where;
  if (fs::exists(folder)) Wire::fail(folder.string() + " is there already; remove it first");
  fs::create_directories(folder);
  set_environment(folder);
  before_failing = std::string(binary) + " down --data " + (folder / "data").string() + " >/dev/null 2>&1";
  measure(binary, folder, runs == nullptr ? 1'000'000 : std::stoll(runs));
  fs::remove_all(folder);
  return 0;
}
