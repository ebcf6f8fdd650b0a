// One evaluation of a program. Every node gives a value; `failed` beside it says that an error arose below, and then an
// operator gives its zero value (see filter.h). A cast that fails goes on with the cast's value (CESQL 3.7).
#include <algorithm>
#include <cstdint>
#include <forward_list>
#include <limits>

#include "filter/functions.h"
#include "filter/program.h"

namespace headrace::filter {
namespace {

constexpr size_t problems_max = 100;
constexpr size_t arguments_inline = 8;  // calls with more arguments allocate

struct Outcome {
  View value = false;
  bool failed = false;
};

Type result_type(const Node& node) {
  switch (node.op) {
    case Op::negate:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::divide:
    case Op::modulo: return Type::integer;
    case Op::call: return node.function ? node.function->result : Type::boolean;
    default: return Type::boolean;
  }
}

class Evaluator final : private FunctionCall {
 public:
  // Without `problems` the first error ends the evaluation, for nothing can pass any more (CESQL 4.1, fail fast).
  Evaluator(const events::Event& event, std::string_view time_spelling, std::vector<Problem>* problems)
      : event_(event), time_spelling_(time_spelling), problems_(problems) {}

  Outcome evaluate(const Node& node) {
    switch (node.op) {
      case Op::constant: return constant(node);
      case Op::attribute: return attribute(node);
      case Op::exists: return {exists(event_, node.attribute)};
      case Op::logical_and: return chain(node, false);
      case Op::logical_or: return chain(node, true);
      case Op::logical_not:
      case Op::negate: return unary(node);
      case Op::like: return like(node);
      case Op::in: return in(node);
      case Op::call: return call(node);
      default: return binary(node);
    }
  }

 private:
  bool stops(const Outcome& outcome) const { return outcome.failed && problems_ == nullptr; }
  static Outcome zero(const Node& node) { return {zero_of(result_type(node)), true}; }

  void report(const Node& node, ErrorKind kind, std::string message) {
    if (problems_->size() < problems_max) problems_->push_back({kind, std::move(message), node.position});
  }

  std::string_view keep(std::string text) override {
    kept_bytes_ += text.size();
    kept_.push_front(std::move(text));
    return kept_.front();
  }

  void fail(ErrorKind kind, std::string message) override {
    call_failed_ = true;
    if (problems_ != nullptr) report(*calling_, kind, std::move(message));
  }

  static Outcome constant(const Node& node) {
    if (const bool* b = std::get_if<bool>(&node.value)) return {*b};
    if (const int32_t* i = std::get_if<int32_t>(&node.value)) return {*i};
    return {std::string_view(*std::get_if<std::string>(&node.value))};
  }

  Outcome attribute(const Node& node) {
    Found found = find(event_, node.attribute, time_spelling_, time_);
    if (found.present) return {found.value};
    if (problems_ != nullptr) {
      report(node, ErrorKind::missing_attribute, "The event has no attribute " + node.attribute.name + ".");
    }
    return {false, true};
  }

  View cast_to(Type type, const View& value, const Node& node, bool& failed) {
    if (type_of(value) == type) return value;
    Cast made = cast(value, type, *this);
    if (!made.good) cast_failed(type, value, node, failed);
    return made.value;
  }

  void cast_failed(Type type, const View& value, const Node& node, bool& failed) {
    failed = true;
    if (problems_ == nullptr) return;
    const std::string_view* text = std::get_if<std::string_view>(&value);
    std::string shown = text != nullptr ? "'" + std::string(text->substr(0, 100)) + "'" : "The value";
    report(node, ErrorKind::cast, shown + " is no " + std::string(name_of(type)) + ".");
  }

  bool as_boolean(const View& value, const Node& node, bool& failed) {
    View cast_value = cast_to(Type::boolean, value, node, failed);
    return *std::get_if<bool>(&cast_value);
  }

