#include "core/diagnostics.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

void Service::wake_dispatch() {
  dispatch_due = true;
  dispatch_wanted.notify_all();
}

Task<Result<>> Service::heard_waiting(bus::Delivery) {
  wake_dispatch();
  co_return Result<>{};
}

Task<> Service::dispatch() {
  while (true) {
    if (!dispatch_due) co_await dispatch_wanted.wait();
    dispatch_due = false;
    auto assigned = co_await assign();
    if (assigned) continue;
    core::diagnose(core::Level::error, "runner", "giving jobs to runners: " + assigned.error().message + " " + assigned.error().detail);
    co_await parts.clock.sleep_for(std::chrono::seconds(1));
    dispatch_due = true;
  }
}

Task<Result<>> Service::assign() {
  bool room = false;
  for (const auto& [name, session] : sessions) room = room || session->has_slot();
  if (!room) co_return Result<>{};
  auto given = co_await lease_waiting();
  if (!given) co_return core::pass_on(given.error(), "leasing jobs");
  for (auto& [job, session] : *given) {
    auto handed = co_await hand_over(std::move(job), session);
    if (!handed) co_return handed;
  }
  if (given->size() >= policy.leases_a_batch) dispatch_due = true;
  co_return Result<>{};
}

// One append for all jobs that find room now; their offsets are the tokens.
Task<Result<std::vector<std::pair<JobRow, std::shared_ptr<Session>>>>> Service::lease_waiting() {
  auto given = std::make_shared<std::vector<std::pair<JobRow, std::shared_ptr<Session>>>>();
  auto check = [this, given](sqlite::Connection& tables) { return lease_batch(tables, *given); };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  for (size_t i = 0; i < given->size(); ++i) {
    auto& [job, session] = (*given)[i];
    job.token = outcome->offsets.at(i);
    job.state = JobState::leased;
    job.runner = session->hello.runner;
    leases.hold(job.token);
    session->jobs.insert(job.token);
    at_work.emplace(job.token, job);
  }
  co_return std::move(*given);
}

Result<log::Batch> Service::lease_batch(sqlite::Connection& tables, std::vector<std::pair<JobRow, std::shared_ptr<Session>>>& given) {
  given.clear();
  auto waiting = queued_jobs(tables, policy.leases_a_batch);
  if (!waiting) return std::unexpected(waiting.error());
  log::Batch batch;
  std::map<Session*, size_t> promised;
  for (auto& job : *waiting) {
    for (const auto& [name, session] : sessions) {
      auto executor = session->executor_for(job.labels);
      bool room = session->has_slot() && session->jobs.size() + promised[session.get()] < static_cast<size_t>(session->hello.slots);
      if (executor.empty() || !room) continue;
      ++promised[session.get()];
      job.executor = executor;
      events::JobLeased leased{.job = job.job, .run = job.run, .repository = job.repository, .attempt = job.attempt, .runner = name,
                               .executor = executor, .lease_seconds = policy.lease.count()};
      batch.events.push_back(word(leased, job, core::Actor::runner(name)));
      job.last_event = batch.events.back().id;
      given.emplace_back(job, session);
      break;
    }
  }
  return batch;
}

Task<Result<>> Service::hand_over(JobRow job, std::shared_ptr<Session> session) {
  if (auto opened = logs.open(job.log()); !opened) co_return std::unexpected(opened.error());
  auto stored = parts.log.read(job.queued, 1);
  if (!stored) co_return std::unexpected(stored.error());
  if (stored->empty() || stored->front().offset != job.queued)
    co_return core::fail(Code::corrupt, "The event that queued the job is not in the log any more.", "offset " + std::to_string(job.queued));
  auto queued = events::decode<events::JobQueued>(stored->front().event);
  if (!queued) co_return std::unexpected(queued.error());
  session->post(Run{.token = job.token, .job = job.job, .run = job.run, .repository = job.repository, .name = job.name,
                    .executor = job.executor, .attempt = job.attempt, .spec = queued->spec});
  co_return Result<>{};
}

}  // namespace headrace::runner
