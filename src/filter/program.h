// A CESQL expression as a tree, folded, and its evaluation.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/attribute.h"
#include "filter/filter.h"
#include "filter/pattern.h"

namespace headrace::filter {

enum class Type : uint8_t { boolean, integer, string };
Type type_of(const View& value);
std::string_view name_of(Type type);  // as in the specification: "Boolean"
View zero_of(Type type);              // CESQL 3.1

enum class Op : uint8_t {
  constant,
  attribute,
  exists,
  logical_not,
  negate,
  logical_and,  // two or more children
  logical_or,   // two or more children
  logical_xor,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  like,
  in,
  call,
};

struct Function;  // functions.h

// The constant elements of a set, cast to each type the left side may have.
struct ConstantSet {
  std::vector<std::string> texts;         // sorted
  std::vector<int32_t> integers;          // sorted
  bool holds[2] = {false, false};         // of Booleans: [false], [true]
  std::optional<std::string> no_integer;  // an element that is none
  std::optional<std::string> no_boolean;
};

struct Node {
  Op op = Op::constant;
  bool negated = false;   // NOT LIKE, NOT IN
  uint32_t position = 1;  // character of the expression
  uint32_t depth = 1;
  events::Attribute value{};           // constant
  AttributeName attribute{};           // attribute, exists
  const Function* function = nullptr;  // call; null: there is none
  std::string name{};                  // call: as it was written
  std::optional<Pattern> pattern{};    // like
  std::unique_ptr<ConstantSet> set{};  // in; the other elements are children after the first
  std::vector<Node> children{};
};

struct ParseError {
  std::string message;
  size_t position = 1;
};

// Bounds: expression_bytes_max, depth_max, pattern_bytes_max.
std::expected<Node, ParseError> parse(std::string_view expression);

// Computes at once what no event changes, and sorts constant sets.
void fold(Node& node);

// Types that an event must have one of for the expression to be true; nothing where any may do.
using Types = std::optional<std::vector<std::string>>;  // sorted
Types types_of(const Node& node);
Types types_of_both(const Types& a, const Types& b);
Types types_of_either(const Types& a, const Types& b);

// Calls of functions that do not exist.
void collect_problems(const Node& node, std::vector<Problem>& into);

bool is_true(const Node& node, const events::Event& event);
Evaluation evaluate(const Node& node, const events::Event& event, std::string_view time_spelling);

}  // namespace headrace::filter
