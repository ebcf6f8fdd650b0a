// The small programs that this one carries: the static one that is pid 1 of sandboxes and containers (init/main.cc),
// and the one that is the way out of jobs (egress/main.cc). Their bytes, and files of them that can be run.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"
#include "process/descriptor.h"

namespace headrace::process {

std::span<const std::byte> init_image();
std::span<const std::byte> egress_image();

// Bytes in memory as a file, at its beginning; closed on exec.
core::Result<Descriptor> memory_file(const char* name, std::span<const std::byte> bytes);
core::Result<Descriptor> memory_file(const char* name, std::string_view text);

// A program that this one carries, as a file in memory.
class ProgramFile {
 public:
  // unavailable: the kernel lets no program run from memory.
  static core::Result<std::unique_ptr<ProgramFile>> make(const char* name, std::span<const std::byte> image);
  std::string path() const;  // for exec by us and by our children

 private:
  explicit ProgramFile(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

// One of each for the process.
struct InitFile {
  static core::Result<const ProgramFile*> get();
};
struct EgressFile {
  static core::Result<const ProgramFile*> get();
};

}  // namespace headrace::process
