// YAML 1.2 as a tree that knows its places. Anchors, aliases and merge keys are expanded here, under a budget of nodes,
// so a small file cannot become a large tree; a key that occurs twice is an error where it occurs again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/workflow.h"

namespace headrace::workflow {

struct Pair;

struct Node {
  enum class Kind { null, boolean, number, string, sequence, mapping };
  Kind kind = Kind::null;
  Position at;
  std::string text;         // of a scalar as GitHub reads it as a string: null is "", 0x10 is "16", True is "true"
  double number = 0;        // of a number
  std::vector<Node> items;  // of a sequence
  std::vector<Pair> pairs;  // of a mapping, in order, keys unique

  bool is_scalar() const { return kind != Kind::sequence && kind != Kind::mapping; }
  bool is_true() const { return kind == Kind::boolean && text == "true"; }
  const Node* find(std::string_view key) const;
};

struct Pair {
  Node key;  // a scalar
  Node value;
};

std::string_view name_of(Node::Kind kind);  // for messages: "a mapping"

struct Tree {
  Node root;                    // null where there is nothing
  std::vector<Finding> errors;  // the tree counts only without any
};

// One document of at most file_bytes_max.
Tree parse_yaml(std::string_view text);

// The kind and text of a plain scalar in YAML's core schema (YAML 1.2.2, 10.3.2).
void resolve_plain(std::string_view text, Node& into);

}  // namespace headrace::workflow
