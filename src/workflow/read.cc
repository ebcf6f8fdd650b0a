#include <algorithm>
#include <tuple>

#include "workflow/reader.h"

namespace headrace::workflow {
namespace {

constexpr Property<Workflow> properties[] = {
    {"name", [](Reader& r, const Node& n, Workflow& w) { w.name = r.string(n, "name").value_or(""); }},
    {"run-name", [](Reader& r, const Node& n, Workflow& w) { w.run_name = r.text(n, "run-name").value_or(""); }},
    {"description", [](Reader& r, const Node& n, Workflow&) { r.string(n, "description"); }},
    {"on", [](Reader& r, const Node& n, Workflow& w) { w.on = read_triggers(r, n); }},
    {"permissions", [](Reader& r, const Node& n, Workflow&) { r.permissions(n, "permissions"); }},
    {"env", [](Reader& r, const Node& n, Workflow& w) { w.env = r.variables(n, "env"); }},
    {"defaults", [](Reader& r, const Node& n, Workflow& w) { w.defaults = r.defaults(n, "defaults."); }},
    {"concurrency", nullptr},
    {"jobs", [](Reader& r, const Node& n, Workflow& w) { w.jobs = read_jobs(r, n); }},
};

auto place(const Finding& finding) { return std::tie(finding.at.line, finding.at.column, finding.message); }
auto place(const Unsupported& entry) { return std::tie(entry.at.line, entry.at.column, entry.feature); }

void read_workflow(Reader& reader, const Node& root, Workflow& workflow) {
  if (root.kind == Node::Kind::null) {
    return reader.error({1, 1}, "The file is empty. A workflow has at least `on` and `jobs`.");
  }
  read_mapping(reader, root, "", properties, workflow);
  if (root.kind != Node::Kind::mapping) return;
  for (std::string_view required : {"on", "jobs"}) {
    if (root.find(required) != nullptr) continue;
    reader.error(root.at, "Required property is missing: " + std::string(required));
  }
}

}  // namespace

Reading read(std::string_view yaml, std::string_view file) {
  Reading reading;
  Tree tree = parse_yaml(yaml);
  if (!tree.errors.empty()) {
    reading.errors = std::move(tree.errors);
    return reading;
  }
  Reader reader;
  Workflow workflow;
  workflow.file = file;
  read_workflow(reader, tree.root, workflow);
  auto by_place = [](const auto& a, const auto& b) { return place(a) < place(b); };
  std::ranges::sort(reader.errors, by_place);
  std::ranges::sort(reader.lacking, by_place);
  reading.errors = std::move(reader.errors);
  reading.unsupported = std::move(reader.lacking);
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

std::vector<Unsupported> blocking(const Workflow& workflow, std::string_view event) {
  std::vector<Unsupported> needed;
  for (const Unsupported& entry : workflow.unsupported) {
    if (entry.event.empty() || entry.event == event) needed.push_back(entry);
  }
  return needed;
}

std::string_view name_of(Condition condition) {
  switch (condition) {
    case Condition::success: return "success";
    case Condition::failure: return "failure";
    case Condition::always: return "always";
    case Condition::cancelled: return "cancelled";
    case Condition::never: return "never";
  }
  return "never";
}

}  // namespace headrace::workflow
