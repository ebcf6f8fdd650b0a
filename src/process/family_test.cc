#include "process/family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "process/child.h"
#include "process/proc_stat.h"

namespace headrace::process {
namespace {

using core::Loop;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

bool alive(pid_t pid) {
  const auto stat = read_proc_stat(pid);
  return pid > 0 && stat && stat->state != 'Z' && stat->state != 'X';
}

// Until it holds, for as long as a busy machine may need.
template <class Holds>
bool until(Holds holds) {
  for (int turn = 0; turn < 20'000 && !holds(); ++turn) std::this_thread::sleep_for(1ms);
  return holds();
}

class FamilyTest : public ::testing::Test {
 protected:
  FamilyTest() {
    std::string pattern = testing::TempDir() + "familyXXXXXX";
    folder = ::mkdtemp(pattern.data());
    mark = "FAMILY_OF=" + folder;
  }
  ~FamilyTest() override {
    end_family(ours());
    std::filesystem::remove_all(folder);
  }
  std::function<bool(std::string_view)> ours() const {
    return [this](std::string_view entry) { return entry == mark; };
  }
  // A shell that is let go: what it starts lives on.
  std::unique_ptr<Child> shell(std::string script, std::vector<std::string> environment) {
    Spec spec;
    spec.argv = {"/bin/sh", "-c", std::move(script)};
    spec.environment = std::move(environment);
    spec.environment.push_back("PATH=/usr/bin:/bin");
    spec.directory = folder;
    spec.leftovers = Spec::Leftovers::keep;
    spec.abandoned = Spec::Abandoned::keep;
    auto child = spawn(loop.executor(), std::move(spec));
    core::require(child.has_value(), "the shell starts");
    return std::move(*child);
  }
  pid_t pid_in(const std::string& name) const {
    pid_t pid = 0;
    until([&] { return (std::ifstream(folder + "/" + name) >> pid) && pid > 0; });
    return pid;
  }

  Loop loop;
  std::string folder, mark;
};

TEST_F(FamilyTest, EndsAllWhoComeOfOneAlsoThoseThatLeftItsGroupOrClearedTheirEnvironment) {
  auto first = shell(
      "setsid sh -c 'echo $$ > left; exec sleep 600' & env -i sh -c 'echo $$ > cleared; exec sleep 600' & "
      "echo $$ > first; exec sleep 600",
      {mark});
  const pid_t all[] = {pid_in("first"), pid_in("left"), pid_in("cleared")};
  for (const pid_t pid : all) ASSERT_TRUE(alive(pid));
  EXPECT_THAT(end_family(ours()), testing::IsSupersetOf({all[0], all[1]}));
  for (const pid_t pid : all) EXPECT_TRUE(until([&] { return !alive(pid); })) << pid;
  EXPECT_THAT(find_family(ours()), IsEmpty());
}

TEST_F(FamilyTest, FindsOneWhoseParentHasDied) {
  auto parent = shell("sh -c 'echo $$ > orphan; exec sleep 600' & until [ -s orphan ]; do sleep 0.01; done", {mark});
  const pid_t orphan = pid_in("orphan");
  loop.run(parent->wait());
  EXPECT_THAT(find_family(ours()), ElementsAre(orphan));
}

TEST_F(FamilyTest, LeavesTheProcessesOfOthersAlone) {
  auto other = shell("echo $$ > other; exec sleep 600", {mark + "0", "X" + mark});
  const pid_t pid = pid_in("other");
  EXPECT_THAT(end_family(ours()), IsEmpty());
  EXPECT_TRUE(alive(pid));
  other->signal(SIGKILL);
}

TEST_F(FamilyTest, TellsTheWordsAProcessWasStartedWith) {
  Spec waits;
  waits.argv = {"/bin/sleep", "600"};
  auto child = spawn(loop.executor(), waits);
  ASSERT_TRUE(child);
  until([&] { return !arguments_of((*child)->pid()).empty(); });  // its program has begun
  EXPECT_THAT(arguments_of((*child)->pid()), ElementsAre("/bin/sleep", "600"));
  EXPECT_THAT(arguments_of(-1), IsEmpty());
}

// A process that posts a warden, which is to end `mark`, and waits to be killed.
pid_t process_with_warden(const std::string& posted, bool armed, const std::function<void()>& then) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  auto warden = Warden::post(then);
  if (warden && armed) warden->arm();
  std::ofstream(posted) << ::getpid();
  while (true) ::pause();
}

TEST_F(FamilyTest, AWardenActsWhenItsProcessIsKilledAndNotBefore) {
  auto left = shell("echo $$ > left; exec sleep 600", {mark});
  const pid_t pid = pid_in("left");
  const pid_t runner = process_with_warden(folder + "/posted", true, [this] { end_family(ours()); });
  EXPECT_EQ(pid_in("posted"), runner);
  EXPECT_TRUE(alive(pid));
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  EXPECT_TRUE(until([&] { return !alive(pid); }));
}

TEST_F(FamilyTest, AWardenThatWasNotArmedJustGoes) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that we hear of its end
  const pid_t runner =
      process_with_warden(folder + "/posted", false, [this] { std::ofstream(folder + "/acted") << 1; });
  EXPECT_EQ(pid_in("posted"), runner);
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  EXPECT_GT(::waitpid(-1, nullptr, 0), 0) << "the warden";
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  EXPECT_FALSE(std::filesystem::exists(folder + "/acted"));
}

}  // namespace
}  // namespace headrace::process
