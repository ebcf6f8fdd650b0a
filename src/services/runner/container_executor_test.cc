// Jobs in containers, against a stand-in for the engine: it writes down every call, and what it "starts" is the real
// init, in a bubblewrap with the volumes that were asked for.
#include "services/runner/container_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "process/run.h"
#include "services/runner/container_engine.h"
#include "services/runner/leftovers.h"

namespace headrace::runner {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* engine_script = R"(#!/usr/bin/env python3
import json, os, subprocess, sys
top = os.path.dirname(os.path.abspath(__file__))
words = sys.argv[1:]
with open(top + '/calls', 'a') as calls: calls.write(' '.join(words) + '\n')
def spec(id): return json.load(open(top + '/' + id))
def value(words, name): return [words[i + 1] for i, word in enumerate(words) if word == name]
if os.path.exists(top + '/fails-' + words[0]):
    sys.exit('Error: it is said to fail')
if os.path.exists(top + '/denies-' + words[0]):
    sys.exit("Error: requested access to the resource is denied\nSee 'docker run --help'.")
if words[0] == 'create':
    id = 'c%015d' % len(os.listdir(top))
    passed = {name: os.environ[name] for name in value(words, '--env') if '=' not in name}
    json.dump({'words': words, 'env': passed, 'asked': 0}, open(top + '/' + id, 'w'))
    print(id)
elif words[0] == 'login':
    open(top + '/password', 'w').write(sys.stdin.read())
    open(top + '/login', 'w').write(os.environ['DOCKER_CONFIG'])
elif words[0] == 'pull':
    open(top + '/pull', 'w').write(os.environ.get('DOCKER_CONFIG', ''))
elif words[0] == 'start':
    made = spec(words[1])['words']
    print(words[1])
    if '--entrypoint' not in made: sys.exit(0)
    bwrap = ['bwrap', '--ro-bind', '/usr', '/usr', '--proc', '/proc', '--dev', '/dev', '--unshare-pid', '--as-pid-1']
    for link in ('bin', 'lib', 'lib64'): bwrap += ['--symlink', 'usr/' + link, '/' + link]
    volumes = [volume.split(':') for volume in value(made, '--volume')]
    for volume in volumes:
        if volume[0].startswith('/'): bwrap += ['--ro-bind' if volume[2:] == ['ro'] else '--bind', volume[0], volume[1]]
    entry = made.index('listen')
    subprocess.Popen(bwrap + ['--'] + value(made, '--entrypoint') + made[entry:], stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)
elif words[0] == 'inspect':
    known = spec(words[3])
    known['asked'] += 1
    json.dump(known, open(top + '/' + words[3], 'w'))
    if '.Config.Env' in words[2]: print(json.dumps(['PATH=/usr/bin:/bin', 'IMAGE=yes', 'HOME=/root']))
    elif os.path.exists(top + '/sick'): print(json.dumps({'Status': 'running', 'Health': {'Status': 'unhealthy'}}))
    else: print(json.dumps({'Status': 'running', 'Health': {'Status': 'healthy' if known['asked'] > 2 else 'starting'}}))
elif words[0] == 'image':
    if not os.path.exists(top + '/has-image'): sys.exit('Error: no such image')
elif words[0] == 'port':
    print('5432/tcp -> 0.0.0.0:49153\n5432/tcp -> [::]:49153')
)";

class ContainerExecutorTest : public ::testing::Test {
 public:
  ~ContainerExecutorTest() override {
    if (around) loop.run(around->end());
    around = nullptr;
    executor = nullptr;
    std::error_code ignored;
    std::filesystem::remove_all(top, ignored);
  }

 protected:
  ContainerExecutorTest() {
    char path[] = "/tmp/headrace-engine-XXXXXX";
    top = ::mkdtemp(path);
    std::filesystem::create_directories(top + "/engine");
    options.engine = top + "/engine/engine";
    std::ofstream(options.engine) << engine_script;
    std::filesystem::permissions(options.engine, std::filesystem::perms(0755));
    executor = make_container_executor(loop.executor(), clock, options);
    needs.container.emplace().image = "registry.example/team/image:1";
  }

