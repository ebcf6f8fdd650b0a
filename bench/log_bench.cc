// rooms: log core
//
// The embedded log against a bare group commit written here: one thread that writes what arrived during the previous
// sync and answers after fdatasync, without offsets, sums, duplicates, indexes or readers. Rows: EVENT-LOG.md,
// section 3.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "core/id.h"
#include "log/segment_log.h"
#include "report.h"

namespace headrace::log {
namespace {

using Clock = std::chrono::steady_clock;
using bench::Better;

constexpr size_t data_bytes = 1024;
constexpr auto measured_for = std::chrono::milliseconds(1500);
constexpr int rounds = 3;
constexpr double nats_bytes_per_event = 1058;  // recorded, EVENT-LOG.md section 3
constexpr double nats_rss_mib = 19;            // recorded, likewise, at 1 M events
constexpr uint64_t large_log_events = 1'000'000;

// Appends one event of 1 KiB; `done` is called on a thread of the log under test.
using Append = std::function<void(std::function<void()> done)>;

std::filesystem::path folder() {
  const char* given = std::getenv("HEADRACE_BENCH_DIR");
  return std::filesystem::path(given != nullptr ? given : "/var/tmp") /
         ("headrace-log-bench-" + std::to_string(getpid()));
}

class BareGroupCommit {
 public:
  explicit BareGroupCommit(const std::string& path)
      : file_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)), thread_([this] { run(); }) {}
  ~BareGroupCommit() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    arrived_.notify_one();
    thread_.join();
    close(file_);
  }
  void append(const std::string& bytes, std::function<void()> done) {
    bool first = false;
    {
      std::lock_guard lock(mutex_);
      first = waiting_.empty();
      pending_ += bytes;
      waiting_.push_back(std::move(done));
    }
    if (first) arrived_.notify_one();
  }

 private:
  void run() {
    std::string bytes;
    std::vector<std::function<void()>> waiting;
    std::unique_lock lock(mutex_);
    for (off_t at = 0;;) {
      arrived_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      bytes.swap(pending_);
      waiting.swap(waiting_);
      lock.unlock();
      ssize_t written = pwrite(file_, bytes.data(), bytes.size(), at);
      if (written != static_cast<ssize_t>(bytes.size()) || fdatasync(file_) != 0) std::abort();
      at += written;
      for (auto& done : waiting) done();
      bytes.clear();
      waiting.clear();
      lock.lock();
    }
  }

  int file_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::string pending_;
  std::vector<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::thread thread_;
};

// Both logs of one run, and events to put in.
struct Rig {
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  core::IdSource ids{clock, random};
  std::filesystem::path root = folder();
  std::string payload = std::string(data_bytes, 'x');

  Rig() { std::filesystem::create_directories(root); }
  ~Rig() { std::filesystem::remove_all(root); }

  std::unique_ptr<SegmentLog> open(const std::string& name, SegmentLogOptions options = {}) {
    auto log = SegmentLog::open(disk, clock, random, (root / name).string(), options);
    if (!log) {
      std::fprintf(stderr, "%s %s\n", log.error().message.c_str(), log.error().detail.c_str());
      std::exit(1);
    }
    return std::move(*log);
  }
  Batch batch_of_one() {
    Batch batch;
    events::Event& event = batch.events.emplace_back();
    event.id = ids.next();
    event.source = "/headrace/bench";
    event.type = "dev.cdevents.taskrun.finished.0.2.0";
    event.datacontenttype = "application/json";
    event.time = clock.now();
    event.data = payload;
    event.has_data = true;
    return batch;
  }
};

Append into(Rig& rig, SegmentLog& log) {
  return [&](std::function<void()> done) {
    log.submit(rig.batch_of_one(), [held = std::move(done)](core::Result<Appended> appended) {
      if (!appended) {
        std::fprintf(stderr, "%s\n", appended.error().message.c_str());
        std::exit(1);
      }
      held();
    });
  };
}

Append into(Rig& rig, BareGroupCommit& bare) {
  return [&](std::function<void()> done) {
    Batch batch = rig.batch_of_one();
    bare.append(batch.events.front().data, std::move(done));
  };
}

