// rooms: runner store bus log process net sqlite events core
//
// Jobs, from job.queued durable to taskrun.finished durable, their logs synced: a server's side of the runner service
// on a durable log and a Unix socket, and a runner in a process of its own (runner_stand.h). Jobs run in sandboxes as
// `serve` has them, each with a network of its own, where this machine can make them; rows of the host say so. Beside
// them, live where they are installed, Buildbot and gitlab-ci-local (ci_peers.h), which isolate nothing. "The producer
// alone" is the same script by bash, printing into a pipe that cat empties.
#include <fstream>

#include "ci_peers.h"
#include "runner_stand.h"

namespace headrace::runner {
namespace {

using bench::Better;

constexpr int rounds = 5;
constexpr int jobs_at_once = 200;
constexpr int builds_at_once = 12;  // of Buildbot, which takes a third of a second for each
constexpr int further_steps = 20;
constexpr std::string_view million_lines = "seq 1 1000000";
constexpr std::string_view two_hundred_megabytes = "yes \"$(printf '%099d' 0)\" | head -c 200000000";
constexpr std::string_view gigabyte_in_a_line = "head -c 1000000000 /dev/zero | tr '\\0' x";
constexpr std::string_view timed_lines = "for i in {1..300}; do echo $EPOCHREALTIME; sleep 0.01; done";
constexpr const char* laminar_alone = "Laminar: 18.4 ms (recorded, no sandbox)";

// What a process holds at most since the last reset, in MiB.
double peak_memory(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}
void reset_peak(pid_t process) { std::ofstream("/proc/" + std::to_string(process) + "/clear_refs") << "5"; }

struct Bench {
  Stand& stand;
  std::string executor;  // "sandbox" where one can be made
  bench::Buildbot* buildbot;
  bench::GitlabCiLocal* gitlab;

