// What the workflow files of a default branch wait for is read when the branch moves, and said where it is news.
#include <algorithm>
#include <set>

#include "core/diagnostics.h"
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
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto before = last_read_of(moved->repository);
    if (!before) co_return std::unexpected(before.error());
    auto news = co_await news_of(**home, moved->new_commit, account_of(event));
    if (!news || !*news) co_return news ? Result<>{} : std::unexpected(news.error());
    bus::Said said(parts.bus, "pipeline", delivery);
    said.add("workflows", **news);
    said.expect(*before);
    auto appended = co_await said.append();
    auto done = settled_by(appended);
    if (!done) co_return std::unexpected(done.error());
    if (*done) co_return listen_to(**news);
  }
  co_return core::fail(Code::unavailable, "The default branch of " + moved->repository +
                                              " moves too often to say what it waits for; it is tried again.");
}

// What an event of the branch's last move did not come to say: it was there before there was such an event, or moved
// behind our back. Once at each start.
Task<> Service::settle_awaited() {
  auto names = parts.store.read_here(projection, {}, [](sqlite::Connection& tables) { return repositories(tables); });
  if (!names) co_return;
  for (const std::string& name : *names) {
    auto settled = co_await settle_awaited_by(name);
    if (settled) continue;
    core::diagnose(core::Level::warning, "pipeline",
                   "what " + name + " waits for: " + settled.error().message + " " + settled.error().detail);
  }
}

Task<Result<>> Service::settle_awaited_by(std::string repository) {
  auto home = home_of(repository);
  if (!home || !*home) co_return home ? Result<>{} : std::unexpected(home.error());
  auto before = last_read_of(repository);
  if (!before) co_return std::unexpected(before.error());
  auto commit = co_await parts.source.commit_of(repository, "refs/heads/" + (*home)->default_branch);
  if (!commit && commit.error().code == Code::not_found) commit = std::string(events::no_commit);
  if (!commit) co_return std::unexpected(commit.error());
  std::string nobody;
  auto news = co_await news_of(**home, *commit, std::move(nobody));
  if (!news || !*news) co_return news ? Result<>{} : std::unexpected(news.error());
  bus::Publish how;
  how.expected.push_back(*before);
  auto origin = bus::Origin::root("pipeline", core::Actor::service("pipeline"));
  auto said = co_await parts.bus.say(**news, std::move(origin), std::move(how));
  if (!said && said.error().code == Code::conflict) co_return Result<>{};  // a push came first and said it
  if (!said) co_return std::unexpected(said.error());
  co_return listen_to(**news);
}

// Whoever says what a repository waits for has seen what was said before.
Result<log::Expected> Service::last_read_of(const std::string& repository) {
  std::string key = "workflows/" + repository;
  auto last = parts.log.last_of(key);
  if (!last) return std::unexpected(last.error());
  return log::Expected{std::move(key), *last};
}

// Nothing where the files of the commit wait for what is known. A branch that is gone waits for nothing.
Task<Result<std::optional<events::WorkflowsRead>>> Service::news_of(Home home, std::string commit, std::string actor) {
  std::optional<events::WorkflowsRead> none;
  Awaited awaited;
  if (commit != events::no_commit) {
    auto snapshot = co_await parts.source.files(home.full_name, commit);
    if (!snapshot && snapshot.error().code == Code::not_found) co_return none;  // deleted since
    if (!snapshot) co_return core::pass_on(snapshot.error(), "reading what the default branch waits for");
    awaited = awaited_in(*snapshot);
  }
  auto last = parts.log.last_of("workflows/" + home.full_name);
  if (!last) co_return std::unexpected(last.error());
  auto shown = co_await caught_up(*last);
  if (!shown) co_return std::unexpected(shown.error());
  auto before = parts.store.read_here(
      projection, {}, [&home](sqlite::Connection& tables) { return awaited_by(tables, home.full_name); });
  if (!before) co_return std::unexpected(before.error());
  if (*before == awaited) co_return none;
  events::WorkflowsRead read;
  read.repository = home.full_name;
  read.repository_id = home.id;
  read.commit = std::move(commit);
  read.actor = std::move(actor);
  read.crons = std::move(awaited.crons);
  read.events = std::move(awaited.events);
  co_return read;
}

Result<> Service::listen_to(const events::WorkflowsRead& read) {
  bool any = std::ranges::find(read.events, "event") != read.events.end();
  return any ? listen() : Result<>{};
}

}  // namespace headrace::pipeline
