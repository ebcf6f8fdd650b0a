#include "services/repository/words.h"

#include "git/names.h"

namespace headrace::repository {
namespace {

// Says that one ref moved, and its branch came or went.
void add_move(std::vector<events::Event>& said, const bus::Bus& bus, const bus::Origin& origin, const Repo& repository,
              const events::SettledUpdate& move, const std::string& push) {
  const auto moved = events::encode(events::RefUpdated{.repository = repository.full_name,
                                                       .ref = move.ref,
                                                       .old_commit = move.old_commit,
                                                       .new_commit = move.new_commit,
                                                       .forced = move.forced,
                                                       .push = push},
                                    bus.header(origin));
  said.push_back(moved);
  const std::string branch(git::branch_of(move.ref));
  if (branch.empty()) return;
  const auto header = bus.header(bus::Origin::because_of(moved, service_name, origin.actor));
  if (move.old_commit == events::no_commit)
    said.push_back(events::encode(events::BranchCreated{branch, repository.full_name, move.new_commit, push}, header));
  if (move.new_commit == events::no_commit)
    said.push_back(events::encode(events::BranchDeleted{branch, repository.full_name, move.old_commit, push}, header));
}

}  // namespace

std::string key_of(std::string_view push) { return "push/" + std::string(push); }

std::vector<events::Event> words_of(const bus::Bus& bus, const Outcome& outcome) {
  const bus::Origin because_of_acceptance{.service = service_name,
                                          .actor = outcome.actor,
                                          .causation_id = outcome.push,
                                          .correlation_id = outcome.push,
                                          .traceparent = {}};
  std::vector<events::Event> said;
  said.push_back(events::encode(events::PushReceived{.push = outcome.push,
                                                     .repository = outcome.repository.full_name,
                                                     .repository_id = outcome.repository.id,
                                                     .updates = outcome.updates,
                                                     .default_branch = outcome.repository.default_branch,
                                                     .settled_by = outcome.settled_by},
                                bus.header(because_of_acceptance)));
  const auto because_of_receipt = bus::Origin::because_of(said.front(), service_name, outcome.actor);
  for (const auto& update : outcome.updates)
    if (update.applied) add_move(said, bus, because_of_receipt, outcome.repository, update, outcome.push);
  return said;
}

std::vector<events::Event> words_of(const bus::Bus& bus, const Repo& repository,
                                    const std::vector<events::SettledUpdate>& moves) {
  std::vector<events::Event> said;
  for (const auto& move : moves)
    add_move(said, bus, bus::Origin::root(service_name, core::Actor::system()), repository, move, {});
  return said;
}

}  // namespace headrace::repository
