#include "bus/testing/world.h"

#include <cstdlib>

namespace headrace::bus::testing {

namespace {

constexpr uint64_t seed = 20260101;
uint64_t next_event = 1;  // ids of events, unique in the test program

}  // namespace

Disk::Disk() {
  std::string pattern = (std::filesystem::temp_directory_path() / "headrace-bus-XXXXXX").string();
  core::require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
  folder_ = pattern;
}

Disk::~Disk() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

events::Event event(std::string type, std::string key, std::string id) {
  events::Event made;
  made.id = id.empty() ? "event-" + std::to_string(next_event++) : std::move(id);
  made.source = "/test";
  made.type = std::move(type);
  if (!key.empty()) made.extensions["partitionkey"] = std::move(key);
  return made;
}

World::World(std::string database, Options options) : database_(std::move(database)), options_(options) {
  log_clock_ = std::make_unique<core::testing::SimulatedClock>();
  log_ = std::make_unique<MemoryLog>(*log_clock_);
  open();
}

World::~World() { end(); }

void World::open() {
  loop_ = std::make_unique<core::Loop>();
  auto now = clock_ ? clock_->now() : log_clock_->now();
  auto clock = std::make_unique<core::testing::SimulatedClock>(*loop_);
  clock->set_wall(now);
  clock_ = std::move(clock);
  random_ = std::make_unique<core::SeededRandom>(seed);
  ids_ = std::make_unique<core::IdSource>(*clock_, *random_);
  auto opened = Bus::open({*loop_, *clock_, *random_, *ids_, *log_, nullptr, database_}, options_);
  core::require(opened.has_value(), opened ? "" : opened.error().message.c_str());
  bus_ = std::move(*opened);
}

void World::settle() {
  log_clock_->set_wall(clock_->now());
  clock_->advance(core::Duration::zero());
}

void World::stop_cleanly() { run(bus_->close()); }

void World::end() {
  bus_.reset();
  loop_.reset();  // tasks that have not ended go without being resumed
}

void World::restart() {
  stop_cleanly();
  end();
  open();
}

void World::crash() {
  end();
  open();
}

Offset World::say(events::Event event) {
  log_clock_->set_wall(clock_->now());
  Offset offset = 0;
  log::Batch batch;
  batch.events.push_back(std::move(event));
  log_->submit(std::move(batch), [&](core::Result<log::Appended> appended) {
    core::require(appended.has_value(), "the log in memory takes the event");
    offset = appended->offsets.front();
  });
  return offset;
}

std::vector<log::Stored> World::said(std::string_view type) const {
  auto all = log_->all();
  std::erase_if(all, [type](const log::Stored& stored) { return stored.event.type != type; });
  return all;
}

core::Task<> keep_end(core::Task<> task, std::shared_ptr<bool> ended) {
  co_await std::move(task);
  *ended = true;
}

}  // namespace headrace::bus::testing
