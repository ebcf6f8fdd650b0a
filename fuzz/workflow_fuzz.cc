// rooms: workflow filter events core
// Any bytes as a workflow file: read, decided, linked to itself and expanded, or refused with a place. Also as a filter
// pattern and a cron expression.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json.h"
#include "workflow/plan.h"
#include "workflow/workflow.h"

namespace {

namespace workflow = headrace::workflow;
namespace core = headrace::core;

// A spec is written as text, and must read back; what fromJSON() makes may be nested deeper than a reader takes.
void check_spec(const std::string& spec) {
  auto read = core::parse_json(spec);
  if (!read && !read.error().message.contains("deep")) std::abort();
}

void expand_all(workflow::Workflow read, const std::string& text) {
  workflow::Limits limits;
  limits.nested = 2;
  limits.jobs = 30;
  auto itself = [&](const std::string&, const workflow::Source& from) -> core::Result<workflow::Source> {
    return from;
  };
  workflow::Program program = workflow::link(std::move(read), {.path = "fuzz.yml", .yaml = text}, itself, limits);
  if (!program.errors.empty()) return;
  workflow::Object contexts;
  for (const workflow::JobTemplate& job : program.templates) {
    auto made = workflow::expand(program, job, contexts);
    if (!made && made.error().message.empty()) std::abort();
    if (made && made->legs.size() > workflow::legs_max) std::abort();
    if (made && !job.calls())
      for (const workflow::Leg& leg : made->legs) check_spec(leg.spec);
    auto holds = workflow::runs(program, job, contexts, {});
    if (!holds && holds.error().message.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  workflow::Reading reading = workflow::read(text, "fuzz.yml");
  if (reading.workflow.has_value() == !reading.errors.empty()) std::abort();
  for (const workflow::Finding& error : reading.errors) {
    if (error.at.line < 1 || error.message.empty()) std::abort();
  }
  if (workflow::to_json(reading, "fuzz.yml").empty()) std::abort();
  if (reading.workflow) {
    workflow::Occasion push{.event = "push", .ref = "refs/heads/main"};
    if (workflow::triggers(*reading.workflow, push).reason.empty()) std::abort();
    expand_all(std::move(*reading.workflow), text);
  }
  if (size < 200) workflow::matches({text}, "release/v1.2");
  if (size < 200 && workflow::cron_problem(text).empty()) workflow::next_time(text, {});
  return 0;
}
