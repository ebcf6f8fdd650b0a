// Words to a program: two stacks, operators and operands, so that no nesting costs stack space of ours.
#include <algorithm>

#include "workflow/expression_lexer.h"
#include "workflow/expression_program.h"
#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

using Kind = Token::Kind;
using Node = ProgramNode;
using Refused = std::expected<void, ExpressionError>;

constexpr BuiltinFunction builtins[] = {
    {"contains", Builtin::contains, 2, 2},  {"startsWith", Builtin::starts_with, 2, 2},
    {"endsWith", Builtin::ends_with, 2, 2}, {"format", Builtin::format, 1, parameters_max},
    {"join", Builtin::join, 1, 2},          {"toJSON", Builtin::to_json, 1, 1},
    {"fromJSON", Builtin::from_json, 1, 1}, {"case", Builtin::choose, 3, parameters_max},
};

// Higher binds tighter; 0 for what only brackets end.
int precedence_of(Kind kind) {
  switch (kind) {
    case Kind::start_index:
    case Kind::dereference: return 20;
    case Kind::logical_not: return 19;
    case Kind::greater:
    case Kind::greater_or_equal:
    case Kind::less:
    case Kind::less_or_equal: return 11;
    case Kind::equal:
    case Kind::not_equal: return 10;
    case Kind::logical_and: return 5;
    case Kind::logical_or: return 4;
    default: return 0;
  }
}

Node::Kind operation_of(Kind kind) {
  switch (kind) {
    case Kind::logical_not: return Node::Kind::negation;
    case Kind::greater: return Node::Kind::greater;
    case Kind::greater_or_equal: return Node::Kind::greater_or_equal;
    case Kind::less: return Node::Kind::less;
    case Kind::less_or_equal: return Node::Kind::less_or_equal;
    case Kind::equal: return Node::Kind::equal;
    case Kind::not_equal: return Node::Kind::not_equal;
    case Kind::logical_and: return Node::Kind::all;
    case Kind::logical_or: return Node::Kind::any;
    default: return Node::Kind::index;
  }
}

// What may be called: its spelling and how many parameters it takes.
struct Callable {
  std::string name;
  Builtin builtin = Builtin::host;
  size_t parameters_min = 0, parameters_max = headrace::workflow::parameters_max;
};

class Parser {
 public:
  Parser(ExpressionProgram& program, const Language& language) : program_(program), language_(language) {
    constexpr size_t usual = 8;  // nodes of an expression as people write them: one piece of memory for them
    program_.nodes.reserve(usual);
    program_.operands.reserve(usual);
    operands_.reserve(usual);
    operators_.reserve(usual);
  }

  Refused parse() {
    if (utf16_length(program_.text) > expression_length_max) return too_much("length", expression_length_max);
    Lexer lexer(program_.text);
    while (true) {
      auto token = lexer.next();
      if (!token) return std::unexpected(token.error());
      if (token->kind == Kind::end) break;
      if (auto taken = take(*token); !taken) return taken;
      last_ = std::move(*token);
    }
    return finish(lexer.has_unclosed());
  }

 private:
  struct Operator {
    Kind kind;
    Token token;       // of an operator or function
    size_t below = 0;  // operands on the stack before those of this call
    Callable callable{};
  };

  Refused too_much(std::string_view what, size_t most) const {
    std::string message = "Exceeded max expression " + std::string(what) + " " + std::to_string(most);
    return std::unexpected(ExpressionError{ExpressionError::Stage::parsing, std::move(message), 0, 0});
  }

  Refused refused(std::string_view message, const Token& token) const {
    return refuse(ExpressionError::Stage::parsing, message, token, program_.text);
  }

  Refused take(const Token& token) {
    switch (token.kind) {
      case Kind::literal: push_literal(token.value, token); return {};
      case Kind::property: push_literal(Value(token.text), token); return {};
      case Kind::wildcard:
      case Kind::wildcard_index: operands_.push_back(wildcard_mark); return {};
      case Kind::context: return push_context(token);
      case Kind::function: return push_function(token);
      case Kind::separator: flush_to_bracket(); return {};
      case Kind::end_group: flush_to_bracket(), operators_.pop_back(); return {};
      case Kind::end_index: flush_to_bracket(), apply_top(); return {};
      case Kind::end_parameters: flush_to_bracket(); return apply_call();
      case Kind::start_group:
      case Kind::start_parameters: break;
      case Kind::logical_not: break;  // binds to what follows: nothing before it is complete
      default: flush_tighter(precedence_of(token.kind));
    }
    if (token.kind != Kind::start_parameters) operators_.push_back({token.kind, token});
    return {};
  }

