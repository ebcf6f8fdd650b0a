// Texts with ${{ }}: split where GitHub's reader splits them, put together as its format() does.
#include <algorithm>

#include "workflow/expression.h"
#include "workflow/expression_functions.h"
#include "workflow/expression_program.h"
#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

using Part = Template::Part;
constexpr std::string_view opening = "${{";

std::unexpected<ExpressionError> refuse_at(size_t offset, std::string message) {
  return std::unexpected(ExpressionError{ExpressionError::Stage::parsing, std::move(message), 0, offset});
}

// The place past the }} that ends the expression whose text begins at `place`; npos where there is none. Within quotes
// }} ends nothing.
size_t end_of_expression(std::string_view text, size_t place) {
  bool quoted = false;
  for (; place + 1 < text.size(); ++place) {
    if (text[place] == '\'') quoted = !quoted;
    if (!quoted && text.substr(place).starts_with("}}")) return place + 2;
  }
  return std::string_view::npos;
}

// The expression between ${{ at `start` and }} before `end`, without the blanks around it.
std::expected<Part, ExpressionError> read_part(std::string_view text, size_t start, size_t end,
                                               const Language& language) {
  std::string_view inner = text.substr(start + opening.size(), end - 2 - start - opening.size());
  std::string_view trimmed = trim_blanks(inner);
  if (trimmed.empty()) return refuse_at(start, "An expression was expected");
  auto offset = static_cast<size_t>(trimmed.data() - text.data());
  auto expression = Expression::parse(trimmed, language);
  if (!expression) {
    expression.error().offset += offset;
    return std::unexpected(std::move(expression.error()));
  }
  return Part{{}, std::move(*expression), offset};
}

std::expected<std::vector<Part>, ExpressionError> read_parts(std::string_view text, const Language& language) {
  std::vector<Part> parts;
  for (size_t place = 0; place < text.size();) {
    size_t start = std::min(text.find(opening, place), text.size());
    if (start > place) parts.push_back({std::string(text.substr(place, start - place)), {}, place});
    if (start == text.size()) break;
    size_t end = end_of_expression(text, start + opening.size());
    if (end == std::string_view::npos)
      return refuse_at(start,
                       "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence "
                       "was not found.");
    auto part = read_part(text, start, end, language);
    if (!part) return std::unexpected(std::move(part.error()));
    parts.push_back(std::move(*part));
    place = end;
  }
  return parts;
}

// The one expression that GitHub's reader makes of several parts.
std::string as_format(const std::vector<Part>& parts) {
  std::string format, arguments;
  size_t number = 0;
  for (const Part& part : parts) {
    if (part.expression) {
      format.append("{").append(std::to_string(number++)).append("}");
      arguments.append(", ").append(part.expression->text());
      continue;
    }
    for (char c : part.literal) {
      if (c == '\'' || c == '{' || c == '}') format.push_back(c);
      format.push_back(c);
    }
  }
  return "format('" + format + "'" + arguments + ")";
}

std::unexpected<ExpressionError> too_large(size_t offset, const std::string& expression) {
  std::string message = "The maximum allowed memory size was exceeded while evaluating the following expression: ";
  return std::unexpected(ExpressionError{ExpressionError::Stage::evaluation, message + expression, 0, offset});
}

ExpressionError moved(ExpressionError error, size_t offset) {
  error.offset += offset;
  return error;
}

// Places in a condition count in the text as it was given, not in what is evaluated of it.
void tell_places(ExpressionProgram& program, const std::vector<Part>& parts) {
  bool whole = parts.size() == 1;
  for (ProgramNode& node : program.nodes) {
    node.offset = whole ? node.offset + parts.front().offset : 0;
    if (!whole) node.position = 0;
  }
  program.references.clear();
  for (const Part& part : parts) {
    if (!part.expression) continue;
    for (Reference reference : part.expression->references()) {
      reference.offset += part.offset;
      program.references.push_back(std::move(reference));
    }
  }
}

}  // namespace

struct Template::Content {
  std::string text;
  std::vector<Part> parts;
};

bool holds_expression(std::string_view text) { return text.contains(opening); }

