#include "bus/testing/memory_log.h"

#include <algorithm>

namespace headrace::bus::testing {

using log::Offset;

void MemoryLog::submit(log::Batch batch, Done done) {
  core::Result<log::Appended> appended;
  std::vector<std::shared_ptr<std::function<void(Offset)>>> hearers;
  Offset durable = 0;
  {
    std::lock_guard lock(mutex_);
    appended = append_now(std::move(batch));
    hearers.assign(watching_.begin(), watching_.end());
    durable = events_.empty() ? 0 : events_.back().offset;
  }
  done(std::move(appended));
  for (const auto& hear : hearers) (*hear)(durable);
}

core::Result<log::Appended> MemoryLog::append_now(log::Batch batch) {
  if (append_error_) return std::unexpected(*append_error_);
  if (auto seen = keys_.find(batch.key); !batch.key.empty() && seen != keys_.end()) return seen->second;
  for (const auto& expected : batch.expected)
    if (named_[expected.key] != expected.offset) return core::fail(core::Code::conflict, "The world has moved.");
  log::Appended appended{.offsets = {}, .durability = batch.durability, .duplicate = false};
  for (const auto& event : batch.events) {
    auto same = find(event.source, event.id);
    if (!same) continue;
    const auto stored = std::ranges::find(events_, *same, &log::Stored::offset);
    if (stored->event != event)
      return core::fail(core::Code::conflict, "The id " + event.id + " was used before, with other content.");
    appended.offsets.push_back(*same);
    appended.duplicate = true;
  }
  if (appended.duplicate) return appended;
  core::Time time = clock_.now();
  if (!events_.empty()) time = std::max(time, events_.back().time);
  for (auto& event : batch.events) {
    appended.offsets.push_back(next_);
    events_.push_back({next_++, time, std::move(event)});
  }
  for (const auto& expected : batch.expected) named_[expected.key] = events_.back().offset;
  if (!batch.key.empty()) {
    keys_[batch.key] = appended;
    keys_[batch.key].duplicate = true;
  }
  return appended;
}

core::Result<std::vector<log::Stored>> MemoryLog::read(Offset from, size_t max) {
  std::lock_guard lock(mutex_);
  if (read_error_) return std::unexpected(*read_error_);
  auto first = std::ranges::lower_bound(events_, from, {}, &log::Stored::offset);
  const auto count = std::min(max, static_cast<size_t>(events_.end() - first));
  reads_ += count > 0;
  return std::vector<log::Stored>(first, first + static_cast<std::ptrdiff_t>(count));
}

core::Result<std::vector<log::Stored>> MemoryLog::read_types(Offset from, size_t max,
                                                             const std::vector<std::string>& types) {
  auto all = read(from, SIZE_MAX);
  if (!all) return all;
  std::erase_if(*all,
                [&](const log::Stored& stored) { return std::ranges::find(types, stored.event.type) == types.end(); });
  if (all->size() > max) all->resize(max);
  return all;
}

Offset MemoryLog::first() const {
  std::lock_guard lock(mutex_);
  return events_.empty() ? 0 : events_.front().offset;
}

Offset MemoryLog::durable() const {
  std::lock_guard lock(mutex_);
  return events_.empty() ? 0 : events_.back().offset;
}

core::Result<std::optional<Offset>> MemoryLog::at(core::Time time) {
  std::lock_guard lock(mutex_);
  auto found = std::ranges::lower_bound(events_, time, {}, &log::Stored::time);
  if (found == events_.end()) return std::nullopt;
  return found->offset;
}

std::optional<Offset> MemoryLog::find(std::string_view source, std::string_view id) const {
  for (const auto& stored : events_)
    if (stored.event.id == id && stored.event.source == source) return stored.offset;
  return std::nullopt;
}

core::Result<std::optional<Offset>> MemoryLog::offset_of(std::string_view source, std::string_view id) {
  std::lock_guard lock(mutex_);
  return find(source, id);
}

core::Result<Offset> MemoryLog::last_of(std::string_view expected_key) {
  std::lock_guard lock(mutex_);
  auto place = named_.find(expected_key);
  return place == named_.end() ? 0 : place->second;
}

core::Result<> MemoryLog::trim(Offset before) {
  std::lock_guard lock(mutex_);
  std::erase_if(events_, [before](const log::Stored& stored) { return stored.offset < before; });
  return {};
}

log::EventLog::Watch MemoryLog::watch(std::function<void(Offset)> heard) {
  auto hear = std::make_shared<std::function<void(Offset)>>(std::move(heard));
  std::lock_guard lock(mutex_);
  watching_.insert(hear);
  return Watch(hear.get(), [this, hear](void*) {
    std::lock_guard leaving(mutex_);
    watching_.erase(hear);
  });
}

void MemoryLog::lose_after(Offset offset) {
  std::lock_guard lock(mutex_);
  std::erase_if(events_, [offset](const log::Stored& stored) { return stored.offset > offset; });
  next_ = offset + 1;
}

void MemoryLog::fail_reads(std::optional<core::Error> error) {
  std::lock_guard lock(mutex_);
  read_error_ = std::move(error);
}

void MemoryLog::fail_appends(std::optional<core::Error> error) {
  std::lock_guard lock(mutex_);
  append_error_ = std::move(error);
}

size_t MemoryLog::reads() const {
  std::lock_guard lock(mutex_);
  return reads_;
}

std::vector<log::Stored> MemoryLog::all() const {
  std::lock_guard lock(mutex_);
  return events_;
}

}  // namespace headrace::bus::testing
