// A program and its contexts to a value. What it may hold at a time is reckoned as GitHub does: each result counts at
// its depth, and what lies deeper is let go when a simple value comes out of it.
#include <array>
#include <cmath>

#include "workflow/expression_functions.h"
#include "workflow/expression_program.h"

namespace headrace::workflow {
namespace {

using Node = ProgramNode;

constexpr size_t object_bytes = 24, pointer_bytes = 8;

struct Stop {};  // an error that the evaluator keeps

// A value; `filtered` where it is what * left, so that the next index looks into each of its items.
struct Outcome {
  Value value;
  bool filtered = false;
};
using Evaluated = std::expected<Outcome, Stop>;

class Evaluator {
 public:
  Evaluator(const ExpressionProgram& program, const Object& contexts, Host* host, size_t memory_max)
      : program_(program), contexts_(contexts), host_(host), memory_max_(memory_max) {}

  std::expected<Value, ExpressionError> run() {
    Evaluated outcome = evaluate(program_.nodes.back(), 0);
    if (!outcome) return std::unexpected(std::move(error_));
    return std::move(outcome->value);
  }

 private:
  Evaluated stop(const Node& node, std::string message) {
    error_ = {ExpressionError::Stage::evaluation, std::move(message), node.position, node.offset};
    return std::unexpected(Stop{});
  }

  Evaluated too_large(const Node& node) {
    return stop(node, "The maximum allowed memory size was exceeded while evaluating the following expression: " +
                          program_.text);
  }

  const Node& operand(const Node& node, uint32_t number) const {
    return program_.nodes[program_.operands[node.first + number]];
  }

  // Keeps account of the outcome of a node.
  Evaluated evaluate(const Node& node, size_t level) {
    Evaluated outcome = compute(node, level);
    if (!outcome) return outcome;
    const Value& value = outcome->value;
    if (value.is_primitive()) {
      for (size_t deeper = level + 1; deeper <= deepest_; ++deeper) memory_ -= std::exchange(at_level_[deeper], 0);
      deepest_ = level;
    }
    const std::string* text = value.if_string();
    size_t bytes = text != nullptr     ? memory_of_text(*text)
                   : outcome->filtered ? object_bytes + pointer_bytes * value.if_array()->size()
                                       : object_bytes;
    deepest_ = std::max(deepest_, level);
    at_level_[level] += bytes;
    memory_ += bytes;
    if (memory_ > memory_max_) return too_large(node);
    return outcome;
  }

  Evaluated compute(const Node& node, size_t level) {
    switch (node.kind) {
      case Node::Kind::literal: return Outcome{node.value};
      case Node::Kind::context: {
        const Value* value = contexts_.find(node.name);
        return value == nullptr ? Outcome{} : Outcome{*value};
      }
      case Node::Kind::index: return index(node, level);
      case Node::Kind::wildcard: return wildcard(node, level);
      case Node::Kind::negation: {
        Evaluated value = evaluate(operand(node, 0), level + 1);
        return value ? Outcome{!value->value.truthy()} : value;
      }
      case Node::Kind::all:
      case Node::Kind::any: return chain(node, level);
      case Node::Kind::call: return call(node, level);
      default: return comparison(node, level);
    }
  }

  // The last value that was looked at: the first false one of &&, the first true one of ||.
  Evaluated chain(const Node& node, size_t level) {
    Evaluated outcome;
    for (uint32_t i = 0; i < node.operands; ++i) {
      outcome = evaluate(operand(node, i), level + 1);
      if (!outcome || outcome->value.truthy() == (node.kind == Node::Kind::any)) break;
    }
    return outcome;
  }

  Evaluated comparison(const Node& node, size_t level) {
    Evaluated left = evaluate(operand(node, 0), level + 1);
    if (!left) return left;
    Evaluated right = evaluate(operand(node, 1), level + 1);
    if (!right) return right;
    std::partial_ordering order = left->value.compare(right->value);
    switch (node.kind) {
      case Node::Kind::equal: return Outcome{std::is_eq(order)};
      case Node::Kind::not_equal: return Outcome{std::is_neq(order)};
      case Node::Kind::less: return Outcome{std::is_lt(order)};
      case Node::Kind::less_or_equal: return Outcome{std::is_lteq(order)};
      case Node::Kind::greater: return Outcome{std::is_gt(order)};
      default: return Outcome{std::is_gteq(order)};
    }
  }

  // Whole numbers from 0, of what converts to a number.
  static const Value* item(const Array& array, const Value& key) {
    double place = std::floor(key.to_number());
    return place >= 0 && place < static_cast<double>(array.size()) ? &array[static_cast<size_t>(place)] : nullptr;
  }

  static const Value* look_up(const Value& base, const Value& key) {
    if (const Array* array = base.if_array()) return item(*array, key);
    const Object* object = base.if_object();
    if (object == nullptr || !key.is_primitive()) return nullptr;
    const std::string* name = key.if_string();
    return name != nullptr ? object->find(*name) : object->find(key.to_text());
  }

  Evaluated index(const Node& node, size_t level) {
    Evaluated base = evaluate(operand(node, 0), level + 1);
    if (!base) return base;
    Evaluated key = evaluate(operand(node, 1), level + 1);
    if (!key) return key;
    if (!base->filtered) {
      const Value* found = look_up(base->value, key->value);
      return found == nullptr ? Outcome{} : Outcome{*found};
    }
    Array found;
    for (const Value& one : *base->value.if_array()) {
      if (const Value* value = look_up(one, key->value)) found.push_back(*value);
    }
    return Outcome{std::move(found), true};
  }

