#include "cli/exec_event.h"

#include <algorithm>

#include "events/cloudevents.h"
#include "services/pipeline/launch.h"
#include "services/pipeline/payload.h"
#include "workflow/schema.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

constexpr std::string_view nothing_before = "0000000000000000000000000000000000000000";

std::string owner_of(const std::string& full_name) { return full_name.substr(0, full_name.find('/')); }
std::string name_of_repository(const std::string& full_name) { return full_name.substr(full_name.find('/') + 1); }

json::object account(const std::string& login) { return {{"login", login}, {"name", login}, {"type", "User"}}; }

json::object repository(const Folder& folder) {
  std::string page = folder.server_url.empty() ? "" : folder.server_url + "/" + folder.full_name;
  json::object made{{"id", 1},
                    {"name", name_of_repository(folder.full_name)},
                    {"full_name", folder.full_name},
                    {"private", false},
                    {"default_branch", folder.default_branch},
                    {"html_url", page},
                    {"clone_url", page.empty() ? page : page + ".git"}};
  made["owner"] = account(owner_of(folder.full_name));
  return made;
}

json::object head_commit(const Folder& folder, const Snapshot& snapshot) {
  json::array added, modified, removed;
  for (const Change& change : snapshot.changes) {
    auto& list = change.kind == 'A' ? added : change.kind == 'D' ? removed : modified;
    list.emplace_back(change.path);
  }
  json::object author{{"name", folder.actor}, {"email", folder.email}};
  json::object made{{"id", snapshot.commit}, {"message", folder.title}, {"author", author}, {"committer", author}};
  made["added"] = std::move(added);
  made["modified"] = std::move(modified);
  made["removed"] = std::move(removed);
  return made;
}

void add_push(json::object& payload, const Folder& folder, const Snapshot& snapshot) {
  json::object commit = head_commit(folder, snapshot);
  json::array commits;
  commits.push_back(commit);
  payload["ref"] = folder.ref;
  payload["before"] = snapshot.before.empty() ? std::string(nothing_before) : snapshot.before;
  payload["after"] = snapshot.commit;
  payload["created"] = snapshot.before.empty();
  payload["deleted"] = false;
  payload["forced"] = false;
  payload["base_ref"] = nullptr;
  payload["commits"] = std::move(commits);
  payload["head_commit"] = std::move(commit);
  payload["pusher"] = json::object{{"name", folder.actor}, {"email", folder.email}};
}

json::object end_of_request(const Folder& folder, const std::string& branch, const std::string& commit) {
  json::object made{{"ref", branch}, {"sha", commit}, {"label", owner_of(folder.full_name) + ":" + branch}};
  made["repo"] = repository(folder);
  return made;
}

void add_request(json::object& payload, const Occurrence& occurrence, const Folder& folder, const Snapshot& snapshot) {
  std::string head = folder.branch().empty() ? "head" : folder.branch();
  json::object request{{"number", 1},           {"state", "open"},
                       {"draft", false},        {"merged", false},
                       {"title", folder.title}, {"body", ""},
                       {"commits", 1},          {"changed_files", static_cast<int64_t>(occurrence.of_request.size())}};
  request["user"] = account(folder.actor);
  request["labels"] = json::array();
  request["head"] = end_of_request(folder, head, snapshot.commit);
  request["base"] = end_of_request(folder, folder.default_branch, folder.base);
  payload["number"] = 1;
  payload["pull_request"] = std::move(request);
}

// Of the types that the workflow waits for the one that is most usual.
std::string action_for(const workflow::Workflow& workflow, const std::string& event) {
  const auto* kind = workflow::schema::event(event);
  if (kind == nullptr || kind->types.empty()) return "";
  std::vector<std::string> wanted(kind->default_types.begin(), kind->default_types.end());
  if (wanted.empty()) wanted.assign(kind->types.begin(), kind->types.end());
  for (const auto& trigger : workflow.on)
    if (trigger.event == event && trigger.types) wanted = *trigger.types;
  bool usual = std::ranges::find(wanted, "synchronize") != wanted.end();
  return usual ? "synchronize" : wanted.empty() ? "" : wanted.front();
}

std::string first_cron(const workflow::Workflow& workflow) {
  for (const auto& trigger : workflow.on)
    if (trigger.event == "schedule" && !trigger.schedules.empty()) return trigger.schedules.front().cron;
  return "";
}

std::string text_of(const workflow::Object& github, std::string_view name) {
  const auto* value = github.find(name);
  return value == nullptr ? "" : value->to_text();
}

// What read_happening() reads: of the file, or made up.
std::string happening_text(const workflow::Workflow& workflow, const Occurrence& occurrence, const std::string& event,
                           const Folder& folder, const Snapshot& snapshot) {
  if (!occurrence.file.empty()) {
    auto whole = core::parse_json(occurrence.file);
    bool named = whole && whole->is_object() && core::string_at(*whole, "event_name");
    if (!whole || !whole->is_object() || named || occurrence.event.empty()) return occurrence.file;
    return core::to_text(json::object{{"event_name", occurrence.event}, {"event", *whole}});
  }
  json::object payload = made_up(event, action_for(workflow, event), occurrence, folder, snapshot);
  if (event == "schedule") payload["schedule"] = first_cron(workflow);
  json::object text{{"event_name", event}};
  text["event"] = std::move(payload);
  return core::to_text(text);
}

