#include "cli/exec_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace headrace::cli {
namespace {

using events::Conclusion;
using ::testing::HasSubstr;
using ::testing::Not;

// A screen whose words come back.
class Shown {
 public:
  explicit Shown(Colours colours = Colours::no) {
    core::require(::pipe(ends_.data()) == 0, "there is a pipe");
    screen = std::make_unique<Screen>(ends_[1], colours);
  }
  ~Shown() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

  std::string text() {
    screen->flush();
    std::string text(64 * 1024, '\0');  // what a pipe holds
    screen->say("end");
    screen->flush();
    auto got = ::read(ends_[0], text.data(), text.size());
    text.resize(got > 4 ? static_cast<size_t>(got) - 4 : 0);
    return text;
  }

  std::unique_ptr<Screen> screen;

 private:
  std::array<int, 2> ends_{};
};

TEST(ExecScreen, LinesHaveTheNameOfTheirJobAndMarksBecomeWords) {
  Shown shown;
  shown.screen->step_began("build", "Run make");
  shown.screen->log("build", "plain");
  shown.screen->log("build", "##[group]Details");
  shown.screen->log("build", "within");
  shown.screen->log("test", "of another job");
  shown.screen->log("build", "##[endgroup]");
  shown.screen->log("build", "##[error]it broke");
  shown.screen->log("build", "##[warning]careful");
  shown.screen->step_ended("build", "Run make", Conclusion::failure, std::chrono::milliseconds(1500));
  EXPECT_EQ(shown.text(),
            "build | * Run make\nbuild | plain\nbuild | > Details\nbuild |   within\ntest | of another job\n"
            "build | error: it broke\nbuild | warning: careful\nbuild | FAILED Run make (1.5 s)\n");
}

TEST(ExecScreen, AStepIsToldOnceWhereItsFirstGroupBearsItsName) {
  Shown shown;
  shown.screen->step_began("build", "Run make");
  shown.screen->log("build", "##[group]Run make");
  shown.screen->log("build", "shell: bash");
  shown.screen->log("build", "##[endgroup]");
  shown.screen->log("build", "##[group]Run make");
  shown.screen->step_began("build", "Named");
  shown.screen->log("build", "##[group]Run make");
  EXPECT_EQ(shown.text(),
            "build | * Run make\nbuild |   shell: bash\nbuild | > Run make\nbuild | * Named\nbuild | > Run make\n");
}

TEST(ExecScreen, ColoursAreForThoseWhoWantThem) {
  Shown plain, coloured(Colours::yes);
  for (auto* one : {&plain, &coloured}) one->screen->step_ended("a", "Run", Conclusion::success, core::Duration(0));
  EXPECT_THAT(plain.text(), Not(HasSubstr("\x1b[")));
  EXPECT_THAT(coloured.text(), HasSubstr("\x1b[32mok\x1b[0m"));
  EXPECT_EQ(colours_of(-1), Colours::no) << "no terminal";
  for (auto* one : {&plain, &coloured}) one->screen->log("a", "\x1b[36;1mmake\x1b[0m \x1b[2K");
  EXPECT_EQ(plain.text(), "a | make \x1b[2K\n");
  EXPECT_THAT(coloured.text(), HasSubstr("\x1b[36;1mmake\x1b[0m \x1b[2K\n"));
}

TEST(ExecScreen, TheSummaryNamesWhatFailedAndItsLastLines) {
  pipeline::RunRow run;
  run.workflow = "CI";
  run.workflow_file = ".github/workflows/ci.yml";
  run.conclusion = Conclusion::failure;
  pipeline::JobRow good, bad, other;
  good.name = "lint";
  good.conclusion = Conclusion::success;
  bad.job = "1";
  bad.name = "test";
  bad.conclusion = Conclusion::failure;
  bad.reason = "Process completed with exit code 2.";
  bad.annotations.push_back({.level = "error", .message = "no such name", .file = "src/a.c", .line = 3, .column = 5});
  other.job = "2";
  other.name = "windows";
  other.conclusion = Conclusion::skipped;
  other.reason = "Nothing here runs jobs of 'windows-latest'.";
  run.rows = {good, bad, other};
  std::map<std::string, JobStory> stories;
  stories["1"].failed_step = "Run make";
  stories["1"].failed_number = 3;
  stories["1"].tail = {"gcc ...", "##[error]Process completed with exit code 2."};
  stories["1"].failed_tests = {{"junit.xml", "math.adds", "1 is not 2\nmore"}};
  stories["1"].summary_file = "/cache/test.md";
  stories["2"].unserved = true;
  Shown shown;
  shown.screen->summary({&run}, stories);
  auto text = shown.text();
  EXPECT_THAT(text, HasSubstr("CI (.github/workflows/ci.yml): FAILED"));
  EXPECT_THAT(text, HasSubstr("  ok        lint\n"));
  EXPECT_THAT(text, HasSubstr("  FAILED    test  Process completed with exit code 2.\n"));
  EXPECT_THAT(text, HasSubstr("  not run   windows  Nothing here runs"));
  EXPECT_THAT(text, HasSubstr("test, step 3: Run make\ntest | gcc ...\ntest | error: Process completed"));
  EXPECT_THAT(text, HasSubstr("failed test math.adds: 1 is not 2\n"));
  EXPECT_THAT(text, HasSubstr("error src/a.c:3:5: no such name\n"));
  EXPECT_THAT(text, HasSubstr("summary of test: /cache/test.md\n"));
}

TEST(ExecScreen, TimesAreShort) {
  EXPECT_EQ(shown(std::chrono::milliseconds(449)), "0.4 s");
  EXPECT_EQ(shown(std::chrono::seconds(123)), "2 min 03 s");
}

}  // namespace
}  // namespace headrace::cli
