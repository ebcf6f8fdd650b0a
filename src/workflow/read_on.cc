// `on`: what starts a workflow ("Events that trigger workflows").
#include <algorithm>

#include "core/json.h"
#include "filter/filter.h"
#include "workflow/read.h"

namespace headrace::workflow {
namespace {

constexpr size_t pattern_bytes_max = 1024;

core::json::value json_of(const Node& node) {
  if (node.is_sequence()) {
    core::json::array items;
    for (const Node& item : node.items) items.push_back(json_of(item));
    return items;
  }
  if (node.is_mapping()) {
    core::json::object members;
    for (const Pair& pair : node.pairs) members[pair.key.text] = json_of(pair.value);
    return members;
  }
  return core::json::value(node.text);
}

// A CESQL expression, or dialect objects: one, or a sequence of which all must hold.
void read_filter(Walk& walk, const Node& node, Trigger& into) {
  bool expression = node.is_scalar();
  if (expression && node.text.empty()) {
    return walk.error(node.at, "Unexpected value ''. Write a filter, such as type = 'com.example.done'.");
  }
  auto filter = expression ? filter::compile(node.text) : filter::compile_json(core::to_text(json_of(node)));
  if (!filter) return walk.error(node.at, "The filter does not read: " + filter.error().message);
  for (const filter::Problem& problem : filter->problems()) walk.error(node.at, "The filter: " + problem.message);
  into.filter = filter->json();
}

std::vector<std::string> strings(const Node& node) {
  std::vector<std::string> texts;
  if (node.is_scalar() && !node.is_null()) texts.push_back(node.text);
  for (const Node& item : node.items) texts.push_back(item.text);
  return texts;
}

std::optional<Patterns> patterns(Walk& walk, const Node& configuration, std::string_view name) {
  const Node* node = configuration.find(name);
  if (node == nullptr) return std::nullopt;
  auto texts = strings(*node);
  for (const std::string& text : texts) {
    if (text.size() > pattern_bytes_max) walk.error(node->at, "The pattern is longer than 1024 bytes. Shorten it.");
  }
  return texts;
}

void warn_of_both(Walk& walk, const Node& configuration, const std::string& one) {
  const Node* ignored = configuration.find(one + "-ignore");
  if (configuration.find(one) == nullptr || ignored == nullptr) return;
  walk.warn(ignored->at, "GitHub takes only one of '" + one + "' and '" + one +
                             "-ignore' for an event; here both must let it pass. Use '!' patterns instead.");
}

void read_filters(Walk& walk, const Node& configuration, Trigger& into) {
  into.branches = patterns(walk, configuration, "branches");
  into.branches_ignore = patterns(walk, configuration, "branches-ignore");
  into.tags = patterns(walk, configuration, "tags");
  into.tags_ignore = patterns(walk, configuration, "tags-ignore");
  into.paths = patterns(walk, configuration, "paths");
  into.paths_ignore = patterns(walk, configuration, "paths-ignore");
  for (const char* one : {"branches", "tags", "paths"}) warn_of_both(walk, configuration, one);
  into.each_commit = configuration.at_or_null("each-commit").is_true();
  into.workflows = patterns(walk, configuration, "workflows").value_or(Patterns());
  into.names = patterns(walk, configuration, "names").value_or(Patterns());
  into.versions = patterns(walk, configuration, "versions").value_or(Patterns());
}

void read_types(Walk& walk, const Node& configuration, const schema::EventKind& kind, Trigger& into) {
  const Node* node = configuration.find("types");
  if (node == nullptr) return;
  if (!kind.types.empty()) {
    schema::Definition word{.scalars = schema::string, .words = kind.types};
    schema::Definition words{.scalars = schema::string, .words = kind.types, .items = &word};
    walk.value(*node, words);
  }
  into.types = strings(*node);
}

void read_schedules(const Node& node, Trigger& into) {
  for (const Node& entry : node.items) into.schedules.push_back({entry.at, entry.at_or_null("cron").text});
}

Input read_input(const Pair& pair) {
  Input input{.at = pair.key.at, .name = pair.key.text};
  if (const Node* type = pair.value.find("type")) input.type = type->text;
  input.required = pair.value.at_or_null("required").is_true();
  input.fallback = pair.value.at_or_null("default");
  input.options = strings(pair.value.at_or_null("options"));
  return input;
}

std::string default_problem(const Input& input) {
  const Node& node = input.fallback;
  if (node.is_null() || holds_expression(node.text)) return {};
  bool fits = true;
  if (input.type == "boolean") fits = node.kind == Node::Kind::boolean || node.text == "true" || node.text == "false";
  if (input.type == "number") fits = node.kind == Node::Kind::number;
  if (input.type == "choice") fits = std::ranges::find(input.options, node.text) != input.options.end();
  if (fits) return {};
  std::string wanted = input.type == "choice" ? "one of the options" : "a " + input.type;
  return "Unexpected value '" + node.text + "'. The default of '" + input.name + "' must be " + wanted + ".";
}

std::vector<Input> read_inputs(Walk& walk, const Node& node) {
  std::vector<Input> inputs;
  for (const Pair& pair : node.pairs) {
    inputs.push_back(read_input(pair));
    const Input& input = inputs.back();
    if (std::string problem = default_problem(input); !problem.empty()) walk.error(input.fallback.at, problem);
    if (input.type == "choice" && input.options.empty()) {
      walk.error(input.at, "The input '" + input.name + "' is a choice without 'options'. List what may be chosen.");
    }
  }
  return inputs;
}

CallInterface read_call(Walk& walk, const Node& node) {
  CallInterface call;
  call.inputs = read_inputs(walk, node.at_or_null("inputs"));
  for (const Pair& pair : node.at_or_null("secrets").pairs) {
    call.secrets.push_back({pair.key.at, pair.key.text, pair.value.at_or_null("required").is_true()});
  }
  for (const Pair& pair : node.at_or_null("outputs").pairs) {
    call.outputs.emplace_back(Text{pair.key.text, pair.key.at}, pair.value.at_or_null("value"));
  }
  return call;
}

void read_configuration(Walk& walk, const Node& node, const schema::EventKind& kind, Trigger& trigger, Workflow& into) {
  size_t before = walk.errors.size();
  walk.value(node, schema::on_configuration(kind));
  read_types(walk, node, kind, trigger);
  if (walk.errors.size() > before) return;
  if (kind.name == "event") return read_filter(walk, node.is_mapping() ? node.at_or_null("filter") : node, trigger);
  if (kind.name == "schedule") return read_schedules(node, trigger);
  if (kind.name == "workflow_dispatch") into.inputs = read_inputs(walk, node.at_or_null("inputs"));
  if (kind.name == "workflow_call") into.call = read_call(walk, node);
  if (kind.name == "create" || kind.name == "delete") {
    if (node.is_mapping()) walk.warn(node.at, "GitHub accepts filters of 'on." + trigger.event + "' and ignores them.");
    return;
  }
  read_filters(walk, node, trigger);
}

void read_event(Walk& walk, const Node& name, const Node* configuration, Workflow& into) {
  if (name.is_string() && holds_expression(name.text)) {
    return walk.error(name.at, "A template expression is not allowed in this context. Name the event itself.");
  }
  if (!name.is_scalar()) return walk.value(name, schema::text);
  const schema::EventKind* kind = schema::event(name.text);
  if (kind == nullptr) {
    return walk.error(name.at, "Unexpected value '" + name.text +
                                   "'. Events are push, workflow_dispatch, pull_request, schedule and the others of "
                                   "GitHub's \"Events that trigger workflows\".");
  }
  Trigger trigger{.at = name.at, .event = name.text};
  walk.for_event = name.text;
  Walk::Step step(walk, kind->name);
  if (kind->lacking) walk.lacks(name.at, "on." + name.text);
  if (kind->unsaid)
    walk.warn(name.at, "'" + name.text +
                           "' starts nothing on a server yet, for nothing says it there. `headrace exec " + name.text +
                           "` runs the file.");
  if (kind->name == "workflow_call") into.call.emplace();
  if (configuration != nullptr) {
    read_configuration(walk, *configuration, *kind, trigger, into);
  } else if (kind->name == "event") {
    walk.error(name.at, "'event' needs a filter. Write one behind it, such as event: type = 'com.example.done'.");
  }
  walk.for_event.clear();
  into.on.push_back(std::move(trigger));
}

}  // namespace

void read_on(Walk& walk, const Node& node, Workflow& into) {
  Walk::Step step(walk, "on");
  size_t before = walk.errors.size();
  if (node.is_sequence()) {
    for (const Node& item : node.items) read_event(walk, item, nullptr, into);
  } else if (node.is_mapping()) {
    for (const Pair& pair : node.pairs) read_event(walk, pair.key, &pair.value, into);
  } else {
    read_event(walk, node, nullptr, into);
  }
  if (into.on.empty() && walk.errors.size() == before) {
    walk.error(node.at, "'on' names no event, so nothing would start the workflow. Name one, such as push.");
  }
}

}  // namespace headrace::workflow
