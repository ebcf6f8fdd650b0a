#include "services/runner/action_manifest.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "workflow/expression.h"
#include "workflow/yaml.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using workflow::Node;

namespace {

// GitHub Docs, "Contexts reference", "Context availability": what an expression of an action.yml may name.
constexpr std::array<std::string_view, 8> step_contexts{"github", "inputs", "steps",    "job",
                                                        "runner", "env",    "strategy", "matrix"};
constexpr std::array<std::string_view, 5> default_contexts{"github", "strategy", "matrix", "job", "runner"};
constexpr std::array<std::string_view, 7> condition_contexts{"github",   "runner", "env",  "job",
                                                             "strategy", "matrix", "steps"};

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Result<ActionManifest> read(std::string_view text) {
    if (text.size() > action_manifest_bytes_max)
      return core::fail(Code::invalid, file_ + ": The file is larger than " +
                                           std::to_string(action_manifest_bytes_max / 1024) + " KiB.");
    auto tree = workflow::parse_yaml(text);
    for (const auto& error : tree.errors) wrong(error.at, error.message);
    if (tree.errors.empty()) top(tree.root);
    if (errors_.empty()) return std::move(out_);
    return core::fail(Code::invalid, std::move(errors_));
  }

 private:
  void wrong(workflow::Position at, std::string_view message) {
    if (++count_ > action_manifest_errors_max) return;
    if (!errors_.empty()) errors_ += '\n';
    errors_ += file_ + ":" + std::to_string(std::max(1, at.line)) + ":" + std::to_string(std::max(1, at.column)) +
               ": " + std::string(message);
  }
  void wrong(const Node& node, std::string_view message) { wrong(node.at, message); }

  bool is_mapping(const Node& node, std::string_view what) {
    if (node.is_mapping()) return true;
    wrong(node, std::string(what) + " must be a mapping, and here stands " + std::string(name_of(node.kind)) + ".");
    return false;
  }
  std::string scalar(const Node& node, std::string_view what) {
    if (node.is_scalar()) return node.text;
    wrong(node, std::string(what) + " must be a text, and here stands " + std::string(name_of(node.kind)) + ".");
    return {};
  }
  // A text that may hold ${{ }}.
  std::string text(const Node& node, std::string_view what, std::span<const std::string_view> contexts) {
    std::string value = scalar(node, what);
    const workflow::Language language{.contexts = contexts, .functions = workflow::step_functions};
    auto parsed = workflow::Template::parse(value, language);
    if (!parsed) wrong(node, std::string(what) + ": " + parsed.error().message);
    return value;
  }
  std::string condition(const Node& node, std::string_view what, std::span<const std::string_view> contexts) {
    std::string value = scalar(node, what);
    const workflow::Language language{.contexts = contexts, .functions = workflow::step_functions};
    if (auto parsed = workflow::parse_condition(value, language); !parsed)
      wrong(node, std::string(what) + ": " + parsed.error().message);
    return value;
  }
  Variables texts(const Node& node, std::string_view what) {
    Variables values;
    if (node.is_null() || !is_mapping(node, what)) return values;
    for (const auto& [key, value] : node.pairs)
      values.emplace_back(key.text, text(value, std::string(what) + "." + key.text, step_contexts));
    return values;
  }

  void top(const Node& root) {
    if (root.is_null()) return wrong(root, "The file is empty; an action needs at least `name` and `runs`.");
    if (!is_mapping(root, "An action")) return;
    out_.name = scalar(root.at_or_null("name"), "name");
    if (const Node* inputs = root.find("inputs")) read_inputs(*inputs);
    const Node* runs = root.find("runs");
    if (runs == nullptr) return wrong(root, "`runs` is missing: it says what the action does.");
    if (!is_mapping(*runs, "runs")) return;
    read_runs(*runs);
    const Node* outputs = root.find("outputs");
    if (outputs && out_.kind == ActionManifest::Kind::composite) read_outputs(*outputs);
  }

  void read_inputs(const Node& inputs) {
    if (inputs.is_null() || !is_mapping(inputs, "inputs")) return;
    for (const auto& [key, value] : inputs.pairs) {
      ActionInput input;
      input.name = key.text;
      if (out_.input(input.name)) wrong(key, "The input '" + key.text + "' is there twice, but for capitals.");
      if (!value.is_null() && is_mapping(value, "inputs." + key.text)) {
        if (const Node* fallback = value.find("default")) {
          input.has_fallback = true;
          input.fallback = text(*fallback, "inputs." + key.text + ".default", default_contexts);
        }
        input.required = value.at_or_null("required").text == "true";
        input.deprecation = scalar(value.at_or_null("deprecationMessage"), "deprecationMessage");
      }
      out_.inputs.push_back(std::move(input));
    }
  }

  void read_outputs(const Node& outputs) {
    if (outputs.is_null() || !is_mapping(outputs, "outputs")) return;
    for (const auto& [key, value] : outputs.pairs) {
      if (!is_mapping(value, "outputs." + key.text)) continue;
      const Node* given = value.find("value");
      if (given == nullptr) {
        wrong(value, "outputs." + key.text + " of a composite action needs a `value`.");
        continue;
      }
      out_.outputs.emplace_back(key.text, text(*given, "outputs." + key.text + ".value", step_contexts));
    }
  }

  void read_runs(const Node& runs) {
    const Node* named = runs.find("using");
    if (named == nullptr) return wrong(runs, "runs.using is missing: composite, node20, node24 or docker.");
    std::string how = scalar(*named, "runs.using");
    auto is = [&](std::string_view word) { return workflow::equal_in_any_case(how, word); };
    if (is("composite")) return read_composite(runs);
    if (is("docker")) return read_container(runs);
    const bool old = is("node12") || is("node16");
    if (old || is("node20") || is("node24")) {
      out_.node_version = is("node24") ? 24 : 20;
      out_.written_for_older_node = old ? how : "";
      return read_node(runs);
    }
    wrong(*named, "'using: " + how + "' is not supported, use 'composite', 'node20', 'node24' or 'docker' instead.");
  }

