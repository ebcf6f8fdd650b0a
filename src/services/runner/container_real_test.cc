// Jobs in containers of a real engine, where one works here; its image is made on the spot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "process/run.h"
#include "services/runner/action_source.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/job_execution.h"
#include "services/runner/leftovers.h"
#include "services/runner/testing/real_engine.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

struct Ears final : JobObserver {
  core::Result<> log(std::string_view lines) override {
    text += lines;
    if (on_text) on_text(text);
    return {};
  }
  void step_began(const StepSpec&) override {}
  void step_ended(const StepSpec&, Conclusion) override {}
  void group(pid_t) override {}
  void summary(int64_t, std::string_view markdown) override { summaries += markdown; }
  void reports(const StepSpec&, std::vector<FoundReport>) override {}
  std::string text, summaries;
  std::function<void(const std::string&)> on_text;
};

class RealContainers : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto& engine = testing::RealEngine::of_this_machine();
    if (engine.program.empty()) GTEST_SKIP() << engine.why_not;
    char path[] = "/tmp/headrace-real-XXXXXX";
    top = ::mkdtemp(path);
    std::filesystem::permissions(top, std::filesystem::perms(0711));
    options.engine = engine.program;
    options.folder = top;
    image = engine.image;
    spec.timeout_minutes = 5;
    core::json::object github{{"repository", "team/hello"}, {"actor", "alice"}};
    spec.contexts.set("github", workflow::Value::from_json(github));
    repositories = std::make_unique<Repositories>(loop.executor(), top + "/repositories");
  }
  void TearDown() override {
    if (top.empty()) return;
    EXPECT_EQ(testing::RealEngine::of_this_machine().left_of(top), "") << "the job left something";
    std::filesystem::remove_all(top);
  }

  void container(core::json::object node) {
    node["image"] = image;
    spec.container = workflow::Value::from_json(node);
  }
  void service(const std::string& name, core::json::object node) {
    if (!node.contains("image")) node["image"] = testing::RealEngine::of_this_machine().web;
    auto services = spec.services.if_object() ? *spec.services.if_object() : workflow::Object();
    services.set(name, workflow::Value::from_json(node));
    spec.services = workflow::Value(std::move(services));
  }
  StepSpec& runs(std::string script) {
    StepSpec step;
    step.number = static_cast<int64_t>(spec.steps.size()) + 1;
    step.run = std::move(script);
    step.shell = "sh";
    spec.steps.push_back(step);
    return spec.steps.back();
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
  // A file of the workspace, brought by a step, as the job's own user.
  void brings(const std::string& path, std::string text) {
    for (size_t at = 0; (at = text.find("${{", at)) != std::string::npos; at += 12)
      text.replace(at, 3, "${{ '${{' }}");  // not the step's to evaluate
    auto slash = path.rfind('/');
    std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
    runs("mkdir -p " + folder + "; printf '%s' \"$TEXT\" > " + path).env = {{"TEXT", text}};
  }
  bool take_sandbox() {
    executor = make_executor("sandbox", loop.executor(), clock, disk, options);
    return loop.run(executor->available()).has_value();
  }
  JobEnd run(const char* by = "container") {
    if (!executor) executor = make_executor(by, loop.executor(), clock, disk, options);
    ActionOptions chosen;
    chosen.upstream = "file://" + top + "/upstream";
    chosen.containers = options;
    JobActions actions(*repositories, chosen);
    JobExecution::Around around{.loop = loop.executor(),
                                .clock = clock,
                                .disk = disk,
                                .executor = *executor,
                                .observer = heard,
                                .actions = &actions};
    order.spec = spec;
    std::string job = top + "/1/job";
    execution =
        std::make_unique<JobExecution>(around, order, JobPlace{job, job + "/workspace", job + "/temp", {}, {}}, times);
    return loop.run(execution->run());
  }

  // An image whose program says a word and stays.
  std::string talks() const {
    const auto& engine = testing::RealEngine::of_this_machine();
    std::ofstream(top + "/Dockerfile") << "FROM " << image
                                       << "\nCMD [\"/bin/sh\", \"-c\", \"echo no space left; exec sleep 1000\"]\n";
    engine.ask("build --tag localhost/headrace-test-talks:1 - < " + top + "/Dockerfile");
    return "localhost/headrace-test-talks:1";
  }

  static core::Task<> another(Executor& executor, std::string job, std::function<void()> made) {
    JobNeeds needs;
    JobPlace place{job, job + "/workspace", job + "/temp", {}, {}};
    auto around = co_await executor.prepare(std::move(place), std::move(needs));
    EXPECT_TRUE(around) << around.error().message;
    made();
    if (around) co_await (*around)->end();
  }

  std::unique_ptr<core::Scope> beside;
  std::string top, image;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  ExecutorOptions options;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Repositories> repositories;
  Ears heard;
  JobSpec spec;
  JobOrder order;
  JobExecution::Times times;
  std::unique_ptr<JobExecution> execution;
};

