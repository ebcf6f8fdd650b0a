// Actions in real jobs: real git, real Node, the executor host.
#include "services/runner/action_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "services/runner/job_execution.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Listener final : JobObserver {
  core::Result<> log(std::string_view lines) override {
    text += lines;
    return {};
  }
  void step_began(const StepSpec& step) override { names.push_back(step.name); }
  void step_ended(const StepSpec&, Conclusion) override {}
  void group(pid_t) override {}
  void summary(int64_t, std::string_view) override {}
  void reports(const StepSpec&, std::vector<FoundReport>) override {}
  std::string text;
  std::vector<std::string> names;
};

class ActionsTest : public ::testing::Test {
 protected:
  ActionsTest() {
    char path[] = "/tmp/headrace-actions-XXXXXX";
    top = ::mkdtemp(path);
    ::setenv("HOME", top.c_str(), 1);
    spec.timeout_minutes = 5;
    core::json::object github{{"repository", "team/hello"}, {"actor", "alice"}};
    spec.contexts.set("github", workflow::Value::from_json(github));
    repositories = std::make_unique<Repositories>(loop.executor(), top + "/runner/repositories");
    options.upstream = "file://" + top + "/upstream";
  }
  ~ActionsTest() override { std::filesystem::remove_all(top); }

  static bool has_node() { return std::system("node --version >/dev/null 2>&1") == 0; }
  void shell(const std::string& command) {
    std::string whole = "cd " + top +
                        " && export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
                        "GIT_COMMITTER_EMAIL=a@b && " +
                        command;
    ASSERT_EQ(std::system(whole.c_str()), 0) << command;
  }
  static void put(const std::string& path, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  // A file of the workspace, there before the job.
  void file(const std::string& path, std::string_view text) { put(top + "/job/workspace/" + path, text); }
  // A repository of the upstream with what is in it committed, tagged v1.
  void upstream(const std::string& name, std::vector<std::pair<std::string, std::string>> files) {
    std::string folder = top + "/upstream/" + name + ".git";
    for (const auto& [path, text] : files) put(folder + "/" + path, text);
    shell("cd " + folder + " && git init -q -b main . && git add -A && git commit -q -m first && git tag v1");
  }
  std::string head_of(const std::string& folder) {
    shell("git -C " + folder + " rev-parse HEAD > head");
    std::ifstream in(top + "/head");
    std::string head;
    in >> head;
    return head;
  }
  StepSpec& uses(std::string what, Variables with = {}, std::string id = {}) {
    StepSpec step;
    step.number = static_cast<int64_t>(spec.steps.size()) + 1;
    step.uses = std::move(what);
    step.with = std::move(with);
    step.id = std::move(id);
    spec.steps.push_back(step);
    return spec.steps.back();
  }
  StepSpec& runs(std::string script) {
    StepSpec step;
    step.number = static_cast<int64_t>(spec.steps.size()) + 1;
    step.run = std::move(script);
    spec.steps.push_back(step);
    return spec.steps.back();
  }
  JobEnd run() {
    JobActions actions(*repositories, options);
    JobExecution::Around around{.loop = loop.executor(),
                                .clock = clock,
                                .disk = disk,
                                .executor = *executor,
                                .observer = heard,
                                .actions = &actions};
    order.spec = spec;
    std::string job = top + "/job";
    JobExecution execution(around, order, JobPlace{job, job + "/workspace", job + "/temp", {}, actions.shared(order)},
                           {});
    return loop.run(execution.run());
  }

  std::string top;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  std::unique_ptr<Executor> executor = make_host_executor(loop.executor());
  std::unique_ptr<Repositories> repositories;
  ActionOptions options;
  Listener heard;
  JobSpec spec;
  JobOrder order;
};

constexpr const char* node_action =
    "name: n\ninputs:\n  who to greet:\n    default: ${{ github.actor }}-default\n  plain:\n    default: p\n"
    "runs:\n  using: node20\n  pre: pre.js\n  main: main.js\n  post: post.js\n";
constexpr const char* node_main =
    "const fs = require('fs');\n"
    "console.log('main ' + process.env['INPUT_WHO_TO_GREET'] + ' ' + process.env.INPUT_PLAIN + ' ' + "
    "process.env.STATE_seen);\n"
    "fs.appendFileSync(process.env.GITHUB_OUTPUT, 'answer=42\\n');\n"
    "fs.appendFileSync(process.env.GITHUB_STATE, 'name=' + process.env.INPUT_PLAIN + '\\n');\n";

TEST_F(ActionsTest, AnActionOfNodeHasPreMainAndPostWithInputsOutputsAndState) {
  if (!has_node()) GTEST_SKIP() << "node is not installed";
  upstream("team/node",
           {{"action.yml", node_action},
            {"pre.js", "require('fs').appendFileSync(process.env.GITHUB_STATE, 'seen=yes\\n'); console.log('pre')"},
            {"main.js", node_main},
            {"post.js", "console.log('post ' + process.env.STATE_name)"}});
  uses("team/node@v1", {{"plain", "one"}}, "first");
  uses("team/node@main", {{"plain", "two"}, {"odd", "x"}});
  runs("echo answer ${{ steps.first.outputs.answer }}");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.names, ::testing::ElementsAre("Pre Run team/node@v1", "Pre Run team/node@main", "Run team/node@v1",
                                                  "Run team/node@main", ::testing::StartsWith("Run echo answer"),
                                                  "Post Run team/node@main", "Post Run team/node@v1"));
  EXPECT_THAT(heard.text, HasSubstr("main alice-default one yes"));
  EXPECT_THAT(heard.text, HasSubstr("answer 42"));
  EXPECT_LT(heard.text.find("post two"), heard.text.find("post one"));
  EXPECT_THAT(heard.text, HasSubstr("Unexpected input(s) 'odd', valid inputs are ['who to greet', 'plain']"));
}

