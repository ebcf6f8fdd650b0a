// Version 2 of the spec: what the runner executes (docs/job-spec.md).
#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "core/json_text.h"
#include "workflow/expand.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;
using core::JsonText;

// The runner adds these for itself, or has them from elsewhere.
bool stays_out(std::string_view key) {
  return key == "token" || key == "event" || key == "event_path" || key == "workspace" || key.starts_with("action");
}

void put(JsonText& text, const Value& value) {
  if (const auto* items = value.if_array()) {
    text.begin_array();
    for (const Value& item : *items) put(text, item);
    text.end_array();
  } else if (const Object* members = value.if_object()) {
    text.begin_object();
    for (const auto& [key, member] : *members) put(text.key(key), member);
    text.end_object();
  } else if (const std::string* string = value.if_string()) {
    text.value(*string);
  } else {
    text.raw(core::to_text(value.to_json()));
  }
}

// The context, or {} where there is none.
void put_context(JsonText& text, const Object& contexts, std::string_view name) {
  const Value* value = contexts.find(name);
  text.key(name);
  if (value == nullptr || value->is_null())
    text.raw("{}");
  else
    put(text, *value);
}

void put_github(JsonText& text, const Object& contexts, const std::string& job) {
  text.key("github").begin_object();
  const Value* github = contexts.find("github");
  if (github != nullptr && github->if_object() != nullptr) {
    for (const auto& [key, value] : *github->if_object()) {
      if (!stays_out(key)) put(text.key(key), value);
    }
  }
  if (github == nullptr || github->find("job") == nullptr) text.key("job").value(job);
  text.end_object();
}

// As JSON of the YAML, every scalar a text that the runner evaluates.
void put(JsonText& text, const Node& node) {
  if (node.is_sequence()) {
    text.begin_array();
    for (const Node& item : node.items) put(text, item);
    text.end_array();
  } else if (node.is_mapping()) {
    text.begin_object();
    for (const Pair& pair : node.pairs) put(text.key(pair.key.text), pair.value);
    text.end_object();
  } else {
    text.value(node.text);
  }
}

// Members as they are written.
void put_texts(JsonText& text, const Node& node) {
  text.begin_object();
  for (const Pair& pair : node.pairs) text.key(pair.key.text).value(pair.value.text);
  text.end_object();
}

void put_step(JsonText& text, const Step& step, int64_t number) {
  const Node& node = step.body;
  auto optional = [&](std::string_view key, const Node& value) {
    text.key(key);
    value.text.empty() ? text.null() : text.value(value.text);
  };
  // As put_texts(); a mapping that only the runner can compute goes to it as one text.
  auto variables = [&](std::string_view key) {
    const Node& value = node.at_or_null(key);
    text.key(key);
    if (value.is_string() && holds_expression(value.text))
      text.value(value.text);
    else
      put_texts(text, value);
  };
  text.begin_object().key("number").value(number).key("id").value(step.id).key("name").value(step.name);
  text.key("if").value(step.condition).key("run").value(step.run).key("uses").value(step.uses);
  variables("with");
  variables("env");
  text.key("shell").value(node.at_or_null("shell").text);
  text.key("working_directory").value(node.at_or_null("working-directory").text);
  const Node& minutes = node.at_or_null("timeout-minutes");
  if (minutes.kind == Node::Kind::number)
    put(text.key("timeout_minutes"), Value(minutes.number));
  else
    optional("timeout_minutes", minutes);
  const Node& forgiven = node.at_or_null("continue-on-error");
  text.key("continue_on_error");
  forgiven.is_string() ? text.value(forgiven.text) : text.value(forgiven.is_true());
  text.key("line").value(int64_t{step.at.line}).key("column").value(int64_t{step.at.column}).end_object();
}

class Writer {
 public:
  Writer(const Expanding& expanding, const Leg& leg, const Object& contexts)
      : the_(expanding), leg_(leg), contexts_(contexts), evaluation_(expanding.workflow.file, contexts) {}

  // What all legs of the job share, as the members of an object without its braces.
  std::string shared() const {
    JsonText text;
    head(text);
    text.key("steps").begin_array();
    int64_t number = 0;
    for (const Step& step : the_.job.steps) put_step(text, step, ++number);
    text.end_array();
    return text.take();
  }
  std::string shared_contexts() const {
    JsonText text;
    put_github(text, contexts_, the_.job.id);
    for (const char* name : {"needs", "inputs"}) put_context(text, contexts_, name);
    return text.take();
  }