constexpr const char* asks_itself =
    "--health-cmd 'wget -q -O /dev/null http://127.0.0.1:8080/' --health-interval 2s --health-retries 5";

core::json::object served_at(std::initializer_list<const char*> ports) {
  core::json::array list;
  for (const char* port : ports) list.emplace_back(port);
  core::json::object node{{"options", asks_itself}, {"env", core::json::object{{"WHO", "world"}}}};
  node["ports"] = std::move(list);
  return node;
}

// ---- container:

TEST_F(RealContainers, StepsOfAJobShareOneContainerItsFilesAndItsVariables) {
  container({{"env", core::json::object{{"FROM_JOB", "yes"}, {"SECRET", "se same"}}}});
  runs(
      "echo kept > file; echo $FROM_JOB $SECRET $HOME $PWD; echo LATER=1 >> $GITHUB_ENV; cat /proc/1/cmdline | tr "
      "'\\0' ' '");
  runs("cat file; echo later $LATER; test ! -e " + top + "; exit 3");
  runs("echo cleanup").condition = "always()";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" yes se same /github/home /__w/workspace\n"), HasSubstr(" kept\n"),
                                HasSubstr(" later 1\n"), HasSubstr("exit code 3"), HasSubstr(" cleanup\n"),
                                HasSubstr("/__headrace/init listen")));
}

TEST_F(RealContainers, AServiceIsReachedByItsNameOnceItIsHealthy) {
  container({});
  service("web", served_at({"8080"}));
  runs(
      "wget -q -O - http://web:8080/; echo port ${{ job.services.web.ports[8080] }} in ${{ job.container.network }}; "
      "test -n '${{ job.services.web.id }}'");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" hello world\n"), ContainsRegex(" port [0-9]+ in headrace-[0-9]+-")));
}

TEST_F(RealContainers, ANamedVolumeIsThereAndAFolderOfTheHostIsNot) {
  container({{"volumes", core::json::array{"headrace-test-volume:/data", "/scratch"}}});
  runs("echo 1 > /data/x; echo 2 > /scratch/y; cat /data/x /scratch/y");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  testing::RealEngine::of_this_machine().ask("volume rm headrace-test-volume");
}

TEST_F(RealContainers, AContainerOfAnotherUserHasItsWorkspaceAndItsFiles) {
  if (::geteuid() != 0) GTEST_SKIP() << "files of a user that a runner who is no root cannot become";
  container({{"options", "--user 1001"}});
  runs("id -u; echo mine > file; echo A=b >> $GITHUB_ENV; echo hi > $RUNNER_TEMP/x; echo home > ~/y");
  runs("cat file $RUNNER_TEMP/x ~/y; echo is $A");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" 1001\n"), HasSubstr(" mine\n"), HasSubstr(" is b\n")));
}

TEST_F(RealContainers, AnExitCodeASignalAndATimeOutAreToldAsOfAnyStep) {
  container({});
  runs("kill -9 $$").continue_on_error = "true";
  runs("sleep 100").timeout_minutes = "0.02";
  times.interrupt = times.terminate = std::chrono::milliseconds(300);
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("killed by signal 9"));
  EXPECT_EQ(end.steps[1].conclusion, Conclusion::timed_out) << heard.text;
}

