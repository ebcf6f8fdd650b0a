// What the workflow files of a default branch wait for is read when the branch moves, and said where it is news.
#include <algorithm>
#include <set>

#include "events/cloudevents.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

const std::string projection{RunsProjection::projection_name};

bool any_event_may_be(std::string_view event) { return event == "event" || event == "workflow_run"; }

Awaited awaited_in(const Snapshot& snapshot) {
  std::set<std::string> crons, events;
  for (const SourceFile& file : snapshot.files) {
    if (!workflow::is_workflow_path(file.path)) continue;
    workflow::Reading reading = workflow::read(file.text, file.path);
    if (!reading.workflow) continue;
    for (const workflow::Trigger& trigger : reading.workflow->on) {
      for (const workflow::Schedule& schedule : trigger.schedules) crons.insert(schedule.cron);
      if (any_event_may_be(trigger.event)) events.insert(trigger.event);
    }
  }
  Awaited awaited{{crons.begin(), crons.end()}, {events.begin(), events.end()}};
  if (awaited.crons.size() > schedules_max) awaited.crons.resize(schedules_max);
  return awaited;
}

}  // namespace

Task<Result<>> Service::heard_ref(bus::Delivery delivery) {
  const events::Event& event = delivery.event();
  if (!events::is_reserved(event.source)) co_return Result<>{};
  auto moved = events::decode<events::RefUpdated>(event);
  if (!moved) co_return std::unexpected(moved.error());
  auto home = home_of(moved->repository);
  if (!home) co_return std::unexpected(home.error());
  if (!*home || moved->ref != "refs/heads/" + (*home)->default_branch) co_return Result<>{};
  auto awaited = std::make_shared<Awaited>();  // a branch that is gone waits for nothing
  if (moved->new_commit != events::no_commit) {
    auto snapshot = co_await parts.source.files(moved->repository, moved->new_commit);
    if (!snapshot && snapshot.error().code == Code::not_found) co_return Result<>{};  // deleted since
    if (!snapshot) co_return core::pass_on(snapshot.error(), "reading what the default branch waits for");
    *awaited = awaited_in(*snapshot);
  }
  auto before = parts.store.read_here(
      projection, {}, [&](sqlite::Connection& tables) { return awaited_by(tables, moved->repository); });
  if (!before) co_return std::unexpected(before.error());
  if (*before == *awaited) co_return Result<>{};
  bus::Said said(parts.bus, "pipeline", delivery);
  events::WorkflowsRead read;
  read.repository = moved->repository;
  read.repository_id = (*home)->id;
  read.commit = moved->new_commit;
  read.actor = account_of(event);
  read.crons = awaited->crons;
  read.events = awaited->events;
  said.add("workflows", read);
  auto appended = co_await said.append();
  if (!appended) co_return std::unexpected(appended.error());
  if (std::ranges::find(read.events, "event") != read.events.end()) co_return listen();
  co_return Result<>{};
}

}  // namespace headrace::pipeline
