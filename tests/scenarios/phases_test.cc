// kill -9 of the runner, and of the server, in each phase of a job: leased, preparing, in a step, between steps,
// reporting, finishing. The moment within a phase is what chance chooses; HEADRACE_SEED names one again.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::read_file;
using support::text_at;
namespace json = core::json;

constexpr int lines_a_step = 200;
constexpr int attempts_max = 3;

enum class Phase { leased, preparing, step, between, reporting, finishing };
constexpr Phase phases[] = {Phase::leased,  Phase::preparing, Phase::step,
                            Phase::between, Phase::reporting, Phase::finishing};
const char* name_of(Phase phase) {
  constexpr const char* names[] = {"leased", "preparing", "step", "between", "reporting", "finishing"};
  return names[static_cast<int>(phase)];
}

unsigned seed() {
  const char* text = std::getenv("HEADRACE_SEED");
  return text && *text ? static_cast<unsigned>(std::atoi(text)) : std::random_device{}() >> 1;
}

bool is(const json::value& event, std::string_view word) {
  return text_at(event, "type").find(word) != std::string::npos;
}

// Two steps that each leave a mark of their beginning, an effect, their lines and a mark of their end.
std::string steps(const std::string& folder) {
  std::string text;
  for (const char* name : {"one", "two"})
    text += std::string("      - run: |\n          echo x >> ") + folder + "/" + name +
            ".begun\n          for n in $(seq " + std::to_string(lines_a_step) + "); do echo \"" + name +
            " $n\"; done\n          sleep 0.3\n          echo x >> " + folder + "/" + name + ".ended\n";
  return text;
}

size_t count(const std::string& file) { return static_cast<size_t>(std::ranges::count(read_file(file), '\n')); }

class Phases : public ::testing::Test {
 protected:
  // A moment of the phase: when its mark is there, and a little later.
  void wait_for(Phase phase) {
    auto mark = [&](const char* file) { return count(folder() + "/" + file) > 0; };
    auto leased = [&] {
      for (const auto& entry : std::filesystem::directory_iterator(platform->data() + "/runner"))
        if (std::atoi(entry.path().filename().c_str()) > 0) return true;
      return false;
    };
    ASSERT_TRUE(eventually([&] {
      switch (phase) {
        case Phase::leased:
        case Phase::preparing: return leased() || mark("one.begun");
        case Phase::step: return mark("one.begun");
        case Phase::between: return mark("one.ended");
        case Phase::reporting:
        case Phase::finishing: return mark("two.ended");
      }
      return false;
    })) << name_of(phase);
    constexpr int most[] = {0, 30, 250, 20, 15, 80};
    std::uniform_int_distribution<int> later(0, most[static_cast<int>(phase)]);
    std::this_thread::sleep_for(milliseconds(later(random)));  // the moment of the kill is what chance chooses
  }
  std::string folder() const { return platform->folder() + "/marks"; }

