// The events of a platform that has run for years, as its services say them: runs of workflows in many repositories,
// most of few, with their pushes, jobs and test reports, and events of other tools between them. The same seed says the
// same.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "events/repository.h"
#include "events/runner.h"
#include "events/tests.h"
#include "events/vocabulary.h"
#include "report/pack.h"
#include "services/pipeline/numbers.h"

namespace headrace::bench {

inline constexpr int scale_repositories = 200;
inline constexpr int scale_actors = 300;
inline constexpr int tests_of_a_report = 20;
inline constexpr int unfinished_runs = 20;  // the newest

inline std::string scale_repository(int number) {
  return "org" + std::to_string(number % 7) + "/service-" + std::to_string(number);
}

class ScaleEvents {
 public:
  using Say = std::function<void(events::Event)>;
  ScaleEvents(int64_t runs, Say say) : runs_(runs), say_(std::move(say)) {
    now_ = core::parse_time("2025-01-01T00:00:00Z").value();
    step_ = core::Duration(std::chrono::hours(24 * 600)) / std::max<int64_t>(1, runs * 12);
  }

  void say_all() {
    for (int i = 0; i < scale_repositories; ++i) say_repository(i);
    for (int64_t run = 1; run <= runs_; ++run) say_run(run);
  }
  int64_t said() const { return said_; }

 private:
  template <class T>
  void say(const T& what, const std::string& service) {
    events::Header header{
        .id = uuid(++said_, 0xe), .source = "/headrace/" + service, .time = now_ += step_, .actor = "user:alice"};
    header.causation_id = cause_;
    header.correlation_id = root_;
    auto event = events::encode(what, header);
    if (root_.empty()) root_ = event.id;
    cause_ = event.id;
    say_(std::move(event));
  }

  // Version 7 in shape; ordered as those of the platform are.
  static std::string uuid(int64_t number, unsigned kind) {
    std::array<char, 37> text{};
    std::snprintf(text.data(), text.size(), "%08llx-%04llx-7%03x-8000-%012llx",
                  static_cast<unsigned long long>(0x01900000 + (number >> 16)),
                  static_cast<unsigned long long>(number & 0xffff), kind, static_cast<unsigned long long>(number));
    return text.data();
  }
  std::string commit() {
    std::string digits;
    while (digits.size() < 40) digits.push_back("0123456789abcdef"[random_() % 16]);
    return digits;
  }
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  // Few come often, most seldom.
  int some(int of) { return std::min(of - 1, static_cast<int>(of * std::pow(chance(), 3))); }

  void say_repository(int number) {
    root_.clear(), cause_.clear();
    const std::string name = scale_repository(number);
    auto slash = name.find('/');
    say(events::RepositoryCreated{.full_name = name,
                                  .id = number + 1'000,
                                  .owner = name.substr(0, slash),
                                  .name = name.substr(slash + 1),
                                  .default_branch = "main"},
        "repository");
  }

  std::string branch() {
    const double what = chance();
    if (what < 0.55) return "main";
    if (what < 0.60) return "release/" + std::to_string(random_() % 40);
    return "feature/" + std::to_string(random_() % 50'000);
  }
  std::string title() {
    static constexpr std::array verbs{"Fix", "Add", "Remove", "Speed up", "Rename", "Test", "Document", "Bump"};
    static constexpr std::array nouns{"the cart",   "totals",      "login",  "the cache", "retries",   "a race",
                                      "the parser", "deployments", "search", "metrics",   "a timeout", "the schema"};
    return std::string(verbs[random_() % verbs.size()]) + " " + nouns[random_() % nouns.size()] + " of " +
           nouns[random_() % nouns.size()] + " (#" + std::to_string(random_() % 100'000) + ")";
  }
  static events::Conclusion conclusion_at(double what) {
    using enum events::Conclusion;
    if (what < 0.82) return success;
    if (what < 0.92) return failure;
    if (what < 0.97) return cancelled;
    if (what < 0.99) return skipped;
    if (what < 0.996) return timed_out;
    return what < 0.9995 ? startup_failure : action_required;
  }

  void say_run(int64_t number) {
    static constexpr std::array workflows{std::pair{"CI", "ci.yml"}, std::pair{"Lint", "lint.yml"},
                                          std::pair{"Release", "release.yml"}, std::pair{"Nightly", "nightly.yml"},
                                          std::pair{"Docs", "docs.yml"}};
    static constexpr std::array kinds{"push", "push", "push", "pull_request", "schedule", "workflow_dispatch"};
    root_.clear(), cause_.clear();
    const int repository = some(scale_repositories);
    const auto& [workflow, file] = workflows[static_cast<size_t>(some(static_cast<int>(workflows.size())))];
    events::RunQueued run;
    run.run = uuid(number, 0xa);
    run.id = number + 1'000'000;
    run.repository = scale_repository(repository);
    run.repository_id = repository + 1'000;
    run.workflow = workflow;
    run.workflow_file = std::string(".github/workflows/") + file;
    run.number = ++numbers_[run.repository + file];
    run.event = kinds[static_cast<size_t>(some(static_cast<int>(kinds.size())))];
    run.branch = branch();
    run.ref = "refs/heads/" + run.branch;
    run.commit = commit();
    run.actor = "user" + std::to_string(some(scale_actors));
    run.title = title();
    say_push(run);
    run.event_id = cause_;
    run.payload = R"({"ref":")" + run.ref + R"(","after":")" + run.commit + R"(","commits":[{"message":")" + run.title +
                  R"(","text":")" + std::string(600, 'x') + "\"}]}";
    const size_t jobs = chance() < 0.8 ? 1 : 2;
    for (size_t i = 0; i < jobs; ++i)
      run.jobs.push_back(
          {.key = i == 0 ? "build" : "test", .name = i == 0 ? "build" : "test", .place = std::to_string(i)});
    say(run, "pipeline");
    say_jobs(run, jobs, number > runs_ - unfinished_runs);
    say_foreign();
  }

  void say_push(const events::RunQueued& run) {
    if (run.event == "schedule") return;
    say(events::PushReceived{.push = uuid(said_, 0xb),
                             .repository = run.repository,
                             .repository_id = run.repository_id,
                             .updates = {{.ref = run.ref,
                                          .old_commit = std::string(events::no_commit),
                                          .new_commit = run.commit,
                                          .applied = true,
                                          .forced = false}},
                             .default_branch = "main"},
        "repository");
  }

  void say_jobs(const events::RunQueued& run, size_t jobs, bool unfinished) {
    const auto conclusion = conclusion_at(chance());
    for (size_t i = 0; i < jobs; ++i) {
      const std::string& key = run.jobs[i].key;
      const std::string job = pipeline::job_uuid(run.run, 1, key);
      say(events::JobQueued{.job = job,
                            .id = run.id * 10 + static_cast<int64_t>(i),
                            .run = run.run,
                            .repository = run.repository,
                            .key = key,
                            .name = key,
                            .labels = {"ubuntu-latest"},
                            .commit = run.commit,
                            .ref = run.ref,
                            .spec = R"({"steps":[{"run":")" + std::string(500, 's') + "\"}]}"},
          "pipeline");
      if (unfinished) return;
      say(
          events::JobLeased{
              .job = job, .run = run.run, .repository = run.repository, .runner = "one", .executor = "host"},
          "runner");
      say(events::JobStarted{.job = job, .run = run.run, .repository = run.repository, .name = key, .runner = "one"},
          "runner");
      if (i == 0)
        say(
            events::RunStarted{
                .run = run.run, .repository = run.repository, .number = run.number, .workflow = run.workflow},
            "pipeline");
      if (i == 0 && chance() < 0.15) say_report(run, job, key);
      say_job_end(run, job, key, conclusion);
    }
    say(events::RunFinished{.run = run.run,
                            .repository = run.repository,
                            .number = run.number,
                            .workflow = run.workflow,
                            .conclusion = conclusion},
        "pipeline");
  }

