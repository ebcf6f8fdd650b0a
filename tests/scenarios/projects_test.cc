// Projects as people have them, with workflows as people write them: pushed, built and tested green in sandboxes, and a
// test that breaks is named with its place and message while its job still runs. Real CMake, CTest and GoogleTest,
// Python's unittest and pytest, Node's test runner; a project whose tools are not on this machine is skipped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "support/sandboxes.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::in_sandboxes;
using support::makes_sandboxes;
using support::milliseconds;
using support::Platform;
using support::text_at;
namespace fs = std::filesystem;
namespace json = core::json;

constexpr milliseconds build_patience{180'000};

// A suite runs in the repository's root.
fs::path project(const std::string& name) { return fs::absolute("tests/scenarios/projects/" + name); }

// Whether a program is there that a sandbox sees too, and does this.
bool works(const std::string& folder, std::vector<std::string> argv) {
  argv.insert(argv.begin(), "/usr/bin/env");  // looked for in this PATH, not in the test's own
  support::Command command;
  command.argv = std::move(argv);
  command.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent"};
  return support::run(std::move(command), folder).exit == 0;
}

class Projects : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(platform.start()) << platform.said();
    if (!makes_sandboxes(platform)) GTEST_SKIP() << "this machine makes no sandboxes";
  }
  bool has(std::vector<std::string> argv) { return works(platform.streams(), std::move(argv)); }

  // The project, in a repository of its own.
  void open(const std::string& name) {
    ASSERT_EQ(platform.cli({"repo", "create", "team/" + name}).exit, 0);
    repository = "team/" + name;
    clone = std::make_unique<Clone>(platform, repository, name);
    fs::copy(project(name), clone->path(), fs::copy_options::recursive);
  }
  void push(const std::string& message) {
    clone->commit(message);
    auto pushed = clone->push();
    ASSERT_EQ(pushed.exit, 0) << pushed.err;
  }
  // Watches the newest run to its end.
  support::Ran watch() {
    EXPECT_TRUE(eventually([&] { return platform.cli({"run", "view", "--repo", repository}).exit == 0; }));
    return platform.cli_running({"run", "watch", "--repo", repository})->wait(build_patience);
  }
  void replace(const std::string& path, const std::string& from, const std::string& to) {
    auto text = support::read_file(clone->path() + "/" + path);
    auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << path;
    clone->write(path, text.replace(at, from.size(), to));
  }
  // The line of `run watch` that begins so; empty where there is none.
  static std::string line_of(const std::string& out, const std::string& beginning) {
    auto at = out.find("\n" + beginning);
    return at == std::string::npos ? "" : out.substr(at + 1, out.find('\n', at + 1) - at - 1);
  }
  std::string tests() { return platform.cli({"test", "list", "--repo", repository}).out; }
  std::string view() { return platform.cli({"run", "view", "--repo", repository}).out; }

  Platform platform{in_sandboxes()};
  std::string repository;
  std::unique_ptr<Clone> clone;
};

}  // namespace

TEST_F(Projects, OfCmakeAndGoogleTestAreGreenAndABrokenTestIsNamedWithItsPlace) {
  if (!has({"cmake", "--version"}) || !has({"c++", "--version"}) || !fs::exists("/usr/include/gtest/gtest.h"))
    GTEST_SKIP() << "CMake, a C++ compiler or GoogleTest is not installed";
  open("cpp");
  push("a cart");
  auto green = watch();
  ASSERT_EQ(green.exit, 0) << green.out;
  EXPECT_NE(tests().find("2 tests, 2 passed"), std::string::npos) << tests();
  auto summary = platform.cli({"run", "view", "--summary", "--repo", repository}).out;
  EXPECT_NE(summary.find("## Debug\n\n### Debug: success"), std::string::npos) << summary;
  EXPECT_NE(summary.find("## Release\n\n### Release: success"), std::string::npos) << summary;

  replace("tests/cart_test.cc", "total(), 7", "total(), 8");
  push("it does not add up");
  auto red = watch();
  EXPECT_EQ(red.exit, 1);
  const std::string failed =
      "Cart.AddsUp (tests/cart_test.cc:11): Expected equality of these values: cart.total() Which "
      "is: 7 8";
  EXPECT_EQ(line_of(red.out, "Debug: failed test"), "Debug: failed test " + failed) << red.out;
  EXPECT_NE(view().find("    failed test: " + failed), std::string::npos) << view();
  auto listed = platform.json({"test", "list", "--repo", repository});
  EXPECT_EQ(listed.at("reports").as_array().size(), 2U) << "one for each build type";
  auto broken = listed.at("tests").as_array().at(0);
  EXPECT_EQ(text_at(broken, "before"), "passed");
  auto history = platform.json({"test", "show", text_at(broken, "id"), "--repo", repository});
  EXPECT_EQ(history.at("results").as_array().size(), 4U) << "two build types, two pushes";
}

