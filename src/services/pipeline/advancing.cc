// A job has begun or ended: the run goes on.
#include <type_traits>

#include "events/cloudevents.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

struct Heard {
  std::string run;
  bool begun = false;  // taskrun.started
};

template <class T>
bool hear_as(const events::Event& event, Result<Heard>& heard) {
  if (!events::is<T>(event)) return false;
  auto said = events::decode<T>(event);
  if (said)
    heard = Heard{said->run, std::is_same_v<T, events::JobStarted>};
  else
    heard = std::unexpected(said.error());
  return true;
}

Result<Heard> heard_in(const events::Event& event) {
  Result<Heard> heard = Heard{};
  [[maybe_unused]] bool known =
      hear_as<events::JobStarted>(event, heard) || hear_as<events::JobFinished>(event, heard) ||
      hear_as<events::JobCancelled>(event, heard) || hear_as<events::RunCancelled>(event, heard) ||
      hear_as<events::RunAdmitted>(event, heard) || hear_as<events::RunQueued>(event, heard);
  return heard;
}

}  // namespace

Task<Result<>> Service::heard_job(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  auto heard = heard_in(delivery.event());
  if (!heard) co_return std::unexpected(heard.error());
  if (!heard->begun) {
    std::set<std::string> nobody;
    co_return co_await advance(delivery, heard->run, std::move(nobody));
  }
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto done = co_await begin_once(delivery, heard->run);
    if (done && *done) co_return Result<>{};
    if (!done && done.error().code == Code::not_found) co_return Result<>{};  // of a run that is not in this log
    if (!done) co_return std::unexpected(done.error());
  }
  co_return core::fail(Code::unavailable, "Too much happens at once in the run " + heard->run + "; it is tried again.");
}

// Until nothing more is to be said: one batch holds at most run_bytes_max of jobs.
Task<Result<>> Service::advance(bus::Delivery cause, std::string run, std::set<std::string> admitted) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto done = co_await advance_once(cause, run, admitted);
    if (done && *done) co_return Result<>{};
    if (!done && done.error().code == Code::not_found) co_return Result<>{};
    if (!done) co_return std::unexpected(done.error());
  }
  co_return core::fail(Code::unavailable, "Too much happens at once in the run " + run + "; it is tried again.");
}

Result<bool> settled_by(const Result<bus::Published>& appended) {
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

Task<Result<bool>> Service::advance_once(bus::Delivery cause, std::string run, std::set<std::string> admitted) {
  auto settled = co_await settle(run);
  if (!settled) co_return std::unexpected(settled.error());
  const RunRow& row = settled->run;
  if (row.status == Status::completed || row.waits) co_return true;
  auto made = co_await plan_of(row);
  bool gone = !made && made.error().code == Code::not_found;  // then what waits is skipped
  if (!made && !gone) co_return std::unexpected(made.error());
  Plan plan = gone ? std::make_shared<const Planned>() : *made;
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  bus::Said said(parts.bus, "pipeline", cause);
  Around around{contexts(row, *plan), std::move(admitted)};
  Course next = go_on(row, *plan, around, *given);
  say(said, next);
  if (next.finished) {
    auto end = run_finished(queued_again(row), *next.finished, errors_of(row.rows, next, *next.finished));
    said.add("finished", end);
  }
  if (said.empty()) co_return true;
  said.expect(settled->expected);
  if (given->given()) said.expect(given->expectation());
  // Named by what it says first: what is decided after a crash, about a run that went on, is another batch.
  std::string step = next.words.empty() ? "finished" : semantic_key(next.words.front());
  auto appended = co_await said.append(std::move(step));
  auto done = settled_by(appended);
  if (done && *done && next.more) co_return false;
  co_return done;
}

}  // namespace headrace::pipeline
