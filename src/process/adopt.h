// Adoption: a process that outlives us is found again by whoever comes after, and never mistaken for another.
//
// A pid alone says little, for it is given away again; pid, start time (field 22 of /proc/PID/stat) and boot id
// together name one process for ever. DESIGN, section 3, "Processes". Records are kept at DATA/run/<name>.json; a
// process that is not our child leaves its exit status in a file, and no file means that it was killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/disk.h"
#include "core/result.h"
#include "core/task.h"
#include "process/child.h"

namespace headrace::process {

struct Record {
  pid_t pid = 0;
  uint64_t start_time = 0;  // ticks since boot
  std::string boot_id;      // /proc/sys/kernel/random/boot_id
  bool operator==(const Record&) const = default;
};

core::Result<Record> record_of(pid_t pid);  // not_found if there is no such process (or it is a zombie)
core::Result<Record> record_of_ourselves();

// Which crash a record outlives. A power cut ends the process as well, so the record of one that is written often need
// not be waited for: after it the record may be torn or missing.
enum class Outlives { power_cut, our_crash };
// Replaces the record as one step. The folder must exist.
core::Result<> save_record(core::Disk& disk, const std::string& path, const Record& record,
                           Outlives outlives = Outlives::power_cut);
// Nothing where there is no file; corrupt where it cannot be read as a record.
core::Result<std::optional<Record>> load_record(core::Disk& disk, const std::string& path);

// A living process found by its record. Loop thread only. Destroying it leaves the process alone.
class Adopted {
 public:
  virtual ~Adopted() = default;
  virtual const Record& record() const = 0;
  virtual bool alive() const = 0;
  virtual core::Result<> signal(int number) = 0;  // not_found once it is gone; never reaches another process
  virtual core::Task<core::Result<>> gone() = 0;  // returns when it has ended
  // SIGTERM, SIGKILL when `grace` has passed, then gone(). Not its group: what it started is its own to end.
  virtual core::Task<core::Result<>> end(std::chrono::milliseconds grace) = 0;
};

// Null when that process is gone: ended, a zombie, another process with its pid, or a boot ago.
core::Result<std::unique_ptr<Adopted>> adopt(core::Executor executor, const Record& record);

// The exit of a process that is nobody's child any more: written by that process (or its wrapper) before it ends,
// synced, renamed.
core::Result<> save_exit(core::Disk& disk, const std::string& path, const Exit& exit);
core::Result<std::optional<Exit>> load_exit(core::Disk& disk, const std::string& path);  // nothing: it was killed

}  // namespace headrace::process
