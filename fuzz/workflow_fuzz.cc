// rooms: workflow core
// Any bytes as a workflow file: read, decided and planned, or refused with a place. Also as a filter pattern.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "workflow/workflow.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace workflow = headrace::workflow;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  workflow::Reading reading = workflow::read(text, "fuzz.yml");
  if (reading.workflow.has_value() == !reading.errors.empty()) std::abort();
  for (const workflow::Finding& error : reading.errors) {
    if (error.at.line < 1 || error.message.empty()) std::abort();
  }
  if (workflow::to_json(reading, "fuzz.yml").empty()) std::abort();
  if (reading.workflow) {
    if (workflow::triggers(*reading.workflow, {"push", "refs/heads/main"}).reason.empty()) std::abort();
    if (workflow::plan(*reading.workflow, {}).jobs.size() != reading.workflow->jobs.size()) std::abort();
  }
  if (size < 200) workflow::matches({std::string(text)}, "release/v1.2");
  return 0;
}
