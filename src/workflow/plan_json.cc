// What `headrace workflow plan` prints.
#include "core/json.h"
#include "workflow/plan.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

class Planner {
 public:
  Planner(const Program& program, const Happening& happening) : program_(program) {
    contexts_.set("github", Value(happening.github));
    starts_ = triggers(program.workflow(), happening.occasion).starts;
    if (happening.occasion.event == "workflow_dispatch") {
      const Value* event = happening.github.find("event");
      const Value* given = event == nullptr ? nullptr : event->find("inputs");
      const Object* members = given == nullptr ? nullptr : given->if_object();
      auto inputs = dispatch_inputs(program.workflow(), members == nullptr ? Object() : *members);
      if (inputs) contexts_.set("inputs", Value(*inputs));
    }
  }

  json::array jobs() {
    level("", contexts_, {}, starts_);
    return std::move(jobs_);
  }

 private:
  // The templates of one file: those that this caller calls, in one leg of it.
  void level(const std::string& caller, const Object& contexts, const Instance& instance, bool runs_at_all) {
    for (const JobTemplate& job : program_.templates) {
      if (job.caller == caller) one(job, contexts, instance, runs_at_all);
    }
  }

  void one(const JobTemplate& job, Object contexts, const Instance& instance, bool runs_at_all) {
    contexts.set("needs", needs_of(job));
    Standing standing;
    for (const std::string& need : job.needs) standing.needs.emplace_back(program_.find(need)->id, "success");
    standing.ancestors.assign(job.ancestors.size(), "success");
    auto holds = runs(program_, job, contexts, standing);
    bool will_run = runs_at_all && holds.value_or(false);
    auto made = expand(program_, job, contexts, instance);
    std::string error = !holds ? to_text(holds.error()) : !made ? to_text(made.error()) : "";
    if (!made || made->legs.empty()) {
      bool skipped = made && made->legs.empty();
      return add(job, job.key, job.name, Value(), will_run && !skipped, error);
    }
    for (const Leg& leg : made->legs) {
      add(job, leg.key, leg.name, leg.matrix, will_run, error);
      if (!job.calls()) continue;
      Object inner = contexts;
      inner.set("inputs", Value(leg.inputs));
      level(job.key, inner, leg.instance, will_run);
    }
  }

  Value needs_of(const JobTemplate& job) const {
    Object needs, nothing;
    for (const std::string& key : job.needs) {
      Object need;
      need.set("result", Value("success"));
      need.set("outputs", Value(nothing));
      needs.set(program_.find(key)->id, Value(std::move(need)));
    }
    return Value(std::move(needs));
  }

  void add(const JobTemplate& job, const std::string& key, const std::string& name, const Value& matrix, bool will_run,
           const std::string& error) {
    json::array needs(job.needs.begin(), job.needs.end());
    json::object entry{{"id", job.key},
                       {"key", key},
                       {"name", name},
                       {"matrix", matrix.is_null() ? json::value(json::object()) : matrix.to_json()},
                       {"needs", std::move(needs)},
                       {"will_run", will_run}};
    if (!error.empty()) entry["error"] = error;
    jobs_.push_back(std::move(entry));
  }

  const Program& program_;
  Object contexts_;
  bool starts_ = false;
  json::array jobs_;
};

}  // namespace

std::string plan_json(const Program& program, const Happening& happening) {
  return core::to_text(json::object{{"jobs", Planner(program, happening).jobs()}});
}

}  // namespace headrace::workflow