  Refused finish(bool unclosed) {
    if (last_.kind == Kind::start) return {};
    Kind last = last_.kind;
    bool ends = last == Kind::literal || last == Kind::property || last == Kind::context || last == Kind::wildcard ||
                last == Kind::end_group || last == Kind::end_index || last == Kind::end_parameters;
    if (!ends || unclosed) return refused("Unexpected end of expression", last_);
    while (!operators_.empty()) apply_top();
    if (program_.nodes.back().depth > expression_depth_max) return too_much("depth", expression_depth_max);
    flatten_chains();
    return {};
  }

  void push(Node node) {
    operands_.push_back(static_cast<uint32_t>(program_.nodes.size()));
    program_.nodes.push_back(std::move(node));
  }

  void push_literal(const Value& value, const Token& token) {
    Node node;
    node.value = value;
    node.position = token.position;
    node.offset = token.offset;
    push(std::move(node));
  }

  Refused push_context(const Token& token) {
    const std::string_view* known = nullptr;
    for (const std::string_view& name : language_.contexts) {
      if (equal_in_any_case(name, token.text)) known = &name;
    }
    if (known == nullptr && !language_.any_name) return refused("Unrecognized named-value", token);
    Node node;
    node.kind = Node::Kind::context;
    node.name = known == nullptr ? token.text : *known;
    node.position = token.position;
    node.offset = token.offset;
    node.reference = refer(Reference::Kind::context, token);
    push(std::move(node));
    return {};
  }

  int32_t refer(Reference::Kind kind, const Token& token) {
    std::string name(token.text);
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    program_.references.push_back({kind, std::move(name), {}, {}, token.position, token.offset});
    return static_cast<int32_t>(program_.references.size() - 1);
  }

  // The operator stands for the opening bracket as well.
  Refused push_function(const Token& token) {
    auto callable = find_callable(token.text);
    if (!callable) return refused("Unrecognized function", token);
    Operator call{Kind::start_parameters, token, operands_.size(), std::move(*callable)};
    call.token.position = token.position;
    call_references_.push_back(refer(Reference::Kind::function, token));
    operators_.push_back(std::move(call));
    return {};
  }

  std::optional<Callable> find_callable(std::string_view name) const {
    if (const BuiltinFunction* known = find_builtin(name))
      return Callable{std::string(known->name), known->builtin, known->parameters_min, known->parameters_max};
    for (const HostFunction& known : language_.functions) {
      if (equal_in_any_case(known.name, name))
        return Callable{std::string(known.name), Builtin::host, known.parameters_min, known.parameters_max};
    }
    if (language_.any_name) return Callable{std::string(name)};
    return std::nullopt;
  }

  static bool is_bracket(Kind kind) {
    return kind == Kind::start_group || kind == Kind::start_index || kind == Kind::start_parameters;
  }

  void flush_to_bracket() {
    while (!operators_.empty() && !is_bracket(operators_.back().kind)) apply_top();
  }

  void flush_tighter(int precedence) {
    while (!operators_.empty() && !is_bracket(operators_.back().kind) &&
           precedence_of(operators_.back().kind) >= precedence)
      apply_top();
  }

  void apply_top() {
    Operator top = std::move(operators_.back());
    operators_.pop_back();
    Node node;
    node.kind = operation_of(top.kind);
    node.position = top.token.position;
    node.offset = top.token.offset;
    size_t count = node.kind == Node::Kind::negation ? 1 : 2;
    if (operands_.back() == wildcard_mark) {
      operands_.pop_back();
      node.kind = Node::Kind::wildcard;
      count = 1;
    }
    if (node.kind == Node::Kind::index || node.kind == Node::Kind::wildcard) extend_path(node);
    add_operands(node, count);
    push(std::move(node));
  }

  // What is looked up in a context is told of its reference.
  void extend_path(Node& node) {
    bool wildcard = node.kind == Node::Kind::wildcard;
    const Node& base = program_.nodes[operands_[operands_.size() - (wildcard ? 1 : 2)]];
    node.reference = base.kind == Node::Kind::call ? -1 : base.reference;
    if (node.reference < 0) return;
    auto& path = program_.references[static_cast<size_t>(node.reference)].path;
    const Node* key = wildcard ? nullptr : &program_.nodes[operands_.back()];
    if (key != nullptr && key->kind == Node::Kind::literal) {
      path.emplace_back(key->value.to_text());
    } else {
      path.emplace_back(std::nullopt);
    }
  }

