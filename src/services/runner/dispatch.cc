#include <algorithm>

#include "core/diagnostics.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds after_failure{1};

// Who of those that are connected has room, and how much of it is not promised yet.
class Room {
 public:
  explicit Room(const std::map<std::string, std::shared_ptr<Session>>& sessions) {
    for (const auto& [name, session] : sessions)
      if (session->room() > 0) free_.emplace_back(session, session->room());
  }
  bool empty() const { return free_.empty(); }

  // The one with most room of those that could run it; its room is one less then. Null: none could.
  std::shared_ptr<Session> take(const std::vector<std::string>& labels) {
    auto best = free_.end();
    for (auto one = free_.begin(); one != free_.end(); ++one)
      if ((best == free_.end() || one->second > best->second) && !one->first->executor_for(labels).empty()) best = one;
    if (best == free_.end()) return nullptr;
    auto session = best->first;
    if (--best->second == 0) free_.erase(best);
    return session;
  }

 private:
  std::vector<std::pair<std::shared_ptr<Session>, size_t>> free_;
};

}  // namespace

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
    core::diagnose(core::Level::error, "runner",
                   "giving jobs to runners: " + assigned.error().message + " " + assigned.error().detail);
    co_await parts.clock.sleep_for(after_failure);
    dispatch_due = true;
  }
}

Task<Result<>> Service::assign() {
  if (Room(sessions).empty()) co_return Result<>{};
  auto given = co_await lease_waiting();
  if (!given) co_return core::pass_on(given.error(), "leasing jobs");
  if (given->size() >= policy.leases_a_batch) dispatch_due = true;
  // Looked up again, for while the lease was written a runner may have gone, or come back over another connection.
  for (auto& [job, chosen] : *given) {
    auto session = session_named(job.runner);
    if (!session) continue;  // it comes back, or the lease runs out
    if (session->hello.instance != chosen->hello.instance) {
      tasks.spawn("a lease of a runner that has gone", lose_quietly(job.token, "it was started again"));
      continue;
    }
    session->jobs.insert(job.token);
    auto handed = co_await hand_over(job, session);
    if (!handed)
      tasks.spawn("a lease that leads nowhere",
                  lose_quietly(job.token, "it could not be told what to run: " + handed.error().message));
  }
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
    at_work.emplace(job.token, AtWork{job, session->hello.instance});
  }
  co_return std::move(*given);
}

// Oldest first. Jobs of labels that nobody can take now are stepped over, however many wait before the others.
Result<log::Batch> Service::lease_batch(sqlite::Connection& tables,
                                        std::vector<std::pair<JobRow, std::shared_ptr<Session>>>& given) {
  given.clear();
  log::Batch batch;
  Room room(sessions);
  LabelSets without_room;
  log::Offset after = 0;
  while (!room.empty() && !draining && given.size() < policy.leases_a_batch) {
    auto waiting = queued_jobs(tables, after, without_room, policy.leases_a_batch - given.size());
    if (!waiting) return std::unexpected(waiting.error());
    if (waiting->empty()) break;
    after = waiting->back().queued;
    for (auto& job : *waiting) {
      auto session = without_room.contains(job.labels) ? nullptr : room.take(job.labels);
      if (!session) {
        without_room.insert(job.labels);
        continue;
      }
      job.executor = session->executor_for(job.labels);
      events::JobLeased leased{.job = job.job,
                               .run = job.run,
                               .repository = job.repository,
                               .attempt = job.attempt,
                               .runner = session->hello.runner,
                               .executor = job.executor,
                               .lease_seconds = policy.lease.count()};
      batch.events.push_back(word(leased, job, core::Actor::runner(session->hello.runner)));
      job.last_event = batch.events.back().id;
      given.emplace_back(std::move(job), std::move(session));
    }
  }
  return batch;
}

// github.event of the job: what started its run, from the event that says so.
Result<std::string> Service::payload_of(const JobRow& job) const {
  if (job.run_queued == 0) return "{}";
  auto stored = parts.log.read(job.run_queued, 1);
  if (!stored) return std::unexpected(stored.error());
  if (stored->empty() || stored->front().offset != job.run_queued)
    return core::fail(Code::corrupt, "The event that queued the run is not in the log any more.",
                      "offset " + std::to_string(job.run_queued));
  auto run = events::decode<events::RunQueued>(stored->front().event);
  if (!run) return std::unexpected(run.error());
  return run->payload.empty() ? "{}" : run->payload;
}

Task<Result<>> Service::hand_over(JobRow job, std::shared_ptr<Session> session) {
  // A log that cannot be opened now is tried again with its first piece.
  if (auto opened = logs.open(job.log()); !opened)
    core::diagnose(core::Level::warning, "runner", "opening the log of a job: " + opened.error().message);
  auto stored = parts.log.read(job.queued, 1);
  if (!stored) co_return std::unexpected(stored.error());
  if (stored->empty() || stored->front().offset != job.queued)
    co_return core::fail(Code::corrupt, "The event that queued the job is not in the log any more.",
                         "offset " + std::to_string(job.queued));
  auto queued = events::decode<events::JobQueued>(stored->front().event);
  if (!queued) co_return std::unexpected(queued.error());
  auto grant = co_await parts.grants.grant(job.token, job.repository, queued->spec);
  if (!grant) co_return std::unexpected(grant.error());
  auto payload = payload_of(job);
  if (!payload) co_return std::unexpected(payload.error());
  if (!at_work.contains(job.token)) co_return Result<>{};  // it was lost meanwhile
  session->post(Run{.token = job.token,
                    .job = job.job,
                    .run = job.run,
                    .repository = job.repository,
                    .name = job.name,
                    .executor = job.executor,
                    .attempt = job.attempt,
                    .restricted = job.restricted,
                    .spec = queued->spec,
                    .event = std::move(*payload),
                    .grant = std::move(*grant)});
  cancel_if_asked(job.token, *session);  // it may have been while the lease was written
  co_return Result<>{};
}

}  // namespace headrace::runner
