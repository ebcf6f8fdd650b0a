// The JSON of `workflow check`.
#include "core/json.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

json::array findings(const std::vector<Finding>& list) {
  json::array out;
  for (const Finding& finding : list) {
    out.push_back(json::object{{"line", finding.at.line}, {"column", finding.at.column}, {"message", finding.message}});
  }
  return out;
}

json::object step_json(const Step& step) {
  return {{"id", step.shown_id}, {"name", step.name}, {"if", step.condition}, {"uses", step.uses}, {"run", step.run}};
}

json::object job_json(const Job& job) {
  json::array needs, steps;
  for (const Text& need : job.needs) needs.push_back(json::value(need.value));
  for (const Step& step : job.steps) steps.push_back(step_json(step));
  return {{"id", job.id},
          {"name", job.name.empty() ? job.id : job.name},
          {"needs", std::move(needs)},
          {"if", job.condition},
          {"runs_on", json::array(job.runs_on.begin(), job.runs_on.end())},
          {"uses", job.uses},
          {"steps", std::move(steps)}};
}

}  // namespace

std::string to_json(const Reading& reading, std::string_view file) {
  json::array unsupported, events, jobs;
  for (const Unsupported& entry : reading.unsupported) {
    unsupported.push_back(
        json::object{{"line", entry.at.line}, {"column", entry.at.column}, {"feature", entry.feature}});
  }
  std::string name;
  if (reading.workflow) {
    name = reading.workflow->name;
    for (const Trigger& trigger : reading.workflow->on) events.push_back(json::value(trigger.event));
    for (const Job& job : reading.workflow->jobs) jobs.push_back(job_json(job));
  }
  return core::to_text(json::object{{"file", file},
                                    {"errors", findings(reading.errors)},
                                    {"warnings", findings(reading.warnings)},
                                    {"unsupported", std::move(unsupported)},
                                    {"name", name},
                                    {"events", std::move(events)},
                                    {"jobs", std::move(jobs)}});
}

}  // namespace headrace::workflow