  int32_t as_integer(const View& value, const Node& node, bool& failed) {
    View cast_value = cast_to(Type::integer, value, node, failed);
    return *std::get_if<int32_t>(&cast_value);
  }

  std::string_view as_text(const View& value, const Node& node, bool& failed) {
    View cast_value = cast_to(Type::string, value, node, failed);
    return *std::get_if<std::string_view>(&cast_value);
  }

  // AND goes on while operands are true, OR while they are false (CESQL 3.4.2); an operand that failed is false.
  Outcome chain(const Node& node, bool decides) {
    bool failed = false;
    for (const Node& child : node.children) {
      Outcome operand = evaluate(child);
      bool value = !operand.failed && as_boolean(operand.value, node, operand.failed);
      failed = failed || operand.failed;
      if (value == decides || stops(operand)) return {failed ? false : decides, failed};
    }
    return {failed ? false : !decides, failed};
  }

  Outcome unary(const Node& node) {
    Outcome operand = evaluate(node.children[0]);
    if (operand.failed) return zero(node);
    if (node.op == Op::logical_not) return logical_not(node, operand.value);
    bool failed = false;
    int64_t value = -static_cast<int64_t>(as_integer(operand.value, node, failed));
    return integer(value, node, failed);
  }

  Outcome logical_not(const Node& node, const View& value) {
    bool failed = false;
    if (type_of(value) == Type::integer) {  // conformance suite, not_operator.yaml, "Invalid int cast"
      cast_failed(Type::boolean, value, node, failed);
      return {true, true};
    }
    bool truth = as_boolean(value, node, failed);
    return {!truth, failed};
  }

  Outcome integer(int64_t value, const Node& node, bool failed) {
    bool fits = value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
    if (fits) return {static_cast<int32_t>(value), failed};
    if (problems_ != nullptr) report(node, ErrorKind::math, "The result does not fit in a 32-bit Integer.");
    return {int32_t{0}, true};
  }

  Outcome binary(const Node& node) {
    Outcome left = evaluate(node.children[0]);
    if (stops(left)) return zero(node);
    Outcome right = evaluate(node.children[1]);
    if (left.failed || right.failed) return zero(node);
    if (node.op == Op::equal || node.op == Op::not_equal) return equality(node, left.value, right.value);
    bool failed = false;
    if (node.op == Op::logical_xor) {
      bool a = as_boolean(left.value, node, failed);
      bool b = as_boolean(right.value, node, failed);
      return {a != b, failed};
    }
    int32_t a = as_integer(left.value, node, failed);
    int32_t b = as_integer(right.value, node, failed);
    return result_type(node) == Type::boolean ? order(node, a, b, failed) : arithmetic(node, a, b, failed);
  }

  // The right operand's type decides (CESQL 3.7, ambiguous binary operators).
  Outcome equality(const Node& node, const View& left, const View& right) {
    bool failed = false;
    View cast_left = cast_to(type_of(right), left, node, failed);
    return {(cast_left == right) == (node.op == Op::equal), failed};
  }

  static Outcome order(const Node& node, int32_t a, int32_t b, bool failed) {
    switch (node.op) {
      case Op::less: return {a < b, failed};
      case Op::less_equal: return {a <= b, failed};
      case Op::greater: return {a > b, failed};
      default: return {a >= b, failed};
    }
  }

  Outcome arithmetic(const Node& node, int64_t a, int64_t b, bool failed) {
    switch (node.op) {
      case Op::add: return integer(a + b, node, failed);
      case Op::subtract: return integer(a - b, node, failed);
      case Op::multiply: return integer(a * b, node, failed);
      default: break;
    }
    if (b != 0) return integer(node.op == Op::divide ? a / b : a % b, node, failed);
    if (problems_ != nullptr) report(node, ErrorKind::math, "Division by zero.");
    return zero(node);
  }

