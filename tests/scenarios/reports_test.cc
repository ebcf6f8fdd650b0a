// What a job tells besides its log and its end - test reports, summaries, warnings of what could not be read - over
// kills of the server and of the runner.
#include <gtest/gtest.h>
#include <signal.h>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::Platform;
using support::read_file;
using support::text_at;
namespace json = core::json;

// The first step says things, the second waits for the file `go`.
std::string workflow(const Platform& platform) {
  return R"(name: ci
on: push
jobs:
  build:
    name: Build <b>*it*
    runs-on: ubuntu-latest
    env: {SECRET: sesame-open}
    steps:
      - name: Tell
        run: |
          echo "::add-mask::$SECRET"
          echo '<testsuite><testcase classname="Cart" name="adds"><failure message="sesame-open is not 4"/></testcase></testsuite>' > "$HEADRACE_REPORTS/unit.xml"
          printf '<testsuite>\n<testcase name="a"\n' > junit.xml
          echo "# 1 failed, $SECRET" >> "$GITHUB_STEP_SUMMARY"
          echo "::warning file=src/a.cc,line=3,col=7::look here"
      - name: Wait
        run: until [ -e )" +
         platform.folder() + "/go ]; do sleep 0.05; done\n";
}

std::string out(Platform& platform, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--repo", "team/hello"});
  return platform.cli(std::move(arguments)).out;
}

size_t count(const std::string& text, const std::string& words) {
  size_t found = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++found;
  return found;
}

}  // namespace

TEST(Reports, AndSummariesAreThereOnceWhoeverIsKilledAndHoldNoSecret) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", workflow(platform));
  clone.commit("a workflow");
  ASSERT_EQ(clone.push().exit, 0);
  auto red = [&] { return count(out(platform, {"test", "list"}), "failed  "); };
  ASSERT_TRUE(eventually([&] { return red() == 1; })) << "while the job runs";
  EXPECT_TRUE(eventually([&] { return !out(platform, {"run", "view", "--summary"}).empty(); }));
  EXPECT_EQ(conclusion_of_newest(platform, "team/hello"), "");

  platform.kill();
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(red(), 1U);
  EXPECT_EQ(out(platform, {"run", "view", "--summary"}), "## Build \\<b>\\*it\\*\n\n# 1 failed, ***\n\n");

  const auto runner = platform.runner_pid();
  ::kill(runner, SIGKILL);
  ASSERT_TRUE(eventually([&] { return platform.runner_pid() > 0 && platform.runner_pid() != runner; }));
  support::write_file(platform.folder() + "/go", "");
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "success"; }))
      << out(platform, {"run", "view"});
  EXPECT_EQ(red(), 1U) << "of the attempt that counts";
  EXPECT_EQ(count(out(platform, {"test", "list", "--all"}), "failed  "), 2U);
  EXPECT_EQ(out(platform, {"run", "view", "--summary", "--job", "build"}), "# 1 failed, ***\n\n");

  auto view = out(platform, {"run", "view"});
  EXPECT_EQ(count(view, "    failed test: Cart adds: *** is not 4\n"), 1U) << view;
  EXPECT_EQ(count(view, "    warning: src/a.cc:3: look here\n"), 1U) << view;
  EXPECT_EQ(count(view, "    warning: junit.xml:2: This test report cannot be read"), 1U) << view;
  auto log = out(platform, {"run", "log"});
  EXPECT_NE(log.find(" 1 ##[warning]The test report junit.xml:2:"), std::string::npos) << log;
  platform.terminate();
  for (const auto& event : platform.log()) {
    const bool of_tests = text_at(event, "type").find(".test") != std::string::npos;
    EXPECT_TRUE(!of_tests || core::to_text(event).find("sesame-open") == std::string::npos) << core::to_text(event);
  }
}

}  // namespace headrace
