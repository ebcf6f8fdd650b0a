#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "core/bytes.h"
#include "process/init_image.h"

namespace headrace::process {

using core::Code;
using core::Result;

namespace {

constexpr unsigned may_run = 0x0010U;  // MFD_EXEC of Linux 6.3, asked for where vm.memfd_noexec is 1

Result<> fill(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(core::error_of_errno(errno, "writing a file in memory"));
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  if (::lseek(file, 0, SEEK_SET) < 0) return std::unexpected(core::error_of_errno(errno, "rewinding a file in memory"));
  return {};
}

Result<const ProgramFile*> only(std::unique_ptr<ProgramFile>& kept, const char* name,
                                std::span<const std::byte> image) {
  if (kept) return kept.get();
  auto made = ProgramFile::make(name, image);
  if (!made) return std::unexpected(made.error());
  kept = std::move(*made);
  return kept.get();
}

}  // namespace

Result<Descriptor> memory_file(const char* name, std::span<const std::byte> bytes) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) return std::unexpected(core::error_of_errno(errno, "making a file in memory", name));
  if (auto filled = fill(file.get(), bytes); !filled) return std::unexpected(filled.error());
  return file;
}

Result<Descriptor> memory_file(const char* name, std::string_view text) {
  return memory_file(name, core::as_bytes(text));
}

Result<std::unique_ptr<ProgramFile>> ProgramFile::make(const char* name, std::span<const std::byte> image) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC | may_run));
  if (!file && errno == EINVAL) file = Descriptor(::memfd_create(name, MFD_CLOEXEC));
  if (!file)
    return core::fail(Code::unavailable,
                      "The kernel lets no program run from memory (vm.memfd_noexec is 2?), so jobs cannot be isolated. "
                      "Set it to 1 or 0.",
                      std::string("memfd_create: errno ") + std::to_string(errno));
  if (auto filled = fill(file.get(), image); !filled) return std::unexpected(filled.error());
  if (::fchmod(file.get(), 0555) != 0)
    return std::unexpected(core::error_of_errno(errno, "making a program runnable", name));
  // A file that is open for writing is not run (ETXTBSY).
  Descriptor readable(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable) return std::unexpected(core::error_of_errno(errno, "opening a program", name));
  return std::unique_ptr<ProgramFile>(new ProgramFile(std::move(readable)));
}

Result<const ProgramFile*> InitFile::get() {
  static std::unique_ptr<ProgramFile> kept;
  return only(kept, "headrace-init", init_image());
}

Result<const ProgramFile*> EgressFile::get() {
  static std::unique_ptr<ProgramFile> kept;
  return only(kept, "headrace-egress", egress_image());
}

std::string ProgramFile::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(file_.get());
}

}  // namespace headrace::process
