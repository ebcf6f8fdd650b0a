// Starting, stopping and being asked wrongly: each has an exit code and a sentence that names the remedy.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <set>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::Command;
using support::eventually;
using support::milliseconds;
using support::Platform;

constexpr const char* workflow =
    "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hello\n";

// A zombie that nobody has asked about yet is dead.
bool alive(pid_t pid) {
  auto stat = support::read_file("/proc/" + std::to_string(pid) + "/stat");
  auto state = stat.rfind(") ");
  return pid > 0 && state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

}  // namespace

TEST(Start, ASecondServerOnOneFolderEndsAndNamesFolderAndRemedy) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto second = platform.cli({"serve", "--data", platform.data(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.exit, 1) << second.out;
  EXPECT_NE(second.err.find(platform.data()), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("headrace down"), std::string::npos) << second.err;
  EXPECT_TRUE(platform.ready());
  for (const auto& command : {std::vector<std::string>{"log", "verify"}, {"projections", "rebuild"}}) {
    auto arguments = command;
    arguments.insert(arguments.end(), {"--data", platform.data()});
    auto refused = platform.cli(arguments);
    EXPECT_EQ(refused.exit, 1) << command[0];
    EXPECT_NE(refused.err.find("headrace down"), std::string::npos) << refused.err;
  }
}

TEST(Start, ARebuildMakesTheTablesOfEveryServiceAnew) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  ASSERT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  std::set<std::string> files, named;
  for (const auto& entry : std::filesystem::directory_iterator(platform.data() + "/projections"))
    if (entry.path().extension() == ".db") files.insert(entry.path().stem());
  auto rebuilt = platform.json({"projections", "rebuild", "--verify", "--data", platform.data()});
  for (const auto& one : rebuilt.at("projections").as_array()) named.insert(core::string_at(one, "name").value_or(""));
  EXPECT_EQ(named, files) << "the server has a table that a rebuild does not know of";
  EXPECT_EQ(core::boolean_at(rebuilt, "equal"), true);
}

TEST(Start, APortThatIsTakenIsNamedWithItsRemedy) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  auto second = platform.cli({"serve", "--data", platform.folder() + "/other", "--listen", platform.address()});
  EXPECT_EQ(second.exit, 3) << second.out << second.err;
  EXPECT_NE(second.err.find(std::to_string(platform.port())), std::string::npos) << second.err;
  EXPECT_NE(second.err.find("--listen"), std::string::npos) << second.err;
}

TEST(Start, ExitCodesTellWrongUsageWrongThingsAndWrongRights) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(platform.cli({"repo", "frob"}).exit, 2);
  EXPECT_EQ(platform.cli({"serve", "--label", "nonsense"}).exit, 2);
  EXPECT_EQ(platform.cli({"run", "list", "--repo", "no/such"}).exit, 1);
  EXPECT_EQ(platform.cli({"run", "view", "999", "--repo", "no/such"}).exit, 1);
  EXPECT_EQ(platform.cli({"event", "show", "0193f5e8-0000-7000-8000-000000000000"}).exit, 1);
  auto with = [&](const std::string& setting) {
    auto environment = platform.environment();
    environment.push_back(setting);
    std::erase_if(environment, [&](const auto& word) {
      return word != setting && word.starts_with(setting.substr(0, setting.find('=') + 1));
    });
    Command command{{platform.program(), "repo", "list"}, environment, {}, {}, false};
    return support::run(command, platform.streams());
  };
  EXPECT_EQ(with("HEADRACE_TOKEN=hr_nobody").exit, 3);
  auto nowhere = with("HEADRACE_URL=http://127.0.0.1:1");
  EXPECT_EQ(nowhere.exit, 3);
  EXPECT_NE(nowhere.err.find("http://127.0.0.1:1"), std::string::npos) << nowhere.err;
  EXPECT_EQ(
      support::ask(platform.port(), {"GET", "/api/v1/repositories", {"Authorization: Bearer hr_nobody"}, {}}).status,
      401);
  EXPECT_EQ(support::ask(platform.port(), {"GET", "/api/v1/repositories", {}, {}}).status, 401);
}

TEST(Start, DownStopsServerAndRunnerAndIsContentWithNothing) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_TRUE(eventually([&] { return alive(platform.runner_pid()); }));
  auto runner = platform.runner_pid();
  auto started = std::chrono::steady_clock::now();
  auto down = platform.cli({"down", "--data", platform.data(), "--json"});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_NE(down.out.find("\"process\":\"serve\",\"pid\":" + std::to_string(platform.server_pid())), std::string::npos)
      << down.out;
  EXPECT_NE(down.out.find("\"process\":\"runner\",\"pid\":" + std::to_string(runner)), std::string::npos) << down.out;
  EXPECT_TRUE(eventually([&] { return !platform.running(); }));
  EXPECT_FALSE(alive(runner));
  auto again = platform.cli({"down", "--data", platform.data(), "--json"});
  EXPECT_EQ(again.exit, 0);
  EXPECT_EQ(again.out, "{\"stopped\":[]}\n");
  EXPECT_EQ(platform.cli({"down", "--data", platform.folder() + "/never"}).exit, 0);
}

TEST(Start, DownEndsAJobAtWorkAndAServerThatDoesNotAnswer) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/long"}).exit, 0);
  Clone clone(platform, "team/long", "long");
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo $$ > " +
                  platform.folder() + "/job; sleep 600\n");
  clone.commit("long");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return !support::read_file(platform.folder() + "/job").empty(); }));
  auto job = std::atoi(support::read_file(platform.folder() + "/job").c_str());
  ::kill(platform.server_pid(), SIGSTOP);
  auto started = std::chrono::steady_clock::now();
  auto down = platform.cli({"down", "--data", platform.data()});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_TRUE(eventually([&] { return !platform.running(); }));
  EXPECT_TRUE(eventually([&] { return !alive(job); }, milliseconds(5'000))) << "the job's process lives on";
}

TEST(Start, AServerThatWasAskedToStopKeepsAllDataAndLeavesAJobAtHandToItsRunner) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto before = support::run_of(platform, "team/hello", workflow);
  Clone clone(platform, "team/hello", "again");
  auto at_work = platform.folder() + "/at-work", go = platform.folder() + "/go";
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: touch " + at_work +
                  "; until [ -e " + go + " ]; do sleep 0.05; done\n");
  clone.commit("wait");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(at_work); }));
  auto runner = platform.runner_pid();
  EXPECT_EQ(platform.terminate().exit, 0);
  EXPECT_TRUE(alive(runner));
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(platform.runner_pid(), runner) << "the runner was not adopted";
  auto first = std::to_string(core::integer_at(before, "id").value_or(0));
  EXPECT_EQ(platform.json({"run", "view", first}), before);
  support::write_file(go, "");
  EXPECT_TRUE(eventually([&] { return support::conclusion_of_newest(platform, "team/hello") == "success"; }));
}

}  // namespace headrace