TEST_F(Projects, OfPythonAreGreenAndABrokenTestIsNamedWithItsPlace) {
  if (!has({"python3", "--version"})) GTEST_SKIP() << "Python is not installed";
  open("python");
  push("a cart");
  auto green = watch();
  ASSERT_EQ(green.exit, 0) << green.out;
  replace("cart/__init__.py", "return sum(self.prices)", "return sum(self.prices) + 1");
  push("it does not add up");
  auto red = watch();
  EXPECT_EQ(red.exit, 1);
  EXPECT_NE(red.out.find("failed test test_cart.CartTest test_adds_up (tests/test_cart.py:14): 8 != 7"),
            std::string::npos)
      << red.out;
}

TEST_F(Projects, OfPytestAreGreenAndABrokenTestIsNamedWithItsPlace) {
  if (!has({"python3", "-m", "pytest", "--version"})) GTEST_SKIP() << "pytest is not installed";
  open("python");
  replace(".github/workflows/test.yml", "python3 -m tests", "python3 -m pytest --junitxml=junit.xml");
  push("a cart");
  auto green = watch();
  ASSERT_EQ(green.exit, 0) << green.out;
  replace("cart/__init__.py", "return sum(self.prices)", "return sum(self.prices) + 1");
  push("it does not add up");
  auto red = watch();
  EXPECT_EQ(red.exit, 1);
  EXPECT_NE(red.out.find("failed test tests.test_cart.CartTest test_adds_up (tests/test_cart.py:14): AssertionError: "
                         "8 != 7"),
            std::string::npos)
      << red.out;
}

TEST_F(Projects, OfNodeAreGreenAndABrokenTestIsNamedWithItsPlace) {
  if (!has({"npm", "--version"}) || !has({"node", "--test-reporter=junit", "-e", "0"}))
    GTEST_SKIP() << "Node with its JUnit reporter is not installed";
  open("node");
  push("a cart");
  auto green = watch();
  ASSERT_EQ(green.exit, 0) << green.out;
  replace("lib/cart.js", "sum + price, 0", "sum + price, 1");
  push("it does not add up");
  auto red = watch();
  EXPECT_EQ(red.exit, 1);
  EXPECT_NE(red.out.find("failed test cart adds up (test/cart.test.js:11): Expected values to be strictly equal"),
            std::string::npos)
      << red.out;
}

// A test that is red in one job and green in the other, on one commit.
TEST_F(Projects, ATestWithBothResultsOnOneTreeIsFlakyAndTheSlowestAreKnown) {
  if (!has({"python3", "--version"})) GTEST_SKIP() << "Python is not installed";
  open("python");
  replace("tests/test_cart.py", "        self.assertEqual(Cart().total(), 0)\n",
          "        import os\n        self.assertGreater(int(os.environ['GITHUB_RUN_ATTEMPT']), 1)\n");
  push("only the second time");
  EXPECT_EQ(watch().exit, 1);
  ASSERT_EQ(platform.cli({"run", "rerun", "--failed", "--repo", repository}).exit, 0);
  EXPECT_EQ(watch().exit, 0);
  auto flaky = platform.json({"test", "flaky", "--repo", repository});
  ASSERT_EQ(flaky.at("tests").as_array().size(), 1U) << core::to_text(flaky);
  EXPECT_EQ(text_at(flaky.at("tests").as_array().at(0), "name"), "test_is_empty_at_first");
  EXPECT_NE(platform.cli({"test", "slowest", "--repo", repository}).out.find("test_cart.CartTest test_"),
            std::string::npos);
  EXPECT_EQ(tests().find("failed  "), std::string::npos) << "of the newest attempt alone: " << tests();
  auto all = platform.cli({"test", "list", "--all", "--repo", repository}).out;
  EXPECT_NE(all.find("failed"), std::string::npos) << all;
}

}  // namespace headrace
