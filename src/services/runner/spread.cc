#include "services/runner/spread.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "process/descriptor.h"

namespace headrace::runner {

// chattr(1), "T".
void spread_folders_of(const std::string& folder) {
  const process::Descriptor at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int flags = 0;
  if (!at || ::ioctl(at.get(), FS_IOC_GETFLAGS, &flags) != 0 || (flags & FS_TOPDIR_FL) != 0) return;
  flags |= FS_TOPDIR_FL;
  [[maybe_unused]] int spread = ::ioctl(at.get(), FS_IOC_SETFLAGS, &flags);  // jobs run without it as well
}

}  // namespace headrace::runner