  void read_conditions(const Node& runs) {
    if (const Node* node = runs.find("pre-if"))
      out_.pre_condition = condition(*node, "runs.pre-if", condition_contexts);
    if (const Node* node = runs.find("post-if"))
      out_.post_condition = condition(*node, "runs.post-if", condition_contexts);
  }

  // A file of the action: within its folder, whatever it says.
  std::string within(const Node& runs, std::string_view key) {
    const Node& node = runs.at_or_null(key);
    std::string path = scalar(node, "runs." + std::string(key));
    if (path.contains('\0')) wrong(node, "runs." + std::string(key) + " holds a zero byte.");
    return path;
  }

  void read_node(const Node& runs) {
    out_.kind = ActionManifest::Kind::node;
    out_.main = within(runs, "main");
    if (out_.main.empty()) wrong(runs, "runs.main is missing: the file that Node is to run.");
    out_.pre = within(runs, "pre");
    out_.post = within(runs, "post");
    read_conditions(runs);
  }

  void read_container(const Node& runs) {
    out_.kind = ActionManifest::Kind::container;
    out_.image = within(runs, "image");
    if (out_.image.empty()) wrong(runs, "runs.image is missing: a Dockerfile, or docker:// and an image.");
    out_.entrypoint = scalar(runs.at_or_null("entrypoint"), "runs.entrypoint");
    out_.pre_entrypoint = scalar(runs.at_or_null("pre-entrypoint"), "runs.pre-entrypoint");
    out_.post_entrypoint = scalar(runs.at_or_null("post-entrypoint"), "runs.post-entrypoint");
    const Node& arguments = runs.at_or_null("args");
    if (!arguments.is_null() && !arguments.is_sequence()) wrong(arguments, "runs.args must be a sequence.");
    for (const auto& item : arguments.items) out_.arguments.push_back(container_text(item, "runs.args"));
    const Node& env = runs.at_or_null("env");
    if (!env.is_null() && is_mapping(env, "runs.env"))
      for (const auto& [key, value] : env.pairs) out_.env.emplace_back(key.text, container_text(value, "runs.env"));
    read_conditions(runs);
  }
  std::string container_text(const Node& node, std::string_view what) {
    constexpr std::array<std::string_view, 6> contexts{"github", "inputs", "job", "runner", "strategy", "matrix"};
    return text(node, what, contexts);
  }

  void read_composite(const Node& runs) {
    const Node* steps = runs.find("steps");
    if (steps == nullptr || !steps->is_sequence())
      return wrong(steps ? *steps : runs, "runs.steps is missing: a composite action has a sequence of steps.");
    if (steps->items.size() > job_spec_steps_max)
      return wrong(*steps, "The action has more than " + std::to_string(job_spec_steps_max) + " steps.");
    for (const auto& node : steps->items)
      if (is_mapping(node, "A step")) read_step(node);
  }

  void read_step(const Node& node) {
    constexpr std::array<std::string_view, 9> known{"name", "id",   "if", "run", "shell", "working-directory",
                                                    "uses", "with", "env"};
    StepSpec step;
    step.line = node.at.line;
    step.column = node.at.column;
    step.number = static_cast<int64_t>(out_.steps.size()) + 1;
    for (const auto& [key, value] : node.pairs)
      if (std::ranges::find(known, std::string_view(key.text)) == known.end() && key.text != "continue-on-error")
        wrong(key, "Unexpected value '" + key.text + "' in a step of a composite action.");
    auto take = [&](const char* key) { return text(node.at_or_null(key), key, step_contexts); };
    step.id = scalar(node.at_or_null("id"), "id");
    if (!step.id.empty() && !ids_.insert(workflow::fold_case(step.id)).second)
      wrong(node.at_or_null("id"),
            "The identifier '" + step.id + "' may not be used more than once within the same scope.");
    step.name = take("name");
    if (const Node* given = node.find("if")) step.condition = condition(*given, "if", step_contexts);
    if (step.condition.empty()) step.condition = "success()";
    step.run = take("run");
    step.shell = take("shell");
    step.working_directory = take("working-directory");
    step.uses = scalar(node.at_or_null("uses"), "uses");
    step.continue_on_error = take("continue-on-error");
    step.with = texts(node.at_or_null("with"), "with");
    step.env = texts(node.at_or_null("env"), "env");
    bool runs = node.find("run") != nullptr, uses = !step.uses.empty();
    if (runs == uses) return wrong(node, "A step has either `run` or `uses`.");
    if (runs && step.shell.empty())
      wrong(node, "Required property is missing: shell. A `run` step of an action names its shell.");
    out_.steps.push_back(std::move(step));
  }

  std::string file_, errors_;
  size_t count_ = 0;
  std::set<std::string> ids_;
  ActionManifest out_;
};

}  // namespace

const ActionInput* ActionManifest::input(std::string_view wanted) const {
  auto found = std::ranges::find_if(
      inputs, [&](const ActionInput& one) { return workflow::equal_in_any_case(one.name, wanted); });
  return found == inputs.end() ? nullptr : &*found;
}

Result<ActionManifest> parse_action_manifest(std::string_view text, std::string_view file) {
  return Reader(file).read(text);
}

std::string input_variable(std::string_view name) {
  std::string variable = "INPUT_";
  for (char c : name) variable += c == ' ' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return variable;
}

}  // namespace headrace::runner
