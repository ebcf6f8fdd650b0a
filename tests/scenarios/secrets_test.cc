// Secrets, variables and environments end to end: set by the command line, used by jobs, found nowhere on the disk.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/bytes.h"
#include "core/disk.h"
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
using support::read_file;
using support::text_at;
namespace json = core::json;

constexpr const char* value = "open-Sesame-4711-zq";

bool ends_as(Platform& platform, const std::string& conclusion) {
  return eventually([&] { return !conclusion_of_newest(platform, "team/hello").empty(); }, milliseconds(60'000)) &&
         conclusion_of_newest(platform, "team/hello") == conclusion;
}

json::value newest(Platform& platform) { return platform.json({"run", "view", "--repo", "team/hello"}); }
std::string log_of(Platform& platform) { return platform.cli({"run", "log", "--repo", "team/hello"}).out; }

// Which files under DATA hold the text.
std::vector<std::string> files_with(const Platform& platform, const std::string& text) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& file : std::filesystem::recursive_directory_iterator(platform.data(), error))
    if (file.is_regular_file(error) && read_file(file.path()).find(text) != std::string::npos)
      found.push_back(file.path());
  return found;
}

void push(const Clone& clone, const std::string& workflow) {
  clone.write(".github/workflows/ci.yml", workflow);
  clone.commit("a workflow");
  ASSERT_EQ(clone.push().exit, 0);
}

// Says its secret in every way that a job has to say something.
constexpr const char* telltale = R"YAML(on: push
jobs:
  tell:
    runs-on: ubuntu-latest
    env: {KEY: '${{ secrets.KEY }}'}
    outputs: {leak: '${{ steps.s.outputs.leak }}', fine: '${{ steps.s.outputs.fine }}'}
    steps:
      - id: s
        run: |
          echo "plain $KEY"
          printf %s "$KEY" | base64
          printf 'x%s' "$KEY" | base64
          echo "leak=$KEY" >> "$GITHUB_OUTPUT"
          echo "fine=yes" >> "$GITHUB_OUTPUT"
          echo "summary $KEY" >> "$GITHUB_STEP_SUMMARY"
          echo "::error file=a.txt,line=1::annotated $KEY"
          echo "::warning::$(printf %s "$KEY" | base64)"
          echo "PASSED=$KEY" >> "$GITHUB_ENV"
      - run: echo 'inline ${{ secrets.key }} ${{ env.PASSED }}'
      - run: test -n "$A" && test "$A" = "$B"
        env: {A: '${{ secrets.GITHUB_TOKEN }}', B: '${{ github.token }}'}
      - run: test -z '${{ secrets.NOT_THERE }}'
)YAML";

void tells_nothing(Platform& platform) {
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  auto set = platform.cli({"secret", "set", "key", "--repo", "team/hello"}, std::string(value) + "\n");
  ASSERT_EQ(set.exit, 0) << set.err;
  Clone clone(platform, "team/hello", "hello");
  push(clone, telltale);
  ASSERT_TRUE(ends_as(platform, "success")) << log_of(platform);
  auto run = newest(platform);
  EXPECT_EQ(core::to_text(run.at("jobs").at(0).at("outputs")), R"({"fine":"yes"})") << "the other holds the secret";
  auto log = log_of(platform);
  for (const char* line : {"plain ***", "inline *** ***", "annotated ***"})
    EXPECT_NE(log.find(line), std::string::npos) << line << "\n" << log;
  EXPECT_NE(core::to_text(run).find("annotated ***"), std::string::npos) << core::to_text(run);
  auto job = *core::integer_at(run.at("jobs").at(0), "id");
  EXPECT_GT(core::integer_at(run.at("jobs").at(0), "summary_bytes").value_or(0), 0) << job;
  auto encoded = core::to_base64(core::as_bytes(value)),
       shifted = core::to_base64(core::as_bytes("x" + std::string(value)));
  for (const auto& text : {std::string(value), encoded.substr(0, 20), shifted.substr(4, 18)}) {
    EXPECT_EQ(log.find(text), std::string::npos) << text;
    EXPECT_EQ(core::to_text(run).find(text), std::string::npos) << text;
    EXPECT_EQ(files_with(platform, text), std::vector<std::string>{}) << text;
  }
  platform.terminate();
  EXPECT_EQ(files_with(platform, value), std::vector<std::string>{}) << "nor when the server has ended";
}

}  // namespace

