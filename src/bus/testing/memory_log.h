// An EventLog in memory: durable at once, in the thread that submits. Reads and appends fail when a test says so, and
// it can lose its end as a disk does with the power.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "log/event_log.h"

namespace headrace::bus::testing {

class MemoryLog final : public log::EventLog {
 public:
  explicit MemoryLog(const core::Clock& clock) : clock_(clock) {}  // outlives this

  void submit(log::Batch batch, Done done) override;
  core::Result<std::vector<log::Stored>> read(log::Offset from, size_t max) override;
  core::Result<std::vector<log::Stored>> read_types(log::Offset from, size_t max,
                                                    const std::vector<std::string>& types) override;
  log::Offset first() const override;
  log::Offset durable() const override;
  core::Result<std::optional<log::Offset>> at(core::Time time) override;
  core::Result<std::optional<log::Offset>> offset_of(std::string_view source, std::string_view id) override;
  core::Result<log::Offset> last_of(std::string_view expected_key) override;
  core::Result<> trim(log::Offset before) override;
  std::optional<core::Error> stopped() const override { return std::nullopt; }
  Watch watch(std::function<void(log::Offset durable)> heard) override;

  // --- For tests
  void lose_after(log::Offset offset);
  void fail_reads(std::optional<core::Error> error);
  void fail_appends(std::optional<core::Error> error);
  size_t reads() const;  // calls that returned at least one event
  std::vector<log::Stored> all() const;

 private:
  core::Result<log::Appended> append_now(log::Batch batch);
  std::optional<log::Offset> find(std::string_view source, std::string_view id) const;

  const core::Clock& clock_;
  mutable std::mutex mutex_;
  std::vector<log::Stored> events_;
  std::map<std::string, log::Appended> keys_;
  std::map<std::string, log::Offset, std::less<>> named_;
  std::set<std::shared_ptr<std::function<void(log::Offset)>>> watching_;
  std::optional<core::Error> read_error_, append_error_;
  log::Offset next_ = 1;
  size_t reads_ = 0;
};

}  // namespace headrace::bus::testing
