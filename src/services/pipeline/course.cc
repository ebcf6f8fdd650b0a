#include "services/pipeline/course.h"

#include <algorithm>
#include <functional>

#include "core/json.h"
#include "events/event.h"
#include "services/pipeline/launch.h"
#include "services/pipeline/rows.h"

namespace headrace::pipeline {

using events::Conclusion;
using workflow::Expansion;
using workflow::JobTemplate;
using workflow::Object;
using workflow::Value;

namespace {

constexpr size_t other_bytes = 4 * 1024;                            // of a job.queued besides its spec, at most
constexpr size_t expanded_bytes_max = events::event_bytes_max / 2;  // of what tells the legs, before it is escaped

bool is_over(const JobRow& job) { return job.status == Status::completed; }
bool failed(const JobRow& job) {
  return job.conclusion == Conclusion::failure || job.conclusion == Conclusion::timed_out ||
         job.conclusion == Conclusion::startup_failure;
}
bool counts_as_failed(const JobRow& job) { return failed(job) && !job.continue_on_error; }

// In an event the spec is a JSON text within a JSON text: quotes, backslashes and line ends count twice.
size_t bytes_in_event(const std::string& spec) {
  auto doubled = std::ranges::count_if(spec, [](char c) { return c == '"' || c == '\\'; });
  return spec.size() + static_cast<size_t>(doubled) + other_bytes;
}

// One decision about a run: its rows change as what is said will change them.
class Walk {
 public:
  Walk(RunRow run, const Planned& planned, const Around& around, Ids& ids)
      : run_(std::move(run)),
        program_(planned.program),
        given_{!run_.untrusted, &planned.variables.of_environments},
        around_(around),
        ids_(ids) {}

  Course go() {
    for (bool moved = true; moved && !course_.more;) {  // what is skipped or settled may decide those after it
      moved = false;
      stop_failed_matrices();
      for (size_t i = 0; i < run_.rows.size() && !course_.more; ++i) {
        while (decide(i)) moved = true;  // what is expanded is queued next, in its order
      }
    }
    if (std::ranges::all_of(run_.rows, is_over)) course_.finished = conclusion_of(run_.rows);
    return std::move(course_);
  }

 private:
  bool decide(size_t i) {
    JobRow& job = run_.rows[i];
    if (job.status != Status::waiting) return false;
    if (!job.expanded) return done(job) && open(i);
    if (job.calls) return settle_call(job);
    if (!job.group.empty() && job.group == workflow::fold_case(run_.group)) {
      return settle(job, Conclusion::failure,
                    "It waits for the concurrency group '" + job.group + "', which its own run has. Give it another.",
                    {});
    }
    return may_queue(job) && queue(job);
  }

  // ---- what went before
  std::vector<const JobRow*> of_node(const std::string& node) const {
    std::vector<const JobRow*> found;
    for (const JobRow& job : run_.rows) {
      if (job.node == node) found.push_back(&job);
    }
    return found;
  }
  bool done(const JobRow& job) const {
    return std::ranges::none_of(run_.rows, [&](const JobRow& one) {
      return !is_over(one) && std::ranges::find(job.needs, one.node) != job.needs.end();
    });
  }
  // Of all legs: failure, cancelled, skipped (where all were), success.
  std::string result_of(const std::string& node) const {
    auto jobs = of_node(node);
    auto any = [&jobs](auto holds) {
      return std::ranges::any_of(jobs, [&](const JobRow* job) { return holds(*job); });
    };
    if (any(counts_as_failed)) return "failure";
    if (any([](const JobRow& job) { return job.conclusion == Conclusion::cancelled; })) return "cancelled";
    bool skipped = !any([](const JobRow& job) { return job.conclusion != Conclusion::skipped; });
    return skipped ? "skipped" : "success";
  }
  // Those of the leg that ended last win.
  Object outputs_of(const std::string& node) const {
    auto jobs = of_node(node);
    std::ranges::sort(
        jobs, {}, [](const JobRow* job) { return std::pair(job->completed_at.value_or(core::Time::max()), job->id); });
    Object outputs;
    for (const JobRow* job : jobs) {
      for (const events::JobOutput& output : job->outputs) {
        if (!output.value.empty() || outputs.find(output.name) == nullptr) outputs.set(output.name, output.value);
      }
    }
    return outputs;
  }
  Value standing_of(const std::string& node) const {
    Object of;
    of.set("result", result_of(node));
    of.set("outputs", Value(outputs_of(node)));
    return Value(std::move(of));
  }

