#include "services/runner/runner.h"

#include "core/diagnostics.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Result;
using core::Task;

struct Runner::Impl {
  Impl(Parts parts, Policy policy) : service(parts, policy) {}
  Service service;
};

std::string steps_topic(std::string_view run) { return "steps/" + std::string(run); }

Service::Service(Parts on, Policy by)
    : parts(std::move(on)),
      policy(by),
      strand(parts.loop.executor(), parts.store, parts.log, std::string(JobsProjection::projection_name)),
      logs(parts.loop.executor(), parts.disk, parts.logs),
      summaries(parts.disk, parts.logs),
      leases(parts.clock, policy.lease),
      tasks(parts.loop.executor()),
      words_changed(parts.loop.executor()),
      dispatch_wanted(parts.loop.executor()),
      emptied(parts.loop.executor()) {}

Result<> Service::hear(std::string name, std::vector<std::string> types, bus::AsyncHandler handler) {
  bus::Subscription subscription;
  subscription.name = std::move(name);
  subscription.service = "runner";
  subscription.types = std::move(types);
  subscription.gate = parts.store.gate(std::string(JobsProjection::projection_name));
  return parts.bus.subscribe(std::move(subscription), std::move(handler));
}

Result<> Service::subscribe() {
  parts.bus.says("runner", {std::string(events::JobLeased::type), std::string(events::JobLost::type),
                            std::string(events::JobRequeued::type), std::string(events::JobStarted::type),
                            std::string(events::JobFinished::type), std::string(events::TestSuiteFinished::type),
                            std::string(events::TestResults::type)});
  auto waiting = hear("runner.dispatch", {std::string(events::JobQueued::type)},
                      [this](bus::Delivery delivery) { return heard_waiting(std::move(delivery)); });
  if (!waiting) return waiting;
  auto again = hear("runner.requeued", {std::string(events::JobRequeued::type)},
                    [this](bus::Delivery delivery) { return heard_requeued(std::move(delivery)); });
  if (!again) return again;
  return hear("runner.cancel", {std::string(events::JobCancelled::type)},
              [this](bus::Delivery delivery) { return heard_cancelled(std::move(delivery)); });
}

Result<> Service::take_up_leases() {
  auto rows = parts.store.read_here(JobsProjection::projection_name, {}, jobs_at_work);
  if (!rows) return std::unexpected(rows.error());
  for (auto& row : *rows) {
    leases.hold(row.token);
    // A log that cannot be opened now is tried again with its next piece.
    if (auto opened = logs.open(row.log()); !opened)
      core::diagnose(core::Level::error, "runner", "opening the log of a job: " + opened.error().message);
    at_work.emplace(row.token, AtWork{row, {}});
  }
  return {};
}

std::shared_ptr<Session> Service::session_named(const std::string& name) const {
  auto found = sessions.find(name);
  return found == sessions.end() ? nullptr : found->second;
}

std::shared_ptr<Session> Service::session_of(Token token) const {
  auto job = at_work.find(token);
  if (job == at_work.end()) return nullptr;
  auto session = session_named(job->second.row.runner);
  return session && session->jobs.contains(token) ? session : nullptr;
}

AtWork* Service::owned(Token token, const Session& session) {
  auto job = at_work.find(token);
  return job != at_work.end() && job->second.row.runner == session.hello.runner ? &job->second : nullptr;
}

void Service::forget(Token token, std::string job) {
  if (auto session = session_of(token)) session->jobs.erase(token);
  leases.end(token);
  at_work.erase(token);
  paused.erase(token);
  resending.erase(token);
  live.erase(job);
  emptied.notify_all();
  wake_dispatch();
}

Runner::Runner(Parts parts, Policy policy) {
  parts.store.add(std::make_unique<JobsProjection>());
  impl_ = std::make_unique<Impl>(std::move(parts), policy);
}

Runner::~Runner() = default;

Result<> Runner::start() {
  Service& service = impl_->service;
  if (auto taken = service.take_up_leases(); !taken) return taken;
  if (auto heard = service.subscribe(); !heard) return heard;
  service.tasks.spawn("runner dispatch", service.dispatch());
  service.tasks.spawn("runner leases", service.watch_leases());
  service.tasks.spawn("runner words", service.write_words());
  service.wake_dispatch();
  return {};
}

Task<> Runner::stop() { co_await impl_->service.tasks.close(); }

Task<> Runner::serve(net::WebSocket& socket, core::Actor actor) {
  co_await impl_->service.serve(socket, std::move(actor));
}

Task<> Runner::drain(std::chrono::milliseconds limit) {
  Service& service = impl_->service;
  service.draining = true;
  for (auto& [name, session] : service.sessions) {
    session->draining = true;
    session->post(Drain{});
  }
  auto deadline = service.parts.clock.steady() + limit;
  while (!service.at_work.empty() && service.parts.clock.steady() < deadline)
    co_await service.emptied.wait_for(deadline - service.parts.clock.steady());
}

void Runner::replace(std::string name) {
  Service& service = impl_->service;
  service.replaced[name];
  if (auto session = service.session_named(name)) service.drain_replaced(*session);
}

std::vector<ConnectedRunner> Runner::connected() const {
  std::vector<ConnectedRunner> runners;
  for (const auto& [name, session] : impl_->service.sessions)
    runners.push_back(
        {name, session->hello.slots, session->jobs.size(), session->hello.labels, session->since, session->draining});
  return runners;
}

std::vector<LiveStep> Runner::live_steps(std::string_view job) const {
  auto found = impl_->service.live.find(std::string(job));
  return found == impl_->service.live.end() ? std::vector<LiveStep>{} : found->second;
}

std::optional<std::string> Runner::unserved(const std::vector<std::string>& labels) const {
  const auto& sessions = impl_->service.sessions;
  bool ending = false;
  for (const auto& [name, session] : sessions) {
    if (session->executor_for(labels).empty()) continue;
    if (!session->draining && !session->closed()) return std::nullopt;
    ending = true;
  }
  if (ending) return "The runners that could take this job are ending; it goes to the next one that connects.";
  if (labels.empty()) return "The job names no label in runs-on, so no runner can take it.";
  std::string wanted;
  for (const auto& label : labels) wanted.append(wanted.empty() ? "'" : " and '").append(label).append("'");
  wanted.insert(0, labels.size() == 1 ? "the label " : "both the labels ");
  if (labels.size() > 2) wanted.replace(0, std::string_view("both").size(), "all of");
  if (sessions.empty()) return "No runner is connected; the job waits for one with " + wanted + ".";
  return "No connected runner has " + wanted + ". Start one that has, or allow it with serve --label LABEL=EXECUTOR.";
}

bool Runner::has_lease(Token lease) const { return impl_->service.at_work.contains(lease); }

size_t Runner::leases() const { return impl_->service.leases.size(); }

LogStore& Runner::logs() { return impl_->service.logs; }

const SummaryStore& Runner::summaries() const { return impl_->service.summaries; }

}  // namespace headrace::runner
