// What people ask of runs. Each command is decided on the strand and appended as one batch.
#include <algorithm>
#include <set>

#include "core/json.h"
#include "services/pipeline/payload.h"
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

bool good(const Job& job) { return job.conclusion == Conclusion::success || job.conclusion == Conclusion::skipped; }

// What runs again, by key of its row: what failed or was cancelled and all that needs it, with the callers above.
struct Again {
  std::set<std::string> legs;   // as they are
  std::set<std::string> nodes;  // from their template on: what they need runs again
};

class Choice {
 public:
  Choice(const RunRow& run, Jobs jobs, const std::string& one) : run_(run) {
    for (const JobRow& job : run.rows) {
      bool named = job.key == one || job.job == one;
      bool wanted = jobs == Jobs::one ? named : !good(job);
      if (wanted && !job.calls) choose(job);
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (const JobRow& job : run.rows) moved = follow(job) || moved;
    }
  }
  const Again& again() const { return again_; }

 private:
  void choose(const JobRow& job) {
    if (job.expanded)
      again_.legs.insert(job.key);
    else
      again_.nodes.insert(job.node);
    changed_.insert(job.node);
    for (const JobRow& above : run_.rows) {
      if (above.key == job.caller && !again_.legs.contains(above.key)) choose(above);
    }
  }
  bool follow(const JobRow& job) {
    bool after = std::ranges::any_of(job.needs, [this](const auto& node) { return changed_.contains(node); });
    if (!after || again_.nodes.contains(job.node)) return false;
    again_.nodes.insert(job.node);
    changed_.insert(job.node);
    return true;
  }

  const RunRow& run_;
  Again again_;
  std::set<std::string> changed_;  // nodes of which something runs again
};

bool within(const std::string& key, const std::set<std::string>& nodes, const RunRow& run) {
  for (const JobRow& above : run.rows) {
    if (above.key == key) return nodes.contains(above.node) || within(above.caller, nodes, run);
  }
  return false;
}

// Rows of the next attempt, and what is said of them.
std::vector<JobRow> next_rows(const RunRow& run, const Again& again, events::RunQueued& said) {
  std::vector<JobRow> rows;
  std::set<std::string> made;
  for (const JobRow& job : run.rows) {
    if (within(job.caller, again.nodes, run)) continue;  // comes again with what calls it
    bool whole = again.nodes.contains(job.node);
    if (!whole && !again.legs.contains(job.key)) {
      said.carried.push_back(job.key);
      rows.push_back(job);
      continue;
    }
    if (whole && !made.insert(job.node).second) continue;
    events::PlannedJob planned;
    planned.key = whole ? job.node : job.key;
    planned.name = whole ? job.node : job.name;
    planned.needs = job.needs;
    planned.planned = job.planned;
    planned.caller = job.caller;
    planned.place = whole && job.expanded ? job.place.substr(0, job.place.rfind('.')) : job.place;
    planned.again = !whole;
    JobRow row = row_of(said.run, said.attempt, planned);
    if (!whole) {
      std::string uuid = row.job;
      row = job;
      row.job = uuid;
      row.id = 0;
      row.status = Status::waiting;
      row.conclusion.reset();
      row.runner.clear();
      row.reason.clear();
      row.outputs.clear();
      row.cancel_asked = false;
    }
    rows.push_back(std::move(row));
    said.jobs.push_back(std::move(planned));
  }
  return rows;
}

Result<workflow::Object> inputs_of(const workflow::Workflow& workflow, const std::string& text) {
  auto given = core::parse_json(text.empty() ? "{}" : text);
  if (!given || !given->is_object())
    return core::fail(Code::invalid, "The inputs of a dispatch are a JSON object: {\"name\":\"value\"}.");
  return workflow::dispatch_inputs(workflow, *workflow::Value::from_json(*given).if_object());
}

Result<> as_result(const Result<store::Outcome>& outcome) {
  if (!outcome) return std::unexpected(outcome.error());
  return {};
}

}  // namespace

