// rooms: runner process core
//
// What a sandbox costs a job: surroundings made when the job comes, or taken from those that wait; a step of its own;
// all of a no-op job. Beside them the same on the host, and bubblewrap by itself with the same name spaces.
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "core/clock.h"
#include "process/run.h"
#include "report.h"
#include "services/runner/executor.h"

namespace headrace::runner {
namespace {

using core::Task;

constexpr int rounds = 15;

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

class Stand {
 public:
  Stand() {
    char path[] = "/tmp/headrace-bench-XXXXXX";
    top = ::mkdtemp(path);
    options.network = ExecutorOptions::Network::none;
    sandbox = make_executor("sandbox", loop.executor(), clock, disk, options);
    pooled = make_executor("sandbox", loop.executor(), clock, disk, options);
    host = make_host_executor(loop.executor());
  }
  ~Stand() {
    for (auto* one : {&sandbox, &pooled, &host}) one->reset();
    std::error_code ignored;
    std::filesystem::remove_all(top, ignored);
  }

  std::unique_ptr<Surroundings> prepare(Executor& executor) {
    std::string own = top + "/" + std::to_string(++jobs) + "/job";
    JobPlace place{own, own + "/workspace", own + "/temp", {}, {}};
    JobNeeds needs;
    auto made = loop.run(executor.prepare(std::move(place), std::move(needs)));
    core::require(made.has_value(), "surroundings are made");
    return std::move(*made);
  }
  double step(Surroundings& around) {
    auto began = std::chrono::steady_clock::now();
    Command command;
    command.argv = {"/usr/bin/true"};
    auto child = loop.run(around.run(std::move(command)));
    core::require(child.has_value(), "a step begins");
    core::require(loop.run((*child)->wait()).has_value(), "a step ends");
    return milliseconds(began);
  }
  // A no-op job, from asking for surroundings to the end of its step; ending them is not waited for by anybody.
  double job(Executor& executor) {
    auto began = std::chrono::steady_clock::now();
    auto around = prepare(executor);
    step(*around);
    double took = milliseconds(began);
    core::require(loop.run(around->end()).has_value(), "surroundings end");
    return took;
  }
  double pooled_job() {
    JobNeeds needs;
    loop.run(pooled->keep_ready(2, top + "/ready", std::move(needs)));
    return job(*pooled);
  }
  double bubblewrap() {
    process::Spec spec;
    spec.argv = {"bwrap", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-all", "/usr/bin/true"};
    spec.environment = process::inherited_environment({"PATH"});
    process::RunLimits limits;
    auto began = std::chrono::steady_clock::now();
    auto ran = loop.run(process::run(loop.executor(), std::move(spec), {}, limits));
    core::require(ran && ran->exit.succeeded(), "bubblewrap runs");
    return milliseconds(began);
  }

  std::string top;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  ExecutorOptions options;
  std::unique_ptr<Executor> sandbox, pooled, host;
  int jobs = 0;
};

void say(const std::string& figure, const bench::Sides& sides, const std::string& against, bench::Target target) {
  bench::print({.figure = figure,
                .unit = "ms",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = against,
                .better = bench::Better::lower,
                .target = target,
                .note = ""});
}

void measure(Stand& stand) {
  auto cold = bench::alternate(rounds, [&] { return stand.job(*stand.sandbox); }, [&] { return stand.bubblewrap(); });
  say("no-op job in a sandbox made for it", cold, "bwrap alone, a bare no-op", bench::at_most(15));
  auto warm = bench::alternate(rounds, [&] { return stand.pooled_job(); }, [&] { return stand.job(*stand.host); });
  say("no-op job in a sandbox that waited", warm, "the same on the host", bench::at_most(15));
  auto around = stand.prepare(*stand.sandbox);
  auto plain = stand.prepare(*stand.host);
  auto steps = bench::alternate(rounds * 5, [&] { return stand.step(*around); }, [&] { return stand.step(*plain); });
  say("a further step in a sandbox", steps, "the same on the host", bench::at_most(2));
  core::require(stand.loop.run(around->end()).has_value(), "surroundings end");
}

}  // namespace
}  // namespace headrace::runner

int main() {
  using namespace headrace;
  runner::Stand stand;
  auto can = stand.loop.run(stand.sandbox->available());
  if (!can) {
    bench::print_skip("sandboxes", can.error().message);
    return 0;
  }
  runner::measure(stand);
  return 0;
}
