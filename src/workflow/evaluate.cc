#include "workflow/evaluate.h"

namespace headrace::workflow {
namespace {

constexpr Language any_name{.contexts = {}, .any_name = true};  // the reader has looked at the names

std::expected<Template, ExpressionError> template_of(const Node& node) {
  if (node.expression != nullptr) return *node.expression;
  return Template::parse(node.text, any_name);
}

bool inserts(const Node& key) {
  auto read = template_of(key);
  return read && read->is_expression() && read->parts()[0].expression->text() == "insert";
}

}  // namespace

Evaluated<Value> Evaluation::value(const Node& node) const {
  if (node.is_sequence()) return sequence(node);
  if (node.is_mapping()) return mapping(node);
  return scalar(node);
}

Evaluated<Value> Evaluation::scalar(const Node& node) const {
  switch (node.kind) {
    case Node::Kind::null: return Value();
    case Node::Kind::boolean: return Value(node.is_true());
    case Node::Kind::number: return Value(node.number);
    default: break;
  }
  if (!holds_expression(node.text)) return Value(node.text);
  auto read = template_of(node);
  if (!read) return std::unexpected(failure(node, read.error().message));
  auto value = read->evaluate(contexts_, host_);
  if (!value) return std::unexpected(failure(node, "The template is not valid. " + value.error().message));
  return std::move(*value);
}

Evaluated<Value> Evaluation::sequence(const Node& node) const {
  Array items;
  for (const Node& item : node.items) {
    auto one = value(item);
    if (!one) return std::unexpected(std::move(one.error()));
    items.push_back(std::move(*one));
  }
  return Value(std::move(items));
}

Evaluated<Value> Evaluation::mapping(const Node& node) const {
  Object members;
  for (const Pair& pair : node.pairs) {
    auto one = value(pair.value);
    if (!one) return std::unexpected(std::move(one.error()));
    if (!holds_expression(pair.key.text)) {
      members.set(pair.key.text, std::move(*one));
    } else if (!inserts(pair.key)) {
      auto key = text(pair.key);
      if (!key) return std::unexpected(std::move(key.error()));
      members.set(std::move(*key), std::move(*one));
    } else if (const Object* more = one->if_object()) {
      for (const auto& [key, member] : *more) members.set(key, member);
    } else {
      return std::unexpected(failure(pair.value, "${{ insert }} takes in a mapping, and here stands something else."));
    }
  }
  return Value(std::move(members));
}

Evaluated<std::string> Evaluation::text(const Node& node) const {
  auto read = value(node);
  if (!read) return std::unexpected(std::move(read.error()));
  if (!read->is_primitive())
    return std::unexpected(failure(node, "A string is expected here, not an array or object."));
  return read->to_text();
}

Evaluated<bool> Evaluation::truth(const Node& node, bool fallback) const {
  if (node.at.line == 0) return fallback;
  auto read = value(node);
  if (!read) return std::unexpected(std::move(read.error()));
  if (const bool* boolean = read->if_boolean()) return *boolean;
  std::string text = read->to_text();
  if (text == "true") return true;
  if (text == "false" || text.empty()) return false;
  return std::unexpected(failure(node, "Unexpected value '" + text + "'. Here must stand true or false."));
}

Evaluated<double> Evaluation::number(const Node& node, double fallback) const {
  if (node.at.line == 0) return fallback;
  auto read = value(node);
  if (!read) return std::unexpected(std::move(read.error()));
  double number = read->is_primitive() ? read->to_number() : 0;
  bool spelled = read->if_number() != nullptr || !read->to_text().empty();
  if (spelled && number == number) return number;
  return std::unexpected(failure(node, "Unexpected value '" + read->to_text() + "'. Here must stand a number."));
}

std::string as_template(const std::string& literal) {
  if (!holds_expression(literal)) return literal;
  std::string quoted;
  for (char c : literal) quoted.append(c == '\'' ? 2 : 1, c);
  return "${{ '" + quoted + "' }}";
}

void visit_references(const Node& node, const std::function<void(const Reference&)>& see) {
  if (node.is_string() && holds_expression(node.text)) {
    auto read = template_of(node);
    if (read) read->visit(see);
  }
  for (const Node& item : node.items) visit_references(item, see);
  for (const Pair& pair : node.pairs) visit_references(pair.value, see);
}

}  // namespace headrace::workflow
