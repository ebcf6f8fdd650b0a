// A workflow and all it calls become one program. GitHub, "Reuse workflows".
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "workflow/expression.h"
#include "workflow/permissions.h"
#include "workflow/plan.h"

namespace headrace::workflow {
namespace {

constexpr std::string_view not_found = "Unable to find reusable workflow '";
constexpr size_t value_bytes = 100;  // that a value takes beside its text, for the bound on called files

size_t bytes_of(const Node& node) {
  size_t bytes = value_bytes + node.text.size();
  for (const Node& item : node.items) bytes += bytes_of(item);
  for (const Pair& pair : node.pairs) bytes += bytes_of(pair.key) + bytes_of(pair.value);
  return bytes;
}

size_t bytes_of(const Workflow& workflow) {
  size_t bytes = bytes_of(workflow.body);
  for (const Job& job : workflow.jobs) {
    bytes += bytes_of(job.body);
    for (const Step& step : job.steps) bytes += bytes_of(step.body);
  }
  return bytes;
}

bool fits(const Node& value, const std::string& type) {
  if (holds_expression(value.text) || type == "string") return true;
  return value.kind == (type == "boolean" ? Node::Kind::boolean : Node::Kind::number);
}

bool is_local(std::string_view uses) { return uses.starts_with("./") || uses.starts_with("$/"); }

template <class Declared>
const Declared* declared(const std::vector<Declared>& list, std::string_view name) {
  auto found = std::ranges::find_if(list, [&](const Declared& one) { return equal_in_any_case(one.name, name); });
  return found == list.end() ? nullptr : &*found;
}

bool given(const Node& mapping, std::string_view name) {
  return std::ranges::any_of(mapping.pairs, [&](const Pair& pair) { return equal_in_any_case(pair.key.text, name); });
}

bool computed(const Node& mapping) {  // its members are known only when it runs
  return holds_expression(mapping.text) ||
         std::ranges::any_of(mapping.pairs, [](const Pair& pair) { return holds_expression(pair.key.text); });
}

class Linker {
 public:
  Linker(Program& program, const Resolver& resolver, const Limits& limits)
      : program_(program), resolver_(resolver), limits_(limits) {}

  // `allowed`: what the jobs' tokens may do at most, and where they say nothing.
  void add(Program::Unit unit, const Permissions& allowed, size_t depth) {
    size_t index = program_.units.size();
    std::shared_ptr<const Workflow> workflow = unit.workflow;
    std::string prefix = unit.caller.empty() ? "" : unit.caller + "/";
    program_.units.push_back(std::move(unit));
    for (size_t i = 0; i < workflow->jobs.size(); ++i) {
      const Job& job = workflow->jobs[i];
      program_.templates.push_back(make(*workflow, job, prefix, index, i));
      if (full()) return;
      if (!job.uses.empty())
        call(index, *workflow, job, prefix + job.id, job_permissions(*workflow, job, allowed), depth);
    }
  }

 private:
  // Callers count too, so that calling alone cannot go on for ever.
  bool full() {
    if (program_.templates.size() <= limits_.jobs || over_) return over_;
    over_ = true;
    fail({}, "The workflow may not contain more than " + std::to_string(limits_.jobs) + " jobs", "");
    return true;
  }

  void fail(Position at, std::string message, const std::string& file) {
    Finding finding{at, std::move(message), file};
    bool told = std::ranges::find(program_.errors, finding) != program_.errors.end();  // a file called twice
    if (!told && program_.errors.size() < findings_max) program_.errors.push_back(std::move(finding));
  }

  JobTemplate make(const Workflow& workflow, const Job& job, const std::string& prefix, size_t unit, size_t place) {
    JobTemplate made{.key = prefix + job.id,
                     .id = job.id,
                     .caller = program_.units[unit].caller,
                     .file = workflow.file,
                     .uses = job.uses,
                     .name = job.name.empty() ? job.id : job.name,
                     .condition = job.condition,
                     .needs = {},
                     .ancestors = {},
                     .at = job.at,
                     .unit = unit,
                     .place = place};
    std::set<std::string> ancestors;
    collect(workflow, job, ancestors);
    for (const Text& need : job.needs) made.needs.push_back(prefix + need.value);
    for (const Job& other : workflow.jobs) {
      if (ancestors.contains(other.id)) made.ancestors.push_back(prefix + other.id);
    }
    return made;
  }