  std::string node_of(const std::string& caller, const std::string& key) const {
    return (caller.empty() ? "" : caller + "/") + program_.find(key)->id;
  }
  Object needs_of(const JobTemplate& job, const std::string& caller) const {
    Object needs;
    for (const std::string& key : job.needs) needs.set(program_.find(key)->id, standing_of(node_of(caller, key)));
    return needs;
  }

  // ---- what it is evaluated in
  struct Level {
    Object contexts = Object();  // github, vars, inputs
    workflow::Instance instance = {};
    std::optional<std::string> failure = {};
  };
  const Level& level(const std::string& caller) {
    if (auto known = levels_.find(caller); known != levels_.end()) return known->second;
    Level made;
    made.contexts = around_.contexts;
    if (!caller.empty()) fill_level(made, caller);
    return levels_.emplace(caller, std::move(made)).first->second;
  }
  void fill_level(Level& made, const std::string& caller) {
    const JobRow* row = find(caller);
    const workflow::Leg* leg = row == nullptr ? nullptr : leg_of(*row, made.failure);
    if (leg == nullptr) {
      if (!made.failure) made.failure = "The job '" + caller + "' that calls this workflow has changed since.";
      return;
    }
    made.contexts = level(row->caller).contexts;
    made.contexts.set("inputs", Value(leg->inputs));
    made.instance = leg->instance;
  }
  const JobRow* find(const std::string& key) const {
    auto found = std::ranges::find(run_.rows, key, &JobRow::key);
    return found == run_.rows.end() ? nullptr : &*found;
  }
  const workflow::Evaluated<Expansion>& expansion_of(const JobRow& row) {
    if (auto known = expansions_.find(row.node); known != expansions_.end()) return known->second;
    const Level& at = level(row.caller);
    const JobTemplate& job = *program_.find(row.planned);
    workflow::Evaluated<Expansion> made = std::unexpected(workflow::Failure{job.at, at.failure.value_or(""), job.file});
    if (!at.failure) {
      Object contexts = at.contexts;
      contexts.set("needs", Value(needs_of(job, row.caller)));
      made = workflow::expand(program_, job, contexts, at.instance, given_);
    }
    return expansions_.emplace(row.node, std::move(made)).first->second;
  }
  const workflow::Leg* leg_of(const JobRow& row, std::optional<std::string>& failure) {
    const auto& expansion = expansion_of(row);
    if (!expansion) {
      failure = workflow::to_text(expansion.error());
      return nullptr;
    }
    auto leg = std::ranges::find(expansion->legs, row.key, &workflow::Leg::key);
    return leg == expansion->legs.end() ? nullptr : &*leg;
  }

  // ---- a template whose needs are done
  bool open(size_t i) {
    JobRow& row = run_.rows[i];
    const JobTemplate* job = program_.find(row.planned);
    if (job == nullptr) return skip(row, "The workflow file it was planned from cannot be found any more.");
    const Level& at = level(row.caller);
    if (at.failure) return settle(row, Conclusion::failure, *at.failure, {});
    workflow::Standing standing;
    standing.cancelled = run_.cancelled;
    for (const std::string& key : job->needs)
      standing.needs.emplace_back(program_.find(key)->id, result_of(node_of(row.caller, key)));
    for (const std::string& key : job->ancestors) standing.ancestors.push_back(result_of(node_of(row.caller, key)));
    Object contexts = at.contexts;
    contexts.set("needs", Value(needs_of(*job, row.caller)));
    auto runs = workflow::runs(program_, *job, contexts, standing);
    if (!runs) return settle(row, Conclusion::failure, workflow::to_text(runs.error()), {});
    if (!*runs) return skip(row, why_skipped(*job, row.caller));
    const auto& expansion = expansion_of(row);
    if (!expansion) return settle(row, Conclusion::failure, workflow::to_text(expansion.error()), {});
    if (expansion->legs.empty()) return skip(row, "Its matrix is empty.");
    return expand(i, *job, *expansion);
  }

  std::string why_skipped(const JobTemplate& job, const std::string& caller) const {
    if (run_.cancelled) return "The run was cancelled.";
    for (const std::string& key : job.ancestors) {
      std::string node = node_of(caller, key);
      std::string result = result_of(node);
      if (result != "success") return "Its `if` is false: the job '" + node + "' before it ended as " + result + ".";
    }
    return "Its `if` is false: " + job.condition;
  }