  void say_job_end(const events::RunQueued& run, const std::string& job, const std::string& key,
                   events::Conclusion conclusion) {
    events::JobFinished ended{.job = job, .run = run.run, .repository = run.repository, .name = key, .runner = "one"};
    ended.conclusion = conclusion;
    ended.log = {20'000, 400};
    for (int64_t step = 1; step <= 4; ++step)
      ended.steps.push_back({.number = step,
                             .name = "Run make step " + std::to_string(step),
                             .started_at = now_,
                             .completed_at = now_ + std::chrono::seconds(step),
                             .exit_code = 0});
    say(ended, "runner");
  }

  void say_report(const events::RunQueued& run, const std::string& job, const std::string& key) {
    report::Report read;
    read.suites.emplace_back().name = "unit";
    for (int i = 0; i < tests_of_a_report; ++i) {
      report::Case one;
      one.suite = 0;
      one.class_name = "shop.Test" + std::to_string(i % 5);
      one.name = "adds up " + std::to_string(i);
      one.seconds = chance();
      if (chance() < 0.01) one.outcome = report::Outcome::failed, one.message = "3 is not 4";
      if (chance() < 0.005 && one.outcome == report::Outcome::passed) one.reruns = 1;
      read.counted.add(one);
      read.cases.push_back(std::move(one));
    }
    auto packed = report::pack(read);
    events::TestSuiteFinished suite{.report = job + "-1-2-0123456789ab", .environment = "host", .suite = "unit.xml"};
    suite.repository = run.repository;
    suite.run = run.run;
    suite.job = job;
    suite.job_key = key;
    suite.step = 2;
    suite.ref = run.ref;
    suite.commit = run.commit;
    suite.tree = run.commit;
    suite.file = "unit.xml";
    suite.totals = {.suites = 1,
                    .cases = tests_of_a_report,
                    .passed = read.counted.passed,
                    .failed = read.counted.failed,
                    .flaky = read.counted.flaky,
                    .duration_us = 1'000'000};
    suite.parts = static_cast<int64_t>(packed.parts.size());
    suite.told = packed.told;
    say(suite, "runner");
    for (size_t i = 0; i < packed.parts.size(); ++i)
      say(events::TestResults{.report = suite.report,
                              .repository = run.repository,
                              .part = static_cast<int64_t>(i) + 1,
                              .parts = suite.parts,
                              .packed = core::to_base64(core::as_bytes(packed.parts[i]))},
          "runner");
  }

  // Of other tools: as many as bring ten events a run.
  void say_foreign() {
    for (int i = 0; i < (chance() < 0.4 ? 2 : 1); ++i) {
      events::Event event;
      event.id = uuid(++said_, 0xf);
      event.source = "https://shop.example/deploy";
      event.type = "com.example.deployed";
      event.time = now_ += step_;
      event.datacontenttype = "application/json";
      event.has_data = true;
      event.data = R"({"service":"shop","version":)" + std::to_string(said_) + "}";
      say_(std::move(event));
    }
  }

  int64_t runs_;
  Say say_;
  core::Time now_;
  core::Duration step_{};
  std::string root_, cause_;
  int64_t said_ = 0;
  std::map<std::string, int64_t> numbers_;
  std::mt19937_64 random_{7};
};

}  // namespace headrace::bench
