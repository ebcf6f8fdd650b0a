// An EventLog in memory for tests of projections: durable at once, in the thread that submits.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "log/event_log.h"

namespace headrace::store::testing {

class MemoryLog final : public log::EventLog {
 public:
  using Offset = log::Offset;

  void submit(log::Batch batch, Done done) override;
  core::Result<std::vector<log::Stored>> read(Offset from, size_t max) override;
  core::Result<std::vector<log::Stored>> read_types(Offset from, size_t max,
                                                    const std::vector<std::string>& types) override;
  Offset first() const override;
  Offset durable() const override { return durable_; }
  core::Result<std::optional<Offset>> at(core::Time time) override;
  core::Result<std::optional<Offset>> offset_of(std::string_view source, std::string_view id) override;
  core::Result<Offset> last_of(std::string_view expected_key) override;
  core::Result<> trim(Offset before) override;
  std::optional<core::Error> stopped() const override { return std::nullopt; }
  Watch watch(std::function<void(Offset durable)> heard) override;

  // ---- for tests
  Offset say(std::string type, std::string data);  // one event; ids count up
  void leave_hole(Offset offsets);                 // the next event's offset jumps by so many
  void forget_after(Offset offset);                // as if the log had been restored from an older copy
  void set_now(core::Time now);                    // the log time of what comes next
  void refuse_reads(std::optional<core::Error> error);
  void refuse_reads_by_type(std::optional<core::Error> error);  // what is applied; not what is looked up
  std::set<std::string> types_read() const;                     // of the events that readers were given

 private:
  core::Result<log::Appended> add(log::Batch& batch);
  core::Result<std::vector<log::Stored>> find(Offset from, size_t max, const std::vector<std::string>& types);
  void tell();

  mutable std::mutex mutex_;
  std::vector<log::Stored> events_;
  std::map<std::string, log::Appended, std::less<>> keys_;
  std::map<std::string, Offset, std::less<>> expected_;
  std::set<std::shared_ptr<std::function<void(Offset)>>> watchers_;
  std::optional<core::Error> read_error_, read_by_type_error_;
  std::set<std::string> types_read_;
  std::atomic<Offset> durable_{0};
  Offset last_ = 0;
  uint64_t said_ = 0;
  core::Time now_{};
};

}  // namespace headrace::store::testing
