// The runner's door to files of a job. The job may be hostile and the runner may be root: nothing here follows a link
// that the job made, waits for a pipe the job put there, or reads more than it is told (openat2(2), RESOLVE_BENEATH and
// RESOLVE_NO_SYMLINKS). Blocks as the file system does; any thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "process/descriptor.h"

namespace headrace::runner {

// Whom files and folders that the runner makes for a job belong to; nothing: the runner's own user.
using FileOwner = std::optional<uid_t>;

class JobFiles {
 public:
  JobFiles(std::string folder, FileOwner owner) : folder_(std::move(folder)), owner_(owner) {}

  // Paths are absolute and within the folder; invalid where they are not, or where a link or something that is no file
  // stands in the way.
  core::Result<> make_folder(std::string_view path) const;                    // with those above it, 0700
  core::Result<> write(std::string_view path, std::string_view text) const;   // replaces; 0600
  core::Result<> link(std::string_view path, std::string_view target) const;  // symbolic; what is there stays
  core::Result<std::string> read(std::string_view path, size_t bytes_max) const;
  // Whatever below belongs to root is given to the owner: files that a container left there. The folder itself as well.
  core::Result<> give_back(std::string_view path) const;

 private:
  core::Result<std::string> beneath(std::string_view path) const;
  core::Result<process::Descriptor> open_above(std::string_view path, const std::string& inner) const;

  std::string folder_;
  FileOwner owner_;
};

}  // namespace headrace::runner