  // False where that were more than may be held.
  bool append_members(const Value& of, Array& to) const {
    if (const Array* array = of.if_array()) {
      to.insert(to.end(), array->begin(), array->end());
    } else if (const Object* object = of.if_object()) {
      for (const auto& member : *object) to.push_back(member.second);
    }
    return to.size() <= memory_max_ / pointer_bytes;
  }

  Evaluated wildcard(const Node& node, size_t level) {
    Evaluated base = evaluate(operand(node, 0), level + 1);
    if (!base) return base;
    Array members;
    if (!base->filtered) {
      if (!append_members(base->value, members)) return too_large(node);
    } else {
      for (const Value& one : *base->value.if_array()) {
        if (!append_members(one, members)) return too_large(node);
      }
    }
    return Outcome{std::move(members), true};
  }

  Evaluated call(const Node& node, size_t level) {
    switch (node.builtin) {
      case Builtin::contains: return text_test(node, level, contains);
      case Builtin::starts_with: return text_test(node, level, starts_with);
      case Builtin::ends_with: return text_test(node, level, ends_with);
      case Builtin::format: return format(node, level);
      case Builtin::join: return join(node, level);
      case Builtin::to_json: return to_json(node, level);
      case Builtin::from_json: return parse_json(node, level);
      case Builtin::choose: return choose(node, level);
      case Builtin::host: return ask_host(node, level);
    }
    return Outcome{};
  }

  Evaluated text_test(const Node& node, size_t level, bool (*test)(const Value&, const Value&)) {
    Evaluated first = evaluate(operand(node, 0), level + 1);
    if (!first) return first;
    Evaluated second = evaluate(operand(node, 1), level + 1);
    return second ? Outcome{test(first->value, second->value)} : second;
  }

  // Parameters that the text does not ask for are not evaluated.
  Evaluated format(const Node& node, size_t level) {
    Evaluated pattern = evaluate(operand(node, 0), level + 1);
    if (!pattern) return pattern;
    auto pieces = read_format(pattern->value.to_text(), node.operands - 1);
    if (!pieces) return stop(node, pieces.error());
    std::vector<std::optional<std::string>> arguments(node.operands - 1);
    BoundedText text(memory_max_);
    for (const FormatPiece& piece : *pieces) {
      if (piece.argument < 0) {
        if (!text.append(piece.literal)) return too_large(node);
        continue;
      }
      auto& argument = arguments[static_cast<size_t>(piece.argument)];
      if (!argument) {
        Evaluated value = evaluate(operand(node, static_cast<uint32_t>(piece.argument) + 1), level + 1);
        if (!value) return value;
        argument = value->value.to_text();
      }
      if (!text.append(*argument)) return too_large(node);
    }
    return Outcome{text.take()};
  }

  Evaluated join(const Node& node, size_t level) {
    Evaluated items = evaluate(operand(node, 0), level + 1);
    if (!items) return items;
    const Array* array = items->value.if_array();
    if (array == nullptr) return Outcome{items->value.is_primitive() ? items->value.to_text() : ""};
    std::string separator = ",";
    if (node.operands > 1 && array->size() > 1) {
      Evaluated given = evaluate(operand(node, 1), level + 1);
      if (!given) return given;
      if (given->value.is_primitive()) separator = given->value.to_text();
    }
    BoundedText text(memory_max_);
    for (size_t i = 0; i < array->size(); ++i) {
      bool fits = (i == 0 || text.append(separator)) && text.append((*array)[i].to_text());
      if (!fits) return too_large(node);
    }
    return Outcome{text.take()};
  }

  Evaluated to_json(const Node& node, size_t level) {
    Evaluated value = evaluate(operand(node, 0), level + 1);
    if (!value) return value;
    auto text = value->value.to_pretty_json(memory_max_);
    if (!text) return too_large(node);
    return Outcome{std::move(*text)};
  }

  Evaluated parse_json(const Node& node, size_t level) {
    Evaluated text = evaluate(operand(node, 0), level + 1);
    if (!text) return text;
    auto value = from_json(text->value);
    if (!value) return stop(node, value.error());
    return Outcome{std::move(*value)};
  }

  Evaluated choose(const Node& node, size_t level) {
    for (uint32_t i = 0; i + 1 < node.operands; i += 2) {
      Evaluated predicate = evaluate(operand(node, i), level + 1);
      if (!predicate) return predicate;
      const bool* holds = predicate->value.if_boolean();
      if (holds == nullptr) return stop(node, "case predicate must evaluate to a boolean value");
      if (*holds) return evaluate(operand(node, i + 1), level + 1);
    }
    return evaluate(operand(node, node.operands - 1), level + 1);
  }

  Evaluated ask_host(const Node& node, size_t level) {
    std::vector<Value> arguments;
    for (uint32_t i = 0; i < node.operands; ++i) {
      Evaluated argument = evaluate(operand(node, i), level + 1);
      if (!argument) return argument;
      arguments.push_back(std::move(argument->value));
    }
    if (host_ == nullptr) return stop(node, "The function '" + node.name + "' has no value here.");
    auto answer = host_->call(node.name, arguments);
    if (!answer) return stop(node, std::move(answer.error()));
    return Outcome{std::move(*answer)};
  }

  const ExpressionProgram& program_;
  const Object& contexts_;
  Host* host_;
  size_t memory_max_;
  size_t memory_ = 0, deepest_ = 0;
  std::array<size_t, expression_depth_max + 3> at_level_{};  // a condition adds two levels to what was written
  ExpressionError error_;
};

}  // namespace

std::expected<Value, ExpressionError> evaluate(const ExpressionProgram& program, const Object& contexts, Host* host,
                                               size_t memory_max) {
  return Evaluator(program, contexts, host, memory_max).run();
}

}  // namespace headrace::workflow
