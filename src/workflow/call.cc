// What goes into a called workflow and comes out of it, and the inputs of a run by hand. GitHub, "Reuse workflows",
// "Passing inputs and secrets"; "Workflow syntax", "on.workflow_call", "on.workflow_dispatch.inputs".
#include <algorithm>
#include <utility>

#include "core/json.h"
#include "workflow/expand.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

Value nothing_of(const std::string& type) {
  if (type == "boolean") return Value(false);
  if (type == "number") return Value(0.0);
  return Value("");
}

// The value in the kind that the input declares; nothing where it does not fit.
std::optional<Value> coerced(const Value& value, const std::string& type) {
  if (!value.is_primitive()) return std::nullopt;
  std::string text = value.to_text();
  if (type == "boolean") {
    if (text == "true" || text == "false") return Value(text == "true");
    return text.empty() ? std::optional(Value(false)) : std::nullopt;
  }
  if (type == "number") {
    double number = value.to_number();
    return number == number ? std::optional(Value(number)) : std::nullopt;
  }
  return Value(std::move(text));
}

const Pair* given(const Node& with, std::string_view name) {
  auto found =
      std::ranges::find_if(with.pairs, [&](const Pair& pair) { return equal_in_any_case(pair.key.text, name); });
  return found == with.pairs.end() ? nullptr : &*found;
}

// `default` of the called workflow's input: github, vars and the inputs so far.
Evaluated<Value> fallback(const Expanding& the, const Input& input, const Object& inputs) {
  if (input.fallback.is_null()) return nothing_of(input.type);
  Object contexts = the.contexts;
  contexts.set("inputs", Value(inputs));
  const Workflow* called = the.program.called(the.wanted);
  Evaluation evaluation(called->file, contexts);
  auto value = evaluation.value(input.fallback);
  if (!value) return value;
  auto fits = coerced(*value, input.type);
  if (fits) return std::move(*fits);
  return std::unexpected(evaluation.failure(
      input.fallback, "Unexpected value '" + value->to_text() + "'. The input is a " + input.type + "."));
}

Evaluated<Value> passed(const Evaluation& evaluation, const Node& node, const Value& value, const Input& input) {
  auto fits = coerced(value, input.type);
  if (fits) return std::move(*fits);
  return std::unexpected(evaluation.failure(
      node, "Unexpected value '" + value.to_text() + "'. The input '" + input.name + "' is a " + input.type + "."));
}

// One ${{ }} of a secret that is passed on, with all but secrets put in as it is now: the contexts of the caller are
// not there when the secret is resolved.
class Rewriter {
 public:
  Rewriter(const Evaluation& evaluation, const Node& node, const Object& contexts)
      : evaluation_(evaluation), node_(node), contexts_(contexts) {}

  Evaluated<std::string> text() {
    auto read = Template::parse(node_.text, {.contexts = {}, .any_name = true});
    if (!read) return std::unexpected(evaluation_.failure(node_, read.error().message));
    if (!read->names_context("secrets")) {
      auto value = evaluation_.text(node_);
      if (!value) return value;
      return as_template(*value);
    }
    std::string out;
    size_t done = 0;
    std::optional<Failure> failure;
    read->visit([&](const Reference& reference) {
      if (reference.kind != Reference::Kind::context || reference.name == "secrets" || failure) return;
      auto end = end_of(reference);
      auto value = end ? literal(reference) : std::nullopt;
      if (!value) {
        failure = evaluation_.failure(
            node_, "A secret that is passed on may name other contexts only by plain properties of one value.");
        return;
      }
      out += node_.text.substr(done, reference.offset - done) + *value;
      done = *end;
    });
    if (failure) return std::unexpected(std::move(*failure));
    return out + node_.text.substr(done);
  }

 private:
  // Past name.property.property in the text; nothing where it is written with brackets.
  std::optional<size_t> end_of(const Reference& reference) const {
    std::string_view text = node_.text;
    size_t at = reference.offset + reference.name.size();
    for (const auto& part : reference.path) {
      if (!part || text.substr(at, 1) != "." || text.substr(at + 1, part->size()) != *part) return std::nullopt;
      at += 1 + part->size();
    }
    return at;
  }

  std::optional<std::string> literal(const Reference& reference) const {
    const Value* value = contexts_.find(reference.name);
    static const Value nothing;
    if (value == nullptr) value = &nothing;
    for (const auto& part : reference.path) {
      value = value->find(*part);
      if (value == nullptr) return "null";
    }
    if (!value->is_primitive()) return std::nullopt;
    if (value->if_string() == nullptr) return value->is_null() ? "null" : value->to_text();
    std::string quoted = "'";
    for (char c : *value->if_string()) quoted.append(c == '\'' ? 2 : 1, c);
    return quoted + "'";
  }

  const Evaluation& evaluation_;
  const Node& node_;
  const Object& contexts_;
};