std::expected<Template, ExpressionError> Template::parse(std::string_view text, const Language& language) {
  if (!holds_expression(text)) return literal(std::string(text));
  auto parts = read_parts(text, language);
  if (!parts) return std::unexpected(std::move(parts.error()));
  if (parts->size() > 1 && utf16_length(as_format(*parts)) > expression_length_max)
    return refuse_at(0, "Exceeded max expression length " + std::to_string(expression_length_max));
  Template made;
  made.content_ = std::make_shared<const Content>(std::string(text), std::move(*parts));
  return made;
}

Template::Template() {
  static const auto empty = std::make_shared<const Content>();
  content_ = empty;
}

Template Template::literal(std::string text) {
  Content content;
  content.text = text;
  if (!text.empty()) content.parts.push_back({std::move(text), {}, 0});
  Template made;
  made.content_ = std::make_shared<const Content>(std::move(content));
  return made;
}

Template Template::of(Expression expression) {
  Content content;
  content.text = expression.text();
  content.parts.push_back({{}, std::move(expression), 0});
  Template made;
  made.content_ = std::make_shared<const Content>(std::move(content));
  return made;
}

std::expected<Value, ExpressionError> Template::evaluate(const Object& contexts, Host* host, size_t memory_max) const {
  if (is_literal()) return Value(content_->text);
  BoundedText text(memory_max);
  for (const Part& part : parts()) {
    auto value = part.expression ? part.expression->evaluate(contexts, host, memory_max) : Value(part.literal);
    if (!value) return std::unexpected(moved(std::move(value.error()), part.offset));
    if (is_expression()) return value;
    if (!text.append(value->to_text())) return too_large(part.offset, as_format(parts()));
  }
  return Value(text.take());
}

std::expected<std::string, ExpressionError> Template::evaluate_text(const Object& contexts, Host* host,
                                                                    size_t memory_max) const {
  auto value = evaluate(contexts, host, memory_max);
  if (!value) return std::unexpected(std::move(value.error()));
  return value->to_text();
}

const std::vector<Template::Part>& Template::parts() const { return content_->parts; }
const std::string& Template::text() const { return content_->text; }
bool Template::is_expression() const { return parts().size() == 1 && parts().front().expression.has_value(); }

bool has_text_beside_expression(const Template& text) {
  return !text.is_literal() && std::ranges::any_of(text.parts(), [](const Part& part) {
    return !part.expression && !trim_blanks(part.literal).empty();
  });
}

bool Template::is_literal() const {
  return std::ranges::none_of(parts(), [](const Part& part) { return part.expression.has_value(); });
}

void Template::visit(const std::function<void(const Reference&)>& see) const {
  for (const Part& part : parts()) {
    if (!part.expression) continue;
    for (Reference reference : part.expression->references()) {
      reference.offset += part.offset;
      see(reference);
    }
  }
}

void Template::visit_carried(const SeeCarried& see) const {
  for (const Part& part : parts()) {
    if (!part.expression) continue;
    part.expression->visit_carried([&](Reference reference, bool as_json) {
      reference.offset += part.offset;
      see(reference, as_json);
    });
  }
}

bool Template::names_context(std::string_view name) const {
  return std::ranges::any_of(parts(),
                             [&](const Part& part) { return part.expression && part.expression->names_context(name); });
}

bool Template::calls(std::string_view function) const {
  return std::ranges::any_of(parts(),
                             [&](const Part& part) { return part.expression && part.expression->calls(function); });
}

std::expected<Expression, ExpressionError> parse_condition(std::string_view text, const Language& language) {
  auto program = std::make_shared<ExpressionProgram>();
  program->text = text;
  std::vector<Part> parts;
  if (holds_expression(text)) {
    auto read = read_parts(text, language);
    if (!read) return std::unexpected(std::move(read.error()));
    parts = std::move(*read);
    bool whole = parts.size() == 1;
    program->text = whole ? parts.front().expression->text() : as_format(parts);
  }
  if (auto compiled = compile(*program, language); !compiled) {
    return std::unexpected(moved(std::move(compiled.error()), parts.size() == 1 ? parts.front().offset : 0));
  }
  if (!parts.empty()) tell_places(*program, parts);
  Expression condition(program);
  if (!condition.calls_status_function()) require_success(*program);
  return condition;
}

}  // namespace headrace::workflow