TEST_F(ActionsTest, AnActionForAnOlderNodeIsRunByANewerOneWithAWarning) {
  if (!has_node()) GTEST_SKIP() << "node is not installed";
  for (const char* version : {"node12", "node16"}) {
    std::string name = std::string("team/") + version;
    upstream(name, {{"action.yml", "name: n\nruns:\n  using: " + std::string(version) + "\n  main: main.js\n"},
                    {"main.js", "console.log('ran as ' + process.env.GITHUB_ACTION_REPOSITORY)"}});
    uses(name + "@v1");
  }
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("##[warning]The action is written for node12, which is not maintained"));
  EXPECT_THAT(heard.text, HasSubstr("ran as team/node12"));
  EXPECT_THAT(heard.text, HasSubstr("ran as team/node16"));
}

TEST_F(ActionsTest, ANodeThatAStepPutIntoThePathRunsNoActions) {
  if (!has_node()) GTEST_SKIP() << "node is not installed";
  upstream("team/node", {{"action.yml", "name: n\nruns:\n  using: node20\n  main: main.js\n  post: main.js\n"},
                         {"main.js", "console.log('real node')"}});
  runs(
      "mkdir bin; printf '#!/bin/sh\necho v16.0.0\n' > bin/node; chmod +x bin/node; echo \"$PWD/bin\" >> $GITHUB_PATH");
  runs("node; echo");
  uses("team/node@v1");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("v16.0.0")) << "the job's own programs have it";
  EXPECT_THAT(heard.text, HasSubstr("real node"));
}

TEST_F(ActionsTest, AFailingPreFailsTheJobAndItsPostRuns) {
  if (!has_node()) GTEST_SKIP() << "node is not installed";
  upstream("team/node", {{"action.yml", node_action},
                         {"pre.js", "process.exit(3)"},
                         {"main.js", "console.log('never')"},
                         {"post.js", "console.log('post ran')"}});
  uses("team/node@v1");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("exit code 3"));
  EXPECT_THAT(heard.text, Not(HasSubstr(" never")));
  EXPECT_THAT(heard.text, HasSubstr("post ran"));
}

