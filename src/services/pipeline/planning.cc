// A push becomes runs: one batch a ref and workflow file.
#include <algorithm>

#include "events/cloudevents.h"
#include "services/pipeline/payload.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

std::string account_of(const events::Event& event) {
  auto actor = core::parse_actor(event.actor());
  return actor ? actor->name : std::string();
}

// GitHub Docs, "Triggering a workflow from a workflow": otherwise a job that pushes would run itself for ever.
bool is_of_a_job(const events::Event& event) {
  auto actor = core::parse_actor(event.actor());
  return actor && actor->kind == core::Actor::Kind::job;
}

// What of an update keeps every workflow from running; empty: nothing.
std::string nothing_runs(const events::Event& push, const events::SettledUpdate& update) {
  if (is_of_a_job(push)) return "A job pushed it with its own token, and that starts no runs.";
  if (!update.applied) return "The ref did not move: git refused it, or another push was quicker.";
  if (update.new_commit == events::no_commit) return "The push deleted the ref, so there is no commit to run.";
  return {};
}

// A file that cannot be read starts on every push: nobody can know what it waits for.
workflow::Decision decide(const SourceFile& file, const workflow::Occasion& occasion) {
  workflow::Reading reading = workflow::read(file.text, file.path);
  if (!reading.workflow) return {true, "The file has errors, so the run ends at once and tells them."};
  return workflow::triggers(*reading.workflow, occasion);
}

workflow::Occasion push_of(const std::string& ref) {
  workflow::Occasion occasion;
  occasion.event = "push";
  occasion.ref = ref;
  return occasion;
}

std::string uuid_of(const std::string& event_id, const std::string& ref, const std::string& file) {
  return derived_uuid("run", event_id, ref + " " + file);
}

}  // namespace

Task<Result<>> Service::heard_push(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  auto push = events::decode<events::PushReceived>(delivery.event());
  if (!push) co_return std::unexpected(push.error());
  for (const events::SettledUpdate& update : push->updates) {
    if (!nothing_runs(delivery.event(), update).empty()) continue;
    auto started = co_await start_runs(delivery, *push, update);
    if (!started) co_return started;
  }
  co_return Result<>{};
}

Task<Result<>> Service::start_runs(bus::Delivery cause, events::PushReceived push, events::SettledUpdate update) {
  auto snapshot = co_await parts.source.files(push.repository, update.new_commit);
  if (!snapshot && snapshot.error().code == Code::not_found) co_return Result<>{};  // deleted since: nothing to run
  if (!snapshot) co_return core::pass_on(snapshot.error(), "reading the workflow files of a push");
  events::RunQueued run;
  run.repository = push.repository;
  run.repository_id = push.repository_id;
  run.event = "push";
  run.event_id = cause.event().id;
  run.ref = update.ref;
  run.branch = branch_of(update.ref);
  run.commit = update.new_commit;
  run.actor = account_of(cause.event());
  run.title = snapshot->title;
  run.payload = push_payload(push, update, run.actor, run.title, policy.server_url);
  workflow::Occasion occasion = push_of(update.ref);
  for (const SourceFile& file : snapshot->files) {
    if (!workflow::is_workflow_path(file.path) || !decide(file, occasion)) continue;
    run.run = uuid_of(cause.event().id, update.ref, file.path);
    run.workflow_file = file.path;
    auto started = co_await start_run(cause, run, file);
    if (!started) co_return started;
  }
  co_return Result<>{};
}

Task<Result<>> Service::start_run(bus::Delivery cause, events::RunQueued run, SourceFile file) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto queued = std::make_shared<events::RunQueued>(run);
    bus::Said said(parts.bus, "pipeline", cause);
    auto ids = co_await number(*queued);
    if (!ids) co_return std::unexpected(ids.error());
    said.expect({numbers_key(queued->repository), ids->numbers});
    auto plan = co_await make_plan(file, queued);
    if (!plan) co_return std::unexpected(plan.error());
    auto around = contexts(run_of(*queued));
    std::vector<JobRow> none;
    Launch started = launch(*queued, **plan, std::move(none), around, ids->ids);
    say(said, started);
    said.expect(ids->ids.expectation());
    std::string step = run.ref + " " + file.path;
    auto appended = co_await said.append(std::move(step));
    if (appended && !appended->duplicate) remember(started.run, *plan);
    if (appended) co_return Result<>{};
    if (appended.error().code != Code::conflict) co_return std::unexpected(appended.error());
  }
  co_return core::fail(Code::unavailable,
                       "Too much happens at once to start a run of " + file.path + "; it is tried again.");
}

Task<Result<Numbered>> Service::number(events::RunQueued& run) {
  auto numbers = parts.log.last_of(numbers_key(run.repository));
  if (!numbers) co_return std::unexpected(numbers.error());
  auto shown = co_await caught_up(*numbers);
  if (!shown) co_return std::unexpected(shown.error());
  auto last = parts.store.read_here(RunsProjection::projection_name, {}, [&run](sqlite::Connection& tables) {
    return last_number(tables, run.repository, run.workflow_file);
  });
  if (!last) co_return std::unexpected(last.error());
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  run.number = *last + 1;
  run.id = given->next();
  run.url = run_url(policy.server_url, run.repository, run.id);
  co_return Numbered{*given, *numbers};
}

Task<Result<std::vector<Reason>>> Service::why_not(std::string push_event_id) {
  auto stored = co_await parts.bus.find(push_event_id);
  if (!stored) co_return std::unexpected(stored.error());
  if (!events::is<events::PushReceived>(stored->event)) {
    co_return core::fail(Code::invalid,
                         "The event " + push_event_id + " is a " + stored->event.type +
                             ", and runs start from push.received; ask for the push that it follows from.");
  }
  auto push = events::decode<events::PushReceived>(stored->event);
  if (!push) co_return std::unexpected(push.error());
  std::vector<Reason> reasons;
  for (const events::SettledUpdate& update : push->updates) {
    if (auto why = nothing_runs(stored->event, update); !why.empty()) {
      reasons.push_back({.ref = update.ref, .file = {}, .started = false, .text = std::move(why), .run = {}});
      continue;
    }
    auto more = co_await reasons_of(stored->event.id, push->repository, update);
    if (!more) co_return more;
    reasons.insert(reasons.end(), more->begin(), more->end());
  }
  co_return reasons;
}

Task<Result<std::vector<Reason>>> Service::reasons_of(std::string event_id, std::string repository,
                                                      events::SettledUpdate update) {
  std::vector<Reason> reasons;
  auto snapshot = co_await parts.source.files(repository, update.new_commit);
  if (!snapshot) co_return std::unexpected(snapshot.error());
  workflow::Occasion occasion = push_of(update.ref);
  for (const SourceFile& file : snapshot->files) {
    if (!workflow::is_workflow_path(file.path)) continue;
    workflow::Decision decision = decide(file, occasion);
    reasons.push_back({.ref = update.ref,
                       .file = file.path,
                       .started = decision.starts,
                       .text = decision.reason,
                       .run = decision.starts ? uuid_of(event_id, update.ref, file.path) : std::string()});
  }
  if (reasons.empty()) {
    reasons.push_back({.ref = update.ref,
                       .file = {},
                       .started = false,
                       .text = "The commit has no workflow file: neither .github/workflows nor .headrace/workflows "
                               "holds a *.yml or *.yaml.",
                       .run = {}});
  }
  co_return reasons;
}

}  // namespace headrace::pipeline