TEST(Secrets, ThatAJobSaysInEveryWayAreHiddenAndNowhereOnTheDisk) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  tells_nothing(platform);
}

TEST(Secrets, ThatAJobInASandboxSaysAreHiddenAndNowhereOnTheDisk) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << "no sandboxes here: " << platform.said();
  tells_nothing(platform);
}

TEST(Secrets, OfARepositoryAreNotHadThroughASubmoduleThatTheRunnerFetchedForAnother) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  for (const char* name : {"team/private", "team/hello"}) ASSERT_EQ(platform.cli({"repo", "create", name}).exit, 0);
  const std::string job =
      "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n";
  Clone ours(platform, "team/private", "private");
  ours.write("code.txt", "private code");
  ours.write(".github/workflows/ci.yml", job);
  const auto commit = ours.commit("private");
  ASSERT_EQ(ours.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/private") == "success"; }));

  Clone theirs(platform, "team/hello", "hello");
  theirs.write(".gitmodules", "[submodule \"p\"]\n\tpath = p\n\turl = ../private.git\n");
  theirs.write(".github/workflows/ci.yml", job + "        with: {submodules: true}\n      - run: cat p/code.txt\n");
  std::filesystem::create_directories(theirs.path() + "/p");  // as git has one that is not checked out
  ASSERT_EQ(platform.git(theirs.path(), {"update-index", "--add", "--cacheinfo", "160000," + commit + ",p"}).exit, 0);
  theirs.commit("a submodule");
  ASSERT_EQ(theirs.push().exit, 0);
  EXPECT_TRUE(ends_as(platform, "failure"));
  auto log = platform.cli({"run", "log", "--repo", "team/hello"}).out;
  EXPECT_NE(log.find("team/private"), std::string::npos) << log;
  EXPECT_EQ(log.find("private code"), std::string::npos) << log;
}

TEST(Actions, OfAnotherRepositoryAreHadByWhoMayReadItAndNobodyElse) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  for (const char* name : {"actions/tool", "team/hello"}) ASSERT_EQ(platform.cli({"repo", "create", name}).exit, 0);
  Clone tool(platform, "actions/tool", "tool");
  tool.write("action.yml", "name: t\nruns: {using: composite, steps: [{run: 'echo of the tool', shell: bash}]}\n");
  tool.commit("an action");
  ASSERT_EQ(tool.push().exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/tool@main\n");
  clone.commit("uses it");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "success")) << platform.cli({"run", "log", "--repo", "team/hello"}).out;
  auto log = platform.cli({"run", "log", "--repo", "team/hello"}).out;
  EXPECT_NE(log.find("of the tool"), std::string::npos) << log;

  ASSERT_EQ(platform.cli({"user", "create", "alice"}).exit, 0);
  ASSERT_EQ(platform.http({"PUT", "/api/v1/users/alice/role", {}, R"({"role":"write","scope":"team/hello"})"}).status,
            204);
  auto token = text_at(platform.json({"token", "create", "t", "--user", "alice"}), "token");
  const std::string url = "http://alice:" + token + "@" + platform.address() + "/team/hello.git";
  clone.commit("by alice");
  ASSERT_EQ(platform.git(clone.path(), {"push", "--quiet", url, "HEAD:main"}).exit, 0);
  ASSERT_TRUE(eventually(
      [&] { return platform.json({"run", "list", "--repo", "team/hello"}).at("runs").as_array().size() == 2; }));
  EXPECT_TRUE(ends_as(platform, "failure")) << "alice may not read actions/tool";
  ASSERT_EQ(platform.cli({"run", "rerun", "--repo", "team/hello"}).exit, 0);  // by who may
  EXPECT_TRUE(eventually([&] {
    auto run = platform.json({"run", "view", "--repo", "team/hello"});
    return core::integer_at(run, "attempt") == 2 && text_at(run, "conclusion") == "failure";
  })) << "who runs it again lends alice nothing";
}