// Producers that each wait for the answer before the next.
double closed_loop(size_t producers, const Append& append) {
  std::atomic<uint64_t> done = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  auto start = Clock::now();
  for (size_t i = 0; i < producers; ++i)
    threads.emplace_back([&] {
      std::binary_semaphore answered(0);
      while (!stop) {
        append([&] { answered.release(); });
        answered.acquire();
        ++done;
      }
    });
  std::this_thread::sleep_for(measured_for);
  stop = true;
  for (auto& thread : threads) thread.join();
  return static_cast<double>(done) / std::chrono::duration<double>(Clock::now() - start).count();
}

// One producer with so many in flight.
double windowed(std::ptrdiff_t window, const Append& append) {
  std::counting_semaphore<> room(window);
  uint64_t count = 0;
  auto start = Clock::now();
  while (Clock::now() - start < measured_for) {
    room.acquire();
    append([&] { room.release(); });
    ++count;
  }
  for (std::ptrdiff_t i = 0; i < window; ++i) room.acquire();
  return static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count();
}

// Milliseconds from when it was due to its answer, at a rate that is offered whatever comes back.
double p99_at(double per_second, const Append& append) {
  auto count = static_cast<size_t>(per_second * 2);
  std::vector<double> times(count);
  std::atomic<size_t> answered = 0;
  auto start = Clock::now() + std::chrono::milliseconds(20);
  for (size_t i = 0; i < count; ++i) {
    auto due = start + std::chrono::duration_cast<Clock::duration>(
                           std::chrono::duration<double>(static_cast<double>(i) / per_second));
    std::this_thread::sleep_until(due);
    append([&, i, due] {
      times[i] = std::chrono::duration<double, std::milli>(Clock::now() - due).count();
      ++answered;
    });
  }
  while (answered < count) std::this_thread::yield();
  return bench::quantile(times, 0.99);
}

void fill(Rig& rig, SegmentLog& log, uint64_t count, const std::function<void(events::Event&)>& shape) {
  std::counting_semaphore<> room(8);
  for (uint64_t done = 0; done < count;) {
    Batch batch = rig.batch_of_one();
    while (batch.events.size() < 500) batch.events.push_back(rig.batch_of_one().events.front());
    for (auto& event : batch.events) shape(event);
    done += batch.events.size();
    room.acquire();
    log.submit(std::move(batch), [&](core::Result<Appended> appended) {
      if (!appended) std::fprintf(stderr, "%s\n", appended.error().message.c_str());
      room.release();
    });
  }
  for (int i = 0; i < 8; ++i) room.acquire();
}

// The first seconds of a folder's life: the disk is measured, and the first prefilled segment made and gone to.
void settle(Rig& rig, SegmentLog& log) {
  for (int i = 0; i < 40 && !log.stat().prefilled; ++i) fill(rig, log, 2000, [](events::Event&) {});
  std::fprintf(stderr, "segments are %s\n", log.stat().prefilled ? "prefilled" : "growing");
}

void appends(Rig& rig) {
  auto log = rig.open("append");
  settle(rig, *log);
  BareGroupCommit bare((rig.root / "bare").string());
  const std::string against = "bare group commit, same run";
  for (size_t producers : {size_t{1}, size_t{16}, size_t{64}}) {
    auto sides = bench::alternate(
        rounds, [&] { return closed_loop(producers, into(rig, *log)); },
        [&] { return closed_loop(producers, into(rig, bare)); });
    bench::print({.figure = "log: append, " + std::to_string(producers) + " in flight, durable",
                  .unit = "events/s",
                  .ours = sides.ours,
                  .reference = sides.reference,
                  .against = against,
                  .better = Better::higher,
                  .target = bench::ratio(0.8),
                  .note = "1 KiB events"});
  }
  auto sides = bench::alternate(
      rounds, [&] { return windowed(256, into(rig, *log)); }, [&] { return windowed(256, into(rig, bare)); });
  bench::print({.figure = "log: append, window of 256, durable",
                .unit = "events/s",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = against,
                .better = Better::higher,
                .target = bench::at_least(100'000),
                .note = "1 KiB events, one producer"});
  auto p99 = bench::alternate(
      rounds, [&] { return p99_at(10'000, into(rig, *log)); }, [&] { return p99_at(10'000, into(rig, bare)); });
  bench::print({.figure = "log: p99 of the acknowledgement at 10,000 events/s offered",
                .unit = "ms",
                .ours = p99.ours,
                .reference = p99.reference,
                .against = against,
                .better = Better::lower,
                .target = bench::ratio(0.5),
                .note = {}});
}

double replay_rate(SegmentLog& log) {
  uint64_t count = 0;
  double taken = bench::seconds([&] {
    for (Offset from = 1;;) {
      auto some = log.read(from, 1000);
      if (!some || some->empty()) break;
      from = some->back().offset + 1;
      count += some->size();
    }
  });
  return static_cast<double>(count) / taken;
}

// What its events take, with the indexes; not the zeros that wait for the next ones.
double bytes_of(const SegmentLog& log, const std::filesystem::path& directory) {
  uintmax_t sum = log.stat().bytes;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() != ".seg") sum += entry.file_size();
  return static_cast<double>(sum);
}

