#include "workflow/read.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "workflow/yaml.h"

namespace headrace::workflow {
namespace {

template <class Entry>
void sort_by_place(std::vector<Entry>& entries) {
  std::ranges::stable_sort(entries, [](const Entry& a, const Entry& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
}

// The model is made only of what fits the grammar.
void make(Walk& walk, Node root, Workflow& workflow) {
  workflow.name = root.at_or_null("name").text;
  workflow.run_name = root.at_or_null("run-name").text;
  for (Pair& pair : root.pairs) {
    if (pair.key.text != "jobs") continue;
    read_jobs(walk, std::exchange(pair.value, Node()), root.at_or_null("env"), workflow);
  }
  workflow.body = std::move(root);
}

}  // namespace

Reading read(std::string_view yaml, std::string_view file, size_t depth) {
  Reading reading;
  Tree tree = parse_yaml(yaml, depth);
  if (tree.broken) {
    reading.errors = std::move(tree.errors);
    return reading;
  }
  Walk walk(yaml);
  walk.errors = std::move(tree.errors);  // keys that are there twice; the first counts
  Workflow workflow;
  workflow.file = file;
  if (tree.root.is_null()) {
    walk.error({1, 1}, "The file is empty. A workflow has at least `on` and `jobs`.");
  } else {
    walk.value(tree.root, schema::root);
    if (const Node* on = tree.root.find("on")) read_on(walk, *on, workflow);
    if (walk.errors.empty()) make(walk, std::move(tree.root), workflow);
  }
  sort_by_place(walk.errors);
  sort_by_place(walk.warnings);
  sort_by_place(walk.lacking);
  reading.errors = std::move(walk.errors);
  reading.warnings = std::move(walk.warnings);
  reading.unsupported = std::move(walk.lacking);
  workflow.unsupported = reading.unsupported;
  if (reading.errors.empty()) reading.workflow = std::move(workflow);
  return reading;
}

bool is_workflow_path(std::string_view path) {
  for (std::string_view folder : {".github/workflows/", ".headrace/workflows/"}) {
    if (!path.starts_with(folder)) continue;
    std::string_view name = path.substr(folder.size());
    size_t dot = name.rfind('.');
    if (name.contains('/') || dot == 0 || dot == std::string_view::npos) return false;
    return name.substr(dot) == ".yml" || name.substr(dot) == ".yaml";
  }
  return false;
}

}  // namespace headrace::workflow
