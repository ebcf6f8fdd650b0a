#include "cli/exec_run.h"

#include <algorithm>

#include "core/diagnostics.h"
#include "services/runner/assignment.h"

namespace headrace::cli {

using core::Task;
using events::Conclusion;
using pipeline::Force;

ExecRun::ExecRun(Around around)
    : around_(std::move(around)), tasks_(around_.job.loop.executor()), changed_(around_.job.loop.executor()) {}

Task<> ExecRun::run() {
  while (true) {
    hear();
    start();
    if (around_.runs.over() && working_.empty()) break;
    if (stops_ > 1) break;
    around_.job.screen.flush();
    co_await changed_.wait();
  }
  if (stops_ > 1) co_await tasks_.close();
  co_await tasks_.until_idle();
}

void ExecRun::stop() {
  ++stops_;
  auto& screen = around_.job.screen;
  if (stops_ == 1) screen.warn("Cancelling: jobs end in good order. Once more ends them at once.");
  if (stops_ == 2) screen.warn("Ending at once.");
  around_.runs.cancel("cancelled by " + std::string(stops_ == 1 ? "Ctrl-C" : "a second Ctrl-C"),
                      stops_ == 1 ? Force::no : Force::yes);
  changed_.notify_all();
}

// Until nothing more is said: a job that cannot run is over at once, and others may follow from that.
void ExecRun::hear() {
  for (auto words = around_.runs.take(); !words.empty(); words = around_.runs.take()) {
    for (auto& word : words) {
      if (auto* queued = std::get_if<events::JobQueued>(&word)) ready_.push_back(std::move(*queued));
      if (auto* cancelled = std::get_if<events::JobCancelled>(&word)) hear(*cancelled);
      if (auto* skipped = std::get_if<events::JobSkipped>(&word))
        around_.job.screen.job_ended(skipped->name, Conclusion::skipped, skipped->reason, core::Duration(0));
      if (auto* settled = std::get_if<events::JobSettled>(&word); settled != nullptr && !settled->reason.empty())
        around_.job.screen.job_ended(settled->name, settled->conclusion, settled->reason, core::Duration(0));
    }
    std::deque<events::JobQueued> waiting = std::exchange(ready_, {});
    for (auto& order : waiting) {
      if (runner::executor_of(around_.labels, order.labels).empty())
        refuse(order);
      else
        ready_.push_back(std::move(order));
    }
  }
}

void ExecRun::hear(const events::JobCancelled& said) {
  std::erase_if(ready_, [&](const auto& one) { return one.job == said.job; });
  auto ending = said.forced ? runner::Ending::at_once : runner::Ending::in_good_order;
  if (auto job = working_.find(said.job); job != working_.end()) job->second->cancel(said.reason, ending);
}

// On GitHub such a job would wait for a runner; here none will come. The others need not fail because of it.
void ExecRun::refuse(const events::JobQueued& order) {
  std::string wanted;
  for (const auto& label : order.labels) wanted.append(wanted.empty() ? "" : ", ").append(label);
  std::string first = order.labels.empty() ? "LABEL" : order.labels.front();
  events::JobFinished finished;
  finished.job = order.job;
  finished.run = order.run;
  finished.name = order.name;
  finished.attempt = order.attempt;
  finished.conclusion = Conclusion::skipped;
  finished.errors = "Nothing here runs jobs of '" + wanted + "'. To run them anyway: --label " + first + "=sandbox";
  around_.job.screen.job_ended(order.name, Conclusion::skipped, finished.errors, core::Duration(0));
  stories_[order.job].unserved = true;
  could_not_ = true;
  around_.runs.ended(finished);
}

void ExecRun::start() {
  while (!ready_.empty() && working_.size() < around_.slots && stops_ < 2) {
    events::JobQueued order = std::move(ready_.front());
    ready_.pop_front();
    std::string by = runner::executor_of(around_.labels, order.labels);
    std::string folder = around_.job.workshop.folder() + "/" + std::to_string(++numbers_);
    auto job = std::make_shared<LocalJob>(around_.job, order, payload_of(order.run), folder);
    working_.emplace(order.job, job);
    around_.runs.began(order.job, "exec");
    tasks_.spawn("a job", work(job, std::move(order), std::move(by), std::move(folder)));
  }
}

Task<> ExecRun::work(std::shared_ptr<LocalJob> job, events::JobQueued order, std::string by, std::string folder) {
  auto since = around_.job.clock.steady();
  auto finished = co_await job->run(executor(by));
  around_.job.screen.job_ended(job->name(), finished.conclusion, finished.errors, around_.job.clock.steady() - since);
  began_ = began_ || job->story().began;
  could_not_ = could_not_ || job->story().incapable;
  stories_[order.job] = std::move(job->story());
  working_.erase(order.job);
  around_.runs.ended(finished);
  changed_.notify_all();
  auto removal = [folder] { return runner::remove_folder(folder); };
  auto removed = co_await core::blocking(removing_, std::move(removal));
  if (!removed)  // the workshop tries again
    core::diagnose(core::Level::debug, "exec", removed.error().message + " " + removed.error().detail);
}

runner::Executor* ExecRun::executor(const std::string& name) {
  auto& known = executors_[name];
  if (!known) {
    auto& job = around_.job;
    known = runner::make_executor(name, job.loop.executor(), job.clock, job.disk, around_.executors);
  }
  return known.get();
}

std::string ExecRun::payload_of(const std::string& run) const {
  for (const auto* one : around_.runs.runs())
    if (one->run == run) return one->payload;
  return "{}";
}

}  // namespace headrace::cli