  core::Result<> prepare() {
    std::string own = top + "/job";
    JobPlace place{own, own + "/workspace", own + "/temp", {}, {}};
    auto made = loop.run(executor->prepare(place, needs));
    if (!made) return std::unexpected(made.error());
    around = std::move(*made);
    return {};
  }
  std::string sh(std::string script) {
    Command command;
    command.argv = {"sh", "-c", std::move(script)};
    for (const auto& [name, value] : around->environment()) command.environment.push_back(name + "=" + value);
    auto child = loop.run(around->run(std::move(command)));
    if (!child) return child.error().message;
    return loop.run(read_all(**child));
  }
  static core::Task<std::string> read_all(process::Child& child) {
    std::string text;
    std::array<std::byte, 4096> chunk;
    for (;;) {
      auto count = co_await child.read(process::Stream::out, chunk);
      if (!count || *count == 0) co_return text;
      text.append(reinterpret_cast<const char*>(chunk.data()), *count);
    }
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(top + "/engine/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string calls() const { return text_of("calls"); }
  void touch(const std::string& name) const { std::ofstream(top + "/engine/" + name) << "x"; }
  bool bubblewrap_works() {
    process::Spec spec;
    spec.argv = {"bwrap", "--ro-bind", "/", "/", "true"};
    spec.environment = process::inherited_environment({"PATH"});
    process::RunLimits limits;
    auto ran = loop.run(process::run(loop.executor(), std::move(spec), {}, limits));
    return ran && ran->exit.succeeded();
  }

  std::string top;
  core::Loop loop;
  core::SystemClock clock;
  ExecutorOptions options;
  JobNeeds needs;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Surroundings> around;
};

TEST_F(ContainerExecutorTest, StepsRunInOneContainerThatIsKeptForTheJobAndRemovedAfterIt) {
  if (!bubblewrap_works()) GTEST_SKIP() << "no bubblewrap to stand in for containers";
  needs.container->env = {{"TOKEN", "sesame"}, {"PATH", "/opt/bin:/usr/bin:/bin"}};
  needs.container->ports = {"8080:80"};
  needs.container->volumes = {"cache:/cache"};
  needs.container->options = "--cpus 1 --health-cmd 'true or not'";
  auto made = prepare();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(around->what(), Surroundings::Kind::container);
  EXPECT_EQ(sh("pwd; echo $HOME $IMAGE; echo kept > file"), "/__w/workspace\n/github/home yes\n");
  EXPECT_EQ(sh("cat file; cat /proc/1/cmdline | tr '\\0' ' '"),
            "kept\n/__headrace/init listen /__headrace/control/socket ");
  EXPECT_EQ(around->to_host("/__w/temp/x"), top + "/job/temp/x");
  EXPECT_EQ(around->to_inside(top + "/job/temp/x"), "/__w/temp/x");
  ASSERT_TRUE(around->containers());
  loop.run(around->end());
  auto said = calls();
  EXPECT_THAT(
      said, AllOf(::testing::ContainsRegex("network create .*headrace-"), HasSubstr("--publish 127.0.0.1:8080:80/tcp"),
                  HasSubstr("--volume cache:/cache"), HasSubstr("--cpus 1 --health-cmd true or not"),
                  HasSubstr("--env TOKEN "), HasSubstr("--env PATH=/opt/bin")));
  EXPECT_THAT(said, Not(HasSubstr("sesame"))) << "a secret on a command line";
  EXPECT_THAT(said,
              AllOf(HasSubstr("rm --force --volumes " + around->containers()->id), HasSubstr("network rm headrace-")));
  EXPECT_THAT(text_of(around->containers()->id), HasSubstr("\"TOKEN\": \"sesame\"")) << "it goes by the environment";
}

TEST_F(ContainerExecutorTest, ServicesAreWaitedForAndTheirPortsAreKnown) {
  if (!bubblewrap_works()) GTEST_SKIP() << "no bubblewrap to stand in for containers";
  auto& service = needs.services.emplace_back();
  service.name = "postgres";
  service.container.image = "postgres:16";
  service.container.ports = {"5432"};
  auto made = prepare();
  ASSERT_TRUE(made) << made.error().message;
  const auto& facts = *around->containers();
  ASSERT_EQ(facts.services.size(), 1U);
  EXPECT_THAT(facts.services[0].ports, ElementsAre(std::pair<std::string, std::string>("5432", "49153")));
  EXPECT_THAT(calls(), HasSubstr("--network-alias postgres"));
  std::string id = facts.services[0].id;
  EXPECT_THAT(text_of(id), HasSubstr("\"asked\": 3")) << "until it is healthy";
  loop.run(around->end());
  EXPECT_THAT(calls(), HasSubstr("rm --force --volumes " + id + " " + facts.id));
}

TEST_F(ContainerExecutorTest, AServiceThatIsNotHealthyFailsTheJobAndEverythingIsRemoved) {
  needs.services.emplace_back().name = "postgres";
  needs.services[0].container.image = "postgres:16";
  touch("sick");
  auto made = prepare();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, AllOf(HasSubstr("'postgres'"), HasSubstr("unhealthy")));
  EXPECT_THAT(calls(), AllOf(HasSubstr("rm --force"), HasSubstr("network rm")));
}

TEST_F(ContainerExecutorTest, AnImageThatCannotBePulledIsSaidWithTheEnginesWords) {
  touch("fails-pull");
  auto made = prepare();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("pulling the image registry.example/team/image:1"), HasSubstr("it is said to fail")));
  EXPECT_THAT(calls(), HasSubstr("network rm"));
}