  static void collect(const Workflow& workflow, const Job& job, std::set<std::string>& ancestors) {
    for (const Text& need : job.needs) {
      if (!ancestors.insert(need.value).second) continue;
      auto found = std::ranges::find(workflow.jobs, need.value, &Job::id);
      if (found != workflow.jobs.end()) collect(workflow, *found, ancestors);
    }
  }

  void call(size_t unit, const Workflow& workflow, const Job& job, const std::string& key, const Permissions& allowed,
            size_t depth) {
    const Node& uses = job.body.at_or_null("uses");
    if (depth + 1 > limits_.nested) {
      return fail(uses.at, "Nested reusable workflow depth exceeded " + std::to_string(limits_.nested) + ".",
                  workflow.file);
    }
    Program::Unit called = fetch(unit, workflow, uses);
    if (!called.workflow) return;
    if (!called.workflow->call) {
      return fail(uses.at, "workflow_call key is not defined in the referenced workflow.", workflow.file);
    }
    bytes_ += bytes_of(*called.workflow);
    if (bytes_ > limits_.bytes) {
      return fail(uses.at, "Error from called workflow " + uses.text + ": Maximum object size exceeded", workflow.file);
    }
    check_inputs(workflow, job, *called.workflow->call);
    check_secrets(workflow, job, *called.workflow->call);
    check_permissions(workflow, job, *called.workflow, allowed);
    called.caller = key;
    add(std::move(called), allowed, depth + 1);
  }

  // A file is read once, however often it is called.
  Program::Unit fetch(size_t from, const Workflow& workflow, const Node& uses) {
    const Source& here = program_.units[from].source;
    auto source = resolver_(uses.text, here);
    if (!source) {
      fail(uses.at, std::string(not_found) + uses.text + "': " + source.error().message, workflow.file);
      return {};
    }
    std::string name = is_local(uses.text) && from == 0 ? source->path : uses.text;
    std::string identity = source->repository + "@" + source->commit + ":" + source->path;
    auto known = files_.find(identity);
    if (known == files_.end()) known = files_.emplace(identity, read_called(*source, name)).first;
    if (files_.size() > limits_.called) {
      fail(uses.at, "More than " + std::to_string(limits_.called) + " reusable workflows are called.", workflow.file);
      return {};
    }
    return {known->second, std::move(*source), {}};
  }

  std::shared_ptr<const Workflow> read_called(const Source& source, const std::string& name) {
    Reading reading = read(source.yaml, name, limits_.depth);
    for (Finding& error : reading.errors) fail(error.at, std::move(error.message), name);
    for (Unsupported& entry : reading.unsupported) {
      if (!entry.event.empty()) continue;
      entry.file = name;
      program_.unsupported.push_back(std::move(entry));
    }
    if (!reading.workflow) return nullptr;
    return std::make_shared<const Workflow>(std::move(*reading.workflow));
  }

  void check_inputs(const Workflow& workflow, const Job& job, const CallInterface& call) {
    const Node& with = job.body.at_or_null("with");
    if (computed(with)) return;
    for (const Input& input : call.inputs) {
      if (!input.required || given(with, input.name)) continue;
      fail(job.body.at_or_null("uses").at, "Input " + input.name + " is required, but not provided while calling.",
           workflow.file);
    }
    for (const Pair& pair : with.pairs) {
      const Input* input = declared(call.inputs, pair.key.text);
      if (input == nullptr) {
        fail(pair.value.at, "Invalid input, " + pair.key.text + " is not defined in the referenced workflow.",
             workflow.file);
      } else if (!fits(pair.value, input->type)) {
        fail(pair.value.at, "Unexpected value '" + pair.value.text + "'. The input is a " + input->type + ".",
             workflow.file);
      }
    }
  }

