// Changes, the merge queue and tasks, as the services of review and tasks tell them.
#include "services/pipeline/launch.h"
#include "services/pipeline/occurrence.h"

namespace headrace::pipeline {
namespace {

constexpr std::string_view heads = "refs/heads/";

Occurrence told(const log::Stored& stored, const Home& home, std::string event, const std::string& action) {
  Occurrence it{.key = event};
  it.run.repository = home.full_name;
  it.run.repository_id = home.id;
  it.run.event_id = stored.event.id;
  it.run.actor = account_of(stored.event);
  it.run.event = it.occasion.event = std::move(event);
  it.occasion.action = action;
  return it;
}

Comparison since_they_parted(const log::Stored& stored, const events::ChangeState& change) {
  return {.kind = Comparison::Kind::change,
          .ref = std::string(heads) + change.head_branch,
          .before = change.base_commit,
          .after = change.head_commit,
          .at = stored.offset};
}

}  // namespace

std::vector<Occurrence> occurrences_of_change(const log::Stored& stored, const events::ChangeState& change,
                                              const std::string& action, ChangeEnd end, const Home& home) {
  Occurrence merged = told(stored, home, "pull_request", action);
  merged.run.title = change.title;
  merged.run.payload = pull_request_payload(home, change, action, end, merged.run.actor);
  merged.occasion.base_ref = change.base_branch;
  merged.comparison = since_they_parted(stored, change);
  Occurrence target = merged;
  // What is tested is what would land: the tree of the merge.
  merged.skippable = true;
  merged.run.ref = merged.occasion.ref = "refs/pull/" + std::to_string(change.number) + "/merge";
  merged.run.branch = change.head_branch;
  merged.run.commit = change.merge_commit;
  if (change.merge_commit.empty()) {
    merged.refusal = "The change #" + std::to_string(change.number) + " cannot be merged into " + change.base_branch +
                     " as it is, so there is no tree to run; solve its conflicts.";
  }
  target.key = target.run.event = target.occasion.event = "pull_request_target";
  target.run.ref = target.occasion.ref = std::string(heads) + change.base_branch;
  target.run.branch = change.base_branch;
  target.run.commit = change.base_commit;
  target.aside = true;
  return {std::move(merged), std::move(target)};
}

Occurrence occurrence_of(const log::Stored& stored, const events::QueueEntered& queue, const Home& home) {
  Occurrence it = told(stored, home, "merge_group", "checks_requested");
  it.run.ref = it.occasion.ref = queue.head_ref;
  it.run.branch = branch_of(queue.head_ref);
  it.run.commit = queue.head_commit;
  it.occasion.base_ref = queue.base_branch;
  it.run.payload = merge_group_payload(home, queue, it.run.actor);
  return it;
}

Occurrence occurrence_of_ticket(const log::Stored& stored, const Ticket& ticket, const std::string& action,
                                const Home& home) {
  Occurrence it = told(stored, home, "issues", action);
  it.run.title = ticket.summary;
  it.run.ref = it.occasion.ref = std::string(heads) + home.default_branch;
  it.run.branch = home.default_branch;
  it.run.payload = issue_payload(home, ticket, action, it.run.actor);
  return it;
}

}  // namespace headrace::pipeline
