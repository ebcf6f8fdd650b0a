#include "services/repository/settle.h"

#include <algorithm>
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

// The newest update of this ref that leads to `commit` and is no step yet.
events::SettledUpdate* step_to(std::vector<PushRow>& open, const std::string& ref, const std::string& commit,
                               const Steps& taken) {
  for (auto& push : std::views::reverse(open))
    for (auto& update : push.updates)
      if (update.ref == ref && update.new_commit == commit && std::ranges::find(taken, &update) == taken.end())
        return &update;
  return nullptr;
}

// Steps backwards from where the ref is, as many as there are.
Steps way_to(std::vector<PushRow>& open, const std::string& ref, std::string commit) {
  Steps steps;
  while (auto* step = step_to(open, ref, commit, steps)) {
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
  for (const auto& name : names) {
    const auto from = commit_of(known, name);
    const auto to = commit_of(actual, name);
    const auto steps = way_to(open, name, to);
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
