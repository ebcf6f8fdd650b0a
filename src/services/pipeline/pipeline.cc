#include "services/pipeline/pipeline.h"

#include <algorithm>

#include "services/pipeline/run_list.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

const std::string projection{RunsProjection::projection_name};

std::string plan_key(std::string_view run, int64_t attempt) { return std::string(run) + "/" + std::to_string(attempt); }

std::unexpected<core::Error> no_run(const std::string& which) {
  return core::fail(Code::not_found, "There is no run " + which + ".");
}

template <class T>
Result<T> present(Result<std::optional<T>> found, const std::string& which) {
  if (!found) return std::unexpected(found.error());
  if (!*found) return no_run(which);
  return std::move(**found);
}

}  // namespace

Service::Service(Parts on, Policy by)
    : parts(on),
      policy(std::move(by)),
      strand_(parts.loop.executor(), parts.store, parts.log, projection),
      scope_(parts.loop.executor()) {}

Task<Result<>> Service::caught_up(log::Offset offset) {
  if (parts.store.applied(projection) >= offset) co_return Result<>{};
  co_return co_await parts.store.caught_up(projection, offset, behind_max);
}

Result<> Service::hear(std::string name, std::vector<std::string> types, bus::AsyncHandler handler) {
  bus::Subscription subscription;
  subscription.name = std::move(name);
  subscription.service = "pipeline";
  subscription.types = std::move(types);
  subscription.sync = true;
  subscription.gate = parts.store.gate(projection);
  return parts.bus.subscribe(std::move(subscription), std::move(handler));
}

Result<> Service::subscribe() {
  parts.bus.says("pipeline", {std::string(events::RunQueued::type), std::string(events::RunStarted::type),
                              std::string(events::RunFinished::type), std::string(events::RunAdmitted::type),
                              std::string(events::RunCancelled::type), std::string(events::JobExpanded::type),
                              std::string(events::JobQueued::type), std::string(events::JobCancelled::type),
                              std::string(events::JobSkipped::type), std::string(events::JobSettled::type),
                              std::string(events::WorkflowsRead::type), std::string(events::ScheduleDue::type),
                              std::string(events::DispatchRequested::type)});
  auto planned = hear("pipeline.plan", causes_heard(),
                      [this](bus::Delivery delivery) { return heard_cause(std::move(delivery)); });
  if (!planned) return planned;
  auto awaited = hear("pipeline.workflows", {std::string(events::RefUpdated::type)},
                      [this](bus::Delivery delivery) { return heard_ref(std::move(delivery)); });
  if (!awaited) return awaited;
  if (auto listened = listen_if_asked(); !listened) return listened;
  auto advanced = hear("pipeline.advance",
                       {std::string(events::JobStarted::type), std::string(events::JobFinished::type),
                        std::string(events::JobCancelled::type), std::string(events::RunCancelled::type),
                        std::string(events::RunAdmitted::type), std::string(events::RunQueued::type)},
                       [this](bus::Delivery delivery) { return heard_job(std::move(delivery)); });
  if (!advanced) return advanced;
  return hear("pipeline.groups",
              {std::string(events::RunQueued::type), std::string(events::RunFinished::type),
               std::string(events::JobExpanded::type), std::string(events::JobFinished::type),
               std::string(events::JobCancelled::type), std::string(events::JobSettled::type)},
              [this](bus::Delivery delivery) { return heard_of_group(std::move(delivery)); });
}

Result<> Service::start() {
  if (auto subscribed = subscribe(); !subscribed) return subscribed;
  scope_.spawn("pipeline.schedules", keep_time());
  scope_.spawn("pipeline.awaited", settle_awaited());
  return {};
}

Task<> Service::stop() { return scope_.close(); }

Result<Ids> Service::ids() {
  auto last = parts.log.last_of(ids_key);
  if (!last) return std::unexpected(last.error());
  return Ids(*last);
}

