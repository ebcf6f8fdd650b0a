// Events of the log in the words of `on`.
#include "events/cloudevents.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Result;
using core::Task;

namespace {

using Occurrences = Result<std::vector<Occurrence>>;

const std::string projection{RunsProjection::projection_name};

template <class T>
Occurrences told_as(const log::Stored& stored, auto tell) {
  auto said = events::decode<T>(stored.event);
  if (!said) return std::unexpected(said.error());
  return tell(*said);
}

Ticket ticket_of(const auto& said) { return {said.summary, said.creator, said.url, said.state}; }

struct Move {
  std::string run;
  std::string action;  // as on.workflow_run.types has it
};

template <class T>
bool moved_as(const events::Event& event, std::string_view action, Result<Move>& move) {
  if (!events::is<T>(event)) return false;
  auto said = events::decode<T>(event);
  if (said)
    move = Move{said->run, std::string(action)};
  else
    move = std::unexpected(said.error());
  return true;
}

// What became of a run; nothing where the event tells no such thing.
Result<Move> move_in(const events::Event& event) {
  Result<Move> move = Move{};
  [[maybe_unused]] bool known = moved_as<events::RunQueued>(event, "requested", move) ||
                                moved_as<events::RunStarted>(event, "in_progress", move) ||
                                moved_as<events::RunFinished>(event, "completed", move);
  return move;
}

}  // namespace

std::vector<std::string> Service::causes_heard() {
  std::vector<std::string> types;
  for (std::string_view type :
       {events::PushReceived::type, events::ScheduleDue::type, events::DispatchRequested::type, events::RunQueued::type,
        events::RunStarted::type, events::RunFinished::type, events::ChangeCreated::type, events::ChangeUpdated::type,
        events::ChangeMerged::type, events::ChangeAbandoned::type, events::QueueEntered::type,
        events::TicketCreated::type, events::TicketUpdated::type, events::TicketClosed::type})
    types.emplace_back(type);
  return types;
}

Result<std::optional<Home>> Service::home_of(const std::string& full_name) {
  auto found =
      parts.store.read_here(projection, {}, [&](sqlite::Connection& tables) { return repository(tables, full_name); });
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::optional<Home>();
  return Home{full_name, (*found)->id, (*found)->default_branch, policy.server_url};
}

Task<Occurrences> Service::occurrences_of(log::Stored stored) {
  std::vector<Occurrence> none;
  const events::Event& event = stored.event;
  // DESIGN, "Events": events of other tools act only where somebody trusts them, which `on: event` says (listening.cc).
  if (!events::is_reserved(event.source)) co_return none;
  if (events::is<events::PushReceived>(event)) {
    co_return told_as<events::PushReceived>(
        stored, [&](const auto& push) { return occurrences_of_push(stored, push, policy.server_url); });
  }
  auto home = home_of(std::string(event.text("partitionkey")));
  if (!home) co_return std::unexpected(home.error());
  if (!*home) co_return none;  // of no repository that is there
  co_return occurrences_at(stored, **home);
}

Occurrences Service::occurrences_at(const log::Stored& stored, const Home& home) {
  const events::Event& event = stored.event;
  auto one = [&](const auto& said) { return std::vector{occurrence_of(stored, said, home)}; };
  auto change = [&](std::string_view action, ChangeEnd end) {
    return [&stored, &home, action, end](const auto& said) {
      return occurrences_of_change(stored, said.state, std::string(action), end, home);
    };
  };
  auto ticket = [&](std::string_view action) {
    return [&stored, &home, action](const auto& said) {
      return std::vector{occurrence_of_ticket(stored, ticket_of(said), std::string(action), home)};
    };
  };
  if (events::is<events::ScheduleDue>(event)) return told_as<events::ScheduleDue>(stored, one);
  if (events::is<events::DispatchRequested>(event)) return told_as<events::DispatchRequested>(stored, one);
  if (events::is<events::QueueEntered>(event)) return told_as<events::QueueEntered>(stored, one);
  if (events::is<events::ChangeCreated>(event))
    return told_as<events::ChangeCreated>(stored, change("opened", ChangeEnd::none));
  if (events::is<events::ChangeUpdated>(event)) {
    return told_as<events::ChangeUpdated>(stored,
                                          [&](const auto& said) { return change(said.action, ChangeEnd::none)(said); });
  }
  if (events::is<events::ChangeMerged>(event))
    return told_as<events::ChangeMerged>(stored, change("closed", ChangeEnd::merged));
  if (events::is<events::ChangeAbandoned>(event))
    return told_as<events::ChangeAbandoned>(stored, change("closed", ChangeEnd::abandoned));
  if (events::is<events::TicketCreated>(event)) return told_as<events::TicketCreated>(stored, ticket("opened"));
  if (events::is<events::TicketUpdated>(event)) {
    return told_as<events::TicketUpdated>(stored, [&](const auto& said) { return ticket(said.action)(said); });
  }
  if (events::is<events::TicketClosed>(event)) return told_as<events::TicketClosed>(stored, ticket("closed"));
  return run_occurrences(stored, home);
}

// A run that began or ended matters only where a file of the default branch waits for such: the others read no file.
Occurrences Service::run_occurrences(const log::Stored& stored, const Home& home) {
  std::vector<Occurrence> none;
  auto move = move_in(stored.event);
  if (!move) return std::unexpected(move.error());
  if (move->run.empty()) return none;
  auto since = parts.store.read_here(
      projection, {}, [&](sqlite::Connection& tables) { return waits_for(tables, home.full_name, "workflow_run"); });
  if (!since) return std::unexpected(since.error());
  if (!*since || **since >= stored.offset) return none;
  auto run = parts.store.read_here(projection, {},
                                   [&](sqlite::Connection& tables) { return find_run_alone(tables, move->run); });
  if (!run) return std::unexpected(run.error());
  if (!*run) return none;
  if (move->action != "completed") (*run)->conclusion.reset();
  return std::vector{occurrence_of_run(stored, **run, move->action, home)};
}

}  // namespace headrace::pipeline
