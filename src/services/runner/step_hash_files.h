// hashFiles('**/package-lock.json', ...): one SHA-256 over those of the files that match, in the order in which
// GitHub's runner comes upon them. GitHub Docs, "Evaluate expressions", "hashFiles"; @actions/glob for the patterns:
//
//   a line each; blank ones and those that begin with # do not count; ! excludes what an earlier one included, and a
//   later one may include again; ** any folders, * ? [a-z] within a name, names with a dot in front among them; a
//   pattern that matches a folder means everything in it. Only files of the workspace count.
//
// Symbolic links are not followed, unless the first argument is --follow-symbolic-links; one that leads out of the
// workspace never is. Blocks, as long as `time_max`: for a pool. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

inline constexpr std::chrono::seconds hash_files_time_max{120};  // GitHub's
inline constexpr size_t hash_files_entries_max = 1'000'000;      // looked at
inline constexpr size_t hash_files_depth_max = 100;              // folders within each other

struct HashFilesBounds {
  std::chrono::milliseconds time_max = hash_files_time_max;
  size_t entries_max = hash_files_entries_max;
};

// `workspace` is a host path, `inside` the same as the job sees it: patterns may begin with it. "" where no file
// matches.
core::Result<std::string> hash_files(const std::string& workspace, std::string_view inside,
                                     const std::vector<std::string>& patterns, HashFilesBounds bounds = {});

// One pattern against a path relative to the workspace, both without a leading slash. For tests and hash_files.
bool glob_matches(std::string_view pattern, std::string_view path);

}  // namespace headrace::runner
