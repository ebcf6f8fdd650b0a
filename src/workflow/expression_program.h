// An expression as it is evaluated: nodes in one row, a node after its operands, the last one the root.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workflow/expression.h"

namespace headrace::workflow {

enum class Builtin : uint8_t { contains, starts_with, ends_with, format, join, to_json, from_json, choose, host };

struct BuiltinFunction {
  std::string_view name;
  Builtin builtin;
  size_t parameters_min, parameters_max;
};
const BuiltinFunction* find_builtin(std::string_view name);  // any case; null where there is none

struct ProgramNode {
  enum class Kind : uint8_t {
    literal,
    context,
    index,     // operands: what is indexed, the key
    wildcard,  // operand: what is filtered
    negation,
    equal,
    not_equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal,
    all,  // &&, two operands or more
    any,  // ||
    call,
  };
  Kind kind = Kind::literal;
  Builtin builtin = Builtin::host;
  uint16_t depth = 1;                // of the nodes beneath, itself included
  uint32_t first = 0, operands = 0;  // in Program::operands
  Value value;                       // of a literal
  std::string name;                  // of a context or a function, as the language spells it
  size_t position = 0, offset = 0;   // in the text
  int32_t reference = -1;  // the context that this node looks into, or its call, in ExpressionProgram::references
  bool absorbed = false;   // an && within an &&: its operands are those of the outer one
};

struct ExpressionProgram {
  std::string text;
  std::vector<ProgramNode> nodes;
  std::vector<uint32_t> operands;
  std::vector<Reference> references;
};

// success() && (what the program says), with the text that says so; a program of no nodes becomes success().
void require_success(ExpressionProgram& program);

// Reads program.text into the rest of it.
std::expected<void, ExpressionError> compile(ExpressionProgram& program, const Language& language);

// program.nodes is not empty.
std::expected<Value, ExpressionError> evaluate(const ExpressionProgram& program, const Object& contexts, Host* host,
                                               size_t memory_max);

}  // namespace headrace::workflow
