// The files that the input `path` of an action names, as @actions/glob finds them (its README, "Patterns"): one pattern
// a line, with * ? [] and **, "!" before those that take away, "#" before a remark, "~" for the home folder; a relative
// one is below the workspace; links are followed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

inline constexpr size_t search_bytes_max = size_t{16} << 20;  // of the names that are looked at
inline constexpr size_t search_patterns_max = 1'000;

struct FilePattern {
  std::string text;      // absolute, normal: no ".", no "..", no slash at the end
  bool negated = false;  // takes away
  bool folder = false;   // ended with a slash
  bool literal = true;   // has no star and the like
};

class FilePatterns {
 public:
  // invalid: there is none, or there are too many.
  static core::Result<FilePatterns> parse(std::string_view lines, std::string_view workspace, std::string_view home);

  const std::vector<FilePattern>& all() const { return patterns_; }
  // Where to begin: the part of each pattern before its first star; none that lies below another.
  const std::vector<std::string>& search_paths() const { return search_paths_; }
  // How many folders below those paths may matter; nothing: all.
  std::optional<size_t> depth() const;

  enum class Descendants { with, without };  // whether what lies in a folder that matches does so too
  bool matches(std::string_view path, Descendants descendants) const;

 private:
  std::vector<FilePattern> patterns_;
  std::vector<std::string> search_paths_;
};

struct FoundFiles {
  std::vector<std::string> files;  // absolute, as the job sees them; sorted
  std::string root;                // what their names in an archive begin behind
};
enum class Hidden { left_out, included };  // files and folders whose name begins with a dot

// Files, folders left out; for actions/upload-artifact. exhausted: search_bytes_max.
core::Task<core::Result<FoundFiles>> find_files(StepEngine& engine, FilePatterns patterns, Hidden hidden);
// Files and folders, those within them left out; for actions/cache. Relative to the workspace.
core::Task<core::Result<std::vector<std::string>>> find_paths(StepEngine& engine, FilePatterns patterns);

}  // namespace headrace::runner