TEST_F(RealContainers, CancellingEndsWhatRunsAndRemovesEverything) {
  container({});
  service("web", served_at({}));
  runs("echo begun; sleep 1000 & sleep 1000");
  runs("echo cleaned up").condition = "cancelled()";
  times.interrupt = times.terminate = std::chrono::milliseconds(300);
  heard.on_text = [this](const std::string& text) {
    if (text.find(" begun\n") != std::string::npos) loop.post([this] { execution->cancel("cancelled by alice"); });
  };
  EXPECT_EQ(run().conclusion, Conclusion::cancelled) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" cleaned up\n"));
}

TEST_F(RealContainers, AJobThatIsCancelledWhileItsServiceStartsDoesNotWaitForIt) {
  container({});
  service("never", {{"options", "--health-cmd 'test -e /tmp/never' --health-interval 60s --health-retries 9"}});
  runs("echo never");
  core::Scope later(loop.executor());
  struct Later {
    static core::Task<> cancel(core::Clock& clock, std::unique_ptr<JobExecution>& job) {
      co_await clock.sleep_for(std::chrono::seconds(2));
      job->cancel("cancelled by alice");
    }
  };
  later.spawn("cancel", Later::cancel(clock, execution));
  auto started = clock.steady();
  EXPECT_EQ(run().conclusion, Conclusion::cancelled) << heard.text;
  EXPECT_LT(clock.steady() - started, std::chrono::seconds(30));
  EXPECT_THAT(heard.text, Not(HasSubstr(" never\n")));
  const auto& engine = testing::RealEngine::of_this_machine();
  for (int tries = 0; tries < 200 && !engine.left_of(top).empty(); ++tries)
    loop.run(clock.sleep_for(std::chrono::milliseconds(50)));
}

// ---- services: without container:

TEST_F(RealContainers, AJobInASandboxFindsItsServicesAtItsOwnLocalhost) {
  if (!take_sandbox()) GTEST_SKIP() << "no sandbox";
  service("web", served_at({"18080:8080"}));
  service("other", served_at({"8080"}));
  runs(
      "python3 -c 'import urllib.request as u; print(\"got\", "
      "u.urlopen(\"http://localhost:18080/\").read().decode())'");
  runs(
      "python3 -c 'import urllib.request as u; print(\"other\", u.urlopen(\"http://127.0.0.1:${{ "
      "job.services.other.ports[8080] }}/\").read().decode())'");
  runs("echo web is at ${{ job.services.web.ports['8080'] }}");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" got hello world\n"), HasSubstr(" other hello world\n"),
                                HasSubstr(" web is at 18080\n")));
}

// What gives a sandbox its way out may unmount what it sees: shared mounts, as podman's are, would go for all.
TEST_F(RealContainers, ASandboxThatBeginsMeanwhileLeavesContainersTheirNetworks) {
  if (!take_sandbox()) GTEST_SKIP() << "no sandbox";
  service("web", served_at({"18081:8080"}));
  auto networks = [] {
    std::ifstream mounts("/proc/self/mountinfo");
    size_t count = 0;
    for (std::string line; std::getline(mounts, line);)
      count += static_cast<size_t>(line.find("/netns/") != std::string::npos);
    return count;
  };
  runs("echo begun; sleep 3; echo ended");
  size_t before = 0, after = 0;
  auto other = make_executor("sandbox", loop.executor(), clock, disk, options);
  heard.on_text = [&](const std::string& text) {
    if (before > 0 || text.find(" begun\n") == std::string::npos) return;
    before = networks();
    loop.post([&] {
      beside = std::make_unique<core::Scope>(loop.executor());
      beside->spawn("another job", another(*other, top + "/2/job", [&] { after = networks(); }));
    });
  };
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  beside.reset();
  EXPECT_EQ(before, after);
}

TEST_F(RealContainers, AJobOnTheHostFindsItsServicesAtTheHostsLocalhost) {
  service("web", served_at({"8080"}));
  runs(
      "python3 -c 'import urllib.request as u; print(\"got\", u.urlopen(\"http://localhost:${{ "
      "job.services.web.ports[8080] }}/\").read().decode())'");
  EXPECT_EQ(run("host").conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" got hello world\n"));
}

