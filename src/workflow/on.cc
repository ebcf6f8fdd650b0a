// `on`: what starts a workflow ("Events that trigger workflows"), and the decision whether something did.
#include <algorithm>
#include <array>

#include "workflow/reader.h"

namespace headrace::workflow {
namespace {

constexpr size_t pattern_bytes_max = 1024;

constexpr std::array<std::string_view, 40> events{
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "event",  // Headrace's own: any event that a CloudEvents filter matches
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
    "member",
    "repository_vulnerability_alert",
};

Patterns patterns(Reader& reader, const Node& node, std::string_view what) {
  Patterns read;
  for (Text& text : reader.strings(node, what)) {
    if (text.value.size() > pattern_bytes_max) {
      reader.error(text.at, "The pattern is longer than 1024 bytes. Shorten it.");
    } else {
      read.push_back(std::move(text.value));
    }
  }
  return read;
}

constexpr Property<Trigger> push_properties[] = {
    {"branches", [](Reader& r, const Node& n, Trigger& t) { t.branches = patterns(r, n, "on.push.branches"); }},
    {"branches-ignore",
     [](Reader& r, const Node& n, Trigger& t) { t.branches_ignore = patterns(r, n, "on.push.branches-ignore"); }},
    {"tags", [](Reader& r, const Node& n, Trigger& t) { t.tags = patterns(r, n, "on.push.tags"); }},
    {"tags-ignore",
     [](Reader& r, const Node& n, Trigger& t) { t.tags_ignore = patterns(r, n, "on.push.tags-ignore"); }},
    {"paths", nullptr},
    {"paths-ignore", nullptr},
};

constexpr Property<Trigger> dispatch_properties[] = {{"inputs", [](Reader& r, const Node& n, Trigger&) {
                                                        bool none = n.kind == Node::Kind::null ||
                                                                    (n.kind == Node::Kind::mapping && n.pairs.empty());
                                                        if (!none) r.unsupported(n.at, "on.workflow_dispatch.inputs");
                                                      }}};

void read_configuration(Reader& reader, const Node& node, Trigger& trigger) {
  if (node.kind == Node::Kind::null) return;
  if (trigger.event == "push") return read_mapping(reader, node, "on.push.", push_properties, trigger);
  read_mapping(reader, node, "on.workflow_dispatch.", dispatch_properties, trigger);
}

void read_event(Reader& reader, const Node& name, const Node* configuration, std::vector<Trigger>& into) {
  if (!reader.expect(name, Node::Kind::string)) return;
  if (std::ranges::find(events, name.text) == events.end()) {
    return reader.error(name.at, "Unexpected value '" + name.text +
                                     "'. Events are push, workflow_dispatch, pull_request, schedule and the others "
                                     "of GitHub's \"Events that trigger workflows\".");
  }
  Trigger trigger{
      .at = name.at, .event = name.text, .branches = {}, .branches_ignore = {}, .tags = {}, .tags_ignore = {}};
  reader.for_event = name.text;
  if (name.text != "push" && name.text != "workflow_dispatch") {
    reader.unsupported(name.at, "on." + name.text);
  } else if (configuration != nullptr) {
    read_configuration(reader, *configuration, trigger);
  }
  reader.for_event.clear();
  into.push_back(std::move(trigger));
}

std::string listed(const Patterns& patterns) {
  std::string out;
  for (const std::string& pattern : patterns) out.append(out.empty() ? "" : ", ").append(pattern);
  return "[" + out + "]";
}

// One side of a push: `kind` is "branch" or "tag", `other` says whether only the other side is filtered.
Decision decide(std::string_view kind, std::string_view name, const std::optional<Patterns>& wanted,
                const std::optional<Patterns>& ignored, bool other) {
  std::string what = std::string(kind) + " " + std::string(name);
  std::string plural = kind == "branch" ? "branches" : "tags";
  if (!wanted && !ignored && other) {
    return {false, "on.push filters only " + std::string(kind == "branch" ? "tags" : "branches") + ", so no " +
                       std::string(kind) + " starts it."};
  }
  if (wanted && !matches(*wanted, name)) {
    return {false, "The " + what + " is not matched by on.push." + plural + " " + listed(*wanted) + "."};
  }
  if (ignored && matches(*ignored, name)) {
    return {false, "The " + what + " is matched by on.push." + plural + "-ignore " + listed(*ignored) + "."};
  }
  return {true, "on.push includes the " + what + "."};
}

Decision decide_push(const Trigger& trigger, std::string_view ref) {
  constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/";
  bool branch_filter = trigger.branches || trigger.branches_ignore;
  bool tag_filter = trigger.tags || trigger.tags_ignore;
  if (ref.starts_with(heads)) {
    return decide("branch", ref.substr(heads.size()), trigger.branches, trigger.branches_ignore, tag_filter);
  }
  if (ref.starts_with(tags)) {
    return decide("tag", ref.substr(tags.size()), trigger.tags, trigger.tags_ignore, branch_filter);
  }
  return {false, std::string(ref) + " is neither a branch nor a tag, so no push of it starts a workflow."};
}

}  // namespace

std::vector<Trigger> read_triggers(Reader& reader, const Node& node) {
  std::vector<Trigger> triggers;
  if (node.kind == Node::Kind::sequence) {
    for (const Node& item : node.items) read_event(reader, item, nullptr, triggers);
  } else if (node.kind == Node::Kind::mapping) {
    for (const Pair& pair : node.pairs) read_event(reader, pair.key, &pair.value, triggers);
  } else {
    read_event(reader, node, nullptr, triggers);
  }
  if (triggers.empty() && reader.errors.empty()) {
    reader.error(node.at, "'on' names no event, so nothing would start the workflow. Name one, such as push.");
  }
  return triggers;
}

Decision triggers(const Workflow& workflow, const Occasion& occasion) {
  std::string names;
  for (const Trigger& trigger : workflow.on) {
    if (trigger.event != occasion.event) {
      names.append(names.empty() ? "" : ", ").append(trigger.event);
      continue;
    }
    if (occasion.event == "push") return decide_push(trigger, occasion.ref);
    return {true, "on names " + occasion.event + "."};
  }
  return {false, "on names " + names + ", not " + occasion.event + "."};
}

}  // namespace headrace::workflow
