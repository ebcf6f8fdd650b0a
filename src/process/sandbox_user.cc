#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "process/sandbox.h"

namespace headrace::process {

using core::Code;
using core::Result;

Result<SandboxUser> SandboxUser::take() {
  static uid_t next = 0;
  for (uid_t tried = 0; tried < count; ++tried) {
    uid_t id = first + next++ % count;
    Descriptor mark(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!mark) return std::unexpected(core::error_of_errno(errno, "marking a user of a sandbox as taken"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string name = "headrace/user/" + std::to_string(id);
    std::memcpy(address.sun_path + 1, name.data(), name.size());  // a leading NUL: abstract, unix(7)
    auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(mark.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0)
      return SandboxUser(id, std::move(mark));
  }
  return core::fail(Code::exhausted,
                    "All " + std::to_string(count) + " users for sandboxes are taken on this machine.");
}

}  // namespace headrace::process
