// The reading connections of one projection, kept for the next read, and the gate that a swap of the file closes. Any
// thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"
#include "sqlite/connection.h"

namespace headrace::store {

using Offset = log::Offset;

class Readers {
 public:
  // `kept_max`: connections kept open while nobody reads, of each kind (present and past).
  Readers(std::string path, size_t kept_max);

  // Runs `reading` on a snapshot of the file: as of now, at least up to `applied`; or as of `at`. Waits while the gate
  // is closed. unavailable: there is no file that can answer.
  core::Result<> read(std::optional<Offset> at, Offset applied,
                      std::move_only_function<core::Result<>(sqlite::Connection&)> reading);

  // No file to read: reads are refused until open_gate.
  void refuse();
  void open_gate();
  // Keeps new reads waiting, waits until running ones have ended, and closes all connections. False, and open again,
  // when `limit` passed first.
  bool close_gate(std::chrono::milliseconds limit);

 private:
  struct Reader {
    std::unique_ptr<sqlite::Connection> connection;
    bool past = false;
    Offset shown = 0;  // what shown_offset() and at_offset() say
  };
  enum class Gate { open, closed, refusing };
  core::Result<std::unique_ptr<Reader>> take(bool past);
  core::Result<std::unique_ptr<Reader>> make(bool past) const;
  void give_back(std::unique_ptr<Reader> reader);

  const std::string path_;
  const size_t kept_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Gate gate_ = Gate::refusing;
  size_t reading_ = 0;
  std::vector<std::unique_ptr<Reader>> present_, past_;
};

}  // namespace headrace::store
