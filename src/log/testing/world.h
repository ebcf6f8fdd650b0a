// What a test of something on a log wants: a disk, a clock and chance that it owns, events to append, and answers
// without a loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/testing/simulated_clock.h"
#include "core/testing/simulated_disk.h"
#include "log/segment_log.h"

namespace headrace::log::testing {

// Waits for the answer.
core::Result<Appended> append(EventLog& log, Batch batch);
core::Result<Appended> append(EventLog& log, events::Event event);

events::Event numbered_event(uint64_t number, size_t data_bytes = 40);  // id "event-<number>"
Batch batch_of(std::vector<events::Event> events);

std::vector<Stored> read_all(EventLog& log);     // throws what read fails with, as a std::runtime_error
std::vector<std::string> ids_in(EventLog& log);  // of all events, in order

// Everything on the log's own thread, in a fixed order: the same calls give the same writes.
SegmentLogOptions deterministic_options();

struct World {
  explicit World(uint64_t seed = 1) : random(seed) {}

  std::unique_ptr<SegmentLog> open(SegmentLogOptions options = deterministic_options());  // throws where it fails
  core::Result<std::unique_ptr<SegmentLog>> try_open(SegmentLogOptions options = deterministic_options());

  std::unique_ptr<core::testing::SimulatedDisk> disk = std::make_unique<core::testing::SimulatedDisk>();
  core::testing::SimulatedClock clock;
  core::SeededRandom random;
  std::string directory = "/log";
};

}  // namespace headrace::log::testing