TEST_F(ActionsTest, CompositeActionsNestWithTheirOwnInputsStepsAndOutputs) {
  file("outer/action.yml",
       "name: outer\ninputs:\n  a: {default: A}\noutputs:\n  all:\n    value: ${{ steps.in.outputs.text }}-${{ "
       "inputs.a }}\n"
       "runs:\n  using: composite\n  steps:\n"
       "    - run: echo path $GITHUB_ACTION_PATH is ${{ github.action_path }} env $FROM_JOB\n      shell: bash\n"
       "    - id: in\n      uses: ./inner\n      with:\n        b: ${{ inputs.a }}!\n");
  file(
      "inner/action.yml",
      "name: inner\ninputs:\n  b: {}\noutputs:\n  text:\n    value: ${{ steps.s.outputs.t }}\n"
      "runs:\n  using: composite\n  steps:\n"
      "    - id: s\n      run: echo \"t=<${{ inputs.b }}${{ inputs.a }}>\" >> \"$GITHUB_OUTPUT\"\n      shell: bash\n");
  uses("./outer", {{"a", "X"}}, "o").env = {{"FROM_JOB", "yes"}};
  runs("echo got '${{ steps.o.outputs.all }}'");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("got <X!>-X"));
  EXPECT_THAT(heard.text, HasSubstr("/workspace/outer is " + top + "/job/workspace/outer env yes"));
}

TEST_F(ActionsTest, ACompositeActionThatUsesItselfIsEndedWithTheReason) {
  file("me/action.yml", "name: me\nruns:\n  using: composite\n  steps:\n    - uses: ./me\n");
  uses("./me");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("nested more than 10"));
}

TEST_F(ActionsTest, WhatCannotBeUsedIsSaidWithItsReason) {
  uses("./nowhere");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("Did you forget to run actions/checkout"));
  EXPECT_THAT(heard.text, HasSubstr("/workspace/nowhere"));
}

TEST_F(ActionsTest, AnActionThatIsNowhereNamesWhereItWasLookedFor) {
  uses("team/absent@v1");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("Unable to resolve action 'team/absent@v1'"));
  EXPECT_THAT(heard.text, HasSubstr("/upstream/team/absent.git"));
}

TEST_F(ActionsTest, AnUpstreamThatCannotBeReachedIsAnErrorWithARemedy) {
  options.upstream = "http://127.0.0.1:1";
  uses("team/far@v1");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("--actions-upstream"));
}

TEST_F(ActionsTest, ACommitThatWasFetchedIsHadWithoutTheUpstream) {
  upstream(
      "team/kept",
      {{"sub/action.yml",
        "name: k\nruns:\n  using: composite\n  steps:\n    - run: cat $GITHUB_ACTION_PATH/data\n      shell: bash\n"},
       {"sub/data", "kept data\n"}});
  std::string commit = head_of(top + "/upstream/team/kept.git");
  uses("team/kept/sub@" + commit);
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  std::filesystem::remove_all(top + "/upstream");
  std::filesystem::remove_all(top + "/job");
  heard.text.clear();
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("kept data"));
}

TEST_F(ActionsTest, NothingOutsideOfTheWorkspaceOrTheActionIsReached) {
  put(top + "/job/secret/action.yml",
      "name: s\nruns:\n  using: composite\n  steps:\n    - run: echo reached\n      shell: bash\n");
  put(top + "/far/action.yml",
      "name: s\nruns:\n  using: composite\n  steps:\n    - run: echo reached\n      shell: bash\n");
  file("here", "");
  std::filesystem::create_directory_symlink(top + "/far", top + "/job/workspace/link");
  upstream("team/up", {{"action.yml", "name: n\nruns:\n  using: node20\n  main: ../../../../../main.js\n"}});
  for (const char* what : {"./../secret", "./../../etc", "./link", "team/up/../../x@v1", "team/up@v1"}) {
    auto& step = uses(what);
    step.condition = "always()";
    step.continue_on_error = "true";
  }
  spec.steps.erase(spec.steps.begin() + 3);  // refused before the first step: below
  run();
  EXPECT_THAT(heard.text, HasSubstr("'./../secret' leads out of the workspace"));
  EXPECT_THAT(heard.text, HasSubstr("'./../../etc' leads out of the workspace"));
  EXPECT_THAT(heard.text, HasSubstr("leads out of the folder of the action"));
  EXPECT_THAT(heard.text, Not(HasSubstr(" reached\n")));
  EXPECT_FALSE(path_within("/a/b", "../b2"));
  EXPECT_FALSE(path_within("/a/b", "x/../../c"));
  EXPECT_EQ(path_within("/a/b", "/x/./y"), "/a/b/x/y");
  EXPECT_EQ(path_within("/a/b", "."), "/a/b");
}

