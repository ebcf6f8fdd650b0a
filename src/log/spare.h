// The next segment's file, filled with zeros while the open one is in use, so that appending to it only writes data and
// not the file's size and layout: measured 139 us a sync against 214 (EVENT-LOG.md, "Physics"). The housekeeper makes
// it, the log's thread takes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/clock.h"
#include "core/disk.h"

namespace headrace::log {

inline constexpr std::string_view spare_name = "spare.seg";
inline constexpr std::string_view fresh_name = "fresh.seg";  // a next segment that is not prefilled

class Spare {
 public:
  Spare(core::Disk& disk, std::string directory, uint64_t bytes)
      : disk_(disk), directory_(std::move(directory)), bytes_(bytes) {}

  void want() { wanted_ = true; }  // from now on segments are prefilled
  bool wanted() const { return wanted_; }
  bool ready() const { return state_ == State::ready; }
  // The file spare_name is the taker's alone, until it says that the file has its own name or was given up.
  bool take();
  void done_with() { state_ = State::absent; }

  core::Result<> find();                                    // one that was left by the last run
  core::Result<> make(const std::atomic<bool>& cancelled);  // nothing if there is one, or it is taken or not wanted

 private:
  enum class State { absent, making, ready, taken };
  core::Result<> fill(core::File& file, const std::atomic<bool>& cancelled);

  core::Disk& disk_;
  std::string directory_;
  uint64_t bytes_;
  std::atomic<bool> wanted_ = false;
  std::atomic<State> state_ = State::absent;
};

// What a sync of 4 KiB costs at the median on a growing file and on one filled before; 100 of each.
struct PrefillProbe {
  core::Duration growing{};
  core::Duration prefilled{};
  bool gains() const { return prefilled * 10 < growing * 9; }  // a tenth at least
};
core::Result<PrefillProbe> probe_prefill(core::Disk& disk, const core::Clock& clock, const std::string& directory,
                                         const std::atomic<bool>& cancelled);

}  // namespace headrace::log
