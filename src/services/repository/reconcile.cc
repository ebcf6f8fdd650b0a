// Levels: what a crash left unsaid, refs that moved behind our back, folders that are missing or too many.
#include <fmt/format.h>

#include <charconv>
#include <ranges>

#include "core/diagnostics.h"
#include "core/disk.h"
#include "services/repository/disk_refs.h"
#include "services/repository/service.h"

namespace headrace::repository {

using core::Result;
using core::Task;
using namespace std::chrono_literals;

namespace {

constexpr auto catch_up_max = 10s;
constexpr auto unread_max = 10s;  // a repository stays open for so long, or twice that
constexpr size_t page = 256;
constexpr size_t moves_an_append = refs_an_event_max;

struct Believed {
  std::vector<PushRow> open;
  Refs refs;
};
Result<Believed> read_believed(sqlite::Connection& tables, int64_t repository) {
  auto open = open_pushes(tables, repository);
  if (!open) return std::unexpected(open.error());
  auto refs = refs_of(tables, repository);
  if (!refs) return std::unexpected(refs.error());
  Believed believed{std::move(*open), {}};
  for (auto& row : *refs) believed.refs.emplace(std::move(row.ref), std::move(row.commit));
  return believed;
}

}  // namespace

Task<> Repositories::Impl::tick() {
  for (;;) {
    co_await parts.clock.sleep_for(policy.reconcile_every);
    tidying = !tidied;
    auto done = co_await reconcile();
    if (!done)
      core::diagnose(core::Level::warning, "repository",
                     "reconcile: " + done.error().message + " " + done.error().detail);
    tidied = tidied || tidying;
    tidying = false;
  }
}

Task<> Repositories::Impl::close_unread() {
  for (;;) {
    co_await parts.clock.sleep_for(unread_max);
    auto close = [kept = opened] { kept->close_unread(); };  // on the pool, for it unmaps files
    if (auto closed = co_await core::blocking(parts.reads, std::move(close)); !closed)
      core::diagnose(core::Level::debug, "repository", "closing repositories: " + closed.error().message);
  }
}

Task<> Repositories::Impl::keep_up() {
  for (;;) {
    co_await parts.clock.sleep_for(policy.upkeep_after);
    const auto due = std::exchange(pushed_to, {});
    for (const auto id : due) {
      auto done = co_await parts.git.maintain(folder_of(id));
      if (!done && done.error().code != core::Code::not_found)
        core::diagnose(core::Level::warning, "repository",
                       "upkeep: " + done.error().message + " " + done.error().detail);
    }
  }
}

Task<Result<Reconciled>> Repositories::Impl::reconcile() {
  while (reconciling) co_await reconciled.wait();
  reconciling = true;
  struct Done {
    Impl& impl;
    ~Done() {
      impl.reconciling = false;
      impl.reconciled.notify_all();
    }
  } done{*this};
  co_return co_await reconcile_all();
}

Task<Result<Reconciled>> Repositories::Impl::reconcile_all() {
  Reconciled total;
  for (std::string after;;) {
    auto repositories = parts.store.read_here(
        projection_name, {}, [after](sqlite::Connection& tables) { return list_repositories(tables, after, page); });
    if (!repositories) co_return std::unexpected(repositories.error());
    for (const auto& repository : *repositories)
      if (auto one = co_await reconcile_one(repository, total); !one)
        core::diagnose(
            core::Level::warning, "repository",
            fmt::format("reconcile {}: {} {}", repository.full_name, one.error().message, one.error().detail));
    if (repositories->size() < page) break;
    after = repositories->back().full_name;
  }
  if (auto removed = co_await remove_folders(total); !removed) co_return std::unexpected(removed.error());
  co_return total;
}

// The folder is held alone from the look at its refs until what they mean is applied: no push can come between.
Task<Result<>> Repositories::Impl::reconcile_one(Repo repository, Reconciled& total) {
  const auto id = repository.id;
  auto before = parts.store.read_here(projection_name, {},
                                      [id](sqlite::Connection& tables) { return read_believed(tables, id); });
  if (!before) co_return std::unexpected(before.error());
  const bool tidy = tidying || !before->open.empty();
  Look how{.branch = repository.default_branch, .tidy = tidy, .now = parts.clock.now(), .keep = policy.keep};
  auto seen = co_await folders.look(folder_of(id), std::move(how));
  if (!seen) co_return std::unexpected(seen.error());
  if (seen->made) ++total.made;
  if (tidying) pushed_to.insert(id);
  if (!seen->lock) {
    ++total.busy;
    co_return Result<>{};
  }
  if (auto caught_up = co_await parts.store.caught_up(std::string(projection_name), parts.log.durable(), catch_up_max);
      !caught_up)
    co_return caught_up;
  auto believed = parts.store.read_here(projection_name, {},
                                        [id](sqlite::Connection& tables) { return read_believed(tables, id); });
  if (!believed) co_return std::unexpected(believed.error());
  co_return co_await say_settled(std::move(repository), settle(std::move(believed->open), believed->refs, seen->actual),
                                 total);
}

Task<Result<>> Repositories::Impl::say_settled(Repo repository, Settlement settlement, Reconciled& total) {
  if (settlement.empty()) co_return Result<>{};
  const auto path = folder_of(repository.id);
  const auto now = parts.clock.now();
  std::vector<events::SettledUpdate> moves;
  for (const auto& move : settlement.unexplained)
    moves.push_back({move.ref, move.old_commit, move.new_commit, true, false});
  for (size_t begin = 0; begin < moves.size(); begin += moves_an_append) {
    const auto part =
        std::vector(moves.begin() + static_cast<ptrdiff_t>(begin),
                    moves.begin() + static_cast<ptrdiff_t>(std::min(begin + moves_an_append, moves.size())));
    auto finished = co_await folders.finish_updates(path, part, now, false);
    if (!finished) co_return std::unexpected(finished.error());
    auto said = co_await parts.bus.publish(words_of(parts.bus, repository, *finished));
    if (!said) co_return std::unexpected(said.error());
    total.moved += part.size();
  }
  for (const auto& [push, updates] : settlement.pushes) {
    auto finished = co_await folders.finish_updates(path, updates, now, false);
    if (!finished) co_return std::unexpected(finished.error());
    const auto actor = core::parse_actor(push.actor);
    Outcome outcome{.push = push.push,
                    .repository = repository,
                    .actor = actor.value_or(core::Actor::system()),
                    .updates = std::move(*finished),
                    .settled_by = events::SettledBy::reconcile};
    auto said = co_await say_outcome(std::move(outcome));
    if (!said) co_return std::unexpected(said.error());
    ++total.settled;
  }
  co_return co_await parts.store.caught_up(std::string(projection_name), parts.log.durable(), catch_up_max);
}

Task<Result<bus::Published>> Repositories::Impl::say_outcome(Outcome outcome) {
  bus::Publish how;
  how.key = key_of(outcome.push);
  co_return co_await parts.bus.publish(words_of(parts.bus, outcome), std::move(how));
}

Task<Result<>> Repositories::Impl::remove_folders(Reconciled& total) {
  auto removed = parts.store.read_here(projection_name, {}, removed_repositories);
  if (!removed) co_return std::unexpected(removed.error());
  for (const auto& [id, name] : *removed) {
    const auto path = folder_of(id);
    if (!git::is_bare_repository(path)) continue;
    auto lock = co_await lock_alone(id, 0ms);
    if (!lock) co_return std::unexpected(lock.error());
    if (!*lock) continue;
    if (auto done = co_await folders.remove(path); !done) co_return done;
    ++total.removed;
  }
  co_return Result<>{};
}

// Never deleted: a log restored from an older copy knows less than the disk.
Task<Result<>> Repositories::Impl::name_strangers() {
  auto names = co_await folders.names_in(parts.folder);
  if (!names) co_return std::unexpected(names.error());
  auto removed = parts.store.read_here(projection_name, {}, removed_repositories);
  if (!removed) co_return std::unexpected(removed.error());
  for (const auto& name : *names) {
    int64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error == std::errc{} && std::string_view(end, name.data() + name.size()) == ".git") {
      auto found = parts.store.read_here(projection_name, {},
                                         [id](sqlite::Connection& tables) { return find_repository(tables, id); });
      if (found && *found) continue;
      if (std::ranges::find(*removed, id, &std::pair<int64_t, std::string>::first) != removed->end()) continue;
    }
    core::diagnose(
        core::Level::warning, "repository",
        fmt::format(
            "{}/{} belongs to no repository the log knows; it is left alone. Delete it by hand if nobody wants it.",
            parts.folder, name));
  }
  co_return Result<>{};
}

}  // namespace headrace::repository
