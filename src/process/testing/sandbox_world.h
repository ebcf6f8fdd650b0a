// A real sandbox around a job's folder in /tmp, for tests: as root with a user of its own, else as whoever runs the
// test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/clock.h"
#include "process/cgroup.h"
#include "process/run.h"
#include "process/sandbox.h"

namespace headrace::process::testing {

struct Said {
  Exit exit;
  std::string text;  // both outputs
};

class SandboxWorld : public ::testing::Test {
 public:
  ~SandboxWorld() override {
    if (sandbox) loop.run(sandbox->end());
    sandbox.reset();
    if (group)
      for (int round = 0; round < 200 && !group->remove(); ++round)
        loop.run(clock.sleep_for(std::chrono::milliseconds(5)));
    std::error_code ignored;
    std::filesystem::remove_all(top, ignored);
  }

 protected:
  SandboxWorld() {
    char path[] = "/tmp/headrace-sandbox-XXXXXX";
    top = ::mkdtemp(path);
    std::filesystem::create_directories(job());
    if (::geteuid() != 0) return;
    user.emplace(*SandboxUser::take());
    EXPECT_EQ(::chown(job().c_str(), user->id(), user->id()), 0);
  }

  std::string job() const { return top + "/job"; }

  SandboxOptions options() const {
    SandboxOptions wanted;
    wanted.mounts = {{job(), "/home/runner", false}};
    wanted.directory = "/home/runner";
    if (user) wanted.user = user->id();
    return wanted;
  }

  // False, with the reason said, where this machine makes no sandboxes.
  bool start() { return start(options()); }
  bool start(SandboxOptions wanted) {
    auto made = loop.run(Sandbox::start(loop.executor(), std::move(wanted)));
    if (made) sandbox = std::move(*made);
    if (made) return true;
    why = made.error().message;
    EXPECT_FALSE(name_spaces_work()) << "name spaces can be had here, but no sandbox: " << why;
    return false;
  }
  bool name_spaces_work() {
    Spec spec;
    spec.argv = {"unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"};
    spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    auto ran = loop.run(headrace::process::run(loop.executor(), std::move(spec), {}, RunLimits{}));
    return ran && ran->exit.succeeded();
  }
  // With a control group of these bounds; false where there are none.
  bool start_bounded(const Bounds& bounds) {
    groups = Cgroups::find();
    auto made = groups->make(bounds);
    if (!made) {
      why = made.error().message;
      return false;
    }
    group = std::move(*made);
    auto wanted = options();
    wanted.cgroup_doors = group->doors();
    return start(std::move(wanted));
  }

  core::Result<std::unique_ptr<Child>> begin(std::vector<std::string> argv, bool input = false) {
    InitClient::Run wanted;
    wanted.argv = std::move(argv);
    wanted.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/home/runner"};
    wanted.directory = "/home/runner";
    wanted.input = input;
    return loop.run(sandbox->init().run(std::move(wanted)));
  }
  Said run(std::vector<std::string> argv) {
    auto child = begin(std::move(argv));
    if (!child) return {{.code = 127, .signal = 0}, child.error().message};
    Said said;
    said.text = loop.run(read_all(**child));
    said.exit = loop.run((*child)->wait()).value_or(Exit{.code = -1, .signal = 0});
    return said;
  }
  Said sh(std::string script) { return run({"sh", "-c", std::move(script)}); }
  Said python(std::string script) { return run({"python3", "-c", std::move(script)}); }

  static core::Task<std::string> read_all(Child& child) {
    std::string text;
    std::array<std::byte, 4096> chunk;
    for (;;) {
      auto count = co_await child.read(Stream::out, chunk);
      if (!count || *count == 0) co_return text;
      text.append(reinterpret_cast<const char*>(chunk.data()), *count);
    }
  }

  std::string top;
  std::string why;
  core::Loop loop;
  core::SystemClock clock;
  std::optional<SandboxUser> user;
  std::unique_ptr<Cgroups> groups;
  std::unique_ptr<Cgroup> group;
  std::unique_ptr<Sandbox> sandbox;
};

}  // namespace headrace::process::testing

#define HEADRACE_SANDBOX_OR_SKIP() \
  if (!start()) GTEST_SKIP() << "no sandbox on this machine: " << why
