// Walk holds a tree against the grammar (schema.h) and tells what does not fit: unknown and missing properties, values
// of another kind, expressions that do not read or name what is not there. It also warns of foreign text in scripts and
// lists what Headrace cannot run. Messages begin as GitHub's do; the rest says what would be right.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/expression.h"
#include "workflow/schema.h"
#include "workflow/workflow.h"

namespace headrace::workflow {

// The names that an expression may use, as its reader wants them.
class NameList {
 public:
  explicit NameList(schema::Names names);
  Language language() const { return {contexts_, functions_}; }

 private:
  std::vector<std::string_view> contexts_;
  std::vector<HostFunction> functions_;
};

class Walk {
 public:
  // `source`: the text of the file, for places within block scalars; outlives this.
  explicit Walk(std::string_view source) : source_(source) {}

  std::vector<Finding> errors;
  std::vector<Finding> warnings;
  std::vector<Unsupported> lacking;
  std::string for_event;  // what is read now counts only for runs of this event

  void value(const Node& node, const schema::Definition& definition, schema::Names outer = 0);
  void error(Position at, std::string message);
  void warn(Position at, std::string message);
  void lacks(Position at, std::string feature);

  // Where a byte of the text of a node stands in the file: exact for plain text and for blocks behind `|`.
  Position place(const Node& node, size_t offset) const;

  class Step {  // a part of the path to what is read, as people name it: jobs.<job_id>.steps
   public:
    Step(Walk& walk, std::string_view name) : walk_(walk) { walk_.path_.push_back(name); }
    ~Step() { walk_.path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Walk& walk_;
  };

 private:
  void scalar(const Node& node, const schema::Definition& definition, schema::Names names);
  void literal(const Node& node, const schema::Definition& definition);
  void sequence(const Node& node, const schema::Definition& definition, schema::Names names);
  void mapping(const Node& node, const schema::Definition& definition, schema::Names names);
  void any(const Node& node, schema::Names names);
  bool expression_key(const Node& key, schema::Names names);
  void property(const Pair& pair, const schema::Property& property, schema::Names names);
  bool expressions(const Node& node, schema::Names names);  // false: an error was told
  void condition(const Node& node, schema::Names names);
  void check(const Node& node, const schema::Definition& definition);
  Language language(schema::Names names);
  std::string here() const;  // "jobs.<job_id>.steps"

  std::string_view source_;
  std::vector<std::string_view> path_;
  std::map<schema::Names, NameList> lists_;  // those that were asked for
};

// checks.cc: rules of single values. What is wrong, with the remedy; empty: nothing.
std::string identifier_problem(std::string_view id);
std::string step_uses_problem(std::string_view uses);
std::string job_uses_problem(std::string_view uses);

// lint.cc: warns where a script takes in text that whoever opens an issue or a pull request writes.
// `around`: the `env` of the step, its job and the workflow, in that order.
using Environments = std::array<const Node*, 3>;
void lint_script(Walk& walk, const Node& script, const Environments& around);

}  // namespace headrace::workflow
