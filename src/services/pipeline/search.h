// Runs of a repository by what they are of: pages with numbers, as GitHub's API has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"

namespace headrace::pipeline {

inline constexpr size_t search_limit_max = 100;       // of one page
inline constexpr size_t search_skip_max = 10'000;     // runs before it; beyond: invalid
inline constexpr int64_t search_count_max = 100'000;  // more are not counted

struct RunSearch {
  std::string repository;
  std::string branch, event, actor, commit;  // empty: any
  std::optional<core::Time> from, to;        // created then or between; empty: without an end
  std::string status;                        // "queued", "in_progress", "completed", or a conclusion; empty: any
  size_t skip = 0;
  size_t limit = 30;
};

struct RunsFound {
  std::vector<int64_t> ids;  // newest first
  int64_t total = 0;         // of all pages, at most search_count_max
};

}  // namespace headrace::pipeline
