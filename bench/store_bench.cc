// rooms: store log sqlite core
// Projections: what history costs beside plain SQLite, the heartbeat of a command (check, durable append, applied,
// seen) beside the bare append, and reading any past offset of a million events. TARGETS.md, "Footprint and scale":
// state at any past offset, 1 M events, p95 <= 1 s.
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/random.h"
#include "log/segment_log.h"
#include "report.h"
#include "store/commands.h"
#include "store/projection_file.h"
#include "store/readers.h"
#include "store/store.h"

namespace {

using headrace::core::Result;
using headrace::core::Task;
using headrace::log::Stored;
using headrace::store::ProjectionFile;
namespace bench = headrace::bench;
namespace core = headrace::core;
namespace sqlite = headrace::sqlite;
namespace store = headrace::store;

constexpr uint64_t rows = 10'000;
constexpr uint64_t upserts_a_round = 60'000;
constexpr size_t upserts_a_transaction = 100;
constexpr uint64_t past_events = 1'000'000;
constexpr int commands = 3'000;

constexpr auto schema =
    "CREATE TABLE run (id TEXT PRIMARY KEY, repository TEXT NOT NULL, number INTEGER NOT NULL, status TEXT NOT NULL);"
    "CREATE INDEX run_by_repository ON run (repository, number);";

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "headrace-bench-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Row `which` is touched for the `round`-th time.
Result<> upsert(sqlite::Connection& tables, uint64_t which, uint64_t round) {
  static const std::string words[] = {"queued", "started", "finished"};
  auto done = tables.execute(
      "INSERT INTO run (id, repository, number, status) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (id) DO UPDATE SET status = excluded.status",
      "018c2d3e-0000-7000-8000-" + std::to_string(100'000'000 + which),
      "team/repository-" + std::to_string(which % 100), which / 100, words[round % 3]);
  if (!done) return std::unexpected(done.error());
  return {};
}

// Event N touches one row, chosen by N alone; `spread` is the number of rows.
class Runs final : public store::Projection {
 public:
  explicit Runs(uint64_t spread) : spread_(spread) {}
  std::string name() const override { return "runs"; }
  int version() const override { return 1; }
  std::string schema() const override { return ::schema; }
  Result<> apply(sqlite::Connection& tables, const Stored& stored) override {
    return upsert(tables, stored.offset * 7919 % spread_, stored.offset / spread_);
  }

