// What happened, told from the payload alone. GitHub, "Webhook events and payloads", "github context".
#include "workflow/plan.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

struct Sign {  // members that a payload has, and the event they show
  std::string_view members[2];
  std::string_view event;
};
// The first that fits counts.
constexpr Sign signs[] = {
    {{"specversion", "type"}, "event"},
    {{"review", "pull_request"}, "pull_request_review"},
    {{"comment", "pull_request"}, "pull_request_review_comment"},
    {{"pull_request", "number"}, "pull_request"},
    {{"comment", "issue"}, "issue_comment"},
    {{"issue", "action"}, "issues"},
    {{"commits", "ref"}, "push"},
    {{"merge_group", "action"}, "merge_group"},
    {{"workflow_run", "action"}, "workflow_run"},
    {{"release", "action"}, "release"},
    {{"client_payload", "action"}, "repository_dispatch"},
    {{"inputs", "ref"}, "workflow_dispatch"},
    {{"schedule", "schedule"}, "schedule"},
    {{"master_branch", "ref_type"}, "create"},
    {{"ref_type", "ref"}, "delete"},
};

std::string kind_of(const json::object& payload, const Workflow& workflow) {
  for (const Sign& sign : signs) {
    if (payload.contains(sign.members[0]) && payload.contains(sign.members[1])) return std::string(sign.event);
  }
  // Written by hand, with little in it.
  if (payload.contains("pull_request")) return "pull_request";
  bool sole = workflow.on.size() == 1 && !workflow.on[0].event.starts_with("pull_request");
  if (sole) return workflow.on[0].event;
  if (payload.contains("ref")) return "push";
  return workflow.on.size() == 1 ? workflow.on[0].event : "";
}

const json::value* at(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = &from;
  for (std::string_view name : path) {
    value = core::find(*value, name);
    if (value == nullptr) return nullptr;
  }
  return value;
}

std::string text(const json::value& from, std::initializer_list<std::string_view> path) {
  const json::value* value = at(from, path);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// The files that the commits of a push name.
std::optional<std::vector<std::string>> changed_paths(const json::value& payload) {
  const json::value* commits = core::find(payload, "commits");
  if (commits == nullptr || !commits->is_array()) return std::nullopt;
  std::vector<std::string> paths;
  for (const json::value& commit : commits->get_array()) {
    for (const char* list : {"added", "modified", "removed"}) {
      const json::value* names = core::find(commit, list);
      if (names == nullptr || !names->is_array()) return std::nullopt;
      for (const json::value& name : names->get_array()) {
        if (name.is_string()) paths.emplace_back(name.get_string());
      }
    }
  }
  return paths;
}

Occasion occasion_of(const std::string& event, const json::value& payload) {
  Occasion occasion{.event = event, .ref = text(payload, {"ref"}), .action = text(payload, {"action"})};
  occasion.base_ref = text(payload, {"pull_request", "base", "ref"});
  if (event == "merge_group") occasion.base_ref = text(payload, {"merge_group", "base_ref"});
  if (event == "workflow_run") {
    occasion.base_ref = text(payload, {"workflow_run", "head_branch"});
    occasion.workflow = text(payload, {"workflow_run", "name"});
    occasion.workflow_file = text(payload, {"workflow_run", "path"});
  }
  if (event == "push") occasion.changed_paths = changed_paths(payload);
  if (event == "schedule") occasion.cron = text(payload, {"schedule"});
  if (event.starts_with("pull_request") && event != "pull_request_target" && payload.as_object().contains("number")) {
    if (const json::value* number = at(payload, {"number"}); number->is_int64()) {
      occasion.ref = "refs/pull/" + std::to_string(number->get_int64()) + "/merge";
    }
  }
  return occasion;
}

void set(Object& github, const char* name, std::string value) {
  if (!value.empty() && github.find(name) == nullptr) github.set(name, Value(std::move(value)));
}

Object github_of(const Occasion& occasion, const json::value& payload, Object github) {
  github.set("event_name", Value(occasion.event));
  github.set("event", Value::from_json(payload));
  set(github, "ref", occasion.ref);
  set(github, "base_ref", text(payload, {"pull_request", "base", "ref"}));
  set(github, "head_ref", text(payload, {"pull_request", "head", "ref"}));
  set(github, "sha", text(payload, {"after"}));
  set(github, "sha", text(payload, {"pull_request", "head", "sha"}));
  set(github, "actor", text(payload, {"sender", "login"}));
  set(github, "repository", text(payload, {"repository", "full_name"}));
  set(github, "repository_owner", text(payload, {"repository", "owner", "login"}));
  std::string ref = github.find("ref") == nullptr ? "" : github.find("ref")->to_text();
  for (std::string_view start : {"refs/heads/", "refs/tags/", "refs/pull/"}) {
    if (!ref.starts_with(start)) continue;
    set(github, "ref_name", ref.substr(start.size()));
    set(github, "ref_type", start == "refs/tags/" ? "tag" : "branch");
  }
  return github;
}

}  // namespace

core::Result<Happening> read_happening(std::string_view text_of_file, const Workflow& workflow) {
  auto file = core::parse_json(text_of_file);
  if (!file) return std::unexpected(file.error());
  if (!file->is_object()) return core::fail(core::Code::invalid, "The event file must hold a JSON object.");
  Object github;
  json::value payload = *file;
  std::string event = core::string_at(*file, "event_name").value_or("");
  if (!event.empty()) {
    Value whole = Value::from_json(*file);
    for (const auto& [name, value] : *whole.if_object()) github.set(name, value);
    const json::value* inner = core::find(*file, "event");
    payload = inner != nullptr && inner->is_object() ? *inner : json::value(json::object());
  } else {
    event = kind_of(payload.as_object(), workflow);
  }
  if (event.empty()) {
    return core::fail(
        core::Code::invalid,
        "The event file does not show which event it is of. Write {\"event_name\":\"push\",\"event\":...}.");
  }
  Happening happening;
  happening.occasion = occasion_of(event, payload);
  if (happening.occasion.ref.empty()) happening.occasion.ref = core::string_at(*file, "ref").value_or("");
  happening.github = github_of(happening.occasion, payload, std::move(github));
  return happening;
}

}  // namespace headrace::workflow
