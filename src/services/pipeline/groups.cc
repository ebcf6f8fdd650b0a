// Concurrency groups: decided from who is in the group now, so hearing twice acts once. A group is of a repository;
// runs and jobs meet in it.
#include "services/pipeline/groups.h"

#include <algorithm>

#include "events/cloudevents.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t waiting_max = 100;  // members of a group that wait, with `queue: max`

struct Touched {
  std::string repository;
  std::vector<std::string> groups;  // where the event tells them
  std::string run, job;             // else the groups of these
};

template <class T>
Result<Touched> touched_as(const events::Event& event) {
  auto said = events::decode<T>(event);
  if (!said) return std::unexpected(said.error());
  Touched touched;
  touched.repository = said->repository;
  if constexpr (std::is_same_v<T, events::RunQueued>)
    touched.groups.push_back(said->group);
  else if constexpr (std::is_same_v<T, events::JobExpanded>)
    for (const events::ExpandedLeg& leg : said->legs) touched.groups.push_back(leg.group);
  else if constexpr (std::is_same_v<T, events::RunFinished>)
    touched.run = said->run;
  else
    touched.job = said->job;
  return touched;
}

Result<Touched> touched_by(const events::Event& event) {
  if (events::is<events::RunQueued>(event)) return touched_as<events::RunQueued>(event);
  if (events::is<events::RunFinished>(event)) return touched_as<events::RunFinished>(event);
  if (events::is<events::JobExpanded>(event)) return touched_as<events::JobExpanded>(event);
  if (events::is<events::JobFinished>(event)) return touched_as<events::JobFinished>(event);
  if (events::is<events::JobCancelled>(event)) return touched_as<events::JobCancelled>(event);
  return touched_as<events::JobSettled>(event);
}

}  // namespace

Verdict judge(const std::vector<Member>& members) {
  Verdict verdict;
  std::vector<Member> waiting, holding;
  for (const Member& member : members) (member.holds ? holding : waiting).push_back(member);
  if (waiting.empty()) return verdict;
  const Member newest = waiting.back();
  if (newest.cancel_in_progress) {
    for (const Member& member : holding) {
      if (!member.cancel_asked) verdict.end.push_back(member);
    }
  }
  size_t stay = newest.queue_all && !newest.cancel_in_progress ? waiting_max : 1;
  bool free = holding.empty();
  while (waiting.size() > stay + (free ? 1 : 0) || (free && newest.cancel_in_progress && waiting.size() > 1)) {
    // The oldest begins where the group is free; of those that wait behind it the oldest makes room.
    size_t place = free && !newest.cancel_in_progress ? 1 : 0;
    verdict.end.push_back(waiting[place]);
    waiting.erase(waiting.begin() + static_cast<ptrdiff_t>(place));
  }
  if (free) verdict.admit = waiting.front();
  return verdict;
}

std::string reason_to_end(const Member& member) {
  std::string what = member.job.empty() ? "run" : "job";
  return "A newer " + what + " of the same concurrency group took its place.";
}

Task<Result<>> Service::heard_of_group(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  auto touched = touched_by(delivery.event());
  if (!touched) co_return std::unexpected(touched.error());
  std::set<std::string> groups;
  for (const std::string& group : touched->groups) groups.insert(workflow::fold_case(group));
  auto found = parts.store.read_here(RunsProjection::projection_name, {}, [&](sqlite::Connection& tables) {
    return group_of(tables, touched->run, touched->job);
  });
  if (!found) co_return std::unexpected(found.error());
  if (*found) groups.insert(**found);
  groups.erase("");
  for (const std::string& group : groups) {
    auto settled = co_await settle_group(delivery, touched->repository, group);
    if (!settled) co_return settled;
  }
  co_return Result<>{};
}

Task<Result<>> Service::settle_group(bus::Delivery cause, std::string repository, std::string group) {
  auto members = parts.store.read_here(RunsProjection::projection_name, {}, [&](sqlite::Connection& tables) {
    return members_of(tables, repository, group);
  });
  if (!members) co_return std::unexpected(members.error());
  Verdict verdict = judge(*members);
  for (const Member& member : verdict.end) {
    std::string reason = reason_to_end(member);
    auto ended = co_await end_member(cause, member, std::move(reason));
    if (!ended) co_return ended;
  }
  if (!verdict.admit) co_return Result<>{};
  co_return co_await admit(cause, *verdict.admit);
}

Task<Result<>> Service::end_member(bus::Delivery cause, Member member, std::string reason) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto settled = co_await settle(member.run);
    if (!settled) co_return std::unexpected(settled.error());
    const RunRow& run = settled->run;
    if (run.status == Status::completed) co_return Result<>{};
    auto plan = co_await plan_of(run);
    if (!plan && plan.error().code != Code::not_found) co_return std::unexpected(plan.error());
    bus::Said said(parts.bus, "pipeline", cause);
    if (member.job.empty() && !run.cancelled) {
      events::RunCancelled ended;
      ended.run = run.run;
      ended.repository = run.repository;
      ended.attempt = run.attempt;
      ended.reason = reason;
      said.add("ended/" + run.run, ended);
    }
    auto force = run.waits ? Force::yes : Force::no;
    for (auto& job : cancellations(run, plan ? plan->get() : nullptr, reason, "", force)) {
      if (!member.job.empty() && job.job != member.job) continue;
      job.of_run = member.job.empty();
      said.add("cancelled/" + job.job, job);
    }
    if (said.empty()) co_return Result<>{};
    said.expect(settled->expected);
    auto appended = co_await said.append("end/" + run.run + member.job);
    auto done = settled_by(appended);
    if (!done) co_return std::unexpected(done.error());
    if (*done) co_return Result<>{};
  }
  co_return core::fail(Code::unavailable, "Too much happens at once in the run " + member.run + "; it is tried again.");
}

Task<Result<>> Service::admit(bus::Delivery cause, Member member) {
  if (!member.job.empty()) {
    std::set<std::string> admitted{member.job};
    co_return co_await advance(cause, member.run, std::move(admitted));
  }
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto settled = co_await settle(member.run);
    if (!settled) co_return std::unexpected(settled.error());
    const RunRow& run = settled->run;
    if (!run.waits || run.status == Status::completed) co_return Result<>{};
    bus::Said said(parts.bus, "pipeline", cause);
    events::RunAdmitted admitted;
    admitted.run = run.run;
    admitted.repository = run.repository;
    admitted.attempt = run.attempt;
    said.add("admitted/" + run.run, admitted);
    said.expect(settled->expected);
    auto appended = co_await said.append("admit/" + run.run);
    auto done = settled_by(appended);
    if (!done) co_return std::unexpected(done.error());
    if (*done) co_return Result<>{};
  }
  co_return core::fail(Code::unavailable, "Too much happens at once in the run " + member.run + "; it is tried again.");
}

}  // namespace headrace::pipeline
