// `expression eval`: an expression of the workflow language on contexts that a file gives.
#include "workflow/expression.h"

#include "cli/commands.h"
#include "cli/output.h"

namespace headrace::cli {

namespace {

using Evaluated = std::expected<workflow::Value, workflow::ExpressionError>;

// The status functions as in a job whose `job.status` the contexts give; success where they do not.
class StatusOfContexts : public workflow::Host {
 public:
  explicit StatusOfContexts(const workflow::Object& contexts) {
    const auto* job = contexts.find("job");
    const auto* status = job == nullptr ? nullptr : job->find("status");
    if (status != nullptr) status_ = status->to_text();
  }

  std::expected<workflow::Value, std::string> call(std::string_view function,
                                                   std::span<const workflow::Value>) override {
    if (function == "hashFiles")
      return std::unexpected("hashFiles reads the files of a job, and there is none here; write a text in its place.");
    if (function == "always") return true;
    return status_.starts_with(function) || (function == "cancelled" && status_ == "canceled");
  }

 private:
  std::string status_ = "success";
};

core::Result<workflow::Value> read_contexts(const std::string& file) {
  if (file.empty()) return workflow::Value(workflow::Object{});
  auto text = read_input(file);
  if (!text) return std::unexpected(text.error());
  auto json = core::parse_json(*text);
  if (!json) return std::unexpected(json.error());
  if (!json->is_object())
    return core::fail(core::Code::invalid,
                      "The contexts must be a JSON object of names and values: {\"github\": {...}}.");
  return workflow::Value::from_json(*json);
}

// ${{ }} around it is understood as well.
Evaluated evaluate(std::string_view text, const workflow::Object& contexts) {
  std::vector<std::string_view> names;
  for (const auto& context : contexts) names.push_back(context.first);
  workflow::Language language{.contexts = names, .functions = workflow::step_functions};
  StatusOfContexts host(contexts);
  if (text.starts_with("${{")) {
    auto whole = workflow::Template::parse(text, language);
    if (!whole) return std::unexpected(whole.error());
    return whole->evaluate(contexts, &host);
  }
  auto expression = workflow::Expression::parse(text, language);
  if (!expression) return std::unexpected(expression.error());
  return expression->evaluate(contexts, &host);
}

int show(const Evaluated& answer, bool json) {
  if (answer) {
    if (json) {
      print_json(core::json::object{{"kind", workflow::name_of(answer->kind())}, {"value", answer->to_json()}});
    } else {
      print_line(answer->to_text());
    }
    return 0;
  }
  const auto& error = answer.error();
  if (!json) return report({core::Code::invalid, error.message, {}}, false);
  core::json::object told{{"stage", name_of(error.stage)}, {"message", error.message}, {"position", error.position}};
  print_json(core::json::object{{"error", std::move(told)}});
  return 1;
}

}  // namespace

int expression_eval(const std::string& expression, const std::string& contexts_file, bool json) {
  auto contexts = read_contexts(contexts_file);
  if (!contexts) return report(contexts.error(), json);
  std::string text = expression;
  if (expression == "-") {
    auto input = read_input("-");
    if (!input) return report(input.error(), json);
    text = std::move(*input);
    if (text.ends_with('\n')) text.pop_back();
  }
  return show(evaluate(text, *contexts->if_object()), json);
}

}  // namespace headrace::cli