// Reads the log's key first: what it counts is then shown before the run is looked at.
Task<Result<Settled>> Service::settle(std::string run) {
  auto last = parts.log.last_of(run_key(run));
  if (!last) co_return std::unexpected(last.error());
  auto shown = co_await caught_up(*last);
  if (!shown) co_return std::unexpected(shown.error());
  auto row = present(
      parts.store.read_here(projection, {}, [&run](sqlite::Connection& tables) { return find_run(tables, run); }), run);
  if (!row) co_return std::unexpected(row.error());
  co_return Settled{std::move(*row), {run_key(run), *last}};
}

Task<Result<Settled>> Service::settle_id(int64_t id) {
  auto row =
      present(parts.store.read_here(projection, {}, [id](sqlite::Connection& tables) { return find_run(tables, id); }),
              std::to_string(id));
  if (!row) co_return std::unexpected(row.error());
  co_return co_await settle(row->run);
}

Task<Result<SourceFile>> Service::file_of(std::string repository, std::string commit, std::string path) {
  auto snapshot = co_await parts.source.files(repository, commit);
  if (!snapshot) co_return std::unexpected(snapshot.error());
  auto found = std::ranges::find(snapshot->files, path, &SourceFile::path);
  if (found == snapshot->files.end()) {
    co_return core::fail(Code::not_found, "The commit " + commit + " has no workflow file " + path + ".");
  }
  co_return std::move(*found);
}

Task<Result<Service::Plan>> Service::plan_of(RunRow run) {
  auto kept = plans_.find(plan_key(run.run, run.attempt));
  if (kept != plans_.end()) co_return kept->second;
  auto file = co_await file_of(run.repository, run.commit, run.workflow_file);
  if (!file) co_return std::unexpected(file.error());
  auto words = std::make_shared<events::RunQueued>(queued_again(run));
  auto plan = co_await make_plan(std::move(*file), words);
  if (plan) remember(*words, *plan);
  co_return plan;
}

Task<Result<Service::Plan>> Service::make_plan(SourceFile file, std::shared_ptr<events::RunQueued> run) {
  Called texts;
  auto plan = std::make_shared<Planned>();
  reading_of(file);
  for (size_t round = 0; round <= workflow::nested_max + 1; ++round) {
    std::vector<Missing> missing;
    *plan = link_run(file, *run, texts, missing);
    if (missing.empty()) break;
    for (const Missing& one : missing) {
      auto name = called_name(one.uses, one.from);
      if (texts.contains(name)) continue;
      auto text = co_await called(one.uses, one.from, run);
      bool later = !text && text.error().code != Code::not_found && text.error().code != Code::denied;
      if (later) co_return std::unexpected(text.error());
      texts.emplace(std::move(name), std::move(text));
    }
  }
  if (run->variables_at == 0) run->variables_at = static_cast<int64_t>(parts.settings.newest());
  auto variables = co_await parts.settings.variables(run->repository, static_cast<log::Offset>(run->variables_at));
  if (!variables) co_return std::unexpected(variables.error());
  plan->variables = std::move(*variables);
  run->workflow = plan->program.units.empty() ? file.path : plan->program.workflow().shown_name();
  name_run(*plan, *run, contexts(run_of(*run), *plan));
  co_return Plan(std::move(plan));
}

workflow::Object Service::contexts(const RunRow& run, const Planned& plan) const {
  return contexts_of(run, plan.variables, policy.server_url);
}

void Service::remember(const events::RunQueued& run, Plan plan) {
  std::string key = plan_key(run.run, run.attempt);
  if (!plans_.insert_or_assign(key, std::move(plan)).second) return;
  plan_ages_.push_back(std::move(key));
  if (plan_ages_.size() <= plans_kept_max) return;
  plans_.erase(plan_ages_.front());
  plan_ages_.pop_front();
}

struct Pipeline::Impl {
  Impl(Parts parts, Policy policy) : service(parts, std::move(policy)) {}
  Service service;
};

