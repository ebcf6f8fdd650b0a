// What people ask of runs. Each command is decided on the strand and appended as one batch.
#include <algorithm>
#include <set>

#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;

namespace {

std::string shown(const core::Actor& actor) { return actor.name.empty() ? core::to_string(actor) : actor.name; }

bus::Origin because_of(const RunRow& run, core::Actor actor) {
  return {.service = "pipeline",
          .actor = std::move(actor),
          .causation_id = run.last_event,
          .correlation_id = run.correlation,
          .traceparent = {}};
}

bool runs_although_cancelled(const Vertex& job) {
  return job.condition == workflow::Condition::always || job.condition == workflow::Condition::cancelled;
}

bool good(const Job& job) { return job.conclusion == Conclusion::success; }

// Keys that run again: what failed or was cancelled, and all that needs it.
std::set<std::string> failed_and_after(const Run& run) {
  std::set<std::string> again;
  for (const Job& job : run.jobs) {
    if (!good(job) && job.conclusion != Conclusion::skipped) again.insert(job.key);
  }
  for (bool moved = true; moved;) {
    moved = false;
    for (const Job& job : run.jobs) {
      bool after = std::ranges::any_of(job.needs, [&again](const auto& key) { return again.contains(key); });
      if (after) moved = again.insert(job.key).second || moved;
    }
  }
  return again;
}

Result<> as_result(const Result<store::Outcome>& outcome) {
  if (!outcome) return std::unexpected(outcome.error());
  return {};
}

}  // namespace

Task<Result<>> Service::cancel(core::Actor actor, int64_t id) {
  store::CommandStrand::WaitingCheck check = [this, actor, id] { return cancel_batch(actor, id); };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  co_return as_result(outcome);
}

Task<Result<>> Service::rerun(core::Actor actor, int64_t id, Jobs jobs) {
  store::CommandStrand::WaitingCheck check = [this, actor, id, jobs] { return rerun_batch(actor, id, jobs); };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  co_return as_result(outcome);
}

Task<Result<int64_t>> Service::dispatch(core::Actor actor, std::string repository, std::string file, std::string ref) {
  auto id = std::make_shared<int64_t>(0);  // of the attempt that was appended
  store::CommandStrand::WaitingCheck check = [this, actor, repository, file, ref, id] {
    return dispatch_batch(actor, repository, file, ref, id);
  };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return *id;
}

Task<Result<log::Batch>> Service::cancel_batch(core::Actor actor, int64_t id) {
  auto settled = co_await settle_id(id);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& run = settled->run;
  if (run.status == Status::completed) {
    co_return core::fail(Code::conflict, "The run " + std::to_string(id) + " is over; there is nothing to cancel.");
  }
  auto plan = co_await plan_of(run);
  if (!plan && plan.error().code != Code::not_found) co_return std::unexpected(plan.error());
  std::vector<Vertex> graph = vertices_of(run, plan ? plan->get() : nullptr);
  Words words(parts.bus, because_of(run, actor));
  for (size_t i = 0; i < graph.size(); ++i) {
    bool stays = graph[i].status == Status::waiting && runs_although_cancelled(graph[i]);
    if (graph[i].status == Status::completed || stays) continue;
    events::JobCancelled said;
    said.job = run.jobs[i].job;
    said.run = run.run;
    said.repository = run.repository;
    said.reason = "cancelled by " + shown(actor);
    said.requested_by = core::to_string(actor);
    words.add("cancelled", said);
  }
  words.expect(settled->expected);
  co_return std::move(words.batch);
}

Task<Result<log::Batch>> Service::rerun_batch(core::Actor actor, int64_t id, Jobs jobs) {
  auto settled = co_await settle_id(id);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& run = settled->run;
  if (run.status != Status::completed) {
    co_return core::fail(Code::conflict, "The run " + std::to_string(id) + " is not over; cancel it first, or wait.");
  }
  std::set<std::string> again = failed_and_after(run);
  if (jobs == Jobs::failed && again.empty() && !run.jobs.empty()) {
    co_return core::fail(Code::conflict,
                         "No job of the run " + std::to_string(id) + " failed; run all of it again instead.");
  }
  auto file = co_await file_of(run.repository, run.commit, run.workflow_file);
  if (!file) co_return std::unexpected(file.error());
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  events::RunQueued queued = queued_again(run);
  queued.attempt = run.attempt + 1;
  auto plan = std::make_shared<const Planned>(plan_run(*file, queued, policy.server_url));
  std::vector<Vertex> carried = vertices_of(run, plan.get());
  std::erase_if(carried, [&](const Vertex& job) { return jobs == Jobs::all || again.contains(job.key); });
  Launch started = launch(std::move(queued), *plan, carried, *given);
  Words words(parts.bus, because_of(run, actor));
  say(words, started);
  words.batch.expected = {settled->expected};
  if (given->given()) words.expect(given->expectation());
  remember(started.run, plan);
  co_return std::move(words.batch);
}

Task<Result<log::Batch>> Service::dispatch_batch(core::Actor actor, std::string repository, std::string file,
                                                 std::string ref, std::shared_ptr<int64_t> id) {
  auto known = parts.store.read_here(RunsProjection::projection_name, {}, [&repository](sqlite::Connection& tables) {
    return repository_id(tables, repository);
  });
  if (!known) co_return std::unexpected(known.error());
  if (!*known) co_return core::fail(Code::not_found, "There is no repository " + repository + ".");
  auto commit = co_await parts.source.commit_of(repository, ref);
  if (!commit) co_return std::unexpected(commit.error());
  auto source = co_await file_of(repository, *commit, file);
  if (!source) co_return std::unexpected(source.error());
  workflow::Reading reading = workflow::read(source->text, source->path);
  if (!reading.workflow) {
    const workflow::Finding& error = reading.errors.front();
    co_return core::fail(Code::invalid, file + ":" + std::to_string(error.at.line) + ":" +
                                            std::to_string(error.at.column) + ": " + error.message);
  }
  auto decision = workflow::triggers(*reading.workflow, {"workflow_dispatch", ref});
  if (!decision) {
    co_return core::fail(Code::invalid,
                         file + " cannot be dispatched: " + decision.reason + " Add workflow_dispatch to `on`.");
  }
  events::RunQueued queued;
  queued.repository = repository;
  queued.repository_id = **known;
  queued.event = "workflow_dispatch";
  queued.ref = ref;
  queued.branch = branch_of(ref);
  queued.commit = *commit;
  queued.actor = actor.name;
  queued.title = reading.workflow->shown_name();
  queued.workflow_file = file;
  auto numbered = co_await number(queued);
  if (!numbered) co_return std::unexpected(numbered.error());
  queued.run = derived_uuid("dispatch", repository, std::to_string(queued.id));
  auto plan = std::make_shared<const Planned>(plan_run(*source, queued, policy.server_url));
  *id = queued.id;
  Launch started = launch(std::move(queued), *plan, {}, numbered->ids);
  Words words(parts.bus, bus::Origin::root("pipeline", actor));
  say(words, started);
  words.expect({numbers_key(repository), numbered->numbers});
  words.expect(numbered->ids.expectation());
  remember(started.run, plan);
  co_return std::move(words.batch);
}

}  // namespace headrace::pipeline