  // && within && counts as one, however long the chain.
  void add_operands(Node& node, size_t count) {
    bool chain = node.kind == Node::Kind::all || node.kind == Node::Kind::any;
    node.first = static_cast<uint32_t>(program_.operands.size());
    node.operands = static_cast<uint32_t>(count);
    for (size_t i = operands_.size() - count; i < operands_.size(); ++i) {
      Node& operand = program_.nodes[operands_[i]];
      operand.absorbed = chain && operand.kind == node.kind;
      size_t deep = operand.depth + (operand.absorbed ? 0U : 1U);
      node.depth = static_cast<uint16_t>(std::min<size_t>(std::max<size_t>(node.depth, deep), UINT16_MAX));
      program_.operands.push_back(operands_[i]);
    }
    operands_.resize(operands_.size() - count);
  }

  // Gives each chain all of its operands in order; every one is looked at once.
  void flatten_chains() {
    for (Node& node : program_.nodes) {
      if ((node.kind != Node::Kind::all && node.kind != Node::Kind::any) || node.absorbed) continue;
      auto start = static_cast<uint32_t>(program_.operands.size());
      std::vector<uint32_t> waiting{operand_of(node, 1), operand_of(node, 0)};
      while (!waiting.empty()) {
        uint32_t next = waiting.back();
        waiting.pop_back();
        const Node& operand = program_.nodes[next];
        if (operand.absorbed) {
          waiting.insert(waiting.end(), {operand_of(operand, 1), operand_of(operand, 0)});
        } else {
          program_.operands.push_back(next);
        }
      }
      node.first = start;
      node.operands = static_cast<uint32_t>(program_.operands.size()) - start;
    }
  }

  uint32_t operand_of(const Node& node, uint32_t number) const { return program_.operands[node.first + number]; }

  Refused apply_call() {
    Operator call = std::move(operators_.back());
    operators_.pop_back();
    size_t count = operands_.size() - call.below;
    const Callable& callable = call.callable;
    if (count < callable.parameters_min) return refused("Too few parameters supplied", call.token);
    if (count > callable.parameters_max) return refused("Too many parameters supplied", call.token);
    if (callable.builtin == Builtin::choose && count % 2 == 0)
      return refused("Even number of parameters supplied, requires an odd number of parameters", call.token);
    Node node;
    node.kind = Node::Kind::call;
    node.builtin = callable.builtin;
    node.name = callable.name;
    node.position = call.token.position;
    node.offset = call.token.offset;
    node.reference = call_references_.back();
    call_references_.pop_back();
    tell_arguments(node, call.below);
    add_operands(node, count);
    push(std::move(node));
    return {};
  }

  void tell_arguments(const Node& node, size_t from) {
    auto& arguments = program_.references[static_cast<size_t>(node.reference)].arguments;
    for (size_t i = from; i < operands_.size(); ++i) {
      const Node& operand = program_.nodes[operands_[i]];
      bool literal = operand.kind == Node::Kind::literal;
      arguments.push_back(literal ? std::optional(operand.value.to_text()) : std::nullopt);
    }
  }

  static constexpr uint32_t wildcard_mark = UINT32_MAX;

  ExpressionProgram& program_;
  const Language& language_;
  Token last_;
  std::vector<Operator> operators_;
  std::vector<uint32_t> operands_;
  std::vector<int32_t> call_references_;
};

}  // namespace

const BuiltinFunction* find_builtin(std::string_view name) {
  for (const BuiltinFunction& known : builtins) {
    if (equal_in_any_case(known.name, name)) return &known;
  }
  return nullptr;
}

std::expected<void, ExpressionError> compile(ExpressionProgram& program, const Language& language) {
  return Parser(program, language).parse();
}

void require_success(ExpressionProgram& program) {
  Node success;
  success.kind = Node::Kind::call;
  success.name = "success";
  program.nodes.push_back(success);
  if (program.nodes.size() == 1) {
    program.text = "success()";
    return;
  }
  auto last = static_cast<uint32_t>(program.nodes.size() - 1);
  Node both;
  both.kind = Node::Kind::all;
  both.first = static_cast<uint32_t>(program.operands.size());
  both.operands = 2;
  program.operands.insert(program.operands.end(), {last, last - 1});
  program.nodes.push_back(std::move(both));
  program.text = "success() && (" + program.text + ")";
}

}  // namespace headrace::workflow
