// Version 2 of the spec: what the runner executes (docs/job-spec.md).
#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "workflow/expand.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

// The runner adds these for itself, or has them from elsewhere.
bool stays_out(std::string_view key) {
  return key == "token" || key == "event" || key == "event_path" || key == "workspace" || key.starts_with("action");
}

json::value github_of(const Object& contexts) {
  json::object out;
  const Value* github = contexts.find("github");
  if (github == nullptr || github->if_object() == nullptr) return out;
  for (const auto& [key, value] : *github->if_object()) {
    if (!stays_out(key)) out[key] = value.to_json();
  }
  return out;
}

json::value context_json(const Object& contexts, std::string_view name) {
  const Value* value = contexts.find(name);
  return value == nullptr || value->is_null() ? json::value(json::object()) : value->to_json();
}

// As JSON of the YAML, every scalar a text that the runner evaluates.
json::value as_json(const Node& node) {
  if (node.is_sequence()) {
    json::array items;
    for (const Node& item : node.items) items.push_back(as_json(item));
    return items;
  }
  if (node.is_mapping()) {
    json::object members;
    for (const Pair& pair : node.pairs) members[pair.key.text] = as_json(pair.value);
    return members;
  }
  return json::value(node.text);
}

class Writer {
 public:
  Writer(const Expanding& expanding, const Leg& leg, const Object& contexts)
      : the_(expanding), leg_(leg), contexts_(contexts), evaluation_(expanding.workflow.file, contexts) {}

  // What all legs of the job share, as the members of an object without its braces.
  std::string shared() {
    json::array steps;
    for (const Step& one : the_.job.steps) steps.push_back(step(one, steps.size() + 1));
    return members(head()) + ",\"steps\":" + core::to_text(steps);
  }
  std::string shared_contexts() const {
    json::value github = github_of(contexts_);
    if (!github.as_object().contains("job")) github.as_object()["job"] = the_.job.id;
    return members({{"github", std::move(github)},
                    {"needs", context_json(contexts_, "needs")},
                    {"inputs", context_json(contexts_, "inputs")},
                    {"vars", context_json(contexts_, "vars")}});
  }

  Evaluated<std::string> spec() {
    json::object own{{"job", leg_.key},
                     {"name", leg_.name},
                     {"environment", leg_.environment.empty() ? json::value() : json::value(leg_.environment)},
                     {"timeout_minutes", leg_.timeout_minutes},
                     {"continue_on_error", leg_.continue_on_error}};
    own["env"] = json::array{variables(the_.workflow.body.at_or_null("env")), variables(body("env"))};
    own["outputs"] = variables(body("outputs"));
    if (failure_) return std::unexpected(std::move(*failure_));
    std::string contexts = members({{"strategy", leg_.strategy.to_json()}, {"matrix", leg_.matrix.to_json()}});
    std::string text =
        "{" + members(own) + "," + the_.shared + ",\"contexts\":{" + the_.shared_contexts + "," + contexts + "}}";
    if (text.size() <= spec_bytes_max) return text;
    return std::unexpected(Failure{the_.job.at,
                                   "The job '" + leg_.key + "' with its contexts takes " +
                                       std::to_string(text.size() / 1024) +
                                       " KiB; at most 192 KiB may go to a runner. Split the job, or put long scripts "
                                       "into files of the repository.",
                                   the_.workflow.file});
  }

 private:
  const Node& body(std::string_view name) const { return the_.job.body.at_or_null(name); }

  static std::string members(const json::object& object) {
    std::string text = core::to_text(object);
    return text.substr(1, text.size() - 2);
  }

  json::object head() const {
    const Value* github = contexts_.find("github");
    const Value* workflow = github == nullptr ? nullptr : github->find("workflow");
    json::object permissions;
    for (const auto& [scope, level] : the_.permissions) permissions[scope] = level;
    json::value url;
    if (const Node* node = body("environment").find("url")) url = node->text;
    return {
        {"version", 2},
        {"workflow", workflow == nullptr ? the_.program.workflow().shown_name() : workflow->to_text()},
        {"file", the_.workflow.file},
        {"permissions", std::move(permissions)},
        {"secrets", core::parse_json(the_.instance.secrets).value_or("none")},
        {"environment_url", std::move(url)},
        {"defaults", json::object{{"shell", setting("shell")}, {"working_directory", setting("working-directory")}}},
        {"container", container("container")},
        {"services", container("services")}};
  }