std::vector<events::JobCancelled> cancellations(const RunRow& run, const Planned* plan, const std::string& reason,
                                                const std::string& by, Force force) {
  std::vector<events::JobCancelled> list;
  for (const JobRow& job : run.rows) {
    bool stays = job.status == Status::waiting && force == Force::no && plan != nullptr &&
                 (job.calls || may_run_when_cancelled(*plan, job));
    if (job.status == Status::completed || (job.cancel_asked && force == Force::no) || stays) continue;
    events::JobCancelled said;
    said.job = job.job;
    said.run = run.run;
    said.repository = run.repository;
    said.reason = reason;
    said.requested_by = by;
    said.forced = force == Force::yes;
    list.push_back(std::move(said));
  }
  return list;
}

Task<Result<>> Service::cancel(core::Actor actor, int64_t id, Force force) {
  store::CommandStrand::WaitingCheck check = [this, actor, id, force] { return cancel_batch(actor, id, force); };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  co_return as_result(outcome);
}

Task<Result<>> Service::rerun(core::Actor actor, int64_t id, Jobs jobs, std::string job) {
  store::CommandStrand::WaitingCheck check = [this, actor, id, jobs, job] { return rerun_batch(actor, id, jobs, job); };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  co_return as_result(outcome);
}

Task<Result<int64_t>> Service::dispatch(core::Actor actor, std::string repository, std::string file, std::string ref,
                                        std::string inputs) {
  auto id = std::make_shared<int64_t>(0);  // of the attempt that was appended
  events::RunQueued wanted;
  wanted.repository = std::move(repository);
  wanted.workflow_file = std::move(file);
  wanted.ref = std::move(ref);
  wanted.inputs = std::move(inputs);
  store::CommandStrand::WaitingCheck check = [this, actor, wanted, id] { return dispatch_batch(actor, wanted, id); };
  auto outcome = co_await strand_.run_waiting(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return *id;
}

Task<Result<log::Batch>> Service::cancel_batch(core::Actor actor, int64_t id, Force force) {
  auto settled = co_await settle_id(id);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& run = settled->run;
  if (run.status == Status::completed) {
    co_return core::fail(Code::conflict, "The run " + std::to_string(id) + " is over; there is nothing to cancel.");
  }
  auto plan = co_await plan_of(run);
  if (!plan && plan.error().code != Code::not_found) co_return std::unexpected(plan.error());
  std::string reason = "cancelled by " + shown(actor);
  Words words(parts.bus, because_of(run, actor));
  events::RunCancelled said;
  said.run = run.run;
  said.repository = run.repository;
  said.attempt = run.attempt;
  said.reason = reason;
  said.requested_by = core::to_string(actor);
  said.forced = force == Force::yes;
  words.add("cancelled", said);
  for (const auto& job : cancellations(run, plan ? plan->get() : nullptr, reason, core::to_string(actor), force))
    words.add("cancelled", job);
  words.expect(settled->expected);
  co_return std::move(words.batch);
}

Task<Result<log::Batch>> Service::rerun_batch(core::Actor actor, int64_t id, Jobs jobs, std::string job) {
  auto settled = co_await settle_id(id);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& run = settled->run;
  if (run.status != Status::completed) {
    co_return core::fail(Code::conflict, "The run " + std::to_string(id) + " is not over; cancel it first, or wait.");
  }
  Choice choice(run, jobs, job);
  bool nothing = choice.again().legs.empty() && choice.again().nodes.empty();
  if (jobs == Jobs::one && nothing)
    co_return core::fail(Code::not_found, "The run " + std::to_string(id) + " has no job '" + job + "'.");
  if (jobs == Jobs::failed && nothing && !run.rows.empty()) {
    co_return core::fail(Code::conflict,
                         "No job of the run " + std::to_string(id) + " failed; run all of it again instead.");
  }
  auto file = co_await file_of(run.repository, run.commit, run.workflow_file);
  if (!file) co_return std::unexpected(file.error());
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  auto queued = std::make_shared<events::RunQueued>(queued_again(run));
  queued->attempt = run.attempt + 1;
  queued->variables_at = 0;  // those of today
  auto plan = co_await make_plan(std::move(*file), queued);
  if (!plan) co_return std::unexpected(plan.error());
  std::vector<JobRow> rows;
  if (jobs != Jobs::all) rows = next_rows(run, choice.again(), *queued);
  auto around = contexts(run_of(*queued), **plan);
  Launch started = launch(*queued, **plan, std::move(rows), around, *given);
  Words words(parts.bus, because_of(run, actor));
  say(words, started);
  words.batch.expected = {settled->expected};
  if (given->given()) words.expect(given->expectation());
  remember(started.run, *plan);
  co_return std::move(words.batch);
}

Task<Result<log::Batch>> Service::dispatch_batch(core::Actor actor, events::RunQueued wanted,
                                                 std::shared_ptr<int64_t> id) {
  const std::string& name = wanted.repository;
  auto known = parts.store.read_here(RunsProjection::projection_name, {},
                                     [&name](sqlite::Connection& tables) { return repository(tables, name); });
  if (!known) co_return std::unexpected(known.error());
  if (!*known) co_return core::fail(Code::not_found, "There is no repository " + name + ".");
  auto commit = co_await parts.source.commit_of(wanted.repository, wanted.ref);
  if (!commit) co_return std::unexpected(commit.error());
  auto source = co_await file_of(wanted.repository, *commit, wanted.workflow_file);
  if (!source) co_return std::unexpected(source.error());
  const workflow::Reading& reading = reading_of(*source);
  if (!reading.workflow) {
    const workflow::Finding& error = reading.errors.front();
    co_return core::fail(Code::invalid, source->path + ":" + std::to_string(error.at.line) + ":" +
                                            std::to_string(error.at.column) + ": " + error.message);
  }
  workflow::Occasion occasion;
  occasion.event = "workflow_dispatch";
  occasion.ref = wanted.ref;
  auto decision = workflow::triggers(*reading.workflow, occasion);
  if (!decision) {
    co_return core::fail(
        Code::invalid, source->path + " cannot be dispatched: " + decision.reason + " Add workflow_dispatch to `on`.");
  }
  auto inputs = inputs_of(*reading.workflow, wanted.inputs);
  if (!inputs) co_return std::unexpected(inputs.error());
  auto queued = std::make_shared<events::RunQueued>(std::move(wanted));
  queued->repository_id = (*known)->id;
  queued->event = "workflow_dispatch";
  queued->branch = branch_of(queued->ref);
  queued->commit = *commit;
  queued->actor = actor.name;
  queued->title = reading.workflow->shown_name();
  queued->inputs = core::to_text(workflow::Value(*inputs).to_json());
  queued->payload = dispatch_payload(
      *queued, {queued->repository, queued->repository_id, (*known)->default_branch, policy.server_url});
  queued->untrusted = !parts.settings.trusts(actor, queued->repository);
  auto numbered = co_await number(*queued);
  if (!numbered) co_return std::unexpected(numbered.error());
  queued->run = derived_uuid("dispatch", queued->repository, std::to_string(queued->id));
  auto plan = co_await make_plan(std::move(*source), queued);
  if (!plan) co_return std::unexpected(plan.error());
  *id = queued->id;
  auto around = contexts(run_of(*queued), **plan);
  std::vector<JobRow> none;
  Launch started = launch(*queued, **plan, std::move(none), around, numbered->ids);
  Words words(parts.bus, bus::Origin::root("pipeline", actor));
  say(words, started);
  words.expect({numbers_key(queued->repository), numbered->numbers});
  words.expect(numbered->ids.expectation());
  remember(started.run, *plan);
  co_return std::move(words.batch);
}

}  // namespace headrace::pipeline
