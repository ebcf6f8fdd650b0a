// A runner on "another machine": by a token of its own, over TCP, with a folder of its own and none of the server's.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::Platform;
using support::read_file;
using support::text_at;

// The server alone, and a runner started by hand as the guide says.
class RemoteRunner : public ::testing::Test {
 protected:
  static support::PlatformOptions alone() {
    support::PlatformOptions options;
    options.serve = {"--no-runner"};
    return options;
  }
  void SetUp() override {
    ASSERT_TRUE(platform.start()) << platform.said();
    auto answer = platform.http({"POST", "/api/v1/tokens", {}, R"({"runner":"builder-1"})"});
    ASSERT_EQ(answer.status / 100, 2) << answer.body;
    auto made = core::parse_json(answer.body);
    ASSERT_TRUE(made);
    token = platform.folder() + "/builder.token";
    support::write_file(token, text_at(*made, "token") + "\n");
  }
  std::unique_ptr<support::Process> runner(const std::string& folder) const {
    support::Command command{{platform.program(), "runner", "--server", platform.url(), "--token-file", token, "--name",
                              "builder-1", "--slots", "1", "--label", "ubuntu-latest=host", "--data", folder},
                             platform.environment(),
                             "/",
                             {},
                             true};
    return std::make_unique<support::Process>(std::move(command), platform.streams());
  }
  void push(const std::string& repository, const std::string& steps) {
    ASSERT_EQ(platform.cli({"repo", "create", repository}).exit, 0);
    Clone clone(platform, repository, std::filesystem::path(repository).filename());
    clone.write(".github/workflows/ci.yml",
                "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + steps);
    clone.commit("work");
    ASSERT_EQ(clone.push().exit, 0);
  }
  std::string conclusion(const std::string& repository) {
    std::string found;
    EXPECT_TRUE(eventually([&] { return !(found = support::conclusion_of_newest(platform, repository)).empty(); }));
    return found;
  }
  std::string log_of(const std::string& repository) { return platform.cli({"run", "log", "--repo", repository}).out; }

  Platform platform{alone()};
  std::string token;
};

TEST_F(RemoteRunner, ChecksOutAndRunsOverTcpInAFolderOfItsOwn) {
  auto folder = platform.folder() + "/elsewhere/runner";
  auto working = runner(folder);
  push("team/remote", "      - uses: actions/checkout@v4\n      - run: test -f .github/workflows/ci.yml && pwd\n");
  EXPECT_EQ(conclusion("team/remote"), "success") << log_of("team/remote") << working->err();
  EXPECT_NE(log_of("team/remote").find(" " + folder + "/"), std::string::npos) << log_of("team/remote");
  EXPECT_FALSE(std::filesystem::exists(platform.data() + "/runner/repositories")) << "nothing of it is at the server";
  auto status = platform.http({"GET", "/api/v1/status", {}, {}}).body;
  EXPECT_NE(status.find("\"name\":\"builder-1\""), std::string::npos) << status;
  working->signal(SIGTERM);
  EXPECT_EQ(working->wait().exit, 0) << working->err();
}

TEST_F(RemoteRunner, ATokenThatWasRevokedEndsItWithTheReason) {
  auto folder = platform.folder() + "/elsewhere";
  support::write_file(token, "hr_0123456789abcdef0123456789abcdef0123456789abcdef\n");
  auto refused = runner(folder)->wait();
  EXPECT_NE(refused.exit, 0);
  EXPECT_FALSE(refused.err.empty());
}

TEST_F(RemoteRunner, AFullDiskUnderItsFolderFailsTheJobInWordsAndTheNextOneRuns) {
  auto small = platform.folder() + "/small";
  std::filesystem::create_directories(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=24m") != 0) GTEST_SKIP() << "only root may mount a small disk";
  {
    auto working = runner(small + "/runner");
    push("team/full", "      - run: yes 'a line of the log' | head -c 64M\n");
    EXPECT_EQ(conclusion("team/full"), "failure");
    auto shown = platform.cli({"run", "view", "--json", "--repo", "team/full"}).out + log_of("team/full");
    EXPECT_TRUE(shown.find("full") != std::string::npos || shown.find("space") != std::string::npos) << shown;
    push("team/after", "      - run: echo there is room again\n");
    EXPECT_EQ(conclusion("team/after"), "success") << log_of("team/after");
    working->signal(SIGTERM);
    EXPECT_EQ(working->wait().exit, 0) << working->err();
  }
  ::umount2(small.c_str(), MNT_DETACH);
}

}  // namespace

}  // namespace headrace