  Measured job(std::string_view script, int steps = 1) const { return {std::string(script), executor, steps}; }
  std::string where() const { return executor == "sandbox" ? "sandboxed" : "on the host"; }
  double wall_ms(const std::string& executor_of, int steps = 1) const {
    return stand.run_jobs({"true", executor_of, steps}, 1) * 1000;
  }
};

void no_ops(const Bench& on) {
  std::vector<double> walls, theirs, host;
  for (int i = 0; i < 60; ++i) {
    walls.push_back(on.wall_ms(on.executor));
    host.push_back(on.wall_ms("host"));
    if (on.buildbot != nullptr && i % 4 == 0) theirs.push_back(on.buildbot->run("noop", 1).wall * 1000);
  }
  std::optional<double> reference;
  if (!theirs.empty()) reference = bench::median(theirs);
  bench::print({.figure = "runner: no-op job, wall, " + on.where(),
                .unit = "ms",
                .ours = bench::median(walls),
                .reference = reference,
                .against = "Buildbot",
                .better = Better::lower,
                .target = bench::at_most(15),
                .note = "p95 " + std::to_string(bench::quantile(walls, 0.95)) + " ms; on the host " +
                        std::to_string(bench::median(host)) + " ms; " + laminar_alone});
}

double jobs_a_second(const Bench& on, const std::string& executor) {
  return jobs_at_once / on.stand.run_jobs({"true", executor, 1}, jobs_at_once);
}

void many(const Bench& on, const std::string& executor, double wanted) {
  const std::string figure =
      "runner: 200 no-op jobs queued at once, " + std::string(executor == "sandbox" ? "sandboxed" : "on the host");
  std::vector<double> ours, gitlab, buildbot;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(jobs_a_second(on, executor));
    if (on.gitlab != nullptr) gitlab.push_back(jobs_at_once / on.gitlab->run("true", jobs_at_once));
    if (on.buildbot != nullptr && round < 2)
      buildbot.push_back(builds_at_once / on.buildbot->run("noop", builds_at_once).wall);
  }
  std::optional<double> reference;
  if (!gitlab.empty()) reference = bench::median(gitlab);
  std::string note = std::to_string(slots) + " slots; Laminar: 118 jobs/s (recorded, no sandbox)";
  if (!buildbot.empty()) note += "; Buildbot, 12 at once: " + std::to_string(bench::median(buildbot)) + " jobs/s";
  bench::print({.figure = figure,
                .unit = "jobs/s",
                .ours = bench::median(ours),
                .reference = reference,
                .against = "gitlab-ci-local, no sandbox",
                .better = Better::higher,
                .target = bench::at_least(wanted),
                .note = note});
}

void steps(const Bench& on) {
  auto each = [&](const std::string& executor) {
    std::vector<double> one, more;
    for (int i = 0; i < 15; ++i) {
      one.push_back(on.wall_ms(executor));
      more.push_back(on.wall_ms(executor, 1 + further_steps));
    }
    return (bench::median(more) - bench::median(one)) / further_steps;
  };
  std::optional<double> reference;
  if (on.buildbot != nullptr) {
    double one = on.buildbot->run("noop", 1).wall;
    reference = (on.buildbot->run("steps", 1).wall - one) * 1000 / further_steps;
  }
  bench::print({.figure = "runner: a further step in the same job, " + on.where(),
                .unit = "ms",
                .ours = each(on.executor),
                .reference = reference,
                .against = "Buildbot",
                .better = Better::lower,
                .target = bench::at_most(2),
                .note = "a script by bash, with its file commands and a look for reports; on the host " +
                        std::to_string(each("host")) + " ms; crun exec: 8.7 ms (recorded)"});
}

double alone(std::string_view script) {
  std::string command =
      "bash -c '" + std::string(script.starts_with("yes") ? "yes \"$(printf %099d 0)\" | head -c 200000000" : script) +
      "' | cat > /dev/null";
  return bench::seconds([&] { core::require(std::system(command.c_str()) == 0, "the producer runs"); });
}

// Milliseconds from a line's own time to when a reader of the log had it.
core::Task<> watch(Stand& stand, LogName name, std::vector<double>& late) {
  std::string seen;
  uint64_t from = 0;
  while (true) {
    bool growing = stand.logs().growing(name);
    auto piece = stand.logs().read(name, from, 64 * 1024);
    auto now = std::chrono::duration<double, std::milli>(stand.clock().now().time_since_epoch()).count();
    if (piece && !piece->empty()) {
      from += piece->size();
      seen += *piece;
      for (size_t end = seen.find('\n'); end != std::string::npos; end = seen.find('\n')) {
        std::string line = seen.substr(0, end);
        seen.erase(0, end + 1);
        // The script of the step stands before its output, and is no time.
        if (line.size() > 30 && line.substr(27, 3) == " 1 " && line[30] >= '0' && line[30] <= '9')
          late.push_back(now - std::strtod(line.c_str() + 30, nullptr) * 1000);
      }
      continue;
    }
    if (!growing && from > 0) co_return;
    if (growing) co_await stand.logs().until_beyond(name, from, std::chrono::seconds(1));
    if (!growing) co_await stand.clock().sleep_for(std::chrono::milliseconds(1));
  }
}

void latency(const Bench& on) {
  Stand& stand = on.stand;
  std::vector<double> late;
  core::Scope scope(stand.loop().executor());
  const std::string before = stand.last_job();
  scope.spawn("job", stand.jobs(on.job(timed_lines), 1));
  while (stand.last_job() == before) stand.loop().poll();
  scope.spawn("watcher", watch(stand, {stand.last_job(), 1}, late));
  stand.loop().run(scope.until_idle());
  bench::print(
      {.figure = "runner: a line printed -> seen by a watcher, p95",
       .unit = "ms",
       .ours = bench::quantile(late, 0.95),
       .reference = 1000,
       .against = "Woodpecker (recorded, up to)",
       .better = Better::lower,
       .target = bench::at_most(25),
       .note = "p50 " + std::to_string(bench::median(late)) + " ms of " + std::to_string(late.size()) + " lines"});
}

void lines(const Bench& on) {
  std::vector<double> ours, producer, gitlab, buildbot;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(on.stand.run_jobs(on.job(million_lines), 1));
    producer.push_back(alone(million_lines));
    if (on.buildbot != nullptr && round < 2) buildbot.push_back(on.buildbot->run("lines", 1).wall);
    if (on.gitlab != nullptr && round < 1) gitlab.push_back(on.gitlab->run(std::string(million_lines), 1));
  }
  std::optional<double> reference;
  if (!buildbot.empty()) reference = bench::median(buildbot) - bench::median(producer);
  std::string note = "whole job " + std::to_string(bench::median(ours)) + " s, producer " +
                     std::to_string(bench::median(producer)) + " s; log synced; Laminar: 0.32 s (recorded, whole job)";
  if (!gitlab.empty()) note += "; gitlab-ci-local: " + std::to_string(bench::median(gitlab)) + " s";
  bench::print({.figure = "runner: one step prints 1,000,000 lines, over the producer alone",
                .unit = "s",
                .ours = bench::median(ours) - bench::median(producer),
                .reference = reference,
                .against = "Buildbot",
                .better = Better::lower,
                .target = bench::at_most(0.1),
                .note = note});
}