  bool expand(size_t i, const JobTemplate& job, const Expansion& expansion) {
    JobRow before = run_.rows[i];
    events::JobExpanded said;
    said.job = before.job;
    said.run = run_.run;
    said.repository = run_.repository;
    said.attempt = run_.attempt;
    said.key = before.key;
    said.fail_fast = expansion.fail_fast;
    said.max_parallel = expansion.max_parallel;
    said.calls = job.calls();
    size_t bytes = 0;
    for (const workflow::Leg& leg : expansion.legs) {
      said.legs.push_back(leg_said(leg, job, place_of(before.place, said.legs.size())));
      bytes += said.legs.back().matrix.size() + leg.name.size() + leg.key.size() + leg.concurrency.group.size();
      for (const events::PlannedJob& one : said.legs.back().jobs) bytes += 2 * one.key.size() + one.name.size();
    }
    if (bytes > expanded_bytes_max) {
      return settle(
          run_.rows[i], Conclusion::failure,
          workflow::to_text({job.at, "The matrix of the job '" + before.key + "' is larger than 128 KiB.", job.file}),
          {});
    }
    say(std::move(said));
    return true;
  }
  events::ExpandedLeg leg_said(const workflow::Leg& leg, const JobTemplate& job, const std::string& place) const {
    events::ExpandedLeg said;
    said.key = leg.key;
    said.name = leg.name;
    if (!leg.matrix.is_null()) said.matrix = core::to_text(leg.matrix.to_json());
    said.continue_on_error = leg.continue_on_error;
    said.group = leg.concurrency.group;
    said.cancel_in_progress = leg.concurrency.cancel_in_progress;
    said.queue_all = leg.concurrency.queue_all;
    if (job.calls()) said.jobs = planned_jobs(program_, job.key, leg.key, place);
    return said;
  }
  // ---- legs
  bool may_queue(const JobRow& job) {
    if (!job.group.empty() && !around_.admitted.contains(job.job)) return false;
    if (job.max_parallel == 0) return true;
    auto at_work = std::ranges::count_if(run_.rows, [&job](const JobRow& one) {
      return one.node == job.node && (one.status == Status::queued || one.status == Status::in_progress);
    });
    return at_work < job.max_parallel;
  }

  bool queue(JobRow& job) {
    std::optional<std::string> failure;
    const workflow::Leg* leg = leg_of(job, failure);
    if (leg == nullptr)
      return settle(job, Conclusion::failure, failure.value_or("Its matrix has changed since it was expanded."), {});
    size_t bytes = bytes_in_event(leg->spec);
    if (bytes > events::event_bytes_max) {
      const JobTemplate& from = *program_.find(job.planned);
      return settle(
          job, Conclusion::failure,
          workflow::to_text({from.at,
                             "The job '" + job.key +
                                 "' is larger than 256 KiB with its scripts and variables. Move scripts to files.",
                             from.file}),
          {});
    }
    bytes_ += bytes;
    if (bytes_ > run_bytes_max) {
      course_.more = true;
      return false;
    }
    events::JobQueued said;
    said.job = job.job;
    said.id = ids_.next();
    said.run = run_.run;
    said.repository = run_.repository;
    said.key = job.key;
    said.name = job.name;
    said.labels = leg->labels;
    said.commit = run_.commit;
    said.ref = run_.ref;
    said.spec = leg->spec;
    said.timeout_minutes = leg->timeout_minutes;
    said.restricted = leg->restricted;
    said.environment = leg->environment;
    say(std::move(said));
    return true;
  }

  // ---- called workflows
  bool settle_call(JobRow& call) {
    std::vector<JobRow> below;
    for (const JobRow& job : run_.rows) {
      if (job.caller == call.key) below.push_back(job);
    }
    if (!std::ranges::all_of(below, is_over)) return false;
    Conclusion conclusion = conclusion_of(below);
    const JobTemplate* caller = program_.find(call.planned);
    if (caller == nullptr) return settle(call, conclusion, "", {});
    Object contexts = level(call.key).contexts, jobs;
    for (const JobTemplate& job : program_.templates) {
      if (job.caller == caller->key) jobs.set(job.id, standing_of(call.key + "/" + job.id));
    }
    contexts.set("jobs", Value(std::move(jobs)));
    auto outputs = workflow::call_outputs(program_, *caller, contexts);
    if (!outputs) return settle(call, Conclusion::failure, workflow::to_text(outputs.error()), {});
    return settle(call, conclusion, "", *outputs);
  }