Result<std::string> inputs_text(const workflow::Workflow& workflow, const Occurrence& occurrence) {
  json::object given = occurrence.inputs;
  if (!occurrence.file.empty()) {  // what is said on the command line counts
    auto whole = core::parse_json(occurrence.file);
    const auto* event = whole ? core::find(*whole, "event") : nullptr;
    const auto* inputs = whole ? core::find(event != nullptr ? *event : *whole, "inputs") : nullptr;
    if (inputs != nullptr && inputs->is_object())
      for (const auto& [name, value] : inputs->get_object())
        if (!given.contains(name)) given[name] = value;
  }
  auto inputs = workflow::dispatch_inputs(workflow, *workflow::Value::from_json(given).if_object());
  if (!inputs) return std::unexpected(inputs.error());
  return core::to_text(workflow::Value(*inputs).to_json());
}

}  // namespace

bool is_event(std::string_view name) { return name != "workflow_call" && workflow::schema::event(name) != nullptr; }

std::string event_names() {
  std::string names;
  for (const auto& kind : workflow::schema::events())
    if (is_event(kind.name) && !kind.lacking) names.append(names.empty() ? "" : ", ").append(kind.name);
  return names;
}

json::object made_up(std::string_view event, std::string_view action, const Occurrence& occurrence,
                     const Folder& folder, const Snapshot& snapshot) {
  json::object payload{{"repository", repository(folder)}};
  payload["sender"] = account(occurrence.actor.empty() ? folder.actor : occurrence.actor);
  if (!action.empty()) payload["action"] = action;
  if (event == "push") add_push(payload, folder, snapshot);
  if (event.starts_with("pull_request")) add_request(payload, occurrence, folder, snapshot);
  if (event == "workflow_dispatch" || event == "create" || event == "delete") payload["ref"] = folder.ref;
  if (event == "workflow_dispatch") payload["inputs"] = occurrence.inputs;
  if (event == "repository_dispatch") payload["client_payload"] = json::object();
  return payload;
}

Result<Beginning> begin(const workflow::Workflow& workflow, const Occurrence& occurrence, const Folder& folder,
                        const Snapshot& snapshot) {
  std::string event = occurrence.event.empty() ? "push" : occurrence.event;
  auto happening = workflow::read_happening(happening_text(workflow, occurrence, event, folder, snapshot), workflow);
  if (!happening) return std::unexpected(happening.error());
  auto& occasion = happening->occasion;
  bool request = occasion.event.starts_with("pull_request");
  if (request && occurrence.file.empty()) occasion.changed_paths.emplace();
  if (request && occurrence.file.empty())
    for (const Change& change : occurrence.of_request) occasion.changed_paths->push_back(change.path);
  if (occasion.ref.empty()) occasion.ref = folder.ref;
  Beginning begun;
  std::optional<events::Event> cloud_event;
  if (occasion.event == "event") {
    auto read = events::read_structured(occurrence.file);
    if (!read)
      return core::fail(Code::invalid, "`on: event` looks at a CloudEvent: give one by --event-file. " +
                                           (occurrence.file.empty() ? "" : events::to_error(read.error()).message));
    cloud_event = std::move(*read);
    occasion.cloud_event = &*cloud_event;
  }
  begun.decision = workflow::triggers(workflow, occasion);
  events::RunQueued& run = begun.run;
  run.event = occasion.event;
  run.ref = occasion.ref;
  run.branch = pipeline::branch_of(run.ref);
  run.commit = snapshot.commit;
  run.repository = folder.full_name;
  run.repository_id = 1;
  std::string of_file = occurrence.file.empty() ? "" : text_of(happening->github, "actor");
  run.actor = !occurrence.actor.empty() ? occurrence.actor : of_file.empty() ? folder.actor : of_file;
  run.title = folder.title;
  if (const auto* payload = happening->github.find("event")) run.payload = core::to_text(payload->to_json());
  for (const char* name : {"head_ref", "base_ref"})
    if (auto text = text_of(happening->github, name); !text.empty()) begun.github.set(name, workflow::Value(text));
  if (request && run.ref.starts_with("refs/pull/"))
    begun.github.set("ref_name", workflow::Value(run.ref.substr(std::string_view("refs/pull/").size())));
  if (run.event != "workflow_dispatch" || !begun.decision) return begun;
  auto inputs = inputs_text(workflow, occurrence);
  if (!inputs) return std::unexpected(inputs.error());
  run.inputs = *inputs;
  if (auto payload = core::parse_json(run.payload); payload && payload->is_object()) {
    payload->as_object()["inputs"] = pipeline::inputs_json(run.inputs);
    run.payload = core::to_text(*payload);
  }
  return begun;
}

}  // namespace headrace::cli
