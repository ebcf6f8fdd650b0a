#include "services/runner/job_execution.h"

#include <signal.h>

#include <array>

namespace headrace::runner {

using core::Result;
using core::Task;
using events::Conclusion;

namespace {

constexpr size_t read_bytes = 64 * 1024;

void set(Variables& variables, std::string name, std::string value) {
  for (auto& [known, old] : variables) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  variables.emplace_back(std::move(name), std::move(value));
}

// argv of a step's shell. GitHub Docs, "jobs.<job_id>.steps[*].shell": bash as default `bash -e FILE`, bash by name
// `bash --noprofile --norc -eo pipefail FILE`, `sh -e FILE`, `python FILE`. invalid: no such shell.
Result<std::vector<std::string>> shell_command(const StepSpec& step, const std::string& script) {
  if (step.shell == "bash" && !step.shell_given) return std::vector<std::string>{"bash", "-e", script};
  if (step.shell == "bash") return std::vector<std::string>{"bash", "--noprofile", "--norc", "-eo", "pipefail", script};
  if (step.shell == "sh") return std::vector<std::string>{"sh", "-e", script};
  if (step.shell == "python") return std::vector<std::string>{"python3", script};
  return core::fail(core::Code::invalid, "The shell '" + step.shell + "' is not one of bash, sh, python.");
}

std::string_view script_extension(const StepSpec& step) { return step.shell == "python" ? ".py" : ".sh"; }

std::string minutes_text(int64_t minutes) { return std::to_string(minutes) + (minutes == 1 ? " minute" : " minutes"); }

}  // namespace

struct JobExecution::Impl : std::enable_shared_from_this<JobExecution::Impl> {
  Impl(core::Executor on, core::Clock& time, core::Disk& files, Executor& maker, JobObserver& hears, JobSpec what,
       JobPlace where, Times bounds)
      : loop(std::move(on)),
        clock(time),
        disk(files),
        executor(maker),
        observer(hears),
        spec(std::move(what)),
        place(std::move(where)),
        times(bounds),
        lines(time),
        watchdogs(loop),
        progressed(loop) {}

  Task<> prepare();
  Task<> end_surroundings();
  Task<> run_steps();
  Task<> run_step(const StepSpec& step);
  Task<events::StepResult> executed(const StepSpec& step);
  Task<Result<process::Exit>> supervised(std::shared_ptr<process::Child> child);
  Task<> pump(std::shared_ptr<process::Child> child);
  Task<> limit(std::shared_ptr<process::Child> child, core::Duration after, bool& passed);
  Task<> end_gently(std::shared_ptr<process::Child> child);
  Result<std::string> write_script(const StepSpec& step);
  Variables environment_of(const StepSpec& step) const;
  bool runs(const StepSpec& step) const;
  // Holds this for as long as the task runs, which may be longer than its owner where that is cancelled.
  Task<> kept(Task<> task) { return keep(shared_from_this(), std::move(task)); }
  static Task<> keep([[maybe_unused]] std::shared_ptr<Impl> self, Task<> task) { co_await std::move(task); }
  void tell();
  void fail_job(std::string why);
  void time_out();
  Conclusion judge(const StepSpec& step, const process::Exit& exit, bool step_expired);

  core::Executor loop;
  core::Clock& clock;
  core::Disk& disk;
  Executor& executor;
  JobObserver& observer;
  JobSpec spec;
  JobPlace place;
  Times times;
  LogLines lines;
  core::Scope watchdogs;
  core::Signal progressed;  // the step's process has ended, or its output has
  bool output_open = false;
  core::Steady deadline;  // of the job; once it is cancelled or timed out, of what always() steps may still do