  // ---- fail-fast
  void stop_failed_matrices() {
    for (size_t i = 0; i < run_.rows.size(); ++i) {
      const JobRow failed_one = run_.rows[i];
      if (!failed_one.expanded || !failed_one.fail_fast || !is_over(failed_one) || !counts_as_failed(failed_one))
        continue;
      std::string reason = "The job '" + failed_one.name + "' of the same matrix failed, and fail-fast is on.";
      for (JobRow& job : run_.rows) {
        if (job.node == failed_one.node) stop(job, reason);
      }
    }
  }
  void stop(JobRow& job, const std::string& reason) {
    if (is_over(job) || job.cancel_asked) return;
    if (job.calls) {
      std::string key = job.key;
      for (JobRow& below : run_.rows) {
        if (below.caller == key) stop(below, reason);
      }
      return;
    }
    events::JobCancelled said;
    said.job = job.job;
    said.run = run_.run;
    said.repository = run_.repository;
    said.reason = reason;
    said.of_run = false;
    say(std::move(said));
  }

  // ---- ends
  bool skip(JobRow& job, std::string reason) {
    events::JobSkipped said;
    said.job = job.job;
    said.id = ids_.next();
    said.run = run_.run;
    said.repository = run_.repository;
    said.key = job.key;
    said.name = job.name;
    said.reason = std::move(reason);
    say(std::move(said));
    return true;
  }
  bool settle(JobRow& job, Conclusion conclusion, std::string reason,
              const std::vector<std::pair<std::string, std::string>>& outputs) {
    events::JobSettled said;
    said.job = job.job;
    said.id = ids_.next();
    said.run = run_.run;
    said.repository = run_.repository;
    said.key = job.key;
    said.name = job.name;
    said.conclusion = conclusion;
    said.reason = std::move(reason);
    for (const auto& [name, value] : outputs) said.outputs.push_back({name, value});
    say(std::move(said));
    return true;
  }

  void say(Word word) {
    hear(run_, word, {});
    course_.words.push_back(std::move(word));
  }

  RunRow run_;
  const workflow::Program& program_;
  const workflow::Given given_;
  const Around& around_;
  Ids& ids_;
  Course course_;
  size_t bytes_ = 0;
  std::map<std::string, Level> levels_;
  std::map<std::string, workflow::Evaluated<Expansion>> expansions_;
};

}  // namespace

std::string semantic_key(const Word& word) {
  constexpr std::string_view kinds[] = {"expanded/", "queued/", "skipped/", "settled/", "cancelled/"};
  return std::string(kinds[word.index()]) + std::visit([](const auto& said) { return said.job; }, word);
}

Course go_on(RunRow run, const Planned& planned, const Around& around, Ids& ids) {
  return Walk(std::move(run), planned, around, ids).go();
}

Conclusion conclusion_of(const std::vector<JobRow>& jobs) {
  auto any = [&jobs](Conclusion wanted) {
    return std::ranges::any_of(jobs, [wanted](const JobRow& job) {
      return job.conclusion == wanted && !(failed(job) && job.continue_on_error);
    });
  };
  if (any(Conclusion::failure) || any(Conclusion::startup_failure)) return Conclusion::failure;
  for (Conclusion worst : {Conclusion::timed_out, Conclusion::cancelled}) {
    if (any(worst)) return worst;
  }
  bool skipped = std::ranges::all_of(jobs, [](const JobRow& job) { return job.conclusion == Conclusion::skipped; });
  return skipped && !jobs.empty() ? Conclusion::skipped : Conclusion::success;
}

bool may_run_when_cancelled(const Planned& planned, const JobRow& job) {
  const JobTemplate* from = planned.program.find(job.planned);
  if (from == nullptr || job.expanded) return false;
  constexpr std::string_view contexts[] = {"github", "needs", "vars", "inputs"};
  auto condition = workflow::parse_condition(from->condition, {contexts, workflow::job_status_functions});
  if (!condition) return false;
  return condition->calls("always") || condition->calls("cancelled");
}

}  // namespace headrace::pipeline
