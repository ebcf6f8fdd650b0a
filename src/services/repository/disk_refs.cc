#include "services/repository/disk_refs.h"

#include <fmt/format.h>

#include <set>

#include "git/names.h"
#include "git/repository.h"

namespace headrace::repository {
namespace {

using core::Result;

constexpr std::string_view kept_refs = "refs/headrace/keep/";

std::string day_of(core::Time time) { return core::format_time(time).substr(0, 10); }

bool leaves_a_commit(const events::SettledUpdate& update) {
  return update.applied && update.old_commit != events::no_commit &&
         (update.forced || update.new_commit == events::no_commit);
}

Result<> keep_commits(const std::string& path, const std::vector<events::SettledUpdate>& updates, core::Time now) {
  std::vector<git::RefMove> moves;
  std::set<std::string> kept;
  for (const auto& update : updates)
    if (leaves_a_commit(update) && kept.insert(update.old_commit).second)
      moves.push_back({fmt::format("{}{}/{}", kept_refs, day_of(now), update.old_commit), {}, update.old_commit});
  return moves.empty() ? Result<>() : git::move_refs(path, moves);
}

Result<bool> is_forced(git::Repository& repository, const events::SettledUpdate& update) {
  if (update.old_commit == events::no_commit || update.new_commit == events::no_commit) return false;
  const auto follows = repository.is_ancestor(update.old_commit, update.new_commit);
  if (!follows) return std::unexpected(follows.error());
  return !*follows;
}

}  // namespace

Result<std::vector<events::SettledUpdate>> finish_updates(git::Repository& repository, const std::string& path,
                                                          std::vector<events::SettledUpdate> updates, core::Time now,
                                                          bool durable) {
  std::vector<std::string> refs;
  for (auto& update : updates) {
    if (!update.applied) continue;
    const auto forced = is_forced(repository, update);
    if (!forced) return std::unexpected(forced.error());
    update.forced = *forced;
    refs.push_back(update.ref);
  }
  if (auto kept = keep_commits(path, updates, now); !kept) return std::unexpected(kept.error());
  if (durable) return updates;
  if (auto synced = git::sync_push(path, refs); !synced) return std::unexpected(synced.error());
  return updates;
}

Result<Refs> actual_refs(const std::string& path) {
  const auto repository = git::Repository::open(path);
  if (!repository) return std::unexpected(repository.error());
  const auto all = (*repository)->all_refs();
  if (!all) return std::unexpected(all.error());
  Refs refs;
  for (const auto& ref : *all)
    if (!ref.name.starts_with(git::hidden_refs) && !ref.target.empty()) refs.emplace(ref.name, ref.target);
  return refs;
}

Result<> forget_kept(const std::string& path, core::Time now, std::chrono::hours keep) {
  const auto repository = git::Repository::open(path);
  if (!repository) return std::unexpected(repository.error());
  const auto all = (*repository)->all_refs();
  if (!all) return std::unexpected(all.error());
  const auto oldest = day_of(now - keep);
  std::vector<git::RefMove> moves;
  for (const auto& ref : *all)
    if (ref.name.starts_with(kept_refs) && ref.name.substr(kept_refs.size(), oldest.size()) < oldest)
      moves.push_back({ref.name, ref.target, std::string(events::no_commit)});
  return moves.empty() ? Result<>() : git::move_refs(path, moves);
}

}  // namespace headrace::repository