TEST_F(RealContainers, AServiceThatEndsOrDoesNotBecomeHealthyFailsTheJobWithWhatItSaid) {
  service("broken", {{"image", image}, {"options", "--env X=1"}});  // its image has no program
  EXPECT_EQ(run("host").conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("'broken'"));
  spec.services = {};
  std::filesystem::remove_all(top + "/1");
  service("sick", {{"image", talks()}, {"options", "--health-cmd 'exit 1' --health-interval 1s --health-retries 2"}});
  auto end = run("host");
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, AllOf(HasSubstr("'sick'"), HasSubstr("unhealthy"), HasSubstr("It said:\nno space left")));
}

// ---- Container actions

TEST_F(RealContainers, AnImageIsAStepWithItsArgumentsItsOutputsAndGitHubsPlaces) {
  runs("echo from the job > file; echo W=$GITHUB_WORKSPACE");
  uses("docker://" + image,
       {{"entrypoint", "/bin/sh"},
        {"args",
         "-c 'cat file; pwd; echo $HOME $GITHUB_WORKSPACE $RUNNER_TEMP $INPUT_ENTRYPOINT $MINE; echo made > new; "
         "echo answer=42 >> $GITHUB_OUTPUT; echo SEEN=by-all >> $GITHUB_ENV; echo hi >> $GITHUB_STEP_SUMMARY; test "
         "-s $GITHUB_EVENT_PATH; test ! -S /var/run/docker.sock'"}},
       "first")
      .env = {{"MINE", "my own"}};
  runs("cat new; echo ${{ steps.first.outputs.answer }} $SEEN");
  EXPECT_EQ(run("host").conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" from the job\n"), HasSubstr(" /github/workspace\n"),
                                HasSubstr(" /github/home /github/workspace /github/runner_temp /bin/sh my own\n"),
                                HasSubstr(" made\n"), HasSubstr(" 42 by-all\n")));
  EXPECT_EQ(heard.summaries, "hi\n");
}

TEST_F(RealContainers, InASandboxFilesOfAContainerActionAreTheJobsAfterwards) {
  if (!take_sandbox()) GTEST_SKIP() << "no sandbox";
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'mkdir -p a/b; echo x > a/b/c'"}});
  runs("echo y >> a/b/c; cat a/b/c; rm -r a");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
}

const char* dockerfile_action =
    "name: built\ninputs:\n  who: {default: nobody}\nruns:\n  using: docker\n  image: Dockerfile\n"
    "  entrypoint: /entry.sh\n  pre-entrypoint: /pre.sh\n  post-entrypoint: /post.sh\n"
    "  args: ['${{ inputs.who }}', 'two words']\n  env:\n    GREETING: hello ${{ inputs.who }}\n";

TEST_F(RealContainers, AnActionIsBuiltFromItsDockerfileAndHasItsStages) {
  brings("act/action.yml", dockerfile_action);
  brings("act/Dockerfile", "FROM " + image + "\nCOPY *.sh /\nRUN chmod +x /*.sh && echo built here\n");
  brings("act/entry.sh", "#!/bin/sh\necho \"$GREETING: $# $1 $2 $INPUT_WHO\"\necho done=yes >> $GITHUB_STATE\n");
  brings("act/post.sh", "#!/bin/sh\necho post $STATE_done\n");
  brings("act/pre.sh", "#!/bin/sh\necho pre\n");
  uses("./act", {{"who", "world"}});
  EXPECT_EQ(run("host").conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" hello world: 2 world two words world\n"), HasSubstr(" post yes\n"),
                                HasSubstr("Build container for action use: 'Dockerfile'")));
}

TEST_F(RealContainers, AJobInAContainerUsesContainerActionsInItsNetwork) {
  container({});
  service("web", served_at({}));
  brings("act/action.yml", "name: b\nruns:\n  using: docker\n  image: Dockerfile\n  args: ['http://web:8080/']\n");
  brings("act/Dockerfile", "FROM " + image + "\nENTRYPOINT [\"wget\", \"-q\", \"-O\", \"-\"]\n");
  uses("./act");
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" hello world\n"));
}

