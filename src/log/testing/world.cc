#include "log/testing/world.h"

#include <future>
#include <stdexcept>

namespace headrace::log::testing {

core::Result<Appended> append(EventLog& log, Batch batch) {
  std::promise<core::Result<Appended>> promise;
  auto answer = promise.get_future();
  log.submit(std::move(batch), [&](core::Result<Appended> appended) { promise.set_value(std::move(appended)); });
  return answer.get();
}

core::Result<Appended> append(EventLog& log, events::Event event) { return append(log, batch_of({std::move(event)})); }

events::Event numbered_event(uint64_t number, size_t data_bytes) {
  events::Event event;
  event.id = "event-" + std::to_string(number);
  event.source = "/tests";
  event.type = "dev.cdevents.test.happened.0.1.0";
  event.datacontenttype = "application/octet-stream";
  event.data.assign(data_bytes, static_cast<char>('a' + number % 26));
  event.has_data = data_bytes > 0;
  return event;
}

Batch batch_of(std::vector<events::Event> events) {
  Batch batch;
  batch.events = std::move(events);
  return batch;
}

std::vector<Stored> read_all(EventLog& log) {
  std::vector<Stored> all;
  for (Offset from = 1;;) {
    auto some = log.read(from, 100);
    if (!some) throw std::runtime_error(some.error().message + " " + some.error().detail);
    if (some->empty()) return all;
    from = some->back().offset + 1;
    for (auto& stored : *some) all.push_back(std::move(stored));
  }
}

std::vector<std::string> ids_in(EventLog& log) {
  std::vector<std::string> ids;
  for (const auto& stored : read_all(log)) ids.push_back(stored.event.id);
  return ids;
}

SegmentLogOptions deterministic_options() {
  SegmentLogOptions options;
  options.segment_bytes = 16 * 1024;
  options.idle_seal = std::chrono::milliseconds(0);
  options.prefill = SegmentLogOptions::Prefill::never;
  options.housekeeping = SegmentLogOptions::Housekeeping::log_thread;
  options.scrub_pause = std::chrono::milliseconds(0);
  return options;
}

core::Result<std::unique_ptr<SegmentLog>> World::try_open(SegmentLogOptions options) {
  return SegmentLog::open(*disk, clock, random, directory, options);
}

std::unique_ptr<SegmentLog> World::open(SegmentLogOptions options) {
  auto log = try_open(options);
  if (!log) throw std::runtime_error(log.error().message + " " + log.error().detail);
  return std::move(*log);
}

}  // namespace headrace::log::testing
