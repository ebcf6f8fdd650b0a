// A job that prints more than anybody can hold, through the runner and the server.
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/platform.h"

namespace headrace {

namespace {

#ifdef HEADRACE_SANITIZED
constexpr long long flood_bytes = 64LL << 20;
constexpr long memory_more_kib = 1024L << 10;
#else
constexpr long long flood_bytes = 1LL << 30;
constexpr long memory_more_kib = 128L << 10;
#endif

// The most memory a process ever had, in KiB.
long most_memory(pid_t pid) {
  auto status = support::read_file("/proc/" + std::to_string(pid) + "/status");
  auto line = status.find("VmHWM:");
  return line == std::string::npos ? 0 : std::atol(status.c_str() + line + 6);
}

}  // namespace

TEST(Floods, AGigabyteWithoutANewlinePassesThroughRunnerAndServerInBoundedMemory) {
  support::Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto first =
      support::run_of(platform, "team/first",
                      "on: push\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo small\n");
  ASSERT_EQ(support::text_at(first, "conclusion"), "success");
  long server = most_memory(platform.server_pid()), runner = most_memory(platform.runner_pid());
  ASSERT_GT(server, 0);
  ASSERT_GT(runner, 0);
  ASSERT_EQ(platform.cli({"repo", "create", "team/flood"}).exit, 0);
  support::Clone clone(platform, "team/flood", "flood");
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  b:\n    runs-on: ubuntu-latest\n    steps:\n      - run: head -c " +
                  std::to_string(flood_bytes) + " /dev/zero | tr '\\0' x\n      - run: echo after the flood\n");
  clone.commit("flood");
  ASSERT_EQ(clone.push().exit, 0);
  std::string conclusion;
  ASSERT_TRUE(
      support::eventually([&] { return !(conclusion = support::conclusion_of_newest(platform, "team/flood")).empty(); },
                          support::milliseconds(400'000)));
  EXPECT_EQ(conclusion, "success");
  EXPECT_LT(most_memory(platform.server_pid()), server + memory_more_kib);
  EXPECT_LT(most_memory(platform.runner_pid()), runner + memory_more_kib);
}

}  // namespace headrace
