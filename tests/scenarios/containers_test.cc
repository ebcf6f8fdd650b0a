// Containers of a real engine under the whole platform, where one works here: what a push makes of them, and that
// nothing of them is left, however the platform ends.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "scenarios/exec_case.h"
#include "services/runner/testing/real_engine.h"
#include "services/runner/testing/real_registry.h"
#include "support/platform.h"

namespace headrace {

namespace {

using runner::testing::RealEngine;
using support::Clone;
using support::eventually;
using support::Platform;
using support::text_at;

class Containers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (engine.program.empty()) GTEST_SKIP() << engine.why_not;
    if (engine.program.starts_with('/')) {  // before the runner's own podman
      path = std::getenv("PATH");
      ::setenv("PATH", (engine.folder + ":" + *path).c_str(), 1);
    }
    platform = std::make_unique<Platform>();
    ASSERT_TRUE(platform->start()) << platform->said();
  }
  void TearDown() override {
    platform.reset();
    if (path) ::setenv("PATH", path->c_str(), 1);
  }
  std::string left() const { return engine.left_of(platform->data() + "/runner"); }

  // A job in a container, with a service, that says it is there and stays.
  void push_long() {
    ASSERT_EQ(platform->cli({"repo", "create", "team/long"}).exit, 0);
    Clone clone(*platform, "team/long", "long");
    clone.write(".github/workflows/ci.yml",
                "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    container: " + engine.image +
                    "\n    services:\n      web: {image: '" + engine.web +
                    "'}\n    steps:\n      - {run: 'echo at work; sleep 1000', shell: sh}\n");
    clone.commit("long");
    ASSERT_EQ(clone.push().exit, 0);
    ASSERT_TRUE(eventually([&] {
      return platform->cli({"run", "log", "--repo", "team/long"}).out.find(" at work\n") != std::string::npos;
    })) << platform->cli({"run", "log", "--repo", "team/long"}).out;
    ASSERT_NE(left(), "");
  }

  const RealEngine& engine = RealEngine::of_this_machine();
  std::optional<std::string> path;
  std::unique_ptr<Platform> platform;
};

TEST_F(Containers, APushWithContainerServicesAndAContainerActionIsGreenAndLeavesNothing) {
  auto run = support::run_of(
      *platform, "team/containers",
      "on: push\njobs:\n  inside:\n    runs-on: ubuntu-latest\n    container: " + engine.image +
          "\n    services:\n      web:\n        image: " + engine.web +
          "\n        env: {WHO: push}\n        ports: ['8080']\n"
          "        options: --health-cmd 'wget -q -O /dev/null http://127.0.0.1:8080/' --health-interval 1s\n"
          "    steps:\n      - {run: 'wget -q -O - http://web:8080/ | grep \"hello push\"', shell: sh}\n"
          "  outside:\n    runs-on: ubuntu-latest\n    services:\n      web:\n        image: " +
          engine.web +
          "\n        ports: ['8080']\n    steps:\n"
          "      - run: for n in $(seq 50); do curl -fsS http://localhost:${{ job.services.web.ports[8080] }}/ && exit "
          "0; "
          "sleep 0.1; done; exit 1\n"
          "      - uses: docker://" +
          engine.image +
          "\n        with: {entrypoint: /bin/sh, args: \"-c 'echo made > by-action'\"}\n"
          "      - run: grep made by-action\n");
  EXPECT_EQ(text_at(run, "conclusion"), "success") << platform->cli({"run", "log", "--repo", "team/containers"}).out;
  EXPECT_TRUE(eventually([&] { return left().empty(); })) << left();
}

TEST_F(Containers, DownLeavesNone) {
  push_long();
  EXPECT_EQ(platform->cli({"down", "--data", platform->data()}).exit, 0);
  EXPECT_EQ(left(), "");
}

TEST_F(Containers, OfARunnerAndAServerThatAreKilledDownRemovesWhatIsLeft) {
  push_long();
  auto runner = platform->runner_pid();
  platform->kill();
  ::kill(runner, SIGKILL);
  EXPECT_NE(left(), "") << "the engine's containers are nobody's children";
  EXPECT_EQ(platform->cli({"down", "--data", platform->data()}).exit, 0);
  EXPECT_EQ(left(), "");
}

