#include "services/pipeline/local_runs.h"

#include <algorithm>

#include "services/pipeline/groups.h"
#include "services/pipeline/rows.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using workflow::JobTemplate;
using workflow::Object;
using workflow::Value;

LocalRuns::LocalRuns(Around around) : around_(std::move(around)), ids_(around_.first_id) {}

// ---- beginning

Result<> LocalRuns::start(events::RunQueued run, const SourceFile& file, Object github, const std::string& only) {
  run.id = ids_.next();
  run.number = 1;
  run.workflow_file = file.path;
  Planned planned = plan(file, run, github);
  bool planned_well = planned.refusal.empty();
  if (planned_well && !only.empty() && !keep_only(planned.program, only))
    return core::fail(Code::not_found, file.path + " has no job '" + only + "'.");
  Object around = contexts(run_of(run), github);
  Launch begun = launch(std::move(run), planned, {}, around, ids_);
  Local local;
  local.row = run_of(begun.run);
  local.row.waits = begun.run.waits;
  local.row.group = begun.run.group;
  local.row.cancel_in_progress = begun.run.cancel_in_progress;
  local.row.queue_all = begun.run.queue_all;
  local.row.created_at = local.row.queued_at = around_.clock.now();
  for (const events::PlannedJob& job : begun.run.jobs) {
    local.row.rows.push_back(row_of(begun.run.run, begun.run.attempt, job));
    local.row.rows.back().repository = begun.run.repository;
  }
  local.planned = std::move(planned);
  local.github = std::move(github);
  local.since = ++moments_;
  runs_.push_back(std::move(local));
  for (Word& word : begun.first.words) say(runs_.back(), std::move(word));
  if (begun.finished) finish(runs_.back(), begun.finished->conclusion, begun.finished->errors);
  go_on_all();
  return {};
}

Planned LocalRuns::plan(const SourceFile& file, events::RunQueued& run, const Object& more) const {
  Called texts;
  Planned planned;
  reading_of(file);  // link_run takes a file that has been read
  for (size_t round = 0; round <= workflow::nested_max + 1; ++round) {
    std::vector<Missing> missing;
    planned = link_run(file, run, texts, missing);
    if (missing.empty()) break;
    for (const Missing& one : missing)
      texts.try_emplace(called_name(one.uses, one.from), around_.called(one.uses, one.from));
  }
  run.workflow = planned.program.units.empty() ? file.path : planned.program.workflow().shown_name();
  name_run(planned, run, contexts(run_of(run), more));
  return planned;
}

Object LocalRuns::contexts(const RunRow& run, const Object& more) const {
  Object contexts = contexts_of(run, Variables{around_.vars, {}}, around_.server_url);
  const Value* known = contexts.find("github");
  Object github = known == nullptr ? Object() : *known->if_object();
  for (const auto& [name, value] : more) github.set(name, value);
  contexts.set("github", Value(std::move(github)));
  return contexts;
}

// ---- what the runner tells

void LocalRuns::began(const std::string& job, const std::string& runner) {
  Local* run = of_job(job);
  if (run == nullptr) return;
  events::JobStarted started;
  started.job = job;
  started.run = run->row.run;
  started.runner = runner;
  hear(run->row, started, around_.clock.now());
  hear(run->row, events::RunStarted(), around_.clock.now());
}

void LocalRuns::ended(const events::JobFinished& finished) {
  Local* run = of_job(finished.job);
  if (run == nullptr) return;
  hear(run->row, finished, around_.clock.now());
  go_on_all();
}

void LocalRuns::cancel(const std::string& reason, Force force) {
  for (Local& run : runs_) {
    if (run.row.status == Status::completed) continue;
    auto jobs = cancellations(run.row, &run.planned, reason, "", run.row.waits ? Force::yes : force);
    hear(run.row, events::RunCancelled(), around_.clock.now());
    for (auto& job : jobs) say(run, std::move(job));
  }
  go_on_all();
}

// ---- going on

void LocalRuns::say(Local& run, Word word) {
  hear(run.row, word, around_.clock.now());
  if (const auto* expanded = std::get_if<events::JobExpanded>(&word)) {
    for (const events::ExpandedLeg& leg : expanded->legs)
      if (!leg.group.empty()) since_[job_uuid(run.row.run, run.row.attempt, leg.key)] = moments_ + 1;
    ++moments_;
  }
  words_.push_back(std::move(word));
}

void LocalRuns::finish(Local& run, events::Conclusion conclusion, std::string errors) {
  hear(run.row, run_finished(queued_again(run.row), conclusion, std::move(errors)), around_.clock.now());
}

// What ends in one run may let another of its concurrency group begin, so until nothing more is said.
void LocalRuns::go_on_all() {
  for (bool moved = true; moved;) {
    moved = false;
    for (Local& run : runs_) moved = advance(run, {}) || moved;
    for (const std::string& group : groups()) moved = settle_group(group) || moved;
  }
}

