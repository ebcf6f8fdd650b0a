// What a workflow file says, as a tree that knows its places: the ground on which the reader, the plan and the errors
// of a run stand. Plain values; see yaml.h for how it is made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::workflow {

struct Position {
  int line = 0;  // from 1; 0: no place in the file
  int column = 0;
  bool operator==(const Position&) const = default;
};

struct Pair;
class Template;

struct Node {
  enum class Kind { null, boolean, number, string, sequence, mapping };
  Kind kind = Kind::null;
  bool block = false;  // a literal or folded block scalar: its text begins in the line below `at`
  Position at;
  std::string text;         // of a scalar as GitHub reads it as a string: null is "", 0x10 is "16", True is "true"
  double number = 0;        // of a number
  std::vector<Node> items;  // of a sequence
  std::vector<Pair> pairs;  // of a mapping, in order, keys unique
  // Of a string with ${{ }}, and of an `if`, that the walk found good: how it reads, so that nobody reads it a second
  // time. Shared by copies, immutable; null elsewhere, and where nothing has been walked.
  mutable std::shared_ptr<const Template> expression = nullptr;

  bool is_scalar() const { return kind != Kind::sequence && kind != Kind::mapping; }
  bool is_null() const { return kind == Kind::null; }
  bool is_string() const { return kind == Kind::string; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }
  bool is_true() const { return kind == Kind::boolean && text == "true"; }
  const Node* find(std::string_view key) const;  // null where absent, or no mapping
  const Node& at_or_null(std::string_view key) const;
};

struct Pair {
  Node key;  // a scalar
  Node value;
};

std::string_view name_of(Node::Kind kind);  // for messages: "a mapping"

}  // namespace headrace::workflow