Pipeline::Pipeline(Parts parts, Policy policy) {
  parts.store.add(std::make_unique<RunsProjection>());
  impl_ = std::make_unique<Impl>(parts, std::move(policy));
}

Pipeline::~Pipeline() = default;

Result<> Pipeline::start() { return impl_->service.start(); }
Task<> Pipeline::stop() { return impl_->service.stop(); }

Task<Result<>> Pipeline::cancel(core::Actor actor, int64_t run, Force force) {
  return impl_->service.cancel(std::move(actor), run, force);
}

Task<Result<>> Pipeline::rerun(core::Actor actor, int64_t run, Jobs jobs, std::string job) {
  return impl_->service.rerun(std::move(actor), run, jobs, std::move(job));
}

Task<Result<int64_t>> Pipeline::dispatch(core::Actor actor, std::string repository, std::string file, std::string ref,
                                         std::string inputs) {
  return impl_->service.dispatch(std::move(actor), std::move(repository), std::move(file), std::move(ref),
                                 std::move(inputs));
}

Task<Result<>> Pipeline::dispatch_event(core::Actor actor, std::string repository, std::string event_type,
                                        std::string client_payload) {
  return impl_->service.dispatch_event(std::move(actor), std::move(repository), std::move(event_type),
                                       std::move(client_payload));
}

Task<Result<std::vector<Reason>>> Pipeline::why_not(std::string event_id) {
  return impl_->service.why_not(std::move(event_id));
}

Task<Result<RunPage>> Pipeline::list(RunQuery query, std::optional<store::Offset> at) {
  const Moment moment = at ? Moment::past : Moment::now;
  auto look = [query = std::move(query), moment](sqlite::Connection& tables) {
    return find_runs(tables, query, moment);
  };
  return impl_->service.parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<std::string>>> Pipeline::repositories(std::optional<store::Offset> at) {
  auto look = [](sqlite::Connection& tables) { return pipeline::repositories(tables); };
  return impl_->service.parts.store.read(projection, at, std::move(look));
}

Task<Result<RunsFound>> Pipeline::search(RunSearch search) {
  auto look = [search = std::move(search)](sqlite::Connection& tables) { return search_runs(tables, search); };
  return impl_->service.parts.store.read(projection, std::nullopt, std::move(look));
}

Task<Result<Run>> Pipeline::view(int64_t run, std::optional<store::Offset> at) {
  auto look = [run](sqlite::Connection& tables) -> Result<Run> {
    return present(find_run(tables, run), std::to_string(run));
  };
  return impl_->service.parts.store.read(projection, at, std::move(look));
}

Task<Result<Run>> Pipeline::view_attempt(int64_t run, int64_t attempt) {
  auto shown = co_await view(run);
  if (shown && (attempt < 1 || attempt > shown->attempt))
    co_return core::fail(Code::not_found, "The run " + std::to_string(run) + " has no attempt " +
                                              std::to_string(attempt) + "; its attempts are 1 to " +
                                              std::to_string(shown->attempt) + ".");
  while (shown && shown->attempt > attempt) shown = co_await view(run, shown->began - 1);
  co_return shown;
}

Task<Result<Run>> Pipeline::view_by_uuid(std::string run, std::optional<store::Offset> at) {
  auto look = [run](sqlite::Connection& tables) -> Result<Run> { return present(find_run(tables, run), run); };
  return impl_->service.parts.store.read(projection, at, std::move(look));
}

Task<Result<Job>> Pipeline::job(int64_t job, std::optional<store::Offset> at) {
  auto look = [job](sqlite::Connection& tables) -> Result<Job> {
    auto found = find_job(tables, job);
    if (!found) return std::unexpected(found.error());
    if (!*found) return core::fail(Code::not_found, "There is no job " + std::to_string(job) + ".");
    return std::move(**found);
  };
  return impl_->service.parts.store.read(projection, at, std::move(look));
}

}  // namespace headrace::pipeline
