#include "services/repository/push_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/diagnostics.h"
#include "services/repository/disk_refs.h"
#include "services/repository/ref_policy.h"

namespace headrace::repository {

using core::Code;
using core::Result;
using core::Task;

// The event is durable before this returns, and git moves refs only after.
Task<Result<>> PushDesk::accept(Push push, git::Say /*say*/) {
  if (auto good = check_changes(push.changes); !good) co_return good;
  if (auto good = co_await check_files(push.quarantine); !good) co_return good;
  auto header = service_.parts.bus.header(bus::Origin::root(service_name, actor_));
  events::PushAccepted accepted{.push = header.id,
                                .repository = repository_.full_name,
                                .repository_id = repository_.id,
                                .updates = {},
                                .options = push.options};
  for (const auto& change : push.changes)
    accepted.updates.push_back({change.ref, change.old_commit, change.new_commit});
  auto published = co_await service_.parts.bus.publish(events::encode(accepted, header));
  if (!published) co_return std::unexpected(published.error());
  push_ = header.id;
  changes_ = std::move(push.changes);
  co_return Result<>{};
}

Task<Result<>> PushDesk::check_files(std::string quarantine) {
  if (quarantine.empty()) co_return Result<>{};
  auto largest = co_await service_.folders.largest_file(std::move(quarantine));
  if (!largest) co_return std::unexpected(largest.error());
  const auto bound = service_.policy.file_bytes_max;
  if (!*largest || (*largest)->bytes <= bound) co_return Result<>{};
  co_return core::fail(
      Code::denied,
      fmt::format("File {:.10} of this push has {} bytes; the largest allowed has {}. Take it out of every "
                  "commit (git log --find-object={:.10} names them), or keep it as an artifact.",
                  (*largest)->id, (*largest)->bytes, bound, (*largest)->id));
}

Task<> PushDesk::received(std::vector<git::RefChange> applied, git::Say say) {
  auto settled = co_await settle(std::move(applied));
  if (!settled) {
    core::diagnose(core::Level::error, "repository",
                   fmt::format("push {}: {} {}", push_, settled.error().message, settled.error().detail));
    co_await say("The push is there, but could not be recorded yet: " + settled.error().message);
    co_return;
  }
  settled_ = true;
  co_await say(fmt::format("Watch what it starts: headrace run watch --repo {}", repository_.full_name));
}

Task<Result<>> PushDesk::settle(std::vector<git::RefChange> applied) {
  std::vector<events::SettledUpdate> updates;
  for (const auto& change : changes_) {
    const bool moved = std::ranges::find(applied, change.ref, &git::RefChange::ref) != applied.end();
    updates.push_back({change.ref, change.old_commit, change.new_commit, moved, false});
  }
  const auto path = service_.folder_of(repository_.id);
  auto finished = co_await service_.folders.finish_updates(path, std::move(updates), service_.parts.clock.now());
  if (!finished) co_return std::unexpected(finished.error());
  Outcome outcome{.push = push_,
                  .repository = repository_,
                  .actor = actor_,
                  .updates = std::move(*finished),
                  .settled_by = events::SettledBy::hook};
  auto said = co_await service_.say_outcome(std::move(outcome));
  if (!said) co_return std::unexpected(said.error());
  co_return Result<>{};
}

}  // namespace headrace::repository
