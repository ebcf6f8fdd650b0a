// Causes answers why: from an event back to its root, and on to everything that followed. It keeps an index id ->
// offset and cause -> effects in a SQLite file of its own, made from the log alone: thrown away and rebuilt it is
// equal.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "log/event_log.h"

namespace headrace::bus {

inline constexpr size_t chain_causes_max = 256;
inline constexpr size_t chain_effects_max = 1'000;

struct Chain {
  log::Stored event;
  std::vector<log::Stored> causes;   // the immediate one first, the root last
  std::vector<log::Stored> effects;  // all that followed, directly or not, in log order
  bool root_found = true;            // the last cause names no other; false: it names one that the log does not hold
  bool truncated = false;            // a bound was hit
};

}  // namespace headrace::bus
