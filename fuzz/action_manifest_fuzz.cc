// rooms: runner
// Any bytes as an action.yml: what is read is bounded, and what is wrong is told with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/runner/action_manifest.h"

namespace {

namespace runner = headrace::runner;

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto read = runner::parse_action_manifest(text, "action.yml");
  if (!read) {
    check(read.error().message.starts_with("action.yml:"));
    return 0;
  }
  check(read->steps.size() <= runner::job_spec_steps_max);
  for (const auto& step : read->steps) check(step.run.empty() || step.uses.empty());
  for (const auto& input : read->inputs) check(read->input(input.name) != nullptr);
  return 0;
}