TEST_F(ContainerExecutorTest, CredentialsGoByTheInputOfTheLoginAndAreThereForOnePull) {
  needs.container->username = "alice";
  needs.container->password = "pass word";
  touch("fails-create");
  ASSERT_FALSE(prepare());
  EXPECT_EQ(text_of("password"), "pass word");
  EXPECT_THAT(calls(), AllOf(HasSubstr("login --username alice --password-stdin registry.example"),
                             Not(HasSubstr("pass word"))));
  EXPECT_EQ(std::filesystem::path(text_of("login")).parent_path(), top)
      << "beside the job's folder, with which it goes where the runner is killed meanwhile";
  EXPECT_EQ(text_of("pull"), text_of("login"));
  EXPECT_FALSE(std::filesystem::exists(text_of("login")));
}

TEST_F(ContainerExecutorTest, WhatARegistryRefusesIsNotHadFromHereEither) {
  touch("denies-pull");
  touch("has-image");
  auto made = prepare();
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("denied"), HasSubstr("registry.example does not give it to this job"),
                    HasSubstr("credentials:")));
}

// Its program may be root's: what it reads from its own environment is no job's to say.
TEST_F(ContainerExecutorTest, AVariableIsNoOrderToTheEngine) {
  ContainerWords made;
  add_environment({{"TOKEN", "sesame"},
                   {"LD_PRELOAD", "a.so"},
                   {"https_proxy", "p"},
                   {"CONTAINERS_CONF", "c"},
                   {"REGISTRY_AUTH_FILE", "f"},
                   {"LD_AUDIT=b.so:", "c"},
                   {"TOK*", "x"},
                   {"", "y"}},
                  made);
  EXPECT_THAT(made.environment, ElementsAre(std::pair<std::string, std::string>("TOKEN", "sesame")));
  EXPECT_THAT(made.words, ElementsAre("--env", "TOKEN", "--env", "LD_PRELOAD=a.so", "--env", "https_proxy=p", "--env",
                                      "CONTAINERS_CONF=c", "--env", "REGISTRY_AUTH_FILE=f"));
}

TEST_F(ContainerExecutorTest, WhatWouldGiveTheJobTheHostIsRefused) {
  for (const char* chosen : {"--privileged", "-v /:/host", "--volume=/:/host", "--device /dev/kvm", "--pid host",
                             "-itv/:/host", "--network host", "--entrypoint sh", "--user", "image", "--cpus 1 other"}) {
    needs.container->options = chosen;
    auto made = prepare();
    ASSERT_FALSE(made) << chosen;
    EXPECT_EQ(made.error().code, core::Code::invalid) << chosen;
  }
  needs.container->options.clear();
  for (const char* volume : {"/:/host", "/etc:/etc", "../x:/x", ".:/x", ""}) {
    needs.container->volumes = {volume};
    auto made = prepare();
    ASSERT_FALSE(made) << volume;
    EXPECT_EQ(made.error().code, core::Code::invalid) << volume;
  }
  EXPECT_THAT(calls(), Not(HasSubstr("\ncreate ")));
}

