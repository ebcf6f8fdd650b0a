#include "workflow/trigger.h"

#include <algorithm>

#include "filter/filter.h"
#include "workflow/schema.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/";

std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return "[" + out + "]";
}

std::string property(const Trigger& trigger, std::string_view name) {
  return "on." + trigger.event + "." + std::string(name);
}

// Nothing where the filters let the name pass, else the reason why not.
std::string name_refusal(const Trigger& trigger, std::string_view kind, std::string_view name,
                         const std::optional<Patterns>& wanted, const std::optional<Patterns>& ignored) {
  std::string what = "The " + std::string(kind) + " " + std::string(name);
  std::string plural = kind == "tag" ? "tags" : "branches";
  if (wanted && !matches(*wanted, name)) {
    return what + " is not matched by " + property(trigger, plural) + " " + listed(*wanted) + ".";
  }
  if (ignored && matches(*ignored, name)) {
    return what + " is matched by " + property(trigger, plural + "-ignore") + " " + listed(*ignored) + ".";
  }
  return {};
}

// GitHub: `paths` wants one changed file that matches; `paths-ignore` refuses where all changed files match.
std::string paths_refusal(const Trigger& trigger, const Occasion& occasion) {
  if (!occasion.changed_paths) return {};
  std::string note = occasion.paths_note.empty() ? "" : " " + occasion.paths_note;
  const auto& changed = *occasion.changed_paths;
  if (trigger.paths && std::ranges::none_of(changed, [&](const auto& path) { return matches(*trigger.paths, path); })) {
    return "No changed file is matched by " + property(trigger, "paths") + " " + listed(*trigger.paths) + "." + note;
  }
  bool all_ignored = trigger.paths_ignore && std::ranges::all_of(changed, [&](const auto& path) {
                       return matches(*trigger.paths_ignore, path);
                     });
  if (!all_ignored) return {};
  std::string all = changed.empty() ? "No file changed, and" : "Every changed file is matched by";
  return all + " " + property(trigger, "paths-ignore") + " " + listed(*trigger.paths_ignore) +
         (changed.empty() ? " wants one." : ".") + note;
}

// Why a filter on paths let pass what it could not see.
std::string unknown_paths(const Trigger& trigger, const Occasion& occasion) {
  bool asked = trigger.paths || trigger.paths_ignore;
  return asked && !occasion.changed_paths && !occasion.paths_note.empty() ? " " + occasion.paths_note : "";
}

std::string type_refusal(const Trigger& trigger, const Occasion& occasion) {
  const schema::EventKind* kind = schema::event(trigger.event);
  std::vector<std::string> wanted;
  if (trigger.types) {
    wanted = *trigger.types;
  } else if (kind != nullptr) {
    wanted.assign(kind->default_types.begin(), kind->default_types.end());
    if (wanted.empty()) return {};
  }
  if (occasion.action.empty() || std::ranges::find(wanted, occasion.action) != wanted.end()) return {};
  std::string given =
      trigger.types ? property(trigger, "types") : "the types that " + trigger.event + " has by default";
  return "The type " + occasion.action + " is not among " + given + " " + listed(wanted) + ".";
}

std::string_view short_branch(std::string_view ref) { return ref.starts_with(heads) ? ref.substr(heads.size()) : ref; }

Decision decide_push(const Trigger& trigger, const Occasion& occasion) {
  std::string_view ref = occasion.ref;
  bool branch = ref.starts_with(heads), tag = ref.starts_with(tags);
  if (!branch && !tag) {
    return {false, occasion.ref + " is neither a branch nor a tag, so no push of it starts a workflow."};
  }
  std::string kind = branch ? "branch" : "tag";
  std::string_view name = ref.substr(branch ? heads.size() : tags.size());
  bool branch_filter = trigger.branches || trigger.branches_ignore, tag_filter = trigger.tags || trigger.tags_ignore;
  if (branch ? tag_filter && !branch_filter : branch_filter && !tag_filter) {
    return {false,
            "on.push filters only " + std::string(branch ? "tags" : "branches") + ", so no " + kind + " starts it."};
  }
  std::string refusal = branch ? name_refusal(trigger, kind, name, trigger.branches, trigger.branches_ignore)
                               : name_refusal(trigger, kind, name, trigger.tags, trigger.tags_ignore);
  if (refusal.empty() && branch) refusal = paths_refusal(trigger, occasion);  // a tag has no changed files
  if (!refusal.empty()) return {false, refusal};
  return {true, "on.push includes the " + kind + " " + std::string(name) + "." + unknown_paths(trigger, occasion), true,
          trigger.each_commit};
}