TEST_F(Containers, ARunnerThatIsKilledIsFollowedByOneThatRemovesThemAndRunsTheJobAgain) {
  push_long();
  auto before = left();
  ::kill(platform->runner_pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    auto now = left();
    return !now.empty() && now.find(before.substr(0, before.find('\n'))) == std::string::npos;
  })) << "the job's second attempt has containers of its own, and the first one's are gone";
  EXPECT_EQ(platform->cli({"run", "cancel", "--repo", "team/long"}).exit, 0);
  EXPECT_TRUE(eventually([&] { return left().empty(); })) << left();
}

TEST_F(Containers, APrivateImageIsHadWithASecretAndTheLogOfNobodyShowsIt) {
  runner::testing::RealRegistry registry(engine);
  if (!registry.why_not.empty()) GTEST_SKIP() << registry.why_not;
  auto folder = std::filesystem::path(registry.program).parent_path().string();
  const std::string before = std::getenv("PATH");
  platform.reset();  // a runner that finds the engine with its word about the registry
  ::setenv("PATH", (folder + ":" + before).c_str(), 1);
  platform = std::make_unique<Platform>();
  bool started = platform->start();
  ::setenv("PATH", before.c_str(), 1);
  ASSERT_TRUE(started) << platform->said();
  ASSERT_EQ(platform->cli({"repo", "create", "team/private"}).exit, 0);
  ASSERT_EQ(
      platform->cli({"secret", "set", "pull", "--repo", "team/private"}, registry.password + std::string("\n")).exit,
      0);
  Clone clone(*platform, "team/private", "private");
  auto job = [&](const std::string& name, const std::string& password) {
    return "  " + name + ":\n    runs-on: ubuntu-latest\n    container:\n      image: " + registry.image +
           "\n      credentials: {username: " + registry.username + ", password: '" + password +
           "'}\n    steps:\n      - {run: 'echo in the image', shell: sh}\n";
  };
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n" + job("right", "${{ secrets.PULL }}") + job("wrong", "no"));
  clone.commit("private");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return !support::conclusion_of_newest(*platform, "team/private").empty(); }));
  auto run = platform->json({"run", "view", "--repo", "team/private"});
  auto log = platform->cli({"run", "log", "--repo", "team/private"}).out;
  for (const auto& one : run.at("jobs").as_array())
    EXPECT_EQ(text_at(one, "conclusion"), text_at(one, "key") == "right" ? "success" : "failure") << log;
  EXPECT_NE(log.find("username and password of credentials:"), std::string::npos) << log << core::to_text(run);
  EXPECT_EQ(log.find(registry.password), std::string::npos) << log;
  EXPECT_TRUE(eventually([&] { return left().empty(); })) << left();
  registry.forget_image();
}

}  // namespace

class ExecContainers : public ExecCase {
 protected:
  void SetUp() override {
    if (engine.program.empty()) GTEST_SKIP() << engine.why_not;
  }
  const RealEngine& engine = RealEngine::of_this_machine();
};

TEST_F(ExecContainers, AFolderIsRunInItsContainersAndNothingOfThemIsLeft) {
  workflow(
      "on: push\njobs:\n  inside:\n    runs-on: ubuntu-latest\n    container: {image: '" + engine.image +
      "', env: {FROM: job}}\n    services:\n      web: {image: '" + engine.web +
      "', env: {WHO: exec}, options: --health-cmd 'wget -q -O /dev/null http://127.0.0.1:8080/' --health-interval "
      "1s}\n    steps:\n      - shell: sh\n        run: |\n          mkdir act; echo a note > note; cd act\n"
      "          printf 'name: act\\ninputs: {who: {default: nobody}}\\nruns: {using: docker, image: Dockerfile, args: "
      "[a, b]}' > action.yml\n"
      "          echo 'FROM " +
      engine.image +
      "' > Dockerfile\n"
      "          echo 'ENTRYPOINT [\"/bin/sh\", \"-c\", \"echo act $0 $1 $INPUT_WHO; cat note\"]' >> Dockerfile\n"
      "      - {run: 'echo from $FROM; wget -q -O - http://web:8080/', shell: sh}\n"
      "      - {uses: ./act, with: {who: world}}\n"
      "      - {run: 'exit 7', shell: sh}\n");
  commit();
  auto ran = exec();
  EXPECT_EQ(ran.exit, 1) << ran.out << ran.err;
  for (const char* line : {"| a note\n", "| from job\n", "| hello exec\n", "| act a b world\n", "exit code 7"})
    EXPECT_NE(ran.out.find(line), std::string::npos) << line << ran.out << ran.err;
  EXPECT_EQ(engine.ask("ps --all --quiet --filter label=dev.headrace.process"), "");
  EXPECT_EQ(left(), 0U);
}

}  // namespace headrace
