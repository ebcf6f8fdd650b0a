// CauseIndex finds events by id and by cause: the table behind `event why`. Made from the log alone; see bus/causes.h.
// Any thread; calls block, one after the other.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bus/causes.h"
#include "sqlite/connection.h"

namespace headrace::bus {

class CauseIndex {
 public:
  // `log` outlives this. What the index holds beyond the log's durable end is forgotten.
  static core::Result<std::unique_ptr<CauseIndex>> open(const std::string& path, log::EventLog& log);

  core::Result<> catch_up();                            // applies everything that is durable now
  core::Result<bool> catch_up_some();                   // a bounded part of it; true: more is left
  core::Result<log::Stored> find(std::string_view id);  // our own event first, where a foreign one has the same id
  core::Result<Chain> why(std::string_view id);

  core::Result<> rebuild();            // from the first event on
  core::Result<std::string> digest();  // over all rows in the order of their offsets

 private:
  CauseIndex(std::unique_ptr<sqlite::Connection> connection, log::EventLog& log)
      : connection_(std::move(connection)), log_(log) {}
  core::Result<> forget_beyond(log::Offset durable);
  core::Result<> apply_all();
  core::Result<bool> apply_some();
  core::Result<> apply(const std::vector<log::Stored>& events);
  core::Result<std::optional<log::Stored>> find_now(std::string_view id);
  core::Result<std::vector<log::Offset>> effects_of(std::string_view id, size_t max);
  core::Result<std::optional<log::Stored>> read(log::Offset offset);
  core::Result<> walk_back(Chain& chain);
  core::Result<> walk_forward(Chain& chain);

  std::mutex mutex_;
  std::unique_ptr<sqlite::Connection> connection_;
  log::EventLog& log_;
  log::Offset applied_ = 0;
};

}  // namespace headrace::bus
