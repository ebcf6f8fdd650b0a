#include "services/repository/settle.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <set>

namespace headrace::repository {
namespace {

std::string commit_of(const Refs& refs, const std::string& name) {
  const auto found = refs.find(name);
  return found == refs.end() ? std::string(events::no_commit) : found->second;
}

using Steps = std::vector<events::SettledUpdate*>;
using Updates = std::map<std::string_view, Steps>;  // of each ref, the newest first

Updates by_ref(std::vector<PushRow>& open) {
  Updates updates;
  for (auto& push : std::views::reverse(open))
    for (auto& update : push.updates) updates[update.ref].push_back(&update);
  return updates;
}

// The newest update of a ref that leads to `commit` and is no step yet.
events::SettledUpdate* step_to(const Steps& updates, const std::string& commit, const Steps& taken) {
  for (auto* update : updates)
    if (update->new_commit == commit && std::ranges::find(taken, update) == taken.end()) return update;
  return nullptr;
}

// Steps backwards from where the ref is, as many as there are.
Steps way_to(const Updates& updates, const std::string& ref, std::string commit) {
  Steps steps;
  const auto found = updates.find(ref);
  if (found == updates.end()) return steps;
  while (auto* step = step_to(found->second, commit, steps)) {
    steps.push_back(step);
    commit = step->old_commit;
  }
  return steps;
}

// How many of the steps lead from where the log has the ref: the most that do, for whoever pushed from a commit had
// seen the ref there. Nothing where none does.
std::optional<size_t> explained(const Steps& steps, const std::string& from, const std::string& to) {
  for (size_t count = steps.size(); count > 0; --count)
    if (steps[count - 1]->old_commit == from) return count;
  return from == to ? std::optional<size_t>(0) : std::nullopt;
}

}  // namespace

Settlement settle(std::vector<PushRow> open, const Refs& known, const Refs& actual) {
  std::set<std::string> names;
  for (const auto& [name, commit] : known) names.insert(name);
  for (const auto& [name, commit] : actual) names.insert(name);
  for (const auto& push : open)
    for (const auto& update : push.updates) names.insert(update.ref);
  Settlement settlement;
  const auto moves = by_ref(open);
  for (const auto& name : names) {
    const auto from = commit_of(known, name);
    const auto to = commit_of(actual, name);
    const auto steps = way_to(moves, name, to);
    const auto count = explained(steps, from, to);
    for (auto* step : steps | std::views::take(count.value_or(steps.size()))) step->applied = true;
    if (!count) settlement.unexplained.push_back({name, from, steps.empty() ? to : steps.back()->old_commit});
  }
  for (auto& push : open) {
    auto updates = push.updates;
    settlement.pushes.push_back({std::move(push), std::move(updates)});
  }
  return settlement;
}

}  // namespace headrace::repository
