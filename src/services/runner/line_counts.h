// LineCounts finds the first line of the end of a log, and which of the whole log it is. What was counted is
// remembered, as nothing of a log ever changes: whoever asks for the end of one that grows pays for what came since.
//
// Any thread; blocks on the disk.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "core/result.h"
#include "services/runner/log_store.h"

namespace headrace::runner {

struct LineStart {
  uint64_t byte = 0;
  uint64_t line = 1;  // in the whole log
};

class LineCounts {
 public:
  static constexpr size_t turn_bytes = 16 * 1024 * 1024;  // looked through for one answer
  static constexpr size_t logs_max = 64;                  // remembered; of others it is counted from the beginning

  explicit LineCounts(const LogStore& logs) : logs_(logs) {}  // it outlives this

  // The first line that begins at byte `wanted` or beyond; where there is none yet, where the next one will begin.
  // Nothing: it was not come to in this turn; ask again, the next one goes on.
  core::Result<std::optional<LineStart>> first_from(const LogName& name, uint64_t wanted);

 private:
  struct Counted {
    LineStart start;    // of the line after the last that was seen to end
    uint64_t next = 0;  // byte to go on at
  };
  Counted known(const LogName& name, uint64_t wanted);
  void remember(const LogName& name, const Counted& counted);

  const LogStore& logs_;
  std::mutex mutex_;
  std::map<LogName, Counted> counted_;
};

}  // namespace headrace::runner
