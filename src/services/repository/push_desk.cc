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

namespace {

constexpr size_t json_an_update = 256;  // of two ids and the names of fields

events::Event word_of(const Repo& repository, const std::vector<git::RefChange>& changes,
                      const std::vector<std::string>& options, const events::Header& header) {
  events::PushAccepted accepted{.push = header.id,
                                .repository = repository.full_name,
                                .repository_id = repository.id,
                                .updates = {},
                                .options = options};
  for (const auto& change : changes) accepted.updates.push_back({change.ref, change.old_commit, change.new_commit});
  return events::encode(accepted, header);
}

}  // namespace

// As few as the events bear, and nearly equal, so that none of them looks like a push of a few refs.
std::vector<std::vector<git::RefChange>> in_parts(std::vector<git::RefChange> changes) {
  size_t text = 0;
  for (const auto& change : changes) text += 2 * change.ref.size() + json_an_update;
  size_t parts = std::max(changes.size() / refs_an_event_max + (changes.size() % refs_an_event_max != 0 ? 1 : 0),
                          text / ref_text_an_event_max + 1);
  std::vector<std::vector<git::RefChange>> result;
  for (auto next = changes.begin(); next != changes.end(); --parts) {
    const auto count = (changes.end() - next) / static_cast<ptrdiff_t>(parts) +
                       ((changes.end() - next) % static_cast<ptrdiff_t>(parts) != 0 ? 1 : 0);
    result.emplace_back(std::make_move_iterator(next), std::make_move_iterator(next + count));
    next += count;
  }
  return result;
}

// The event is durable before this returns, and git moves refs only after.
Task<Result<>> PushDesk::accept(Push push, git::Say /*say*/) {
  if (auto good = check_changes(push.changes); !good) co_return good;
  if (auto good = co_await check_files(push.quarantine); !good) co_return good;
  std::vector<Part> parts;
  std::vector<events::Event> words;
  for (auto& changes : in_parts(std::move(push.changes))) {
    auto header = service_.parts.bus.header(bus::Origin::root(service_name, actor_));
    words.push_back(word_of(repository_, changes, push.options, header));
    parts.push_back({header.id, std::move(changes)});
  }
  auto published = co_await service_.parts.bus.publish(std::move(words));
  if (!published) co_return std::unexpected(published.error());
  parts_ = std::move(parts);
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

Task<> PushDesk::received(Received received, git::Say say) {
  std::set<std::string> moved;
  for (auto& change : received.changes) moved.insert(std::move(change.ref));
  for (const auto& part : parts_) {
    auto settled = co_await settle(part, moved, received.durable);
    if (settled) continue;
    core::diagnose(core::Level::error, "repository",
                   fmt::format("push {}: {} {}", part.push, settled.error().message, settled.error().detail));
    co_await say("The push is there, but could not be recorded yet: " + settled.error().message);
    co_return;
  }
  settled_ = true;
  co_await tell_of_workflows(std::move(moved), say);
  co_await say(fmt::format("Watch what it starts: headrace run watch --repo {}", repository_.full_name));
}

// After the event, so that what the push starts does not wait for it. That it cannot be told hurts nobody.
Task<> PushDesk::tell_of_workflows(std::set<std::string> applied, git::Say say) {
  std::vector<events::SettledUpdate> branches;
  for (const auto& part : parts_)
    for (const auto& change : part.changes)
      if (change.ref.starts_with("refs/heads/") && applied.contains(change.ref))
        branches.push_back({change.ref, change.old_commit, change.new_commit, true, false});
  if (branches.empty()) co_return;
  const auto path = service_.folder_of(repository_.id);
  auto findings = co_await service_.folders.findings_in_workflows(path, std::move(branches));
  if (!findings) co_return core::diagnose(core::Level::debug, "repository", findings.error().message);
  for (const auto& finding : *findings) co_await say(finding);
}

Task<Result<>> PushDesk::settle(Part part, std::set<std::string> applied, bool durable) {
  std::vector<events::SettledUpdate> updates;
  for (const auto& change : part.changes)
    updates.push_back({change.ref, change.old_commit, change.new_commit, applied.contains(change.ref), false});
  const auto path = service_.folder_of(repository_.id);
  const auto now = service_.parts.clock.now();
  auto finished = co_await service_.folders.finish_updates(path, std::move(updates), now, durable);
  if (!finished) co_return std::unexpected(finished.error());
  Outcome outcome{.push = part.push,
                  .repository = repository_,
                  .actor = actor_,
                  .updates = std::move(*finished),
                  .settled_by = events::SettledBy::hook};
  auto said = co_await service_.say_outcome(std::move(outcome));
  if (!said) co_return std::unexpected(said.error());
  co_return Result<>{};
}

}  // namespace headrace::repository