double resident_mib() {
  std::ifstream in("/proc/self/statm");
  uint64_t pages = 0, resident = 0;
  in >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// A process of its own that opens the log and appends a little: what stays in memory.
double resident_with(const std::string& program, const std::string& directory) {
  std::string command = program + " --resident " + directory;
  FILE* out = popen(command.c_str(), "r");
  double mib = 0;
  if (out == nullptr || std::fscanf(out, "%lf", &mib) != 1) mib = 0;
  if (out != nullptr) pclose(out);
  return mib;
}

int print_resident(const std::string& directory) {
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  auto log = SegmentLog::open(disk, clock, random, directory);
  if (!log) return 1;
  std::printf("%f\n", resident_mib());
  return 0;
}

void large(Rig& rig, const std::string& program) {
  {
    auto log = rig.open("large");
    fill(rig, *log, large_log_events, [](events::Event&) {});
  }
  double bytes = 0, restart = 0;
  {
    std::unique_ptr<SegmentLog> log;
    restart = bench::seconds([&] { log = rig.open("large"); }) * 1000;
    bytes = bytes_of(*log, rig.root / "large") / static_cast<double>(log->durable());
    bench::print({.figure = "log: replay",
                  .unit = "events/s",
                  .ours = replay_rate(*log),
                  .reference = {},
                  .against = {},
                  .better = Better::higher,
                  .target = bench::at_least(10'000'000 / 60.0),
                  .note = "1 KiB events, decoded, one thread"});
  }
  bench::print({.figure = "log: open, 1 M events of 1 KiB",
                .unit = "ms",
                .ours = restart,
                .reference = {},
                .against = {},
                .better = Better::lower,
                .target = bench::at_most(100),
                .note = "page cache warm"});
  bench::print({.figure = "log: bytes of a 1 KiB event, log and indexes",
                .unit = "bytes",
                .ours = bytes,
                .reference = nats_bytes_per_event,
                .against = "NATS JetStream (recorded)",
                .better = Better::lower,
                .target = bench::ratio(1 / 1.08),
                .note = "UUIDv7, time, type, source and content type besides"});
  bench::print({.figure = "log: resident memory, 1 M events stored",
                .unit = "MiB",
                .ours = resident_with(program, (rig.root / "large").string()),
                .reference = nats_rss_mib,
                .against = "NATS server (recorded)",
                .better = Better::lower,
                .target = bench::ratio(1),
                .note = "a process with the log alone"});
}

// As many segments as a log of 100 M events of 1 KiB has, each small, for what grows with them.
void many_segments(Rig& rig) {
  SegmentLogOptions options;
  options.segment_bytes = 64 << 10;
  options.prefill = SegmentLogOptions::Prefill::never;
  {
    auto log = rig.open("many", options);
    while (log->stat().segments < 1600) fill(rig, *log, 10'000, [](events::Event& event) { event.data.resize(200); });
  }
  std::unique_ptr<SegmentLog> log;
  double restart = bench::seconds([&] { log = rig.open("many"); }) * 1000;
  bench::print({.figure = "log: open, 1,600 closed segments",
                .unit = "ms",
                .ours = restart,
                .reference = {},
                .against = {},
                .better = Better::lower,
                .target = bench::at_most(1000),
                .note = "as many as 100 M events of 1 KiB make; the last one is read besides"});
}

}  // namespace
}  // namespace headrace::log

int main(int count, char** arguments) {
  using namespace headrace::log;
  if (count == 3 && std::string(arguments[1]) == "--resident") return print_resident(arguments[2]);
  Rig rig;
  appends(rig);
  large(rig, arguments[0]);
  many_segments(rig);
  return 0;
}
