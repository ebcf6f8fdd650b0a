// A job has begun or ended: the run goes on.
#include <algorithm>

#include "events/cloudevents.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;

namespace {

struct Heard {
  std::string run;
  bool begun = false;  // taskrun.started
};

template <class T>
Result<std::string> run_in(const events::Event& event) {
  auto said = events::decode<T>(event);
  if (!said) return std::unexpected(said.error());
  return said->run;
}

Result<Heard> heard_in(const events::Event& event) {
  bool begun = events::is<events::JobStarted>(event);
  auto run = begun                                    ? run_in<events::JobStarted>(event)
             : events::is<events::JobFinished>(event) ? run_in<events::JobFinished>(event)
                                                      : run_in<events::JobCancelled>(event);
  if (!run) return std::unexpected(run.error());
  return Heard{std::move(*run), begun};
}

bool failed(const Job& job) { return job.conclusion == Conclusion::failure || job.conclusion == Conclusion::timed_out; }

// The plan says what the file wants of jobs that wait, and whether a failure counts.
bool wants_plan(const Run& run) {
  return std::ranges::any_of(run.jobs, [](const Job& job) { return job.status == Status::waiting || failed(job); });
}

std::string errors_of(const Run& run, Conclusion conclusion) {
  if (conclusion == Conclusion::success || conclusion == Conclusion::skipped) return {};
  std::string lines;
  for (const Job& job : run.jobs) {
    bool counts = failed(job) || job.conclusion == Conclusion::cancelled;
    if (!counts) continue;
    lines.append(lines.empty() ? "" : "\n").append("The job '" + job.name + "' ended as ");
    lines.append(events::name_of(*job.conclusion)).append(job.reason.empty() ? "." : ": " + job.reason);
  }
  return lines;
}

}  // namespace

std::vector<Vertex> vertices_of(const Run& run, const Planned* plan) {
  std::vector<Vertex> graph;
  for (const Job& job : run.jobs) {
    const workflow::PlannedJob* planned = plan == nullptr ? nullptr : plan->find(job.key);
    Vertex vertex;
    vertex.key = job.key;
    vertex.needs = job.needs;
    vertex.status = job.status;
    vertex.conclusion = job.conclusion;
    vertex.condition = planned == nullptr ? workflow::Condition::never : planned->condition;
    vertex.continue_on_error = planned != nullptr && planned->continue_on_error;
    graph.push_back(std::move(vertex));
  }
  return graph;
}

Task<Result<>> Service::heard_job(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  auto heard = heard_in(delivery.event());
  if (!heard) co_return std::unexpected(heard.error());
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Result<bool> done = false;
    if (heard->begun) {
      done = co_await begin_once(delivery, heard->run);
    } else {
      done = co_await advance_once(delivery, heard->run);
    }
    if (done && *done) co_return Result<>{};
    if (!done && done.error().code == Code::not_found) co_return Result<>{};  // of a run that is not in this log
    if (!done) co_return std::unexpected(done.error());
  }
  co_return core::fail(Code::unavailable, "Too much happens at once in the run " + heard->run + "; it is tried again.");
}

// False: somebody else said something of the run, or took ids; look again.
static Result<bool> settled_by(const Result<bus::Published>& appended) {
  if (appended) return true;
  if (appended.error().code == Code::conflict) return false;
  return std::unexpected(appended.error());
}

Task<Result<bool>> Service::begin_once(bus::Delivery cause, std::string run) {
  auto settled = co_await settle(run);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& row = settled->run;
  if (row.status != Status::queued) co_return true;
  bus::Said said(parts.bus, "pipeline", cause);
  events::RunStarted started;
  started.run = row.run;
  started.repository = row.repository;
  started.number = row.number;
  started.workflow = row.workflow;
  started.attempt = row.attempt;
  started.url = row.url;
  said.add("started", started);
  said.expect(settled->expected);
  auto appended = co_await said.append();
  co_return settled_by(appended);
}

Task<Result<bool>> Service::advance_once(bus::Delivery cause, std::string run) {
  auto settled = co_await settle(run);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& row = settled->run;
  if (row.status == Status::completed) co_return true;
  Plan plan;
  if (wants_plan(row)) {
    auto made = co_await plan_of(row);
    bool gone = !made && made.error().code == Code::not_found;  // then what waits is skipped
    if (!made && !gone) co_return std::unexpected(made.error());
    if (made) plan = *made;
  }
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  bus::Said said(parts.bus, "pipeline", cause);
  const events::RunQueued words = queued_again(row);
  Advance next = advance(vertices_of(row, plan.get()), row.cancelled);
  for (const std::string& key : next.queue) said.add("queued/" + key, job_queued(words, *plan->find(key), *given));
  for (const auto& [key, reason] : next.skip) {
    auto job = std::ranges::find(row.jobs, key, &Job::key);
    std::string why = plan ? reason : "The workflow file it was planned from cannot be found any more.";
    said.add("skipped/" + key, job_skipped(words, key, job->name, std::move(why), *given));
  }
  if (next.finished) said.add("finished", run_finished(words, *next.finished, errors_of(row, *next.finished)));
  if (said.empty()) co_return true;
  said.expect(settled->expected);
  if (given->given()) said.expect(given->expectation());
  auto appended = co_await said.append();
  co_return settled_by(appended);
}

}  // namespace headrace::pipeline