TEST_F(ContainerExecutorTest, AFolderTheOperatorAllowsIsMounted) {
  std::vector<std::string> allowed{"/srv/data"};
  ContainerSpec spec;
  spec.volumes = {"/srv/data/set:/data:ro"};
  auto made = container_words(spec, "net", {}, allowed);
  ASSERT_TRUE(made);
  EXPECT_THAT(made->words, ElementsAre("--network", "net", "--volume", "/srv/data/set:/data:ro"));
  spec.volumes = {"/srv/data/../../etc:/data"};
  EXPECT_FALSE(container_words(spec, "net", {}, allowed));
  spec.volumes = {"/srv/database:/data"};
  EXPECT_FALSE(container_words(spec, "net", {}, allowed));
}

TEST_F(ContainerExecutorTest, OptionsAreSplitAsAShellDoes) {
  EXPECT_THAT(*split_options("  --a 'b c'  \"d\\\"e\" f\\ g ''"), ElementsAre("--a", "b c", "d\"e", "f g", ""));
  EXPECT_FALSE(split_options("--a 'b"));
}

TEST_F(ContainerExecutorTest, WithoutAnEngineAJobIsRefusedWithWhatEachSaid) {
  options.engine = top + "/absent";
  executor = make_container_executor(loop.executor(), clock, options);
  auto can = loop.run(executor->available());
  ASSERT_FALSE(can);
  EXPECT_THAT(can.error().message, AllOf(HasSubstr("No container engine"), HasSubstr("apt-get install podman")));
}

// podman cannot list containers while one of them, anybody's, is being removed.
TEST_F(ContainerExecutorTest, AnEngineThatCannotListContainersJustNowIsThereAllTheSame) {
  touch("fails-ps");
  auto can = loop.run(executor->available());
  EXPECT_TRUE(can) << can.error().message;
}

TEST_F(ContainerExecutorTest, WhatIsMadeBearsTheRunnersFolderAndProcessAndTheMarkOfTheJob) {
  options.folder = top;
  executor = make_container_executor(loop.executor(), clock, options);
  touch("fails-start");
  ASSERT_FALSE(prepare());
  EXPECT_THAT(calls(), AllOf(HasSubstr("--label dev.headrace.runner=" + top),
                             HasSubstr("--label dev.headrace.process=" + this_runner()),
                             HasSubstr("--env RUNNER_TRACKING_ID=headrace:" + this_runner() + ":" + top + "/job")));
  EXPECT_EQ(text_of("../containers"), options.engine + "\n");
}

TEST_F(ContainerExecutorTest, AnImageThatCannotBePulledButIsHereIsUsedAndThatIsSaid) {
  if (!bubblewrap_works()) GTEST_SKIP() << "no bubblewrap to stand in for containers";
  touch("fails-pull");
  touch("has-image");
  auto made = prepare();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(around->description(),
              ::testing::Contains(HasSubstr("could not be pulled; the one that is here is used")));
}

TEST(Registry, OfDockerIsPutBeforeANameWithoutOne) {
  EXPECT_EQ(with_registry("alpine:3"), "docker.io/library/alpine:3");
  EXPECT_EQ(with_registry("team/image"), "docker.io/team/image");
  EXPECT_EQ(with_registry("docker.io/team/image"), "docker.io/team/image");
  EXPECT_EQ(with_registry("ghcr.io/team/image:1"), "ghcr.io/team/image:1");
  EXPECT_EQ(with_registry("localhost/image"), "localhost/image");
}

TEST(Registry, IsTheHostOfAnImageOrDockersOwn) {
  EXPECT_EQ(registry_of("alpine:3"), "docker.io");
  EXPECT_EQ(registry_of("team/image"), "docker.io");
  EXPECT_EQ(registry_of("ghcr.io/team/image:1"), "ghcr.io");
  EXPECT_EQ(registry_of("localhost:5000/image"), "localhost:5000");
}

}  // namespace
}  // namespace headrace::runner