 private:
  uint64_t spread_;
};

[[noreturn]] void give_up(const core::Error& error) {
  std::fprintf(stderr, "%s %s\n", error.message.c_str(), error.detail.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::vector<Stored> events_from(uint64_t first, size_t count) {
  std::vector<Stored> events(count);
  for (size_t at = 0; at < count; ++at) {
    events[at].offset = first + at;
    events[at].event.id = "018c2d3e-0000-7000-8000-000000000001";
    events[at].event.type = "dev.cdevents.pipelinerun.finished.0.3.0";
  }
  return events;
}

double upserts_with_history() {
  const Folder folder;
  Runs projection(rows);
  auto file = must(ProjectionFile::create(folder.file("runs.db"), projection, ProjectionFile::Kind::live));
  const double took = bench::seconds([&] {
    for (uint64_t at = 1; at <= upserts_a_round; at += upserts_a_transaction)
      must(file->apply(events_from(at, upserts_a_transaction)));
  });
  return static_cast<double>(upserts_a_round) / took;
}

double upserts_in_plain_sqlite() {
  const Folder folder;
  auto file = must(sqlite::Connection::open(folder.file("plain.db"), {.cache_bytes = 1024 * 1024}));
  must(file->run(sqlite::Sql::generated(schema)));
  const double took = bench::seconds([&] {
    for (uint64_t at = 1; at <= upserts_a_round; at += upserts_a_transaction) {
      auto change = must(sqlite::Transaction::begin(*file));
      for (uint64_t row = at; row < at + upserts_a_transaction; ++row)
        must(upsert(*file, row * 7919 % rows, row / rows));
      must(change.commit());
    }
  });
  return static_cast<double>(upserts_a_round) / took;
}

void measure_upserts() {
  const auto sides = bench::alternate(3, upserts_with_history, upserts_in_plain_sqlite);
  bench::print({.figure = "projection: upserts with history, 100 a transaction",
                .unit = "rows/s",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = "the same upserts in plain SQLite, WAL, synchronous=NORMAL",
                .better = bench::Better::higher,
                .target = bench::at_least(15'000),
                .note = "every past state of every row kept"});
}

// ---- the past

void measure_past(store::Readers& readers, const std::string& what, const sqlite::Sql& query, bool past) {
  core::SeededRandom random(1);
  std::vector<double> times;
  for (int look = 0; look < 200; ++look) {
    const auto at = past ? std::optional<headrace::log::Offset>(1 + random.below(past_events)) : std::nullopt;
    const auto which = random.below(100);
    times.push_back(1e3 * bench::seconds([&] {
                      must(readers.read(at, past_events, [&](sqlite::Connection& tables) -> Result<> {
                        auto found = tables.all(
                            query, [](const sqlite::Row& row) { return row.text(0); },
                            "team/repository-" + std::to_string(which));
                        if (!found) return std::unexpected(found.error());
                        return {};
                      }));
                    }));
  }
  bench::print({.figure = "projection: " + what + (past ? ", at a random offset of 1 M events, p95" : ", now, p95"),
                .unit = "ms",
                .ours = bench::quantile(times, 0.95),
                .reference = std::nullopt,
                .against = {},
                .better = bench::Better::lower,
                .target = bench::at_most(past ? 1000 : 50),
                .note = {}});
}

void measure_history() {
  const Folder folder;
  Runs projection(past_events / 10);
  auto file = must(ProjectionFile::create(folder.file("runs.db"), projection, ProjectionFile::Kind::scratch));
  const double took = bench::seconds([&] {
    for (uint64_t at = 1; at <= past_events; at += 1'000) must(file->apply(events_from(at, 1'000)));
  });
  must(file->close());
  bench::print({.figure = "projection: rebuild, 1 M events into 100,000 rows",
                .unit = "events/s",
                .ours = static_cast<double>(past_events) / took,
                .reference = std::nullopt,
                .against = {},
                .better = bench::Better::higher,
                .target = {},
                .note = "without reading the log"});
  store::Readers readers(folder.file("runs.db"), 1);
  readers.open_gate();
  const sqlite::Sql page = "SELECT id, number, status FROM run WHERE repository = ? ORDER BY number DESC LIMIT 30";
  const sqlite::Sql all = "SELECT status, count(*) FROM run WHERE repository <> ? GROUP BY status";
  measure_past(readers, "newest 30 rows of 1,000 of a repository", page, false);
  measure_past(readers, "newest 30 rows of 1,000 of a repository", page, true);
  measure_past(readers, "all 100,000 rows counted by status", all, true);
}

// ---- the heartbeat

headrace::log::Batch batch_of(uint64_t number) {
  headrace::events::Event event;
  event.id = "018c2d3e-0000-7000-8000-" + std::to_string(100'000'000'000 + number);
  event.source = "/headrace/bench";
  event.type = "dev.cdevents.pipelinerun.queued.0.3.0";
  event.data = std::string(600, 'x');
  event.has_data = true;
  headrace::log::Batch batch;
  batch.events.push_back(std::move(event));
  return batch;
}

Task<> beat(store::CommandStrand& strand, uint64_t& number, std::vector<double>& times) {
  for (int command = 0; command < commands; ++command) {
    const auto begun = std::chrono::steady_clock::now();
    const store::CommandStrand::Check check = [&number](sqlite::Connection& tables) -> Result<headrace::log::Batch> {
      auto found = tables.integer("SELECT count(*) FROM run WHERE id = ?", "018c2d3e");
      if (!found) return std::unexpected(found.error());
      return batch_of(++number);
    };
    auto said = co_await strand.run(check);
    if (!said) give_up(said.error());
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count());
  }
}

Task<> append_only(headrace::log::EventLog& log, uint64_t& number, std::vector<double>& times) {
  for (int append = 0; append < commands; ++append) {
    const auto begun = std::chrono::steady_clock::now();
    auto said = co_await log.append(batch_of(++number));
    if (!said) give_up(said.error());
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count());
  }
}

void print_heartbeat(const std::string& name, double ours, double reference) {
  bench::print({.figure = "command: check, durable append, applied, seen; " + name,
                .unit = "us",
                .ours = ours,
                .reference = reference,
                .against = "the bare durable append of the same log",
                .better = bench::Better::lower,
                .target = {},
                .note = {}});
}

void measure_heartbeat() {
  const Folder folder;
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  core::Loop loop;
  auto log = must(headrace::log::SegmentLog::open(disk, clock, random, folder.file("log")));
  store::Store projections(loop, *log, folder.file("projections"));
  projections.add(std::make_unique<Runs>(rows));
  must(projections.start());
  store::CommandStrand strand(loop.executor(), projections, *log, "runs");
  uint64_t number = 0;
  std::vector<double> bare, whole;
  for (int round = 0; round < 3; ++round) {
    loop.run(append_only(*log, number, bare));
    loop.run(beat(strand, number, whole));
  }
  print_heartbeat("p50", bench::median(whole), bench::median(bare));
  print_heartbeat("p99", bench::quantile(whole, 0.99), bench::quantile(bare, 0.99));
  projections.stop();
}

}  // namespace

int main() {
  measure_upserts();
  measure_history();
  measure_heartbeat();
}
