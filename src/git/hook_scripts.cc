// The scripts that git runs. dash starts in under a millisecond, which our own binary would not.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/disk.h"
#include "git/hooks.h"

namespace headrace::git {
namespace {

using core::Result;

// Many refs are copied by cat: the shell reads its input byte by byte.
constexpr std::string_view script = R"(#!/bin/sh
# Written by Headrace at each start; what is changed here is lost. Speaks with the server over descriptor 3 (git/hooks.h).
trap '' PIPE
ask() {{
  printf 'hook {name}\nquarantine %s\n' "${{GIT_QUARANTINE_PATH:-}}" || return 1
  if [ "${{HEADRACE_MANY:-}}" ]; then cat || return 1
  else while IFS= read -r line; do printf '%s\n' "$line" || return 1; done; fi
  printf 'end\n'
}}
if ask 2>/dev/null >&3; then
  while IFS= read -r line 2>/dev/null <&3; do
    case $line in
      'say '*) printf '%s\n' "${{line#say }}" ;;
      'exit '*) exit "${{line#exit }}" ;;
    esac
  done
fi
echo '{gone}'
exit {code}
)";

Result<> write_script(const std::string& path, const std::string& text) {
  core::SystemDisk disk;
  const auto present = core::read_file(disk, path);
  if (!present || *present != text)
    if (auto written = core::write_file(disk, path, text); !written) return written;
  if (::chmod(path.c_str(), 0700) != 0)
    return std::unexpected(core::error_of_errno(errno, "making a hook executable", path));
  return {};
}

}  // namespace

Result<> write_hooks(const std::string& folder) {
  core::SystemDisk disk;
  if (auto made = disk.make_directories(folder); !made) return made;
  const auto before =
      fmt::format(fmt::runtime(script), fmt::arg("name", "pre-receive"), fmt::arg("code", 1),
                  fmt::arg("gone", "The server stopped before it took this push: nothing has changed. Push again."));
  const auto after =
      fmt::format(fmt::runtime(script), fmt::arg("name", "post-receive"), fmt::arg("code", 0),
                  fmt::arg("gone", "The server stopped as it took this push: it will be recorded when it is back."));
  if (auto written = write_script(folder + "/pre-receive", before); !written) return written;
  return write_script(folder + "/post-receive", after);
}

}  // namespace headrace::git
