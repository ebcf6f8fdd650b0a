// Whether what a push brought is whole: everything its tips need is there. What git's own check does with a process is
// done here for ordinary pushes, where all that is new hangs on what the refs hold already.
#pragma once

#include <span>
#include <string>

#include "core/result.h"

namespace headrace::git {

enum class Connected {
  yes,
  no,       // something is missing
  unknown,  // new commits lead to some that no ref points to, or there is too much to look at: git must say
};
inline constexpr size_t looked_at_max = 50'000;  // objects and entries of folders

// Reads `path` with `quarantine` (an objects folder, or empty) beside its own objects. Blocks. What refs point to is
// taken to be whole; so an object is whole that is reached from there, or whose every link was followed to its end.
core::Result<Connected> is_connected(const std::string& path, const std::string& quarantine,
                                     std::span<const std::string> tips);

}  // namespace headrace::git
