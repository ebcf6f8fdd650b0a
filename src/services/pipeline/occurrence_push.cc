// Pushes as push, create and delete.
#include <algorithm>

#include "core/actor.h"
#include "services/pipeline/launch.h"
#include "services/pipeline/occurrence.h"

namespace headrace::pipeline {
namespace {

using events::SettledUpdate;

constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/";
constexpr std::string_view made_by_a_job = "A job did it with its own token, and that starts no runs.";

bool is_tag(const SettledUpdate& update) { return update.ref.starts_with(tags); }
bool deletes(const SettledUpdate& update) { return update.new_commit == events::no_commit; }

// What keeps every workflow from hearing of an update; empty: nothing.
std::string nothing_hears(const log::Stored& stored, const events::PushReceived& push, const SettledUpdate& update) {
  // GitHub Docs, "Triggering a workflow from a workflow": otherwise a job that pushes would run itself for ever.
  if (is_of_a_job(stored.event)) return std::string(made_by_a_job);
  if (!update.applied) return "The ref did not move: git refused it, or another push was quicker.";
  if (!is_tag(update)) return {};
  auto like_it = [&](const SettledUpdate& other) {
    return is_tag(other) && other.applied && deletes(other) == deletes(update);
  };
  auto count = static_cast<size_t>(std::ranges::count_if(push.updates, like_it));
  if (count <= tags_a_push_max) return {};
  return "The push " + std::string(deletes(update) ? "deletes " : "moves ") + std::to_string(count) +
         " tags, and no tag starts workflows where there are more than " + std::to_string(tags_a_push_max) +
         " at once. Push them one by one.";
}

Occurrence told(const log::Stored& stored, const events::PushReceived& push, const SettledUpdate& update) {
  Occurrence it{.key = update.ref};
  it.run.repository = push.repository;
  it.run.repository_id = push.repository_id;
  it.run.event_id = stored.event.id;
  it.run.ref = update.ref;
  it.run.branch = branch_of(update.ref);
  it.run.commit = update.new_commit;
  it.run.actor = account_of(stored.event);
  it.occasion.ref = update.ref;
  it.refusal = nothing_hears(stored, push, update);
  return it;
}

Occurrence of_update(const log::Stored& stored, const events::PushReceived& push, const SettledUpdate& update,
                     const Home& home) {
  Occurrence it = told(stored, push, update);
  it.run.event = it.occasion.event = "push";
  it.skippable = true;
  it.comparison = Comparison{.kind = Comparison::Kind::push,
                             .ref = update.ref,
                             .before = update.old_commit,
                             .after = update.new_commit,
                             .at = stored.offset};
  it.payload = [home, update, actor = it.run.actor](const Changes& changes) {
    return push_payload(home, update, actor, changes);
  };
  if (it.refusal.empty() && deletes(update)) it.refusal = "The push deleted the ref, so there is no commit to run.";
  return it;
}

Occurrence of_fate(const log::Stored& stored, const events::PushReceived& push, const SettledUpdate& update,
                   const Home& home) {
  bool gone = deletes(update);
  Occurrence it = told(stored, push, update);
  it.run.event = it.occasion.event = gone ? "delete" : "create";
  it.key = it.run.event + " " + update.ref;
  it.aside = true;
  it.run.payload = ref_payload(home, gone ? RefFate::deleted : RefFate::created, update.ref, it.run.actor);
  if (!gone) return it;
  it.run.branch = push.default_branch;  // GitHub: what was deleted has no commit, so the default branch runs
  it.run.ref = it.occasion.ref = std::string(heads) + push.default_branch;
  it.run.commit.clear();
  return it;
}

}  // namespace

std::string account_of(const events::Event& event) {
  auto actor = core::parse_actor(event.actor());
  return actor && actor->kind == core::Actor::Kind::user ? actor->name : std::string();
}

bool is_of_a_job(const events::Event& event) {
  auto actor = core::parse_actor(event.actor());
  return actor && actor->kind == core::Actor::Kind::job;
}

std::vector<Occurrence> occurrences_of_push(const log::Stored& stored, const events::PushReceived& push,
                                            const std::string& server_url) {
  Home home{push.repository, push.repository_id, push.default_branch, server_url};
  std::vector<Occurrence> all;
  for (const SettledUpdate& update : push.updates) {
    all.push_back(of_update(stored, push, update, home));
    bool has_fate = (update.old_commit == events::no_commit) != deletes(update);
    bool known = update.ref.starts_with(heads) || is_tag(update);
    if (has_fate && known && update.applied) all.push_back(of_fate(stored, push, update, home));
  }
  return all;
}

}  // namespace headrace::pipeline
