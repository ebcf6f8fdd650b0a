#include "services/pipeline/rows.h"

#include <algorithm>

#include "workflow/expression_value.h"

namespace headrace::pipeline {

using events::Conclusion;

namespace {

JobRow* find_row(RunRow& run, const std::string& job) {
  auto found = std::ranges::find(run.rows, job, &JobRow::job);
  return found == run.rows.end() ? nullptr : &*found;
}

// One that is not over; the first end counts.
JobRow* open_row(RunRow& run, const std::string& job) {
  JobRow* row = find_row(run, job);
  return row == nullptr || row->status == Status::completed ? nullptr : row;
}

void end(JobRow& row, Conclusion conclusion, std::string reason, Said at) {
  row.status = Status::completed;
  row.conclusion = conclusion;
  row.reason = std::move(reason);
  row.completed_at = at;
}

struct Hear {
  RunRow& run;
  Said at;

  void operator()(const events::JobExpanded& said) const {
    auto before =
        std::ranges::find_if(run.rows, [&](const JobRow& row) { return row.key == said.key && !row.expanded; });
    if (before == run.rows.end()) return;
    auto legs = legs_of(said, *before);
    auto place = run.rows.erase(before);
    run.rows.insert(place, std::make_move_iterator(legs.begin()), std::make_move_iterator(legs.end()));
  }
  void operator()(const events::JobQueued& said) const {
    JobRow* row = find_row(run, said.job);
    if (row == nullptr || row->status != Status::waiting) return;
    row->status = Status::queued;
    row->id = said.id;
    row->attempt = said.attempt;
    row->queued_at = at;
  }
  void operator()(const events::JobSkipped& said) const {
    JobRow* row = open_row(run, said.job);
    if (row == nullptr) return;
    row->id = said.id;
    end(*row, Conclusion::skipped, said.reason, at);
  }
  void operator()(const events::JobSettled& said) const {
    JobRow* row = open_row(run, said.job);
    if (row == nullptr) return;
    row->id = said.id;
    row->outputs.clear();
    for (const events::CallOutput& output : said.outputs) row->outputs.push_back({output.name, output.value});
    end(*row, said.conclusion, said.reason, at);
  }
  // A job that no runner has is over with this; one that a runner has goes on until the runner has ended it.
  void operator()(const events::JobCancelled& said) const {
    JobRow* row = open_row(run, said.job);
    if (row == nullptr) return;
    bool nobody_has_it = row->status != Status::in_progress && row->runner.empty();
    if (nobody_has_it)
      end(*row, Conclusion::cancelled, said.reason, at);
    else
      row->cancel_asked = true;
  }
};

}  // namespace

std::vector<JobRow> legs_of(const events::JobExpanded& said, const JobRow& before) {
  std::vector<JobRow> rows;
  for (const events::ExpandedLeg& leg : said.legs) {
    JobRow row = before;
    row.key = leg.key;
    row.name = leg.name;
    row.job = job_uuid(said.run, said.attempt, leg.key);
    row.place = place_of(before.place, static_cast<size_t>(&leg - said.legs.data()));
    row.expanded = true;
    row.calls = said.calls;
    row.matrix = leg.matrix;
    row.continue_on_error = leg.continue_on_error;
    row.fail_fast = said.fail_fast;
    row.max_parallel = said.max_parallel;
    row.group = workflow::fold_case(leg.group);
    row.cancel_in_progress = leg.cancel_in_progress;
    row.queue_all = leg.queue_all;
    rows.push_back(std::move(row));
    for (const events::PlannedJob& job : leg.jobs) {
      rows.push_back(row_of(said.run, said.attempt, job));
      rows.back().repository = before.repository;
    }
  }
  return rows;
}

void hear(RunRow& run, const Word& word, Said at) { std::visit(Hear{run, at}, word); }

void hear(RunRow& run, const events::JobStarted& started, Said at) {
  JobRow* row = find_row(run, started.job);
  if (row == nullptr || row->status != Status::queued) return;
  row->status = Status::in_progress;
  row->runner = started.runner;
  row->started_at = at;
}

void hear(RunRow& run, const events::JobFinished& finished, Said at) {
  JobRow* row = open_row(run, finished.job);
  if (row == nullptr) return;
  row->runner = finished.runner;
  row->attempt = finished.attempt;
  row->steps = finished.steps;
  row->log = finished.log;
  row->outputs = finished.outputs;
  row->annotations = finished.annotations;
  row->environment_url = finished.environment_url;
  row->summary_bytes = finished.summary_bytes.value_or(0);
  end(*row, finished.conclusion, finished.errors, at);
}

void hear(RunRow& run, const events::RunStarted&, Said at) {
  if (run.status != Status::queued) return;
  run.status = Status::in_progress;
  run.started_at = at;
}

void hear(RunRow& run, const events::RunCancelled&, Said) {
  if (run.status == Status::completed) return;
  run.cancelled = true;
  run.waits = false;
}

void hear(RunRow& run, const events::RunAdmitted& admitted, Said) {
  if (run.attempt == admitted.attempt) run.waits = false;
}

void hear(RunRow& run, const events::RunFinished& finished, Said at) {
  run.status = Status::completed;
  run.conclusion = finished.conclusion;
  run.errors = finished.errors;
  run.completed_at = at;
}

std::vector<Job> shown(std::vector<JobRow> rows) {
  for (JobRow& job : rows) {
    if (!job.calls || job.status != Status::waiting) continue;
    bool begun = std::ranges::any_of(
        rows, [&job](const JobRow& one) { return one.caller == job.key && one.status != Status::waiting; });
    if (begun) job.status = Status::in_progress;
  }
  return {std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end())};
}

}  // namespace headrace::pipeline
