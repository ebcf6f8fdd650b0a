// YAML 1.2 as a tree that knows its places. Anchors, aliases and merge keys are expanded here, under a budget of nodes,
// so a small file cannot become a large tree; a key that occurs twice is an error wherever it occurs again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/workflow.h"

namespace headrace::workflow {

struct Tree {
  Node root;                    // null where there is nothing
  std::vector<Finding> errors;  // by their places, at most findings_max; the tree counts only without any
  bool broken = false;          // there is none; else it is good enough to look for more errors in it
};

// One document of at most file_bytes_max.
Tree parse_yaml(std::string_view text, size_t depth = depth_max);

// The text of a single-quoted scalar whose first byte behind the quote is at `start` (YAML 1.2.2, 7.3.2). libfyaml
// 0.7.12 loses bytes where two escaped quotes stand side by side, as they do in '${{ x || '''' }}'.
std::string single_quoted(std::string_view source, size_t start);

// The kind and text of a plain scalar in YAML's core schema (YAML 1.2.2, 10.3.2).
void resolve_plain(std::string_view text, Node& into);

}  // namespace headrace::workflow