TEST_F(RealContainers, ALinkInThePlaceOfADockerfileOrItsFolderReadsNothingOfTheHost) {
  std::ofstream(top + "/secret") << "ROOT-ONLY-WORDS\n";
  std::filesystem::create_directories(top + "/other");
  std::ofstream(top + "/other/Dockerfile") << "FROM " << image << "\nRUN echo ROOT-ONLY-WORDS\n";
  brings("act/action.yml", "name: b\nruns:\n  using: docker\n  image: Dockerfile\n");
  brings("dir/action.yml", "name: b\nruns:\n  using: docker\n  image: sub/Dockerfile\n");
  runs("ln -s " + top + "/secret act/Dockerfile; ln -s " + top + "/other dir/sub");
  uses("./act").continue_on_error = "true";
  uses("./dir");
  EXPECT_EQ(run("host").conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, AllOf(Not(HasSubstr("ROOT-ONLY-WORDS")), HasSubstr("a link or something else")));
}

TEST_F(RealContainers, AContainerActionThatFailsOrIsCancelledIsToldAndRemoved) {
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'exit 7'"}}).continue_on_error = "true";
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'echo begun; sleep 1000'"}});
  times.interrupt = times.terminate = std::chrono::milliseconds(500);
  heard.on_text = [this](const std::string& text) {
    if (text.find(" begun\n") != std::string::npos) loop.post([this] { execution->cancel("cancelled by alice"); });
  };
  auto end = run("host");
  EXPECT_EQ(end.conclusion, Conclusion::cancelled) << heard.text;
  EXPECT_EQ(end.steps[0].exit_code, 7);
}

TEST_F(RealContainers, AContainerActionThatTakesTooLongIsEndedAndRemoved) {
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'trap : INT TERM; sleep 1000 & wait; wait'"}})
      .timeout_minutes = "0.05";
  times.interrupt = times.terminate = std::chrono::milliseconds(500);
  auto end = run("host");
  EXPECT_EQ(end.steps[0].conclusion, Conclusion::timed_out) << heard.text;
}

TEST_F(RealContainers, AVariableIsForTheContainerAndNoOrderToTheEngine) {
  uses("docker://" + image, {{"entrypoint", "/bin/sh"},
                             {"args", "-c 'echo $LD_PRELOAD $CONTAINERS_CONF $DOCKER_HOST $TWO; echo $https_proxy'"}})
      .env = {{"LD_PRELOAD", "/nowhere/a.so"},
              {"CONTAINERS_CONF", "/nowhere/b.conf"},
              {"DOCKER_HOST", "tcp://127.0.0.1:9"},
              {"https_proxy", "http://127.0.0.1:9"},
              {"TWO", "two\nlines"}};
  EXPECT_EQ(run("host").conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" /nowhere/a.so /nowhere/b.conf tcp://127.0.0.1:9 two lines\n"),
                                HasSubstr(" http://127.0.0.1:9\n"), Not(HasSubstr("cannot be preloaded"))));
}

// Every command line of this machine, one after the other.
std::string command_lines() {
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    all += std::string(std::istreambuf_iterator<char>(file), {}) + "\n";
  }
  return all;
}

TEST_F(RealContainers, ValuesOfVariablesAreOnNoCommandLine) {
  container({{"env", core::json::object{{"SECRET", "sesame-of-the-job"}}}});
  service("web", {{"env", core::json::object{{"SECRET", "sesame-of-a-service"}}}});
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'echo begun; sleep 1; test $SECRET'"}}).env = {
      {"SECRET", "sesame-of-a-step"}};
  std::string seen;
  heard.on_text = [&seen](const std::string& text) {
    if (seen.empty() && text.find(" begun\n") != std::string::npos) seen = command_lines();
  };
  EXPECT_EQ(run().conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(seen, AllOf(HasSubstr("headrace-action-"), Not(HasSubstr("sesame"))));
}