Decision decide_schedule(const Trigger& trigger, const Occasion& occasion) {
  bool named =
      std::ranges::any_of(trigger.schedules, [&](const Schedule& entry) { return entry.cron == occasion.cron; });
  if (!named) return {false, "on.schedule has no entry '" + occasion.cron + "'."};
  return {true, "on.schedule names " + occasion.cron + "."};
}

Decision decide_event(const Trigger& trigger, const Occasion& occasion) {
  if (occasion.cloud_event == nullptr) return {false, "There is no CloudEvent for on.event to look at."};
  auto filter = filter::compile_json(trigger.filter);
  if (!filter || !filter->matches(*occasion.cloud_event)) {
    return {false, "The filter of on.event does not match: " + trigger.filter + "."};
  }
  return {true, "The filter of on.event matches: " + trigger.filter + "."};
}

std::string workflow_refusal(const Trigger& trigger, const Occasion& occasion) {
  if (trigger.workflows.empty()) return {};
  const Patterns& names = trigger.workflows;
  for (const std::string& name : {occasion.workflow, occasion.workflow_file}) {
    if (name.empty()) continue;
    if (std::ranges::find(names, name) != names.end() || matches(names, name)) return {};
  }
  return "The workflow " + occasion.workflow + " is not among on.workflow_run.workflows " + listed(names) + ".";
}

std::string image_refusal(const Trigger& trigger, const Occasion& occasion) {
  if (!trigger.names.empty() && !matches(trigger.names, occasion.name)) {
    return "The image " + occasion.name + " is not matched by on.image_version.names " + listed(trigger.names) + ".";
  }
  if (trigger.versions.empty() || matches(trigger.versions, occasion.version)) return {};
  return "The version " + occasion.version + " is not matched by on.image_version.versions " +
         listed(trigger.versions) + ".";
}

Decision decide(const Trigger& trigger, const Occasion& occasion) {
  if (trigger.event == "push") return decide_push(trigger, occasion);
  if (trigger.event == "schedule") return decide_schedule(trigger, occasion);
  if (trigger.event == "event") return decide_event(trigger, occasion);
  std::string refusal = type_refusal(trigger, occasion);
  if (refusal.empty()) refusal = workflow_refusal(trigger, occasion);
  if (refusal.empty()) refusal = image_refusal(trigger, occasion);
  if (refusal.empty()) {
    refusal =
        name_refusal(trigger, "branch", short_branch(occasion.base_ref), trigger.branches, trigger.branches_ignore);
  }
  if (refusal.empty()) refusal = paths_refusal(trigger, occasion);
  if (!refusal.empty()) return {false, refusal};
  std::string type = occasion.action.empty() ? "" : " of type " + occasion.action;
  return {true, "on names " + occasion.event + ", this one" + type + " included." + unknown_paths(trigger, occasion)};
}

}  // namespace

Decision triggers(const Workflow& workflow, const Occasion& occasion) {
  std::vector<std::string> names;
  for (const Trigger& trigger : workflow.on) {
    if (trigger.event == occasion.event) return decide(trigger, occasion);
    names.push_back(trigger.event);
  }
  std::string list = listed(names);
  return {false, "on names " + list.substr(1, list.size() - 2) + ", not " + occasion.event + ".", false};
}

}  // namespace headrace::workflow
