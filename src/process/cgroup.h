// Control groups: bounds of memory, processes and processor time for all that a job starts, by version 2 where it is
// delegated to us, else version 1 where we may write there, else none. cgroups(7); "Control Group v2" and "cgroup-v1"
// of the kernel's documentation.
//
// A group of ours is named headrace-<pid of the runner>-<number>, below the group this process is in. What a killed
// runner left is removed when another one begins. Files are read and written on the calling thread: they are the
// kernel's, and short.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace headrace::process {

struct Bounds {  // 0: none
  uint64_t memory_bytes = 0;
  int64_t processes = 0;
  double processors = 0;
};

// One group, made empty. Destroyed it is removed, if nothing is in it any more.
class Cgroup {
 public:
  virtual ~Cgroup() = default;
  // A process that writes "0" to each of them is in the group, and so is all it starts.
  virtual std::vector<std::string> doors() const = 0;
  virtual core::Result<> bound(const Bounds& bounds) = 0;
  virtual bool memory_was_short() const = 0;      // something was killed for lack of memory
  virtual bool processes_were_short() const = 0;  // a fork was refused
  virtual std::optional<uint64_t> memory_peak_bytes() const = 0;
  virtual std::optional<uint64_t> processor_microseconds() const = 0;
  virtual bool remove() = 0;  // false while something is in it
};

class Cgroups {
 public:
  enum class Tier { version2, version1, none };

  // `root` is where they are mounted, `own` the text of /proc/self/cgroup.
  static std::unique_ptr<Cgroups> find(std::string root, const std::string& own);
  static std::unique_ptr<Cgroups> find(std::string root = "/sys/fs/cgroup");  // of this process

  virtual ~Cgroups() = default;
  virtual Tier tier() const = 0;
  virtual std::string why() const = 0;  // there is none, a sentence with the remedy; empty otherwise
  virtual core::Result<std::unique_ptr<Cgroup>> make(const Bounds& bounds) = 0;  // unavailable with Tier::none
};

}  // namespace headrace::process