// The engine may be root, and follows links of the host that stand where it mounts.
TEST_F(RealContainers, LinksThatAJobMadeLeadAContainerActionNowhereOnTheHost) {
  if (!take_sandbox()) GTEST_SKIP() << "no sandbox";
  std::filesystem::create_directories(top + "/private");
  std::ofstream(top + "/private/words") << "ROOT-ONLY-WORDS\n";
  std::filesystem::permissions(top + "/private", std::filesystem::perms(0700));
  runs("cd ..; rm -rf home temp/_github_home; ln -s " + top + "/private home; ln -s " + top +
       "/private temp/_github_home");
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'cat /github/home/words'"}}).continue_on_error =
      "true";
  runs("rm ../home; mv ../workspace ../moved; ln -s " + top + "/private ../workspace");
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'cat /github/workspace/words'"}})
      .continue_on_error = "true";
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'cat /github/*/words'"}}).condition = "always()";
  run();
  EXPECT_THAT(heard.text, Not(HasSubstr("ROOT-ONLY-WORDS")));
}

TEST_F(RealContainers, TheHomeOfContainerActionsIsOneForTheJobAndItsTemporaryFolderIsTheJobs) {
  runs("echo from-the-job > $RUNNER_TEMP/file");
  uses("docker://" + image,
       {{"entrypoint", "/bin/sh"},
        {"args",
         "-c 'cat $RUNNER_TEMP/file /github/runner_temp/file; test -s /github/workflow/event.json; echo kept > "
         "~/mine; pwd -P; echo to-the-job > $RUNNER_TEMP/back'"}});
  uses("docker://" + image, {{"entrypoint", "/bin/sh"}, {"args", "-c 'cat $HOME/mine /github/home/mine'"}});
  runs("cat $RUNNER_TEMP/back");
  EXPECT_EQ(run("host").conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, AllOf(HasSubstr(" from-the-job\n"), HasSubstr(" kept\n"), HasSubstr(" /github/workspace\n"),
                                HasSubstr(" to-the-job\n")));
}

TEST_F(RealContainers, AnImageThatIsNowhereIsSaidWithTheEnginesWords) {
  uses("docker://localhost/headrace-test-nowhere:1");
  EXPECT_EQ(run("host").conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("pulling the image localhost/headrace-test-nowhere:1"));
}

// ---- What a runner leaves that is killed

// In a process of its own, which is killed once its containers are there.
void run_until_killed(const std::string& top, const testing::RealEngine& engine) {
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  ExecutorOptions options;
  options.engine = engine.program;
  options.folder = top;
  auto executor = make_executor("container", loop.executor(), clock, disk, options);
  JobNeeds needs;
  needs.container.emplace().image = engine.image;
  needs.services.emplace_back().name = "web";
  needs.services[0].container.image = engine.web;
  std::string job = top + "/1/job";
  auto made = loop.run(executor->prepare({job, job + "/workspace", job + "/temp", {}, {}}, needs));
  std::ofstream(top + "/ready") << (made ? "yes" : made.error().message);
  ::kill(::getpid(), SIGKILL);
}

TEST(RealContainersLeft, AreRemovedByWhoeverHasTheFolderNext) {
  const auto& engine = testing::RealEngine::of_this_machine();
  if (engine.program.empty()) GTEST_SKIP() << engine.why_not;
  char path[] = "/tmp/headrace-left-XXXXXX";
  std::string top = ::mkdtemp(path);
  pid_t child = ::fork();
  if (child == 0) {
    run_until_killed(top, engine);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  std::ifstream ready(top + "/ready");
  std::string said;
  std::getline(ready, said);
  ASSERT_EQ(said, "yes");
  EXPECT_NE(engine.left_of(top), "") << "the engine's containers outlive the runner";
  core::Loop loop;
  EXPECT_GE(end_leftovers(top), 1U) << "processes of a service are found by their mark";
  auto removed = loop.run(remove_left_containers(loop.executor(), top));
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 3U) << "the job's container, its service, their network";
  EXPECT_EQ(engine.left_of(top), "");
  std::filesystem::remove_all(top);
}

}  // namespace
}  // namespace headrace::runner