bool LocalRuns::advance(Local& run, std::set<std::string> admitted) {
  bool moved = false;
  for (bool more = true; more;) {
    if (run.row.status == Status::completed || run.row.waits) return moved;
    pipeline::Around around{contexts(run.row, run.github), admitted};
    Course next = go_on(run.row, run.planned, around, ids_);
    std::string errors;
    if (next.finished) errors = errors_of(run.row.rows, next, *next.finished);
    moved = moved || !next.words.empty() || next.finished;
    for (Word& word : next.words) say(run, std::move(word));
    if (next.finished) finish(run, *next.finished, std::move(errors));
    more = next.more;
  }
  return moved;
}

// ---- concurrency groups

std::set<std::string> LocalRuns::groups() const {
  std::set<std::string> names;
  for (const Local& run : runs_) {
    names.insert(workflow::fold_case(run.row.group));
    for (const JobRow& job : run.row.rows) names.insert(job.group);
  }
  names.erase("");
  return names;
}

std::vector<Member> LocalRuns::members_of(const std::string& group) const {
  std::vector<std::pair<std::pair<size_t, std::string>, Member>> found;
  for (const Local& local : runs_) {
    const RunRow& run = local.row;
    if (run.status != Status::completed && workflow::fold_case(run.group) == group)
      found.push_back({{local.since, ""},
                       {run.run, run.id, "", "", !run.waits, run.cancel_in_progress, run.queue_all, run.cancelled}});
    for (const JobRow& job : run.rows) {
      if (job.status == Status::completed || job.group != group) continue;
      auto since = since_.find(job.job);
      found.push_back({{since == since_.end() ? 0 : since->second, job.place},
                       {run.run, run.id, job.job, job.key, job.status != Status::waiting, job.cancel_in_progress,
                        job.queue_all, job.cancel_asked}});
    }
  }
  std::ranges::stable_sort(found, {}, [](const auto& one) { return one.first; });
  std::vector<Member> members;
  for (auto& [since, member] : found) members.push_back(std::move(member));
  return members;
}

bool LocalRuns::settle_group(const std::string& group) {
  Verdict verdict = judge(members_of(group));
  for (const Member& member : verdict.end) end_member(member);
  bool admitted = verdict.admit && admit(*verdict.admit);
  return admitted || !verdict.end.empty();
}

void LocalRuns::end_member(const Member& member) {
  Local* run = find(member.run);
  if (run == nullptr) return;
  auto force = run->row.waits ? Force::yes : Force::no;
  auto jobs = cancellations(run->row, &run->planned, reason_to_end(member), "", force);
  if (member.job.empty()) hear(run->row, events::RunCancelled(), around_.clock.now());
  for (auto& job : jobs) {
    if (!member.job.empty() && job.job != member.job) continue;
    job.of_run = member.job.empty();
    say(*run, std::move(job));
  }
}

bool LocalRuns::admit(const Member& member) {
  Local* run = find(member.run);
  if (run == nullptr) return false;
  if (!member.job.empty()) return advance(*run, {member.job});
  events::RunAdmitted admitted;
  admitted.attempt = run->row.attempt;
  hear(run->row, admitted, around_.clock.now());
  return true;
}

// ---- what it looks like

std::vector<Word> LocalRuns::take() { return std::exchange(words_, {}); }

std::vector<const RunRow*> LocalRuns::runs() const {
  std::vector<const RunRow*> all;
  for (const Local& run : runs_) all.push_back(&run.row);
  return all;
}

bool LocalRuns::over() const {
  return std::ranges::all_of(runs_, [](const Local& run) { return run.row.status == Status::completed; });
}

const JobRow* LocalRuns::job(const std::string& uuid) const {
  for (const Local& run : runs_) {
    auto found = std::ranges::find(run.row.rows, uuid, &JobRow::job);
    if (found != run.row.rows.end()) return &*found;
  }
  return nullptr;
}

LocalRuns::Local* LocalRuns::find(const std::string& run) {
  auto found = std::ranges::find_if(runs_, [&](const Local& one) { return one.row.run == run; });
  return found == runs_.end() ? nullptr : &*found;
}

LocalRuns::Local* LocalRuns::of_job(const std::string& job) {
  for (Local& run : runs_)
    if (std::ranges::find(run.row.rows, job, &JobRow::job) != run.row.rows.end()) return &run;
  return nullptr;
}

bool keep_only(workflow::Program& program, const std::string& only) {
  const JobTemplate* wanted = program.find(only);
  if (wanted == nullptr) return false;
  std::set<std::string> kept;
  for (const JobTemplate* job = wanted; job != nullptr; job = program.find(job->caller)) {  // and those that call it
    kept.insert(job->key);
    kept.insert(job->needs.begin(), job->needs.end());
    for (const JobTemplate& before : program.templates)
      for (const std::string& ancestor : job->ancestors)
        if (before.key == ancestor) kept.insert(before.key);
  }
  std::set<std::string> whole =
      kept;  // what these call is kept with all its jobs, but on the way down to the wanted one
  for (std::string key = wanted->caller; !key.empty(); key = program.find(key)->caller) whole.erase(key);
  for (const JobTemplate& job : program.templates)  // a called file's jobs stand behind their caller
    if (whole.contains(job.caller)) {
      kept.insert(job.key);
      whole.insert(job.key);
    }
  std::erase_if(program.templates, [&](const JobTemplate& job) { return !kept.contains(job.key); });
  return true;
}

}  // namespace headrace::pipeline