// How much more the server and the runner held while the jobs ran.
struct Growth {
  double server = 0, runner = 0;
};
Growth growth(const Bench& on, const std::function<void()>& work) {
  const pid_t processes[] = {getpid(), on.stand.worker()};
  double before[2];
  for (int i = 0; i < 2; ++i) {
    reset_peak(processes[i]);
    before[i] = peak_memory(processes[i]);
  }
  work();
  return {peak_memory(processes[0]) - before[0], peak_memory(processes[1]) - before[1]};
}

void bytes(const Bench& on) {
  bench::Sides took;
  Growth grown = growth(on, [&] {
    took = bench::alternate(
        rounds, [&] { return on.stand.run_jobs(on.job(two_hundred_megabytes), 1); },
        [] { return alone(two_hundred_megabytes); });
  });
  bench::print({.figure = "runner: one step prints 200 MB",
                .unit = "s",
                .ours = took.ours,
                .reference = 2.6,
                .against = "Laminar (recorded)",
                .better = Better::lower,
                .target = bench::at_most(0.6),
                .note = "producer alone " + std::to_string(took.reference) + " s; log synced"});
  bench::print({.figure = "runner: growth of the server while 200 MB are printed",
                .unit = "MiB",
                .ours = grown.server,
                .reference = 586,
                .against = "Laminar (recorded)",
                .better = Better::lower,
                .target = bench::at_most(16),
                .note = "of the runner: " + std::to_string(grown.runner) + " MiB"});
  grown = growth(on, [&] { on.stand.run_jobs(on.job(gigabyte_in_a_line), 1); });
  bench::print({.figure = "runner: growth of the server while 1 GB is printed without a line feed",
                .unit = "MiB",
                .ours = grown.server,
                .reference = {},
                .against = {},
                .better = Better::lower,
                .target = bench::at_most(16),
                .note = "of the runner: " + std::to_string(grown.runner) + " MiB"});
}

}  // namespace
}  // namespace headrace::runner

int main(int argc, char** argv) {
  using namespace headrace;
  if (argc == 4 && std::string(argv[1]) == "worker") return runner::work(argv[2], argv[3]);
  runner::Stand stand;
  auto sandbox = stand.can_sandbox();
  if (!sandbox) bench::print_skip("runner: rows in a sandbox", sandbox.error().message);
  auto buildbot = bench::Buildbot::start(stand.path(""), runner::slots);
  auto gitlab = bench::GitlabCiLocal::find(stand.path(""));
  runner::Bench on{stand, sandbox ? "sandbox" : "host", buildbot.get(), gitlab.get()};
  stand.run_jobs({"true", "host", 1}, runner::slots);  // warm
  if (sandbox) stand.run_jobs({"true", "sandbox", 1}, runner::slots);
  runner::no_ops(on);
  if (sandbox) runner::many(on, "sandbox", 118);
  runner::many(on, "host", 300);
  runner::steps(on);
  runner::latency(on);
  runner::lines(on);
  runner::bytes(on);
  return 0;
}
