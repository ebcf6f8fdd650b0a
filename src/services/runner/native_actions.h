// Actions that the runner serves itself, so that they need neither Node nor the network; with the inputs and outputs
// that their READMEs document. docs/actions.md lists them, and what differs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "services/runner/action_source.h"

namespace headrace::runner {

// Null: the action is not one of them.
//
//   actions/upload-artifact, actions/download-artifact, actions/cache, actions/cache/save, actions/cache/restore
std::unique_ptr<Action> make_native(const ActionName& name);

std::unique_ptr<Action> make_upload_artifact();
std::unique_ptr<Action> make_download_artifact();
enum class CacheRole { both, save, restore };
std::unique_ptr<Action> make_cache(CacheRole role);

// ---- for them

// What `with` gives, without regard to case, trimmed; else the fallback.
std::string input_of(const StepRun& step, std::string_view name, std::string_view fallback = {});
// As YAML 1.2 core has them: true, True, TRUE, and so on. invalid: names the input.
core::Result<bool> truth_of(const StepRun& step, std::string_view name, bool fallback);
// The lines of an input, trimmed, empty ones left out.
std::vector<std::string> lines_of(const StepRun& step, std::string_view name);
// Warns of inputs that the action has not.
void check_inputs(StepRun& step, std::initializer_list<std::string_view> known);
std::string shown_size(uint64_t bytes);  // "12 MB (12345678 B)"

}  // namespace headrace::runner
