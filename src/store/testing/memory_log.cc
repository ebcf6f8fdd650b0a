#include "store/testing/memory_log.h"

#include <algorithm>

namespace headrace::store::testing {

using core::Result;
using log::Stored;

void MemoryLog::submit(log::Batch batch, Done done) {
  auto appended = [&] {
    const std::lock_guard lock(mutex_);
    return add(batch);
  }();
  tell();
  done(std::move(appended));
}

Result<log::Appended> MemoryLog::add(log::Batch& batch) {
  if (const auto found = keys_.find(batch.key); !batch.key.empty() && found != keys_.end()) {
    auto again = found->second;
    again.duplicate = true;
    return again;
  }
  for (const auto& expected : batch.expected)
    if (expected_[expected.key] != expected.offset)
      return core::fail(core::Code::conflict, "Somebody else was quicker. Look again.", expected.key);
  log::Appended appended;
  for (auto& event : batch.events) {
    events_.push_back(Stored{++last_, now_, std::move(event)});
    appended.offsets.push_back(last_);
  }
  for (const auto& expected : batch.expected) expected_[expected.key] = last_;
  if (!batch.key.empty()) keys_[batch.key] = appended;
  durable_ = last_;
  return appended;
}

void MemoryLog::tell() {
  const std::lock_guard lock(mutex_);
  for (const auto& heard : watchers_) (*heard)(durable_);
}

Result<std::vector<Stored>> MemoryLog::read(Offset from, size_t max) {
  const std::lock_guard lock(mutex_);
  return find(from, max, {});
}

Result<std::vector<Stored>> MemoryLog::read_types(Offset from, size_t max, const std::vector<std::string>& types) {
  const std::lock_guard lock(mutex_);
  if (read_by_type_error_) return std::unexpected(*read_by_type_error_);
  return find(from, max, types);
}

Result<std::vector<Stored>> MemoryLog::find(Offset from, size_t max, const std::vector<std::string>& types) {
  if (read_error_) return std::unexpected(*read_error_);
  std::vector<Stored> found;
  auto at = std::ranges::lower_bound(events_, from, {}, &Stored::offset);
  for (; at != events_.end() && found.size() < max; ++at)
    if (types.empty() || std::ranges::find(types, at->event.type) != types.end()) found.push_back(*at);
  for (const auto& stored : found) types_read_.insert(stored.event.type);
  return found;
}

MemoryLog::Offset MemoryLog::first() const {
  const std::lock_guard lock(mutex_);
  return events_.empty() ? 0 : events_.front().offset;
}

Result<std::optional<MemoryLog::Offset>> MemoryLog::at(core::Time time) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::lower_bound(events_, time, {}, &Stored::time);
  return found == events_.end() ? std::optional<Offset>() : std::optional(found->offset);
}

Result<std::optional<MemoryLog::Offset>> MemoryLog::offset_of(std::string_view source, std::string_view id) {
  const std::lock_guard lock(mutex_);
  for (const auto& stored : events_)
    if (stored.event.source == source && stored.event.id == id) return std::optional(stored.offset);
  return std::optional<Offset>();
}

Result<MemoryLog::Offset> MemoryLog::last_of(std::string_view expected_key) {
  const std::lock_guard lock(mutex_);
  const auto found = expected_.find(expected_key);
  return found == expected_.end() ? 0 : found->second;
}

Result<> MemoryLog::trim(Offset before) {
  const std::lock_guard lock(mutex_);
  std::erase_if(events_, [&](const Stored& stored) { return stored.offset < before; });
  return {};
}

log::EventLog::Watch MemoryLog::watch(std::function<void(Offset durable)> heard) {
  auto watcher = std::make_shared<std::function<void(Offset)>>(std::move(heard));
  const std::lock_guard lock(mutex_);
  watchers_.insert(watcher);
  return {watcher.get(), [this, watcher](void*) {
            const std::lock_guard held(mutex_);
            watchers_.erase(watcher);
          }};
}

MemoryLog::Offset MemoryLog::say(std::string type, std::string data) {
  events::Event event;
  event.id = "event-" + std::to_string(++said_);
  event.source = "/headrace/test";
  event.type = std::move(type);
  event.data = std::move(data);
  event.has_data = true;
  log::Batch batch;
  batch.events.push_back(std::move(event));
  Offset offset = 0;
  submit(std::move(batch), [&](Result<log::Appended> appended) { offset = appended->offsets.front(); });
  return offset;
}

void MemoryLog::leave_hole(Offset offsets) {
  const std::lock_guard lock(mutex_);
  last_ += offsets;
}

void MemoryLog::forget_after(Offset offset) {
  const std::lock_guard lock(mutex_);
  std::erase_if(events_, [&](const Stored& stored) { return stored.offset > offset; });
  last_ = offset;
  durable_ = events_.empty() ? 0 : events_.back().offset;
}

void MemoryLog::set_now(core::Time now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

void MemoryLog::refuse_reads(std::optional<core::Error> error) {
  const std::lock_guard lock(mutex_);
  read_error_ = std::move(error);
}

void MemoryLog::refuse_reads_by_type(std::optional<core::Error> error) {
  const std::lock_guard lock(mutex_);
  read_by_type_error_ = std::move(error);
}

std::set<std::string> MemoryLog::types_read() const {
  const std::lock_guard lock(mutex_);
  return types_read_;
}

}  // namespace headrace::store::testing