// ---- actions/checkout

class CheckoutTest : public ActionsTest {
 protected:
  CheckoutTest() {
    put(top + "/own/file", "one\n");
    shell(
        "cd own && git init -q -b main . && git add -A && git commit -q -m first && git tag t1 && echo two > file && "
        "git commit -q -am second");
    options.places = [this](const std::string& name) {
      std::vector<RepositoryPlace> places;
      if (name == "team/hello") places.push_back({top + "/own", {}, false});
      return places;
    };
    head = head_of(top + "/own");
    core::json::object github{{"repository", "team/hello"}, {"ref", "refs/heads/main"}, {"sha", head}};
    spec.contexts.set("github", workflow::Value::from_json(github));
  }
  std::string head;
};

TEST_F(CheckoutTest, TheCommitOfTheRunIsInTheWorkspaceWithItsBranchAndNoHistory) {
  uses("actions/checkout@v4", {}, "co");
  runs(
      "cat file; git log --oneline | wc -l; git rev-parse HEAD; git branch --show-current; echo out ${{ "
      "steps.co.outputs.commit }}");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" two\n"));
  EXPECT_THAT(heard.text, HasSubstr(" 1\n"));
  EXPECT_THAT(heard.text, HasSubstr(" main\n"));
  EXPECT_THAT(heard.text, HasSubstr("out " + head));
}

TEST_F(CheckoutTest, ASecondJobNeedsNothingButTheMirror) {
  uses("actions/checkout@v4");
  runs("cat file");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  std::filesystem::remove_all(top + "/own");
  std::filesystem::remove_all(top + "/job");
  heard.text.clear();
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" two\n"));
}

TEST_F(CheckoutTest, RefPathDepthAndTagsAreHonoured) {
  uses("actions/checkout@v4", {{"ref", "t1"}, {"path", "old"}, {"fetch-depth", "0"}});
  uses("actions/checkout@main", {{"path", "new"}, {"fetch-depth", "0"}});
  runs("cat old/file; git -C new log --oneline | wc -l; git -C new tag");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" one\n"));
  EXPECT_THAT(heard.text, HasSubstr(" 2\n"));
  EXPECT_THAT(heard.text, HasSubstr(" t1\n"));
}

TEST_F(CheckoutTest, OnlyWhatIsAskedForIsCheckedOut) {
  shell("cd own && mkdir a b && echo 1 > a/x && echo 2 > b/y && git add -A && git commit -q -m folders");
  uses("actions/checkout@v4", {{"ref", "main"}, {"sparse-checkout", "a\n"}});
  runs("ls -d a b 2>/dev/null; git branch --show-current");
  spec.steps.back().condition = "always()";
  run();
  EXPECT_THAT(heard.text, HasSubstr(" a\n")) << heard.text;
  EXPECT_THAT(heard.text, Not(HasSubstr(" b\n")));
  EXPECT_THAT(heard.text, HasSubstr(" main\n"));
}

TEST_F(CheckoutTest, TheTokenIsInTheConfigurationUntilThePostAndNeverInTheLog) {
  order.grant.token = "hrj_0123456789abcdef0123456789abcdef";
  order.grant.server_url = "http://127.0.0.1:1/";
  uses("actions/checkout@v4");
  runs("grep -c extraheader .git/config; cat .git/config");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" 1\n"));
  EXPECT_THAT(heard.text, HasSubstr("AUTHORIZATION: basic ***"));
  std::ifstream in(top + "/job/workspace/.git/config");
  std::string config((std::istreambuf_iterator<char>(in)), {});
  EXPECT_THAT(config, Not(HasSubstr("extraheader")));
}

