// What every part of the reader shares: findings with their places, and the step from a YAML node to a value with a
// message where the node is of another kind. Messages begin as GitHub's do.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "workflow/workflow.h"
#include "workflow/yaml.h"

namespace headrace::workflow {

class Reader {
 public:
  void error(Position at, std::string message);
  void unsupported(Position at, std::string feature);  // within for_event: only for runs of that event

  std::vector<Finding> errors;
  std::vector<Unsupported> lacking;
  std::string for_event;  // what is read now counts only for runs of this event

  // Every kind of scalar but null; nothing, and an error, for others. `what` names the property: "jobs.<job_id>.name".
  std::optional<std::string> string(const Node& node, std::string_view what);
  // The same for text that may hold ${{ }}: an expression is listed as unsupported, and the text given as it is.
  std::optional<std::string> text(const Node& node, std::string_view what);
  bool boolean(const Node& node, std::string_view what);
  std::optional<int64_t> minutes(const Node& node, std::string_view what);
  std::vector<Text> strings(const Node& node, std::string_view what);  // one, or a sequence of them
  Variables variables(const Node& node, std::string_view what);
  Condition condition(const Node& node, std::string& as_written);
  RunDefaults defaults(const Node& node, std::string_view what);
  std::string shell(const Node& node, std::string_view what);
  void permissions(const Node& node, std::string_view what);
  bool expect(const Node& node, Node::Kind kind);  // false, with an error, for another kind
  bool identifier(const std::string& id, Position at);
};

// One property that a mapping may have: how to read it, or that this version lacks it.
template <class T>
struct Property {
  std::string_view name;
  void (*read)(Reader& reader, const Node& node, T& into) = nullptr;  // null: listed as unsupported
};

// Reads a mapping by the table of its properties; `prefix` completes their names ("jobs.<job_id>.").
template <class T, size_t N>
void read_mapping(Reader& reader, const Node& node, std::string_view prefix, const Property<T> (&table)[N], T& into) {
  if (!reader.expect(node, Node::Kind::mapping)) return;
  for (const Pair& pair : node.pairs) {
    const Property<T>* known = nullptr;
    for (const Property<T>& property : table) {
      if (property.name == pair.key.text) known = &property;
    }
    if (known == nullptr) {
      std::string names;
      for (const Property<T>& property : table) names.append(names.empty() ? "" : ", ").append(property.name);
      reader.error(pair.key.at, "Unexpected value '" + pair.key.text + "'. Here may stand: " + names + ".");
    } else if (known->read == nullptr) {
      reader.unsupported(pair.key.at, std::string(prefix) + std::string(known->name));
    } else {
      known->read(reader, pair.value, into);
    }
  }
}

// The parts: on.cc, job.cc.
std::vector<Trigger> read_triggers(Reader& reader, const Node& node);
std::vector<Job> read_jobs(Reader& reader, const Node& node);

}  // namespace headrace::workflow
