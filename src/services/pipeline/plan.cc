#include "services/pipeline/plan.h"

#include <algorithm>

#include "core/json.h"
#include "services/pipeline/launch.h"

namespace headrace::pipeline {

using workflow::Object;
using workflow::Value;

namespace {

void add_line(std::string& lines, const std::string& line) { lines.append(lines.empty() ? "" : "\n").append(line); }

std::string line_of(const workflow::Finding& finding, const std::string& file) {
  return (finding.file.empty() ? file : finding.file) + ":" + std::to_string(finding.at.line) + ":" +
         std::to_string(finding.at.column) + ": " + finding.message;
}

std::string refusal_of(const workflow::Program& program, const events::RunQueued& run) {
  std::string lines;
  for (const workflow::Finding& error : program.errors) add_line(lines, line_of(error, run.workflow_file));
  for (const workflow::Unsupported& it : program.unsupported) {
    if (!it.event.empty() && it.event != run.event) continue;
    add_line(lines, line_of({it.at, it.feature + " is not supported yet.", it.file}, run.workflow_file));
  }
  return lines;
}

std::string_view owner_of(std::string_view repository) { return repository.substr(0, repository.find('/')); }

Value value_of(const std::string& json) {
  auto read = core::parse_json(json.empty() ? "{}" : json);
  return read ? Value::from_json(*read) : Value(Object());
}

std::string short_name(const std::string& ref) {
  for (std::string_view start : {"refs/heads/", "refs/tags/", "refs/pull/"}) {
    if (ref.starts_with(start)) return ref.substr(start.size());
  }
  return ref;
}

// GitHub Docs, "github context": head_ref and base_ref are there for runs of a change alone.
std::string of_change(const RunRow& run, const Value& event, std::string_view end) {
  if (!run.event.starts_with("pull_request")) return {};
  const Value* value = event.find("pull_request");
  for (std::string_view name : {end, std::string_view("ref")}) value = value == nullptr ? nullptr : value->find(name);
  return value == nullptr ? std::string() : value->to_text();
}

Object github_of(const RunRow& run, const std::string& server_url) {
  Object github;
  std::string number = std::to_string(run.number);
  github.set("event_name", run.event);
  Value event = value_of(run.payload);
  github.set("head_ref", of_change(run, event, "head"));
  github.set("base_ref", of_change(run, event, "base"));
  github.set("event", std::move(event));
  github.set("ref", run.ref);
  github.set("ref_name", short_name(run.ref));
  github.set("ref_type", run.ref.starts_with("refs/tags/") ? "tag" : "branch");
  github.set("ref_protected", Value(false));
  github.set("sha", run.commit);
  github.set("repository", run.repository);
  github.set("repository_owner", owner_of(run.repository));
  github.set("repository_id", std::to_string(run.repository_id));
  github.set("repositoryUrl", server_url.empty() ? std::string() : server_url + "/" + run.repository + ".git");
  github.set("actor", run.first_actor.empty() ? run.actor : run.first_actor);
  github.set("triggering_actor", run.actor);
  github.set("workflow", run.workflow);
  github.set("workflow_ref", run.repository + "/" + run.workflow_file + "@" + run.ref);
  github.set("workflow_sha", run.commit);
  github.set("run_id", std::to_string(run.id));
  github.set("run_number", number);
  github.set("run_attempt", std::to_string(run.attempt));
  github.set("retention_days", "90");
  github.set("server_url", server_url);
  const bool of_github = server_url == "https://github.com";  // whose API has a host of its own
  github.set("api_url", of_github            ? "https://api.github.com"
                        : server_url.empty() ? std::string()
                                             : server_url + "/api/v3");
  if (of_github) github.set("graphql_url", "https://api.github.com/graphql");
  return github;
}

}  // namespace

std::string called_name(const std::string& uses, const workflow::Source& from) {
  bool local = uses.starts_with("./") || uses.starts_with("$/");
  return local ? from.repository + "@" + from.commit + ":" + uses.substr(2) : uses;
}

const workflow::Reading& reading_of(const SourceFile& file) {
  if (!file.reading) file.reading = std::make_shared<const workflow::Reading>(workflow::read(file.text, file.path));
  return *file.reading;
}

Planned link_run(const SourceFile& file, const events::RunQueued& run, const Called& called,
                 std::vector<Missing>& missing) {
  Planned planned;
  const workflow::Reading& reading = *file.reading;
  if (!reading.workflow) {
    for (const workflow::Finding& error : reading.errors) add_line(planned.refusal, line_of(error, file.path));
    return planned;
  }
  auto resolve = [&](const std::string& uses, const workflow::Source& from) -> core::Result<workflow::Source> {
    auto found = called.find(called_name(uses, from));
    if (found != called.end()) return found->second;
    missing.push_back({uses, from});
    return core::fail(core::Code::not_found, "The called workflow is not read yet.");
  };
  workflow::Source source{file.path, file.text, run.repository, run.commit};
  std::shared_ptr<const workflow::Workflow> workflow(file.reading, &*reading.workflow);
  planned.program = workflow::link(std::move(workflow), std::move(source), resolve);
  planned.refusal = refusal_of(planned.program, run);
  return planned;
}

void name_run(Planned& planned, events::RunQueued& run, const Object& contexts) {
  if (planned.program.units.empty()) {
    run.workflow = run.workflow_file;
    return;
  }
  const workflow::Workflow& workflow = planned.program.workflow();
  if (!planned.refusal.empty()) return;
  auto name = workflow::run_name(workflow, contexts);
  auto group = workflow::concurrency(workflow, contexts);
  if (!name) planned.refusal = line_of(name.error(), run.workflow_file);
  if (!group) planned.refusal = line_of(group.error(), run.workflow_file);
  if (!planned.refusal.empty()) return;
  if (!name->empty()) run.title = *name;
  run.group = group->group;
  run.cancel_in_progress = group->cancel_in_progress;
  run.queue_all = group->queue_all;
  run.waits = !run.group.empty();
}

Object contexts_of(const RunRow& run, const Variables& variables, const std::string& server_url) {
  Object contexts;
  contexts.set("github", Value(github_of(run, server_url)));
  contexts.set("inputs", value_of(run.inputs));
  contexts.set("vars", Value(variables.of_run));
  return contexts;
}

std::string place_of(const std::string& above, size_t index) {
  std::string number = std::to_string(index);
  number.insert(0, number.size() < 4 ? 4 - number.size() : 0, '0');
  return above.empty() ? number : above + "." + number;
}

std::vector<events::PlannedJob> planned_jobs(const workflow::Program& program, const std::string& caller,
                                             const std::string& key, const std::string& place) {
  std::string prefix = key.empty() ? "" : key + "/";
  std::vector<events::PlannedJob> jobs;
  for (const workflow::JobTemplate& job : program.templates) {
    if (job.caller != caller) continue;
    events::PlannedJob planned;
    planned.key = prefix + job.id;
    planned.name = workflow::holds_expression(job.name) ? job.id : job.name;
    for (const std::string& needed : job.needs) planned.needs.push_back(prefix + program.find(needed)->id);
    if (planned.key != job.key) planned.planned = job.key;
    planned.caller = key;
    planned.place = place_of(place, jobs.size());
    jobs.push_back(std::move(planned));
  }
  return jobs;
}

}  // namespace headrace::pipeline
