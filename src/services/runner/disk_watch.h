// Bounds what a job's folder holds. Quotas would ask for a file system of its own, so the folder is measured: when the
// file system holds more than the limit beyond what it held at first (one call a second), and every half minute
// whatever it holds. Thus a job may be over its limit for seconds; it is ended then, and says why.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::runner {

// Bytes on disk of what is below the folder, links not followed; at most `entries_max` of them are looked at. Blocks.
uint64_t disk_bytes_below(const std::string& folder, size_t entries_max);

class DiskWatch {
 public:
  // `exceeded` is called once, with what was found. Clock and pool outlive it.
  DiskWatch(core::Executor loop, core::Clock& clock, core::Pool& pool, std::string folder, uint64_t bytes_max,
            std::function<void(uint64_t)> exceeded);
  core::Task<> close();

 private:
  struct Watched;
  static core::Task<> watch(std::shared_ptr<Watched> watched);
  core::Scope tasks_;
};

}  // namespace headrace::runner