  Outcome like(const Node& node) {
    Outcome left = evaluate(node.children[0]);
    if (left.failed) return zero(node);
    bool failed = false;
    std::string_view text = as_text(left.value, node, failed);
    return {node.pattern->matches(text) != node.negated, failed};
  }

  // The left operand's type decides (CESQL 3.4.5); every element is looked at, for a set has no order.
  Outcome in(const Node& node) {
    Outcome left = evaluate(node.children[0]);
    if (left.failed) return zero(node);
    bool failed = false;
    bool found = in_constants(node, left.value, failed);
    for (size_t i = 1; i < node.children.size(); ++i) {
      Outcome element = evaluate(node.children[i]);
      if (stops(element)) return zero(node);
      if (!element.failed) {
        View value = cast_to(type_of(left.value), element.value, node, element.failed);
        found = found || (!element.failed && value == left.value);
      }
      failed = failed || element.failed;
    }
    if (failed) return zero(node);
    return {found != node.negated};
  }

  bool in_constants(const Node& node, const View& value, bool& failed) {
    const ConstantSet& set = *node.set;
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      return std::binary_search(set.texts.begin(), set.texts.end(), *text);
    }
    bool integer = type_of(value) == Type::integer;
    const auto& misfit = integer ? set.no_integer : set.no_boolean;
    if (misfit) cast_failed(type_of(value), std::string_view(*misfit), node, failed);
    if (integer) return std::ranges::binary_search(set.integers, *std::get_if<int32_t>(&value));
    return set.holds[*std::get_if<bool>(&value) ? 1 : 0];
  }

  Outcome call(const Node& node) {
    if (node.function == nullptr) {
      if (problems_ != nullptr) {
        report(node, ErrorKind::missing_function, why_no_function(node.name, node.children.size()));
      }
      return {false, true};
    }
    View few[arguments_inline];
    std::vector<View> many;
    View* arguments = few;
    if (node.children.size() > arguments_inline) {
      many.resize(node.children.size());
      arguments = many.data();
    }
    return call_with(node, std::span<View>(arguments, node.children.size()));
  }

  Outcome call_with(const Node& node, std::span<View> arguments) {
    const Function& function = *node.function;
    bool failed = false;
    bool cast_error = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
      Outcome argument = evaluate(node.children[i]);
      if (stops(argument)) return zero(node);
      failed = failed || argument.failed;
      Type type = i == 0 ? function.first : function.rest;
      arguments[i] = argument.failed ? zero_of(type) : cast_to(type, argument.value, node, cast_error);
    }
    if (failed || (cast_error && problems_ == nullptr)) return zero(node);
    calling_ = &node;
    call_failed_ = false;
    if (kept_bytes_ > value_bytes_max) {
      fail(ErrorKind::function_evaluation, "The expression makes more than 1 MiB of text; make less.");
      return zero(node);
    }
    View value = function.run(arguments, *this);
    return {value, cast_error || call_failed_};
  }

  const events::Event& event_;
  std::string_view time_spelling_;
  std::vector<Problem>* problems_;
  std::string time_;
  std::forward_list<std::string> kept_;  // texts that functions and casts made
  size_t kept_bytes_ = 0;
  const Node* calling_ = nullptr;
  bool call_failed_ = false;
};

events::Attribute owned(const View& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b;
  if (const int32_t* i = std::get_if<int32_t>(&value)) return *i;
  return std::string(*std::get_if<std::string_view>(&value));
}

}  // namespace

bool is_true(const Node& node, const events::Event& event) {
  Evaluator evaluator(event, {}, nullptr);
  Outcome outcome = evaluator.evaluate(node);
  return !outcome.failed && outcome.value == View(true);
}

Evaluation evaluate(const Node& node, const events::Event& event, std::string_view time_spelling) {
  Evaluation evaluation;
  Evaluator evaluator(event, time_spelling, &evaluation.errors);
  evaluation.value = owned(evaluator.evaluate(node).value);
  return evaluation;
}

}  // namespace headrace::filter
