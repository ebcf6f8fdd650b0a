// kill -9 of the server at random moments, while pushes go on. `./dev kills 1000` runs the first test for longer.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::text_at;
namespace json = core::json;

constexpr int clones = 3;
#ifdef HEADRACE_SANITIZED
constexpr int kills_unless_told = 4;  // each start takes seconds there
#else
constexpr int kills_unless_told = 12;
#endif
constexpr milliseconds between_kills_least{50}, between_kills_most{700};
constexpr int kills_a_push = 5;  // on a machine so slow that no push would end, it is waited for one that often

int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::atoi(text) : otherwise;
}

struct Push {
  std::string ref, commit;
  bool succeeded = false;  // as git reported it
};

// Commits and pushes to a branch of its own, one after the other, until it is told to end.
void push_on(const Clone& clone, const std::string& branch, const std::atomic<bool>& end, std::atomic<int>& done,
             std::vector<Push>& pushes) {
  while (!end) {
    Push push{"refs/heads/" + branch, clone.commit(branch + " " + std::to_string(pushes.size())), false};
    push.succeeded = clone.push("HEAD:" + push.ref).exit == 0;
    done += push.succeeded ? 1 : 0;
    pushes.push_back(std::move(push));
  }
}

const json::value& content_of(const json::value& event) { return event.at("data").at("subject").at("content"); }

bool is(const json::value& event, std::string_view word) {
  return text_at(event, "type").find(word) != std::string::npos;
}

// What the log tells of a story of pushes, gathered once.
struct Told {
  explicit Told(const std::vector<json::value>& log) {
    for (const auto& event : log) {
      auto id = text_at(event, "id");
      auto subject = text_at(event, "subject");
      twice += by_id.contains(id) ? 1 : 0;
      by_id[id] = &event;
      if (is(event, "headrace-push.received")) received(event);
      if (is(event, "pipelinerun.queued")) runs_of_push[text_at(event, "causationid")].push_back(subject);
      if (is(event, "pipelinerun.finished")) ++ends_of_run[subject];
      if (is(event, "headrace-job.queued")) run_of_job[subject] = text_at(content_of(event), "run");
      if (is(event, "headrace-job.requeued")) requeued.insert(run_of_job[subject]);
      if (is(event, "taskrun.finished")) ++ends_of_job[subject];
    }
  }
  void received(const json::value& event) {
    for (const auto& update : content_of(event).at("updates").as_array()) {
      if (!core::boolean_at(update, "applied").value_or(false)) continue;
      auto commit = text_at(update, "new_commit");
      received_with[commit].push_back(text_at(event, "id"));
      ref_is[text_at(update, "ref")] = commit;
    }
  }
  std::string root_of(const json::value& event) const {
    const json::value* at = &event;
    for (auto cause = text_at(*at, "causationid"); !cause.empty(); cause = text_at(*at, "causationid")) {
      if (!by_id.contains(cause)) return "a gap: there is no event " + cause;
      at = by_id.at(cause);
    }
    return text_at(*at, "type");
  }

  int twice = 0;
  std::map<std::string, const json::value*> by_id;
  std::map<std::string, std::vector<std::string>> received_with;  // commit: push.received that applied it
  std::map<std::string, std::string> ref_is;
  std::map<std::string, std::vector<std::string>> runs_of_push;
  std::map<std::string, int> ends_of_run, ends_of_job;
  std::map<std::string, std::string> run_of_job;
  std::set<std::string> requeued;  // runs that had a job requeued
};

std::map<std::string, int> effects_by_commit(const std::string& text) {
  std::map<std::string, int> effects;
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    ++effects[text.substr(at, end - at)];
  return effects;
}

// Of every event that somebody hears, all is done: a push that was received has its run.
bool nothing_to_hear(Platform& platform) {
  std::istringstream lines(platform.http({"GET", "/metrics", {}, {}}).body);
  bool any = false;
  for (std::string line; std::getline(lines, line);) {
    bool waits = line.starts_with("headrace_subscription_queue_length{");
    if (!waits && !line.starts_with("headrace_subscription_in_flight{")) continue;
    any = true;
    if (!line.ends_with(" 0")) return false;
  }
  return any;
}