  std::unique_ptr<Surroundings> around;
  JobEnd end;
  bool failed = false;
  bool timed_out = false;
  bool cancelled = false;
  std::string cancel_reason;
  std::shared_ptr<process::Child> running;
};

JobExecution::JobExecution(core::Executor loop, core::Clock& clock, core::Disk& disk, Executor& executor,
                           JobObserver& observer, JobSpec spec, JobPlace place, Times times)
    : impl_(std::make_shared<Impl>(std::move(loop), clock, disk, executor, observer, std::move(spec), std::move(place),
                                   times)) {}

JobExecution::~JobExecution() = default;

void JobExecution::cancel(std::string reason) {
  Impl& self = *impl_;
  if (self.cancelled) return;
  self.cancelled = true;
  self.deadline = self.clock.steady() + self.times.cleanup;
  self.cancel_reason = std::move(reason);
  if (self.running) self.watchdogs.spawn("end a cancelled step", self.kept(self.end_gently(self.running)));
}

Task<JobEnd> JobExecution::run() {
  Impl& self = *impl_;
  struct Leave {  // cancelled, it lets go of the step that runs, which ends it
    Impl& self;
    ~Leave() {
      self.watchdogs.cancel();
      self.running = nullptr;
    }
  } leave{self};
  co_await self.prepare();
  if (!self.failed) co_await self.run_steps();
  co_await self.watchdogs.close();
  if (self.around) co_await self.end_surroundings();
  self.lines.end();
  self.tell();
  self.end.conclusion = self.timed_out   ? Conclusion::timed_out
                        : self.cancelled ? Conclusion::cancelled
                        : self.failed    ? Conclusion::failure
                                         : Conclusion::success;
  if (self.cancelled && self.end.errors.empty()) self.end.errors = self.cancel_reason;
  co_return std::move(self.end);
}

Task<> JobExecution::Impl::prepare() {
  JobNeeds needs;
  auto made = co_await executor.prepare(place, std::move(needs));
  if (!made) {
    fail_job(made.error().message);
  } else {
    around = std::move(*made);
    for (const auto& line : around->description()) lines.line(line);
  }
  tell();
}

Task<> JobExecution::Impl::end_surroundings() {
  auto ended = co_await around->end();
  if (!ended) lines.line(ended.error().message);
  around = nullptr;
}

Task<> JobExecution::Impl::run_steps() {
  deadline = clock.steady() + std::chrono::minutes(spec.timeout_minutes);
  for (const auto& step : spec.steps) co_await run_step(step);
}

void JobExecution::Impl::time_out() {
  timed_out = true;
  deadline = clock.steady() + times.cleanup;
  fail_job("The job took longer than its " + minutes_text(spec.timeout_minutes) + " (timeout-minutes).");
}

bool JobExecution::Impl::runs(const StepSpec& step) const {
  switch (step.when) {
    case When::success: return !failed && !cancelled && !timed_out;
    case When::failure: return failed && !cancelled && !timed_out;
    case When::always: return true;
    case When::cancelled: return cancelled || timed_out;
    case When::never: return false;
  }
  return false;
}

Task<> JobExecution::Impl::run_step(const StepSpec& step) {
  if (!runs(step)) {
    end.steps.push_back({.number = step.number,
                         .name = step.name,
                         .conclusion = Conclusion::skipped,
                         .started_at = {},
                         .completed_at = {},
                         .exit_code = {}});
    observer.step_ended(step, Conclusion::skipped);
    co_return;
  }
  lines.begin_step(step.number);
  observer.step_began(step);
  auto started = clock.now();
  auto result = co_await executed(step);
  result.started_at = started;
  result.completed_at = clock.now();
  lines.end();
  tell();
  bool bad = result.conclusion == Conclusion::failure || result.conclusion == Conclusion::timed_out;
  if (bad && step.continue_on_error) {
    result.conclusion = Conclusion::success;  // GitHub: `conclusion` after continue-on-error is applied
  } else if (bad) {
    failed = true;
  }
  end.steps.push_back(result);
  observer.step_ended(step, result.conclusion);
}

Task<events::StepResult> JobExecution::Impl::executed(const StepSpec& step) {
  events::StepResult result{.number = step.number,
                            .name = step.name,
                            .conclusion = Conclusion::failure,
                            .started_at = {},
                            .completed_at = {},
                            .exit_code = {}};
  auto script = write_script(step);
  if (!script) {
    fail_job(script.error().message);
    co_return result;
  }
  auto argv = shell_command(step, *script);
  if (!argv) {
    fail_job(argv.error().message);
    co_return result;
  }
  Command command;
  command.argv = std::move(*argv);
  for (const auto& [name, value] : environment_of(step)) command.environment.push_back(name + "=" + value);
  command.directory = step.working_directory;
  auto started = co_await around->run(std::move(command));
  if (!started) {
    fail_job(started.error().message);
    co_return result;
  }
  std::shared_ptr<process::Child> child = std::move(*started);
  bool step_expired = false;
  bool job_expired = false;
  core::Scope limits(loop);
  if (step.timeout_minutes)
    limits.spawn("time-out of a step", kept(limit(child, std::chrono::minutes(*step.timeout_minutes), step_expired)));
  limits.spawn("time-out of a job", kept(limit(child, deadline - clock.steady(), job_expired)));
  auto exit = co_await supervised(child);
  co_await limits.close();
  if (!exit) {
    fail_job(exit.error().message);
    co_return result;
  }
  if (exit->signal == 0) result.exit_code = exit->code;
  if (job_expired && !cancelled && !timed_out) time_out();
  result.conclusion = job_expired ? Conclusion::timed_out : judge(step, *exit, step_expired);
  co_return result;
}

Conclusion JobExecution::Impl::judge(const StepSpec& step, const process::Exit& exit, bool step_expired) {
  std::string which = "Step " + std::to_string(step.number) + " '" + step.name + "' ";
  std::string what = step_expired
                         ? which + "took longer than its " + minutes_text(step.timeout_minutes.value_or(0)) + "."
                         : which + "ended with " + process::to_string(exit) + ".";
  if (!step_expired && exit.succeeded()) return Conclusion::success;
  if (!step_expired && cancelled) return Conclusion::cancelled;
  if (auto limit = around->limit_hit(); limit && !step_expired) what += " " + *limit;
  lines.line(what);
  if (!step.continue_on_error && end.errors.empty()) end.errors = what;
  return step_expired ? Conclusion::timed_out : Conclusion::failure;
}

Task<Result<process::Exit>> JobExecution::Impl::supervised(std::shared_ptr<process::Child> child) {
  running = child;
  observer.group(child->pid());
  output_open = true;
  core::Scope pumping(loop);
  pumping.spawn("output of a step", kept(pump(child)));
  auto exit = co_await child->wait();
  progressed.notify_all();
  auto patience = clock.steady() + times.drain;
  while (output_open && clock.steady() < patience) co_await progressed.wait_for(patience - clock.steady());
  if (output_open) child->close(process::Stream::out);
  co_await pumping.close();
  running = nullptr;
  co_await watchdogs.close();
  observer.group(0);
  co_return exit;
}

Task<> JobExecution::Impl::pump(std::shared_ptr<process::Child> child) {
  std::array<std::byte, read_bytes> buffer;
  while (true) {
    auto got = co_await child->read(process::Stream::out, buffer);
    if (!got || *got == 0) break;
    lines.add(std::string_view(reinterpret_cast<const char*>(buffer.data()), *got));
    tell();
  }
  output_open = false;
  progressed.notify_all();
}

Task<> JobExecution::Impl::limit(std::shared_ptr<process::Child> child, core::Duration after, bool& passed) {
  co_await clock.sleep_for(after);
  passed = true;
  co_await end_gently(child);
}

Task<> JobExecution::Impl::end_gently(std::shared_ptr<process::Child> child) {
  child->signal_group(SIGINT);
  auto patience = clock.steady() + times.interrupt;
  while (!child->ended() && clock.steady() < patience) co_await progressed.wait_for(patience - clock.steady());
  if (!child->ended()) auto ended = co_await child->end(times.terminate);
}

// The inside path of the step's script.
Result<std::string> JobExecution::Impl::write_script(const StepSpec& step) {
  std::string path = place.temporary + "/step-" + std::to_string(step.number) + std::string(script_extension(step));
  if (auto written = around->write(path, step.run + "\n"); !written) return std::unexpected(written.error());
  return around->to_inside(path).value_or(path);
}

Variables JobExecution::Impl::environment_of(const StepSpec& step) const {
  Variables environment = around->environment();
  for (const auto& [name, value] : spec.variables) set(environment, name, value);
  set(environment, "GITHUB_WORKSPACE", around->inside().workspace);
  set(environment, "RUNNER_TEMP", around->inside().temporary);
  set(environment, "RUNNER_TOOL_CACHE", around->inside().tool_cache);
  set(environment, "RUNNER_OS", "Linux");
  for (const auto& [name, value] : spec.env) set(environment, name, value);
  for (const auto& [name, value] : step.env) set(environment, name, value);
  return environment;
}

void JobExecution::Impl::tell() {
  if (lines.ready().empty()) return;
  auto told = observer.log(lines.ready());
  lines.clear();
  if (told || failed) return;
  failed = true;
  end.errors = told.error().message;
  if (running) watchdogs.spawn("end a step whose output cannot be kept", kept(end_gently(running)));
}

void JobExecution::Impl::fail_job(std::string why) {
  failed = true;
  lines.line(why);
  if (end.errors.empty()) end.errors = std::move(why);
}

}  // namespace headrace::runner