core::Result<Value> dispatched(const Input& input, const Value& value) {
  auto refuse = [&](const std::string& why) {
    return core::fail(core::Code::invalid, "The input '" + input.name + "' " + why);
  };
  auto fits = coerced(value, input.type);
  if (!fits) return refuse("is a " + input.type + "; '" + value.to_text() + "' is none.");
  if (input.required && fits->to_text().empty()) return refuse("is required. Give it a value.");
  if (input.type == "choice" && std::ranges::find(input.options, fits->to_text()) == input.options.end()) {
    std::string options;
    for (const std::string& option : input.options) options.append(options.empty() ? "" : ", ").append(option);
    return refuse("must be one of " + options + ", not '" + fits->to_text() + "'.");
  }
  return std::move(*fits);
}

Value written(const Node& node) {
  if (node.kind == Node::Kind::boolean) return Value(node.is_true());
  if (node.kind == Node::Kind::number) return Value(node.number);
  return Value(node.text);
}

}  // namespace

Evaluated<Object> call_inputs(const Expanding& the, const Evaluation& evaluation) {
  Object inputs;
  const Workflow* called = the.program.called(the.wanted);
  if (called == nullptr || !called->call) return inputs;
  const Node& with = the.job.body.at_or_null("with");
  auto computed = evaluation.value(with);  // all at once: it may hold ${{ insert }}
  if (!computed) return std::unexpected(std::move(computed.error()));
  for (const Input& input : called->call->inputs) {
    const Value* value = computed->find(input.name);
    const Pair* pair = given(with, input.name);
    auto made = value == nullptr ? fallback(the, input, inputs)
                                 : passed(evaluation, pair == nullptr ? with : pair->value, *value, input);
    if (!made) return std::unexpected(std::move(made.error()));
    inputs.set(input.name, std::move(*made));
  }
  return inputs;
}

// As `secrets` of the spec: "none", "all", a mapping over the server's secrets, or a list of mappings, each over the
// names that the one before gives.
Evaluated<std::string> call_secrets(const Expanding& the, const Evaluation& evaluation, const Object& contexts) {
  const Node& node = the.job.body.at_or_null("secrets");
  if (node.text == "inherit") return the.instance.secrets;
  json::object mapping;
  if (node.is_string() && holds_expression(node.text)) {
    return std::unexpected(evaluation.failure(node, "'secrets' of a call must be 'inherit' or a mapping."));
  }
  for (const Pair& pair : node.pairs) {
    auto text = Rewriter(evaluation, pair.value, contexts).text();
    if (!text) return std::unexpected(text.error());
    mapping[pair.key.text] = *text;
  }
  if (mapping.empty()) return "\"none\"";
  json::value outer = core::parse_json(the.instance.secrets).value_or("none");
  if (outer.is_string()) return outer == "all" ? core::to_text(mapping) : "\"none\"";
  json::array layers;
  if (outer.is_array())
    layers = outer.as_array();
  else
    layers.push_back(std::move(outer));
  layers.push_back(std::move(mapping));
  return core::to_text(layers);
}

Evaluated<std::vector<std::pair<std::string, std::string>>> call_outputs(const Program& program,
                                                                         const JobTemplate& caller,
                                                                         const Object& contexts) {
  std::vector<std::pair<std::string, std::string>> outputs;
  const Workflow* called = program.called(caller);
  if (called == nullptr || !called->call) return outputs;
  Evaluation evaluation(called->file, contexts);
  for (const auto& [name, node] : called->call->outputs) {
    auto value = evaluation.text(node);
    if (!value) return std::unexpected(std::move(value.error()));
    outputs.emplace_back(name.value, std::move(*value));
  }
  return outputs;
}

core::Result<Object> dispatch_inputs(const Workflow& workflow, const Object& given) {
  for (const auto& [name, value] : given) {
    bool known =
        std::ranges::any_of(workflow.inputs, [&](const Input& one) { return equal_in_any_case(one.name, name); });
    if (known) continue;
    return core::fail(core::Code::invalid, "Unexpected inputs provided: [\"" + name +
                                               "\"]. The workflow does not "
                                               "declare this input under on.workflow_dispatch.inputs.");
  }
  Object inputs;
  for (const Input& input : workflow.inputs) {
    const Value* value = given.find(input.name);
    bool chosen = value != nullptr && !(value->is_null());
    Value one = chosen ? *value : input.fallback.is_null() ? nothing_of(input.type) : written(input.fallback);
    if (!chosen && input.fallback.is_null()) {
      if (input.required) {
        return core::fail(core::Code::invalid, "Required input '" + input.name + "' not provided. Give it a value.");
      }
      if (input.type == "choice" && !input.options.empty()) one = Value(input.options[0]);
    }
    auto fits = dispatched(input, one);
    if (!fits) return std::unexpected(std::move(fits.error()));
    inputs.set(input.name, std::move(*fits));
  }
  return inputs;
}

Evaluated<std::string> run_name(const Workflow& workflow, const Object& contexts) {
  return Evaluation(workflow.file, contexts).text(workflow.body.at_or_null("run-name"));
}

Evaluated<Concurrency> concurrency(const Workflow& workflow, const Object& contexts) {
  return read_concurrency(Evaluation(workflow.file, contexts), workflow.body.at_or_null("concurrency"));
}

}  // namespace headrace::workflow