TEST_F(CheckoutTest, ASandboxWithoutANetworkChecksOutAndHasItsOwnActions) {
  std::filesystem::permissions(top, std::filesystem::perms(0711));
  ExecutorOptions chosen;
  chosen.network = ExecutorOptions::Network::none;
  executor = make_executor("sandbox", loop.executor(), clock, disk, chosen);
  auto there = loop.run(executor->available());
  if (!there) GTEST_SKIP() << there.error().message;
  upstream("team/tool", {{"action.yml",
                          "name: t\nruns:\n  using: composite\n  steps:\n    - run: cat "
                          "$GITHUB_ACTION_PATH/data\n      shell: bash\n"},
                         {"data", "tool data\n"}});
  uses("team/tool@v1");
  uses("actions/checkout@v4");
  runs("cat file; pwd");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("tool data"));
  EXPECT_THAT(heard.text, HasSubstr(" two\n"));
  EXPECT_THAT(heard.text, HasSubstr(" /home/runner/work/workspace\n"));
}

// ---- Submodules and large files

// A submodule of this server, with one of the upstream in it.
class SubmoduleTest : public CheckoutTest {
 protected:
  SubmoduleTest() {
    upstream("team/deep", {{"deep-file", "deep\n"}});
    put(top + "/library/lib-file", "library\n");
    const std::string add = "git -c protocol.file.allow=always submodule --quiet add ";
    shell("cd library && git init -q -b main . && " + add + options.upstream +
          "/team/deep.git inner && git add -A && " + "git commit -q -m library");
    shell("cd own && " + add + top +
          "/library lib/one && git config -f .gitmodules submodule.lib/one.url ../library.git "
          "&& git add -A && git commit -q -m submodule");
    auto places = options.places;
    options.places = [this, places](const std::string& name) {
      if (name != "team/library") return places(name);
      return std::vector<RepositoryPlace>{{top + "/library", {}, false}};
    };
    core::json::object github{{"repository", "team/hello"}, {"ref", "refs/heads/main"}, {"sha", head_of(top + "/own")}};
    spec.contexts.set("github", workflow::Value::from_json(github));
  }
};

TEST_F(SubmoduleTest, AreThereAsGitWouldHaveThemButNotThoseWithinThem) {
  uses("actions/checkout@v4", {{"submodules", "true"}});
  runs("cat lib/one/lib-file; ls lib/one/inner; git submodule status; git status --porcelain; cat lib/one/.git");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" library\n"));
  EXPECT_THAT(heard.text, HasSubstr(" gitdir: ../../.git/modules/lib/one\n"));
  EXPECT_THAT(heard.text, ::testing::ContainsRegex("[0-9] +[0-9a-f]{40} lib/one")) << "in the state that is wanted";
  EXPECT_THAT(heard.text, Not(HasSubstr("deep-file")));
}

TEST_F(SubmoduleTest, RecursiveHasThoseOfTheUpstreamWithinThemTooAndASecondCheckoutIsTheSame) {
  uses("actions/checkout@v4", {{"submodules", "recursive"}});
  runs("cat lib/one/inner/deep-file; git status --porcelain; echo changed > lib/one/lib-file; touch lib/one/inner/new");
  uses("actions/checkout@v4", {{"submodules", "recursive"}, {"fetch-depth", "0"}});
  runs("cat lib/one/lib-file; ls lib/one/inner; git -C lib/one log --oneline | wc -l");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" deep\n"));
  EXPECT_THAT(heard.text, HasSubstr(" library\n"));
}

TEST_F(SubmoduleTest, OneThatIsHereAlreadyIsAskedForAgainForItsReaderMayHaveBeenAnother) {
  uses("actions/checkout@v4", {{"submodules", "true"}});
  runs("mv " + top + "/library " + top + "/library-that-this-token-may-not-read");
  uses("actions/checkout@v4", {{"submodules", "true"}, {"path", "again"}});
  EXPECT_EQ(run().conclusion, Conclusion::failure) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr("The repository 'team/library' with '"));
  EXPECT_FALSE(std::filesystem::exists(top + "/job/workspace/again/lib/one/lib-file"));
}

