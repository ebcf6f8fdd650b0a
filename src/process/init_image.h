// The small static program that is pid 1 of sandboxes and containers (init/main.cc): its bytes, and a file of them that
// can be run.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"
#include "process/descriptor.h"

namespace headrace::process {

std::span<const std::byte> init_image();

// Bytes in memory as a file, at its beginning; closed on exec.
core::Result<Descriptor> memory_file(const char* name, std::span<const std::byte> bytes);
core::Result<Descriptor> memory_file(const char* name, std::string_view text);

// The init as a file in memory, one for the process; run it as `path`, read it through a descriptor of its own.
class InitFile {
 public:
  static core::Result<const InitFile*> get();  // unavailable: the kernel lets no program run from memory
  std::string path() const;                    // for exec by us and by our children
  core::Result<Descriptor> open() const;       // read-only, at its beginning

 private:
  explicit InitFile(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace headrace::process
