// What can be known about an expression without an event.
#include <algorithm>
#include <iterator>

#include "filter/functions.h"
#include "filter/program.h"

namespace headrace::filter {
namespace {

const events::Event& no_event() {
  static const events::Event event;
  return event;
}

bool is_constant(const Node& node) { return node.op == Op::constant; }

void make_constant(Node& node, events::Attribute value) {
  node = Node{.op = Op::constant, .position = node.position, .value = std::move(value)};
}

// Casts keep their text here only for as long as the set is made.
class Kept final : public FunctionCall {
 public:
  std::string_view keep(std::string text) override { return text_ = std::move(text); }
  void fail(ErrorKind, std::string) override {}

 private:
  std::string text_;
};

View view_of(const events::Attribute& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b;
  if (const int32_t* i = std::get_if<int32_t>(&value)) return *i;
  return std::string_view(*std::get_if<std::string>(&value));
}

void add_element(ConstantSet& set, const events::Attribute& element) {
  Kept kept;
  View value = view_of(element);
  Cast string = cast(value, Type::string, kept);
  std::string text(*std::get_if<std::string_view>(&string.value));
  Cast integer = cast(value, Type::integer, kept);
  Cast boolean = cast(value, Type::boolean, kept);
  if (integer.good) set.integers.push_back(*std::get_if<int32_t>(&integer.value));
  if (boolean.good) set.holds[*std::get_if<bool>(&boolean.value) ? 1 : 0] = true;
  if (!integer.good && !set.no_integer) set.no_integer = text;
  if (!boolean.good && !set.no_boolean) set.no_boolean = text;
  set.texts.push_back(std::move(text));
}

void fold_set(Node& node) {
  node.set = std::make_unique<ConstantSet>();
  std::vector<Node> others;
  others.push_back(std::move(node.children[0]));
  for (size_t i = 1; i < node.children.size(); ++i) {
    if (is_constant(node.children[i])) {
      add_element(*node.set, node.children[i].value);
    } else {
      others.push_back(std::move(node.children[i]));
    }
  }
  std::ranges::sort(node.set->texts);
  std::ranges::sort(node.set->integers);
  node.children = std::move(others);
}

void fold_constant(Node& node) {
  bool computable = node.op != Op::constant && node.op != Op::attribute && node.op != Op::exists;
  if (!computable || !std::ranges::all_of(node.children, is_constant)) return;
  Evaluation evaluation = evaluate(node, no_event(), {});
  if (evaluation.errors.empty()) make_constant(node, std::move(evaluation.value));
}

// `false AND ...` is false and `true OR ...` is true, whatever follows is never evaluated.
void fold_decided(Node& node) {
  bool decides = node.op == Op::logical_or;
  if ((node.op != Op::logical_and && !decides) || !is_constant(node.children[0])) return;
  if (node.children[0].value == events::Attribute(decides)) make_constant(node, decides);
}

void sort_unique(std::vector<std::string>& names) {
  std::ranges::sort(names);
  auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
}

bool is_type(const Node& node) { return node.op == Op::attribute && node.attribute.slot == AttributeName::Slot::type; }

Types of_equality(const Node& node) {
  for (size_t i = 0; i < 2; ++i) {
    const std::string* text = std::get_if<std::string>(&node.children[1 - i].value);
    if (is_type(node.children[i]) && is_constant(node.children[1 - i]) && text != nullptr) return Types{{*text}};
  }
  return std::nullopt;
}

Types of_constant(const Node& node) {
  if (node.value == events::Attribute(false)) return std::vector<std::string>{};
  return std::nullopt;  // texts and numbers may be cast to true
}

Types of_and(const Node& node) {
  Types all;
  for (const Node& child : node.children) all = types_of_both(all, types_of(child));
  return all;
}

Types of_or(const Node& node) {
  Types any = std::vector<std::string>{};
  for (const Node& child : node.children) any = types_of_either(any, types_of(child));
  return any;
}

}  // namespace

Types types_of_both(const Types& a, const Types& b) {
  if (!a) return b;
  if (!b) return a;
  std::vector<std::string> both;
  std::ranges::set_intersection(*a, *b, std::back_inserter(both));
  return both;
}

Types types_of_either(const Types& a, const Types& b) {
  if (!a || !b) return std::nullopt;
  std::vector<std::string> either(*a);
  either.insert(either.end(), b->begin(), b->end());
  sort_unique(either);
  return either;
}

void fold(Node& node) {
  for (Node& child : node.children) fold(child);
  if (node.op == Op::in) fold_set(node);
  fold_constant(node);
  fold_decided(node);
}

Types types_of(const Node& node) {
  switch (node.op) {
    case Op::constant: return of_constant(node);
    case Op::equal: return of_equality(node);
    case Op::logical_and: return of_and(node);
    case Op::logical_or: return of_or(node);
    case Op::like: {
      auto literal = node.pattern->literal();
      if (!is_type(node.children[0]) || node.negated || !literal) return std::nullopt;
      return Types{{*literal}};
    }
    case Op::in: {
      if (!is_type(node.children[0]) || node.negated || node.children.size() > 1) return std::nullopt;
      std::vector<std::string> names = node.set->texts;
      sort_unique(names);
      return names;
    }
    default: return std::nullopt;
  }
}

void collect_problems(const Node& node, std::vector<Problem>& into) {
  if (node.op == Op::call && node.function == nullptr) {
    into.push_back({ErrorKind::missing_function, why_no_function(node.name, node.children.size()), node.position});
  }
  for (const Node& child : node.children) collect_problems(child, into);
}

}  // namespace headrace::filter