bool nothing_at_work(Platform& platform) {
  if (!nothing_to_hear(platform)) return false;
  for (const char* status : {"queued", "in_progress"}) {
    auto answer = platform.http({"GET", "/api/v1/runs?limit=1&status=" + std::string(status), {}, {}});
    if (answer.status != 200 || answer.body.find("\"runs\":[]") == std::string::npos) return false;
  }
  return true;
}

void expect_whole(Platform& platform) {
  auto verified = platform.cli({"log", "verify", "--data", platform.data()});
  ASSERT_EQ(verified.exit, 0) << verified.out << verified.err;
  auto rebuilt = platform.cli({"projections", "rebuild", "--verify", "--data", platform.data()});
  ASSERT_EQ(rebuilt.exit, 0) << rebuilt.out << rebuilt.err;
}

void expect_once(const std::vector<json::value>& log, const std::vector<Push>& pushes,
                 const std::map<std::string, int>& effects) {
  Told told(log);
  EXPECT_EQ(told.twice, 0) << "events with an id that another has";
  for (const auto& push : pushes) {
    auto received = told.received_with[push.commit];
    if (push.succeeded) {
      EXPECT_EQ(received.size(), 1U) << "push.received of " << push.commit << ", which git reported as pushed";
    }
    EXPECT_LE(received.size(), 1U) << push.commit;
    for (const auto& id : received) {
      auto runs = told.runs_of_push[id];
      ASSERT_EQ(runs.size(), 1U) << "runs because of push.received " << id;
      EXPECT_EQ(told.ends_of_run[runs[0]], 1) << "ends of the run " << runs[0];
      auto done = effects.contains(push.commit) ? effects.at(push.commit) : 0;
      EXPECT_GE(done, 1) << "the job of " << push.commit << " left no effect";
      if (!told.requeued.contains(runs[0])) {
        EXPECT_EQ(done, 1) << "the job of " << push.commit << " was done again without being requeued";
      }
    }
  }
  for (const auto& [job, ends] : told.ends_of_job) EXPECT_EQ(ends, 1) << "ends of the job " << job;
  for (const auto& event : log) {
    if (!is(event, "pipelinerun.finished")) continue;
    EXPECT_NE(told.root_of(event).find("push.accepted"), std::string::npos) << told.root_of(event);
  }
}

void expect_refs(Platform& platform, const Clone& clone, const std::vector<json::value>& log,
                 const std::vector<Push>& pushes) {
  Told told(log);
  ASSERT_TRUE(platform.start()) << platform.said();
  auto refs = clone.git({"ls-remote", "origin"});
  ASSERT_EQ(refs.exit, 0) << refs.err;
  for (const auto& [ref, commit] : told.ref_is)
    EXPECT_NE(refs.out.find(commit + "\t" + ref + "\n"), std::string::npos)
        << ref << " is not " << commit << ", as the log says:\n"
        << refs.out;
  // Of the last push that git reported as done, nothing older may be what the ref is.
  std::map<std::string, std::vector<Push>> by_ref;
  for (const auto& push : pushes) by_ref[push.ref].push_back(push);
  for (auto& [ref, list] : by_ref) {
    bool reached = false;
    for (size_t i = list.size(); i-- > 0 && !reached;) {
      reached = told.ref_is[ref] == list[i].commit;
      if (!reached) {
        EXPECT_FALSE(list[i].succeeded) << ref << " lost " << list[i].commit;
      }
    }
  }
}

}  // namespace

