// What runs the workflow files of the default branch: times, requests, runs, and any event of the log.
#include "events/cloudevents.h"
#include "services/pipeline/occurrence.h"

namespace headrace::pipeline {
namespace {

constexpr size_t event_bytes_max = 40 * 1024;  // of an event as github.event shows it: escaped twice in the run's

Occurrence on_default_branch(const log::Stored& stored, const Home& home, std::string event) {
  Occurrence it{.key = event};
  it.run.repository = home.full_name;
  it.run.repository_id = home.id;
  it.run.event_id = stored.event.id;
  it.run.ref = "refs/heads/" + home.default_branch;
  it.run.branch = home.default_branch;
  it.run.actor = account_of(stored.event);
  it.run.event = it.occasion.event = std::move(event);
  it.occasion.ref = it.run.ref;
  return it;
}

// GitHub Docs, "Events that trigger workflows", workflow_run. Runs of any event are bounded in the same way.
std::string too_deep(int64_t depth) {
  if (depth <= depth_max) return {};
  return "It follows from " + std::to_string(depth) +
         " runs, each started by the one before, and a chain ends behind " + std::to_string(depth_max) + ".";
}

}  // namespace

Occurrence occurrence_of(const log::Stored& stored, const events::ScheduleDue& due, const Home& home) {
  Occurrence it = on_default_branch(stored, home, "schedule");
  it.run.actor = due.actor;
  it.occasion.cron = due.cron;
  it.run.payload = schedule_payload(home, due.cron, due.actor);
  return it;
}

Occurrence occurrence_of(const log::Stored& stored, const events::DispatchRequested& asked, const Home& home) {
  Occurrence it = on_default_branch(stored, home, "repository_dispatch");
  it.run.title = it.occasion.action = asked.event_type;
  it.run.payload = repository_dispatch_payload(home, asked, it.run.actor);
  return it;
}

Occurrence occurrence_of_run(const log::Stored& stored, const RunRow& run, const std::string& action,
                             const Home& home) {
  Occurrence it = on_default_branch(stored, home, "workflow_run");
  it.run.actor = run.actor;
  it.run.title = run.workflow;
  it.run.depth = run.depth + 1;
  it.refusal = too_deep(it.run.depth);
  it.occasion.action = action;
  it.occasion.workflow = run.workflow;
  it.occasion.workflow_file = run.workflow_file;
  it.occasion.base_ref = run.branch;
  it.run.payload = workflow_run_payload(home, run, action);
  return it;
}

Occurrence occurrence_of_any(const log::Stored& stored, const Home& home, int64_t depth) {
  Occurrence it = on_default_branch(stored, home, "event");
  it.key = "event " + home.full_name;  // one of another tool may be heard by several repositories
  it.aside = true;
  it.run.depth = depth;
  it.refusal = too_deep(depth);
  it.cloud_event = std::make_shared<const events::Event>(stored.event);
  it.occasion.cloud_event = it.cloud_event.get();
  it.run.title = stored.event.type;
  it.run.payload = events::to_structured(stored.event);
  if (it.run.payload.size() <= event_bytes_max) return it;
  events::Event head = stored.event;
  head.data.clear();
  head.has_data = false;
  it.run.payload = events::to_structured(head);
  return it;
}

}  // namespace headrace::pipeline
