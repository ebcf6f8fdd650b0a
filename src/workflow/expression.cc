#include "workflow/expression.h"

#include <algorithm>

#include "workflow/expression_program.h"
#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

bool is_call(const Reference& reference, std::string_view name) {
  return reference.kind == Reference::Kind::function && equal_in_any_case(reference.name, name);
}

using Kind = ProgramNode::Kind;

// Of the node's operands those whose text can become part of its value. What is false when && ends there is blank.
bool passes_on(const ProgramNode& node, uint32_t operand) {
  switch (node.kind) {
    case Kind::index: return operand == 0;
    case Kind::wildcard:
    case Kind::any: return true;
    case Kind::all: return operand + 1 == node.operands;
    case Kind::call: break;
    default: return false;
  }
  switch (node.builtin) {
    case Builtin::format:
    case Builtin::join:
    case Builtin::to_json:
    case Builtin::from_json: return true;
    case Builtin::choose: return operand % 2 == 1 || operand + 1 == node.operands;
    default: return false;
  }
}

// Depth is bounded by expression_depth_max.
void carry(const ExpressionProgram& program, const ProgramNode& node, bool as_json, const SeeCarried& see) {
  if (node.kind != Kind::call && node.reference >= 0)
    return see(program.references[static_cast<size_t>(node.reference)], as_json);
  as_json = as_json || (node.kind == Kind::call && node.builtin == Builtin::to_json);
  for (uint32_t i = 0; i < node.operands; ++i)
    if (passes_on(node, i)) carry(program, program.nodes[program.operands[node.first + i]], as_json, see);
}

}  // namespace

std::string_view name_of(ExpressionError::Stage stage) {
  if (stage == ExpressionError::Stage::lexing) return "lexing";
  return stage == ExpressionError::Stage::parsing ? "parsing" : "evaluation";
}

Expression::Expression() {
  static const auto empty = std::make_shared<const ExpressionProgram>();
  program_ = empty;
}

std::expected<Expression, ExpressionError> Expression::parse(std::string_view text, const Language& language) {
  auto program = std::make_shared<ExpressionProgram>();
  program->text = text;
  if (auto compiled = compile(*program, language); !compiled) return std::unexpected(compiled.error());
  return Expression(std::move(program));
}

std::expected<Value, ExpressionError> Expression::evaluate(const Object& contexts, Host* host,
                                                           size_t memory_max) const {
  if (program_->nodes.empty()) return Value();
  return workflow::evaluate(*program_, contexts, host, memory_max);
}

const std::string& Expression::text() const { return program_->text; }
const std::vector<Reference>& Expression::references() const { return program_->references; }

void Expression::visit(const std::function<void(const Reference&)>& see) const {
  for (const Reference& reference : references()) see(reference);
}

void Expression::visit_carried(const SeeCarried& see) const {
  if (!program_->nodes.empty()) carry(*program_, program_->nodes.back(), false, see);
}

bool Expression::names_context(std::string_view name) const {
  return std::ranges::any_of(references(), [&](const Reference& one) {
    return one.kind == Reference::Kind::context && equal_in_any_case(one.name, name);
  });
}

bool Expression::calls(std::string_view function) const {
  return std::ranges::any_of(references(), [&](const Reference& one) { return is_call(one, function); });
}

bool Expression::calls_status_function() const {
  return std::ranges::any_of(status_functions, [&](const HostFunction& status) { return calls(status.name); });
}

std::optional<Value> Expression::literal() const {
  if (program_->nodes.empty()) return Value();
  const ProgramNode& root = program_->nodes.back();
  return root.kind == ProgramNode::Kind::literal ? std::optional(root.value) : std::nullopt;
}

}  // namespace headrace::workflow