  void check_secrets(const Workflow& workflow, const Job& job, const CallInterface& call) {
    const Node& secrets = job.body.at_or_null("secrets");
    if (secrets.text == "inherit" || computed(secrets)) return;
    for (const Secret& secret : call.secrets) {
      if (!secret.required || given(secrets, secret.name)) continue;
      fail(job.body.at_or_null("uses").at, "Secret " + secret.name + " is required, but not provided while calling.",
           workflow.file);
    }
    for (const Pair& pair : secrets.pairs) {
      if (declared(call.secrets, pair.key.text) != nullptr) continue;
      fail(pair.value.at, "Invalid secret, " + pair.key.text + " is not defined in the referenced workflow.",
           workflow.file);
    }
  }

  void check_permissions(const Workflow& workflow, const Job& caller, const Workflow& called,
                         const Permissions& allowed) {
    std::string start = "Error calling workflow '" + caller.uses + "'. The ";
    std::string more = excess(called.body.at_or_null("permissions"), allowed);
    if (!more.empty()) fail(caller.at, start + "workflow '" + caller.uses + "' is " + more, workflow.file);
    for (const Job& job : called.jobs) {
      more = excess(job.body.at_or_null("permissions"), allowed);
      if (more.empty()) continue;
      const std::string& name = job.name.empty() ? job.id : job.name;
      fail(caller.at, start + "nested job '" + name + "' is " + more, workflow.file);
    }
  }

  Program& program_;
  const Resolver& resolver_;
  const Limits& limits_;
  std::map<std::string, std::shared_ptr<const Workflow>> files_;
  size_t bytes_ = 0;
  bool over_ = false;
};

}  // namespace

Program link(std::shared_ptr<const Workflow> workflow, Source source, const Resolver& resolver, const Limits& limits) {
  Program program;
  program.token = limits.token;
  program.unsupported = workflow->unsupported;
  for (Unsupported& entry : program.unsupported) entry.file = workflow->file;
  Linker linker(program, resolver, limits);
  linker.add({std::move(workflow), std::move(source), {}}, default_permissions(limits.token), 0);
  return program;
}

Program link(Workflow workflow, Source source, const Resolver& resolver, const Limits& limits) {
  return link(std::make_shared<const Workflow>(std::move(workflow)), std::move(source), resolver, limits);
}

void check_calls(Reading& reading, const Resolver& resolver) {
  if (!reading.workflow) return;
  const Workflow& workflow = *reading.workflow;
  if (std::ranges::none_of(workflow.jobs, [](const Job& job) { return is_local(job.uses); })) return;
  Program program =
      link(std::make_shared<const Workflow>(workflow), Source{.path = workflow.file, .yaml = {}}, resolver);
  for (Finding& error : program.errors) {
    if (error.file != workflow.file) continue;  // told where that file is checked
    error.file.clear();
    if (!error.message.starts_with(not_found)) {
      reading.errors.push_back(std::move(error));
    } else if (is_local(std::string_view(error.message).substr(not_found.size()))) {
      error.message += " GitHub refuses such a file.";
      reading.warnings.push_back(std::move(error));
    }
  }
  for (auto* findings : {&reading.errors, &reading.warnings}) {
    std::ranges::stable_sort(*findings, {}, [](const Finding& one) { return std::pair(one.at.line, one.at.column); });
  }
  if (!reading.errors.empty()) reading.workflow.reset();
}

const JobTemplate* Program::find(std::string_view key) const {
  auto found = std::ranges::find(templates, key, &JobTemplate::key);
  return found == templates.end() ? nullptr : &*found;
}

const Workflow& Program::workflow() const { return *units.front().workflow; }
const Workflow& Program::workflow(const JobTemplate& job) const { return *units[job.unit].workflow; }
const Job& Program::job(const JobTemplate& job) const { return units[job.unit].workflow->jobs[job.place]; }

const Workflow* Program::called(const JobTemplate& caller) const {
  if (!caller.calls()) return nullptr;
  auto found = std::ranges::find(units, caller.key, &Unit::caller);
  return found == units.end() ? nullptr : found->workflow.get();
}

std::string to_text(const Finding& finding) {
  std::string out = finding.file;
  if (finding.at.line > 0) {
    out.append(out.empty() ? "(" : " (").append("Line: ").append(std::to_string(finding.at.line));
    out.append(", Col: ").append(std::to_string(finding.at.column)).append(")");
  }
  return out.empty() ? finding.message : out + ": " + finding.message;
}

}  // namespace headrace::workflow
