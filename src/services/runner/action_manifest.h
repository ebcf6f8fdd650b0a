// ActionManifest is what an action.yml says: GitHub Docs, "Metadata syntax for GitHub Actions". The text is foreign;
// what is wrong in it is told with file, line and column, all of it that is found. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

inline constexpr size_t action_manifest_bytes_max = 512 * 1024;
inline constexpr size_t action_manifest_errors_max = 10;  // told of one file

struct ActionInput {
  std::string name;
  std::string fallback;  // `default`, TEXT
  bool has_fallback = false;
  bool required = false;
  std::string deprecation;  // deprecationMessage; "": none
};

struct ActionManifest {
  enum class Kind { composite, node, container };

  std::string name;
  std::vector<ActionInput> inputs;
  Kind kind = Kind::composite;

  // composite
  std::vector<StepSpec> steps;
  Variables outputs;  // values are TEXT, evaluated where the steps stand

  // node: files within the action's folder
  int node_version = 0;                // 20, 24
  std::string written_for_older_node;  // "node16", "node12": it is run on 20, as GitHub does
  std::string pre, main, post;
  std::string pre_condition = "always()", post_condition = "always()";

  // container; conditions as above
  std::string image;  // "Dockerfile", a path within the action's folder, or docker://IMAGE
  std::string entrypoint, pre_entrypoint, post_entrypoint;
  std::vector<std::string> arguments;  // TEXT
  Variables env;                       // TEXT

  const ActionInput* input(std::string_view name) const;  // without regard to case
};

// `file` is for messages. invalid: one line for each thing that is wrong.
core::Result<ActionManifest> parse_action_manifest(std::string_view text, std::string_view file);

// INPUT_ and the name in capitals, blanks as underscores: what @actions/core reads.
std::string input_variable(std::string_view name);

}  // namespace headrace::runner
