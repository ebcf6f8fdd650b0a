#include "support/sandboxes.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

namespace headrace::support {

PlatformOptions in_sandboxes() {
  PlatformOptions options;
  options.serve.clear();
  return options;
}

bool makes_sandboxes(Platform& platform) {
  EXPECT_TRUE(eventually([&] { return platform.said().find("Jobs with runs-on: ubuntu-latest") != std::string::npos; }))
      << platform.said();
  return platform.said().find("run in sandboxes of their own") != std::string::npos;
}

// One level is allowed, and taken.
std::string without_name_spaces() {
  return "sh -c 'unshare --user true 2>/dev/null || exec \"$@\"; exec unshare --user --map-root-user sh -c \"echo 1 > "
         "/proc/sys/user/max_user_namespaces && exec unshare --user --map-user=1000 \\\"\\$@\\\"\" sh \"$@\"' sh";
}

size_t processes_with(const std::string& words) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (std::atoi(entry.path().filename().c_str()) <= 0) continue;
    auto line = read_file(entry.path().string() + "/cmdline");
    std::ranges::replace(line, '\0', ' ');
    if (line.find(words) != std::string::npos) ++count;
  }
  return count;
}

}  // namespace headrace::support