TEST_F(SubmoduleTest, OneThatIsElsewhereIsNamedWithItsAddress) {
  shell("cd own && git config -f .gitmodules submodule.lib/one.url https://example.invalid/a/b && git commit -qam far");
  core::json::object github{{"repository", "team/hello"}, {"ref", "refs/heads/main"}, {"sha", head_of(top + "/own")}};
  spec.contexts.set("github", workflow::Value::from_json(github));
  uses("actions/checkout@v4", {{"submodules", "true"}});
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("'lib/one' is at https://example.invalid/a/b, which is neither on this server"));
}

TEST_F(CheckoutTest, LargeFilesWantGitLfsAndWithoutItTheRemedyIsSaid) {
  uses("actions/checkout@v4", {{"lfs", "true"}});
  bool there = std::system("git-lfs version >/dev/null 2>&1") == 0;
  runs("git config --local filter.lfs.required").condition = "always()";
  EXPECT_EQ(run().conclusion, there ? Conclusion::success : Conclusion::failure) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(there ? " true\n" : "apt-get install git-lfs"));
}

// ---- History that is shared

TEST_F(CheckoutTest, ALargeMirrorIsSharedReadOnlyInASandboxAndNotCopied) {
  std::filesystem::permissions(top, std::filesystem::perms(0711));
  executor = make_executor("sandbox", loop.executor(), clock, disk, {});
  auto there = loop.run(executor->available());
  if (!there) GTEST_SKIP() << there.error().message;
  options.shared_bytes = 1;
  auto usual = ::umask(0077);  // as the runner of a server has it
  uses("actions/checkout@v4", {{"fetch-depth", "0"}});
  runs(
      "git count-objects -v | grep -E '^(count|in-pack|packs|alternate)'; git log --oneline | wc -l; git tag; git "
      "branch -r");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;  // the first one fills the mirror
  EXPECT_THAT(heard.text, Not(HasSubstr(" alternate: ")));
  std::filesystem::remove_all(top + "/job");
  heard.text.clear();
  runs(
      "cat .git/objects/info/alternates; touch $(cat .git/objects/info/alternates)/x 2>&1 || echo refused; git fsck "
      "--connectivity-only && git commit --allow-empty -qm mine --author 'a <a@b>' && git log --oneline | wc -l")
      .env = {{"GIT_COMMITTER_NAME", "a"}, {"GIT_COMMITTER_EMAIL", "a@b"}};
  uses("actions/checkout@v4", {{"path", "shallow"}});
  runs("git -C shallow log --oneline | wc -l; git -C shallow status --porcelain; cat shallow/file");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" count: 0\n"), HasSubstr(" in-pack: 0\n"))) << "nothing was copied";
  ::umask(usual);
  EXPECT_THAT(heard.text, HasSubstr(" alternate: /headrace/objects/"));
  EXPECT_THAT(heard.text, HasSubstr(" refused\n"));
  EXPECT_THAT(heard.text, HasSubstr(" t1\n"));
  EXPECT_THAT(heard.text, HasSubstr(" origin/main\n"));
  EXPECT_THAT(heard.text, HasSubstr(" 3\n")) << "the job's own commit on top";
  EXPECT_THAT(heard.text, HasSubstr(" 1\n")) << "history ends where it was asked to";
}

TEST_F(CheckoutTest, WrongInputsAreRefusedByName) {
  for (auto with : {Variables{{"fetch-depth", "deep"}}, Variables{{"clean", "maybe"}}, Variables{{"repository", "x"}},
                    Variables{{"path", "../out"}}, Variables{{"submodules", "some"}},
                    Variables{{"ref", "no-such-branch"}}, Variables{{"ssh-key", "k"}}}) {
    auto& step = uses("actions/checkout@v4", with);
    step.condition = "always()";
  }
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  for (const char* said :
       {"'fetch-depth' of actions/checkout is 'deep'", "'clean' of actions/checkout is 'maybe'",
        "Invalid repository 'x'", "Repository path '../out' is not under", "'submodules' of actions/checkout is 'some'",
        "ssh-key of actions/checkout is not served", "'team/hello' with 'no-such-branch' cannot be had"})
    EXPECT_THAT(heard.text, HasSubstr(said));
}

}  // namespace
}  // namespace headrace::runner
