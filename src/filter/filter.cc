#include "filter/filter.h"

#include <utility>

#include "core/json.h"
#include "events/cloudevents.h"
#include "filter/dialect.h"

namespace headrace::filter {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::parse: return "parse";
    case ErrorKind::math: return "math";
    case ErrorKind::cast: return "cast";
    case ErrorKind::missing_function: return "missingFunction";
    case ErrorKind::function_evaluation: return "functionEvaluation";
    case ErrorKind::missing_attribute: return "missingAttribute";
    case ErrorKind::generic: return "generic";
  }
  return "generic";
}

Type type_of(const View& value) { return static_cast<Type>(value.index()); }

std::string_view name_of(Type type) {
  if (type == Type::boolean) return "Boolean";
  return type == Type::integer ? "Integer" : "String";
}

View zero_of(Type type) {
  if (type == Type::boolean) return false;
  if (type == Type::integer) return int32_t{0};
  return std::string_view();
}

struct Filter::Compiled {
  Clause root;
  std::string json;
  std::vector<Problem> problems;
};

namespace {

std::shared_ptr<const Filter::Compiled> finish(Clause root, const core::json::value& json) {
  auto compiled = std::make_shared<Filter::Compiled>();
  collect_problems(root, compiled->problems);
  compiled->root = std::move(root);
  compiled->json = core::to_text(json);
  return compiled;
}

std::shared_ptr<const Filter::Compiled> everything() {
  static const auto compiled = finish(Clause{}, core::json::value(core::json::array()));
  return compiled;
}

std::string to_json(const Evaluation& evaluation) {
  core::json::object out;
  std::visit([&out](const auto& value) { out["result"] = value; }, evaluation.value);
  core::json::array errors;
  for (const Problem& problem : evaluation.errors) {
    errors.push_back(core::json::object{{"kind", name_of(problem.kind)},
                                        {"message", problem.message},
                                        {"position", static_cast<int64_t>(problem.position)}});
  }
  out["errors"] = std::move(errors);
  return core::to_text(out);
}

}  // namespace

Filter::Filter() : compiled_(everything()) {}
Filter::Filter(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Filter::~Filter() = default;
Filter::Filter(const Filter&) = default;
Filter::Filter(Filter&& other) noexcept : compiled_(other.compiled_) {}  // what is moved from stays a filter
Filter& Filter::operator=(const Filter&) = default;
Filter& Filter::operator=(Filter&& other) noexcept {
  compiled_ = other.compiled_;
  return *this;
}

bool Filter::matches(const events::Event& event) const { return holds(compiled_->root, event); }

Evaluation Filter::evaluate(const events::Event& event, std::string_view time_spelling) const {
  if (compiled_->root.sql) return filter::evaluate(*compiled_->root.sql, event, time_spelling);
  return {matches(event), {}};
}

std::optional<std::vector<std::string>> Filter::types() const { return types_of(compiled_->root); }
const std::vector<Problem>& Filter::problems() const { return compiled_->problems; }
const std::string& Filter::json() const { return compiled_->json; }

core::Result<Filter> compile(std::string_view expression) {
  auto node = parse(expression);
  if (!node) return std::unexpected(parse_failure(node.error(), {}));
  fold(*node);
  Clause root{.kind = Clause::Kind::sql};
  root.sql = std::move(*node);
  return Filter(finish(std::move(root), core::json::value{{"sql", expression}}));
}

core::Result<Filter> compile_json(std::string_view text) {
  if (text.size() > filter_bytes_max) {
    return core::fail(core::Code::invalid, "The filter is longer than 64 KiB; shorten it or split the subscription.");
  }
  auto value = core::parse_json(text);
  if (!value) return std::unexpected(value.error());
  auto root = read_clause(*value);
  if (!root) return std::unexpected(root.error());
  return Filter(finish(std::move(*root), *value));
}

core::Result<std::string> test(std::string_view expression, std::string_view event_text) {
  auto event = events::read_structured(event_text);
  if (!event) return std::unexpected(events::to_error(event.error()));
  auto node = parse(expression);
  if (!node) {
    return to_json({false, {{ErrorKind::parse, parse_failure(node.error(), {}).message, node.error().position}}});
  }
  auto json = core::parse_json(event_text);  // it was read above: only for the spelling of its time
  auto time = json ? core::string_at(*json, "time") : std::nullopt;
  fold(*node);
  return to_json(filter::evaluate(*node, *event, time.value_or("")));
}

}  // namespace headrace::filter