  // `more`: of the job.
  void begin(const std::string& more) {
    platform = std::make_unique<Platform>();
    std::filesystem::create_directories(folder());
    ASSERT_TRUE(platform->start()) << platform->said();
    ASSERT_EQ(platform->cli({"repo", "create", "team/phases"}).exit, 0);
    clone = std::make_unique<Clone>(*platform, "team/phases", "phases");
    clone->write(".github/workflows/ci.yml",
                 "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n" + more + "    steps:\n" + steps(folder()));
  }
  std::string run_and_kill(Phase phase, bool server) {
    for (const char* name : {"one.begun", "one.ended", "two.begun", "two.ended"})
      std::filesystem::remove(folder() + "/" + name);
    EXPECT_TRUE(eventually([&] { return platform->runner_pid() > 0; }));
    clone->commit("a push");
    EXPECT_EQ(clone->push().exit, 0);
    wait_for(phase);
    if (server) {
      platform->kill();
      EXPECT_TRUE(platform->start()) << platform->said();
    } else {
      ::kill(platform->runner_pid(), SIGKILL);
    }
    std::string conclusion;
    EXPECT_TRUE(
        eventually([&] { return !(conclusion = support::conclusion_of_newest(*platform, "team/phases")).empty(); },
                   milliseconds(120'000)));
    return conclusion;
  }
  // Every line of a step that was run to its end is in the log of its attempt, once and in its order.
  void expect_lines(const std::string& log) {
    for (const char* name : {"one", "two"}) {
      size_t at = 0;
      for (int n = 1; n <= lines_a_step; ++n) {
        auto line = " " + std::string(name) + " " + std::to_string(n) + "\n";
        auto found = log.find(line, at);
        ASSERT_NE(found, std::string::npos) << "line " << name << " " << n << " is missing, or out of its order";
        at = found + 1;
      }
      EXPECT_EQ(log.find(" " + std::string(name) + " 1\n", at), std::string::npos) << "lines of " << name << " twice";
    }
  }
  // Of the whole log of events: one end a job and run, and no more attempts than were lost.
  void expect_once() {
    platform->terminate();
    std::map<std::string, int> ended, leased, lost;
    for (const auto& event : platform->log()) {
      auto subject = text_at(event, "subject");
      if (is(event, "taskrun.finished") || is(event, "pipelinerun.finished")) ++ended[subject];
      if (is(event, "headrace-job.leased")) ++leased[subject];
      if (is(event, "headrace-job.lost")) ++lost[subject];
    }
    for (const auto& [subject, times] : ended) EXPECT_EQ(times, 1) << "ends of " << subject;
    for (const auto& [subject, times] : leased) {
      EXPECT_LE(times, lost[subject] + 1) << "leases of " << subject << " without one before having been lost";
      EXPECT_LE(times, attempts_max);
    }
  }

  unsigned chosen = seed();
  std::mt19937 random{chosen};
  std::unique_ptr<Platform> platform;
  std::unique_ptr<Clone> clone;
};

TEST_F(Phases, AServerThatIsKilledInAnyPhaseLosesNoLineAndDoesNothingTwice) {
  std::cout << "HEADRACE_SEED=" << chosen << "\n";
  begin("");
  for (auto phase : phases) {
    SCOPED_TRACE(name_of(phase));
    EXPECT_EQ(run_and_kill(phase, true), "success");
    for (const char* name : {"one.begun", "one.ended", "two.begun", "two.ended"})
      EXPECT_EQ(count(folder() + "/" + name), 1U) << name << ": the job went on, it was not run again";
    expect_lines(platform->cli({"run", "log", "--repo", "team/phases"}).out);
    if (HasFailure()) return;
  }
  expect_once();
}

TEST_F(Phases, ARunnerThatIsKilledInAnyPhaseLosesItsJobToTheNextAndNoEndIsSaidTwice) {
  std::cout << "HEADRACE_SEED=" << chosen << "\n";
  begin("");
  for (auto phase : phases) {
    SCOPED_TRACE(name_of(phase));
    EXPECT_EQ(run_and_kill(phase, false), "success");
    EXPECT_GE(count(folder() + "/two.ended"), 1U);
    EXPECT_LE(count(folder() + "/one.begun"), 2U) << "one kill, one further attempt";
    expect_lines(platform->cli({"run", "log", "--repo", "team/phases"}).out);
    if (HasFailure()) return;
  }
  expect_once();
}

TEST_F(Phases, AJobOfAnEnvironmentWhoseRunnerIsKilledIsNeverRunTwice) {
  std::cout << "HEADRACE_SEED=" << chosen << "\n";
  begin("    environment: production\n");
  for (auto phase : phases) {
    SCOPED_TRACE(name_of(phase));
    auto conclusion = run_and_kill(phase, false);
    EXPECT_LE(count(folder() + "/one.begun"), 1U);
    EXPECT_LE(count(folder() + "/two.begun"), 1U);
    if (phase == Phase::step) {
      EXPECT_EQ(conclusion, "failure") << "it had begun and cannot be known to be whole";
    }
    if (conclusion == "success") {
      EXPECT_EQ(count(folder() + "/two.ended"), 1U);
    }
    if (HasFailure()) return;
  }
  expect_once();
}

}  // namespace

}  // namespace headrace
