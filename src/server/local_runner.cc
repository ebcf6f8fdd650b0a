#include "server/local_runner.h"

#include "core/diagnostics.h"
#include "process/adopt.h"
#include "process/child.h"
#include "process/family.h"
#include "services/runner/leftovers.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds restart_first{1};
constexpr std::chrono::seconds restart_most{30};
constexpr std::chrono::seconds settled_after{60};  // a runner that lived so long is started again at once

// A child of ours stays a zombie until somebody asks for its exit.
Task<> reap(std::unique_ptr<process::Child> mine) {
  auto exit = co_await mine->wait();
  if (exit) core::diagnose(core::Level::info, "server", "the runner ended: " + process::to_string(*exit));
}

}  // namespace

struct LocalRunner::Impl {
  Impl(core::Loop& on, core::Clock& time, core::Disk& files, LocalRunnerOptions chosen)
      : loop(on), clock(time), disk(files), options(std::move(chosen)), tasks(loop.executor()) {}

  std::vector<std::string> command() const;
  std::string record_path() const { return options.data + "/run/runner.json"; }
  Result<std::unique_ptr<process::Adopted>> adopt_or_start();  // null: it has ended already
  Result<std::unique_ptr<process::Adopted>> launch();
  Task<> look_after(std::unique_ptr<process::Adopted> running);

  core::Loop& loop;
  core::Clock& clock;
  core::Disk& disk;
  LocalRunnerOptions options;
  std::function<void()> replace;
  core::Scope tasks;
};

LocalRunner::LocalRunner(core::Loop& loop, core::Clock& clock, core::Disk& disk, LocalRunnerOptions options)
    : impl_(std::make_unique<Impl>(loop, clock, disk, std::move(options))) {}

LocalRunner::~LocalRunner() = default;

std::vector<std::string> LocalRunner::Impl::command() const {
  std::vector<std::string> argv{options.program,
                                "runner",
                                "--server",
                                "http://localhost",
                                "--socket",
                                options.data + "/run/server.sock",
                                "--token-file",
                                options.token_file,
                                "--name",
                                options.name,
                                "--data",
                                options.data + "/runner",
                                "--slots",
                                std::to_string(options.slots),
                                "--sandbox-network",
                                options.sandbox_network,
                                "--actions-upstream",
                                options.actions_upstream.empty() ? "none" : options.actions_upstream};
  if (!options.container_engine.empty()) argv.insert(argv.end(), {"--container-engine", options.container_engine});
  for (const auto& folder : options.container_volumes) argv.insert(argv.end(), {"--container-volume", folder});
  for (const auto& [label, executor] : options.labels) {
    argv.emplace_back("--label");
    argv.push_back(label + "=" + executor);
  }
  return argv;
}

Result<> LocalRunner::start(std::function<void()> replace) {
  impl_->replace = std::move(replace);
  auto running = impl_->adopt_or_start();
  if (!running) return std::unexpected(running.error());
  impl_->tasks.spawn("look after the runner", impl_->look_after(std::move(*running)));
  return {};
}

Task<> LocalRunner::stop() { co_await impl_->tasks.close(); }

Result<std::unique_ptr<process::Adopted>> LocalRunner::Impl::adopt_or_start() {
  auto record = process::load_record(disk, record_path());
  if (!record) core::diagnose(core::Level::warning, "server", "the record of the runner: " + record.error().message);
  if (!record || !*record) return launch();
  auto running = process::adopt(loop.executor(), **record);
  if (!running || !*running) return launch();
  if (process::arguments_of((**record).pid) != command()) replace();
  return running;
}

Result<std::unique_ptr<process::Adopted>> LocalRunner::Impl::launch() {
  process::Spec spec;
  spec.argv = command();
  spec.environment =
      process::inherited_environment({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ"});
  // It writes its record itself, before it takes a job, so that a server killed here leaves none that nobody knows of.
  spec.environment.push_back(std::string(runner::record_variable) + "=" + record_path());
  spec.out = process::Redirect::file(options.data + "/run/runner.log");
  spec.err = process::Redirect::same_as_out();
  spec.group = process::Spec::Group::session;
  spec.leftovers = process::Spec::Leftovers::keep;
  spec.abandoned = process::Spec::Abandoned::keep;
  auto child = process::spawn(loop.executor(), std::move(spec));
  if (!child) return std::unexpected(child.error());
  auto record = process::record_of((*child)->pid());
  tasks.spawn("reap the runner", reap(std::move(*child)));
  if (!record) return std::unique_ptr<process::Adopted>();
  return process::adopt(loop.executor(), *record);
}

Task<> LocalRunner::Impl::look_after(std::unique_ptr<process::Adopted> running) {
  auto pause = restart_first;
  while (true) {
    auto since = clock.steady();
    if (running) {
      auto gone = co_await running->gone();
      if (!gone) co_return;  // given up: the server ends, the runner lives on
    }
    if (clock.steady() - since > settled_after) pause = restart_first;
    core::diagnose(core::Level::warning, "server",
                   "the runner has ended; its output is in " + options.data + "/run/runner.log; starting it again");
    while (true) {
      co_await clock.sleep_for(pause);
      pause = std::min(pause * 2, restart_most);
      auto again =
          adopt_or_start();  // a runner of before may have had the folder, and the one that ended gave way to it
      if (again) {
        running = std::move(*again);
        break;
      }
      core::diagnose(core::Level::error, "server", "starting the runner: " + again.error().message);
    }
  }
}

}  // namespace headrace::server