TEST(Kills, NothingAcknowledgedIsLostAndNothingIsDoneTwiceWhileTheServerIsKilledDuringPushes) {
  const int kills = number_of("HEADRACE_KILLS", kills_unless_told);
  const auto seed = static_cast<unsigned>(number_of("HEADRACE_SEED", static_cast<int>(std::random_device{}() >> 1)));
  std::cout << kills << " kills, HEADRACE_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/kills"}).exit, 0);
  std::vector<Clone> cloned;
  for (int i = 0; i < clones; ++i) {
    cloned.emplace_back(platform, "team/kills", "clone" + std::to_string(i));
    cloned.back().write(
        ".github/workflows/ci.yml",
        "on: push\njobs:\n  effect:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo $GITHUB_SHA >> " +
            platform.folder() + "/effects\n");
  }

  std::atomic<bool> end = false;
  std::atomic<int> done = 0;
  std::vector<std::vector<Push>> pushes(clones);
  std::vector<std::jthread> pushing;
  for (size_t i = 0; i < clones; ++i)
    pushing.emplace_back([&, i] { push_on(cloned[i], "branch" + std::to_string(i), end, done, pushes[i]); });
  for (int kill = 0; kill < kills && !testing::Test::HasFailure(); ++kill) {
    std::uniform_int_distribution<int> moment(between_kills_least.count(), between_kills_most.count());
    std::this_thread::sleep_for(milliseconds(moment(random)));  // the moment of the kill is what chance chooses
    if (kill % kills_a_push == 0) {
      EXPECT_TRUE(eventually([&] { return done * kills_a_push > kill; })) << "pushes do not get through";
    }
    platform.kill();
    if (kill % 4 == 0) expect_whole(platform);
    EXPECT_TRUE(platform.start()) << "after kill " << kill + 1 << ": " << platform.said();
  }
  end = true;
  pushing.clear();
  ASSERT_FALSE(testing::Test::HasFailure());

  EXPECT_TRUE(eventually([&] { return nothing_at_work(platform); }, milliseconds(120'000))) << "runs did not end";
  EXPECT_TRUE(platform.ready());
  platform.terminate();
  expect_whole(platform);
  std::vector<Push> all;
  for (const auto& list : pushes) all.insert(all.end(), list.begin(), list.end());
  std::cout << all.size() << " pushes, " << done << " reported as done\n";
  EXPECT_GT(done * kills_a_push, kills - kills_a_push);
  auto log = platform.log();
  expect_once(log, all, effects_by_commit(support::read_file(platform.folder() + "/effects")));
  expect_refs(platform, cloned[0], log, all);
}

TEST(Kills, AJobGoesOnWhileTheServerIsKilledAndNoLineOfItIsMissingOrDoubled) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/lines"}).exit, 0);
  Clone clone(platform, "team/lines", "lines");
  auto go = platform.folder() + "/go";
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  count:\n    runs-on: ubuntu-latest\n    steps:\n"
              "      - run: n=0; until [ -e " +
                  go + " ]; do n=$((n+1)); echo \"line $n\"; sleep 0.002; done; echo \"last $n\"\n");
  clone.commit("count");
  ASSERT_EQ(clone.push().exit, 0);
  auto log_now = [&] { return platform.cli({"run", "log", "--repo", "team/lines"}).out; };
  ASSERT_TRUE(eventually([&] { return log_now().find(" line 20\n") != std::string::npos; }));
  auto runner = platform.runner_pid();
  auto watching = platform.cli_running({"run", "watch", "--repo", "team/lines"});
  ASSERT_TRUE(eventually([&] { return watching->out().find("| line 20\n") != std::string::npos; }));
  for (int kill = 0; kill < 3; ++kill) {
    platform.kill();
    ASSERT_TRUE(platform.start()) << platform.said();
    EXPECT_EQ(platform.runner_pid(), runner) << "the runner was not adopted";
    EXPECT_TRUE(eventually([&] {
      return platform.http({"GET", "/api/v1/status", {}, {}}).body.find("\"name\":\"local\"") != std::string::npos;
    }));
  }
  support::write_file(go, "");
  auto watched = watching->wait();
  EXPECT_EQ(watched.exit, 0) << watched.err;
  auto text = log_now();
  auto expect_lines = [](const std::string& lines, const std::string& before) {
    auto last = lines.find(before + "last ");
    ASSERT_NE(last, std::string::npos) << lines.substr(lines.size() > 400 ? lines.size() - 400 : 0);
    int count = std::atoi(lines.c_str() + last + before.size() + 5);
    size_t at = 0;
    for (int n = 1; n <= count; ++n) {
      auto found = lines.find(before + "line ", at);
      ASSERT_NE(found, std::string::npos) << "line " << n << " is missing";
      ASSERT_EQ(std::atoi(lines.c_str() + found + before.size() + 5), n) << "lines are missing or doubled";
      at = found + 1;
    }
    EXPECT_EQ(lines.find(before + "line ", at), std::string::npos) << "more lines than were printed";
  };
  expect_lines(text, " ");
  expect_lines(watched.out, "| ");
}

}  // namespace headrace