TEST(Secrets, GoWhereTheyMayAndNowhereElse) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  auto set = [&](std::vector<std::string> words, const std::string& text) {
    words.insert(words.begin(), {"secret", "set"});
    auto ran = platform.cli(words, text);
    ASSERT_EQ(ran.exit, 0) << ran.err;
  };
  set({"A", "--owner", "team"}, "owner");
  set({"B", "--owner", "team"}, "owner");
  set({"B", "--repo", "team/hello"}, "repository");
  set({"B", "--repo", "team/hello", "--env", "prod"}, "environment");
  for (const auto& [name, words] : {std::pair<std::string, std::vector<std::string>>{"owner", {"--owner", "team"}},
                                    {"prod", {"--repo", "team/hello", "--env", "prod"}}}) {
    auto line = words;
    line.insert(line.begin(), {"variable", "set", "LEVEL", name});
    ASSERT_EQ(platform.cli(line).exit, 0);
  }
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/called.yml", R"(on:
  workflow_call:
    secrets: {mapped: {required: true}}
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ secrets.mapped }}-${{ secrets.A }}-${{ secrets.B }}' = owner/x--
  two:
    runs-on: ubuntu-latest
    environment: prod
    steps:
      - run: test '${{ secrets.mapped }}-${{ secrets.B }}' = owner/x-environment
)");
  clone.write(".github/workflows/inherits.yml", R"(on: workflow_call
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ secrets.A }}-${{ secrets.B }}' = owner-repository
)");
  clone.write(".github/workflows/none.yml", R"(on: workflow_call
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - run: test -z '${{ secrets.A }}${{ secrets.B }}'
)");
  push(clone, R"(on: push
jobs:
  plain:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ secrets.A }}-${{ secrets.b }}-${{ vars.LEVEL }}' = owner-repository-owner
  prod:
    if: vars.LEVEL == 'owner'
    runs-on: ubuntu-latest
    environment: {name: prod}
    steps:
      - run: test '${{ secrets.A }}-${{ secrets.B }}-${{ vars.level }}' = owner-environment-prod
  called: {uses: ./.github/workflows/called.yml, secrets: {mapped: '${{ secrets.A }}/x'}}
  none: {uses: ./.github/workflows/none.yml}
  inherits: {uses: ./.github/workflows/inherits.yml, secrets: inherit}
)");
  ASSERT_TRUE(ends_as(platform, "success")) << core::to_text(newest(platform)) << log_of(platform);
  auto environments = platform.http({"GET", "/api/v3/repos/team/hello/environments", {}, {}});
  EXPECT_NE(environments.body.find("\"prod\""), std::string::npos) << environments.body;
}

TEST(Secrets, AreListedWithoutTheirValuesAndDeletedByTheCommandLine) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  support::write_file(platform.folder() + "/key.pem", "line one\nline two\n");
  auto file = platform.json({"secret", "set", "pem", "--repo", "team/hello", "--file", platform.folder() + "/key.pem"});
  EXPECT_EQ(core::to_text(file), R"({"name":"pem","scope":"team/hello","environment":null,"created":true})");
  auto list = platform.json({"secret", "list", "--repo", "team/hello"});
  ASSERT_EQ(list.at("secrets").as_array().size(), 1U);
  EXPECT_EQ(text_at(list.at("secrets").at(0), "name"), "PEM");
  EXPECT_EQ(platform.cli({"secret", "list", "--repo", "team/hello"}).out.find("line one"), std::string::npos);
  auto refused = platform.cli({"secret", "set", "GITHUB_X", "--repo", "team/hello"}, "value");
  EXPECT_EQ(refused.exit, 1);
  EXPECT_NE(refused.err.find("Secret names must not start with GITHUB_."), std::string::npos) << refused.err;
  EXPECT_EQ(platform.cli({"secret", "set", "EMPTY", "--repo", "team/hello"}, "\n").exit, 1);
  auto gone = platform.json({"secret", "delete", "PEM", "--repo", "team/hello"});
  EXPECT_EQ(core::to_text(gone), R"({"name":"PEM","scope":"team/hello","environment":null,"deleted":true})");
  EXPECT_EQ(platform.cli({"secret", "delete", "PEM", "--repo", "team/hello"}).exit, 1);
  auto variable = platform.json({"variable", "set", "REGION", "eu", "--repo", "team/hello", "--env", "prod"});
  EXPECT_EQ(core::to_text(variable),
            R"({"name":"REGION","scope":"team/hello","environment":"prod","value":"eu","created":true})");
  EXPECT_EQ(core::boolean_at(
                platform.json({"variable", "set", "REGION", "us", "--repo", "team/hello", "--env", "prod"}), "created"),
            false);
  auto variables = platform.json({"variable", "list", "--repo", "team/hello", "--env", "prod"});
  EXPECT_EQ(text_at(variables.at("variables").at(0), "value"), "us");
  EXPECT_EQ(platform.cli({"secret", "set", "A", "--owner", "team", "--env", "prod"}, "x").exit, 2)
      << "an owner has none";
}

}  // namespace headrace