  Evaluated<std::string> spec() {
    JsonText text;
    text.begin_object().key("job").value(leg_.key).key("name").value(leg_.name);
    text.key("environment");
    leg_.environment.empty() ? text.null() : text.value(leg_.environment);
    text.key("timeout_minutes").value(leg_.timeout_minutes).key("continue_on_error").value(leg_.continue_on_error);
    text.key("env").begin_array();
    variables(text, the_.workflow.body.at_or_null("env"));
    variables(text, body("env"));
    text.end_array().key("outputs");
    variables(text, body("outputs"));
    if (failure_) return std::unexpected(std::move(*failure_));
    text.raw(the_.shared).key("contexts").begin_object().raw(the_.shared_contexts);
    put(text.key("strategy"), leg_.strategy);
    put(text.key("matrix"), leg_.matrix);
    text.key("vars").raw(core::to_text(leg_variables()));
    text.end_object().end_object();
    if (text.text().size() <= spec_bytes_max) return text.take();
    return std::unexpected(Failure{the_.job.at,
                                   "The job '" + leg_.key + "' with its contexts takes " +
                                       std::to_string(text.text().size() / 1024) +
                                       " KiB; at most 192 KiB may go to a runner. Split the job, or put long scripts "
                                       "into files of the repository.",
                                   the_.workflow.file});
  }

 private:
  const Node& body(std::string_view name) const { return the_.job.body.at_or_null(name); }

  void head(JsonText& text) const {
    const Value* github = contexts_.find("github");
    const Value* workflow = github == nullptr ? nullptr : github->find("workflow");
    text.key("version").value(int64_t{2}).key("workflow");
    text.value(workflow == nullptr ? the_.program.workflow().shown_name() : workflow->to_text());
    text.key("file").value(the_.workflow.file).key("permissions").begin_object();
    for (const auto& [scope, level] : the_.permissions) text.key(scope).value(level);
    text.end_object().key("secrets");
    the_.given.trusted ? text.raw(the_.instance.secrets) : text.value("withheld");
    text.key("secrets_used").raw(core::to_text(used_secrets())).key("environment_url");
    const Node* url = body("environment").find("url");
    url == nullptr ? text.null() : text.value(url->text);
    text.key("defaults").begin_object().key("shell").value(setting("shell"));
    text.key("working_directory").value(setting("working-directory")).end_object();
    container(text, "container");
    container(text, "services");
  }

  json::value used_secrets() const {
    if (the_.used.secrets.all) return "all";
    json::array names;
    for (const std::string& name : the_.used.secrets.folded) names.emplace_back(name);
    return names;
  }

  // Those that the job names, the environment's before all others.
  json::object leg_variables() const {
    json::object out;
    take_variables(contexts_.find("vars"), out);
    const auto* all = the_.given.variables_of_environments;
    if (all == nullptr || leg_.environment.empty()) return out;
    auto found = all->find(fold_case(leg_.environment));
    if (found != all->end()) take_variables(found->second, out);
    return out;
  }
  void take_variables(const Value* from, json::object& out) const {
    if (from != nullptr && from->if_object() != nullptr) take_variables(*from->if_object(), out);
  }
  void take_variables(const Object& from, json::object& out) const {
    for (const auto& [name, value] : from) {
      if (the_.used.variables.include(name)) out[name] = value.to_json();
    }
  }

  std::string setting(std::string_view name) const {
    auto given = [&](const Node& node) { return node.at_or_null("defaults").at_or_null("run").at_or_null(name).text; };
    std::string own = given(the_.job.body);
    return own.empty() ? given(the_.workflow.body) : own;
  }

  void container(JsonText& text, std::string_view name) const {
    const Node& node = body(name);
    text.key(name);
    if (node.at.line == 0 || (node.is_scalar() && node.text.empty()))
      text.null();
    else
      put(text, node);
  }

  // What is computed as a whole, or taken in by ${{ insert }}, is computed here.
  void variables(JsonText& text, const Node& node) {
    bool computed = node.is_string() && holds_expression(node.text);
    for (const Pair& pair : node.pairs) computed = computed || holds_expression(pair.key.text);
    computed ? computed_variables(text, node) : put_texts(text, node);
  }

  void computed_variables(JsonText& text, const Node& node) {
    text.begin_object();
    auto whole = evaluation_.value(node);
    const Object* members = whole ? whole->if_object() : nullptr;
    if (members != nullptr) {
      for (const auto& [name, value] : *members) text.key(name).value(as_template(value.to_text()));
    } else if (whole) {
      failure_ = evaluation_.failure(node, "Unexpected value '" + whole->to_text() + "'. Here must stand a mapping.");
    } else {
      failure_ = std::move(whole.error());
    }
    text.end_object();
  }

  const Expanding& the_;
  const Leg& leg_;
  const Object& contexts_;
  Evaluation evaluation_;
  std::optional<Failure> failure_;
};

}  // namespace

void share(Expanding& expanding) {
  expanding.used = used_names(expanding.workflow, expanding.job);
  Leg none;
  Writer writer(expanding, none, expanding.contexts);
  expanding.shared = writer.shared();
  expanding.shared_contexts = writer.shared_contexts();
}

Evaluated<std::string> make_spec(const Expanding& expanding, const Leg& leg, const Object& contexts) {
  return Writer(expanding, leg, contexts).spec();
}

}  // namespace headrace::workflow