  std::string setting(std::string_view name) const {
    auto given = [&](const Node& node) { return node.at_or_null("defaults").at_or_null("run").at_or_null(name).text; };
    std::string own = given(the_.job.body);
    return own.empty() ? given(the_.workflow.body) : own;
  }

  json::value container(std::string_view name) const {
    const Node& node = body(name);
    if (node.at.line == 0 || (node.is_scalar() && node.text.empty())) return nullptr;
    return as_json(node);
  }

  // Members as they are written; what is computed as a whole, or taken in by ${{ insert }}, is computed here.
  json::object variables(const Node& node) {
    json::object out;
    bool computed = node.is_string() && holds_expression(node.text);
    for (const Pair& pair : node.pairs) computed = computed || holds_expression(pair.key.text);
    if (computed) return computed_variables(node);
    for (const Pair& pair : node.pairs) out[pair.key.text] = pair.value.text;
    return out;
  }

  json::object computed_variables(const Node& node) {
    json::object out;
    auto whole = evaluation_.value(node);
    if (!whole) {
      failure_ = std::move(whole.error());
      return out;
    }
    const Object* members = whole->if_object();
    if (members == nullptr) {
      failure_ = evaluation_.failure(node, "Unexpected value '" + whole->to_text() + "'. Here must stand a mapping.");
      return out;
    }
    for (const auto& [name, value] : *members) out[name] = as_template(value.to_text());
    return out;
  }

  json::object step(const Step& step, size_t number) {
    const Node& node = step.body;
    return {{"number", static_cast<int64_t>(number)},
            {"id", step.id},
            {"name", step.name},
            {"if", step.condition},
            {"run", step.run},
            {"uses", step.uses},
            {"with", step_variables(node.at_or_null("with"))},
            {"env", step_variables(node.at_or_null("env"))},
            {"shell", node.at_or_null("shell").text},
            {"working_directory", node.at_or_null("working-directory").text},
            {"timeout_minutes", number_or_text(node.at_or_null("timeout-minutes"))},
            {"continue_on_error", truth_or_text(node.at_or_null("continue-on-error"))},
            {"line", step.at.line},
            {"column", step.at.column}};
  }

  // As variables(); a mapping that only the runner can compute goes to it as one text.
  json::value step_variables(const Node& node) {
    if (node.is_string() && holds_expression(node.text)) return json::value(node.text);
    json::object out;
    for (const Pair& pair : node.pairs) out[pair.key.text] = pair.value.text;
    return out;
  }

  static json::value number_or_text(const Node& node) {
    if (node.kind == Node::Kind::number) return Value(node.number).to_json();
    return node.text.empty() ? json::value() : json::value(node.text);
  }

  static json::value truth_or_text(const Node& node) {
    if (node.is_string()) return json::value(node.text);
    return node.is_true();
  }

  const Expanding& the_;
  const Leg& leg_;
  const Object& contexts_;
  Evaluation evaluation_;
  std::optional<Failure> failure_;
};

}  // namespace

void share(Expanding& expanding) {
  Leg none;
  Writer writer(expanding, none, expanding.contexts);
  expanding.shared = writer.shared();
  expanding.shared_contexts = writer.shared_contexts();
  expanding.uses_secrets = uses_secrets(expanding.workflow, expanding.job);
}

Evaluated<std::string> make_spec(const Expanding& expanding, const Leg& leg, const Object& contexts) {
  return Writer(expanding, leg, contexts).spec();
}

// Without reading expressions: most texts have none.
static bool mentions_secrets(const Node& node) {
  if (holds_expression(node.text) && fold_case(node.text).contains(fold_case("secrets"))) return true;
  return std::ranges::any_of(node.items, mentions_secrets) ||
         std::ranges::any_of(node.pairs, [](const Pair& pair) { return mentions_secrets(pair.value); });
}

// The token is no secret in this sense: it dies with the job.
bool uses_secrets(const Workflow& workflow, const Job& job) {
  bool uses = false;
  auto see = [&](const Reference& reference) {
    if (reference.kind != Reference::Kind::context || reference.name != "secrets") return;
    bool token = !reference.path.empty() && reference.path[0] && equal_in_any_case(*reference.path[0], "GITHUB_TOKEN");
    uses = uses || !token;
  };
  auto visit = [&](const Node& node) {
    if (mentions_secrets(node)) visit_references(node, see);
  };
  visit(workflow.body.at_or_null("env"));
  visit(job.body);
  for (const Step& step : job.steps) visit(step.body);
  return uses;
}

}  // namespace headrace::workflow
