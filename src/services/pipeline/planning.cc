// What happened becomes runs: one batch a workflow file that waits for it.
#include <algorithm>

#include "events/cloudevents.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

// A file that cannot be read starts on every push: nobody can know what it waits for. Of other events it would be told
// again and again, so they leave it alone.
workflow::Decision decide(const SourceFile& file, const workflow::Occasion& occasion) {
  const workflow::Reading& reading = reading_of(file);
  if (reading.workflow) return workflow::triggers(*reading.workflow, occasion);
  if (occasion.event == "push") return {true, "The file has errors, so the run ends at once and tells them."};
  return {false, "The file has errors; the run of its push tells them."};
}

std::vector<FileChoice> decide(const Snapshot& snapshot, const Occurrence& occurrence) {
  std::vector<FileChoice> choices;
  for (const SourceFile& file : snapshot.files) {
    if (!workflow::is_workflow_path(file.path)) continue;
    workflow::Decision decided = decide(file, occurrence.occasion);  // first: then the file has its reading
    choices.push_back({file, std::move(decided)});
    workflow::Decision& decision = choices.back().decision;
    bool again = std::ranges::find(occurrence.not_again, file.path) != occurrence.not_again.end();
    if (!decision.starts || !again) continue;
    decision = {false, "A run of this very file led to the event, and would lead to it again."};
  }
  return choices;
}

bool any_starts(const std::vector<FileChoice>& choices) {
  return std::ranges::any_of(choices, [](const FileChoice& choice) { return choice.decision.starts; });
}

std::string step_of(const Occurrence& occurrence, const SourceFile& file) { return occurrence.key + " " + file.path; }

std::string uuid_of(const Occurrence& occurrence, const SourceFile& file) {
  return derived_uuid("run", occurrence.run.event_id, step_of(occurrence, file));
}

Reason reason_of(const Occurrence& occurrence, std::string text) {
  return {.event = occurrence.run.event,
          .ref = occurrence.run.ref,
          .file = {},
          .started = false,
          .text = std::move(text),
          .run = {}};
}

// Of one thing that happened, once its files were looked at.
std::vector<Reason> reasons_of(const Occurrence& occurrence, const std::vector<FileChoice>& choices) {
  std::vector<Reason> reasons;
  if (!occurrence.refusal.empty()) return {reason_of(occurrence, occurrence.refusal)};
  for (const FileChoice& choice : choices) {
    Reason reason = reason_of(occurrence, choice.decision.reason);
    reason.file = choice.file.path;
    reason.started = choice.decision.starts;
    if (reason.started) reason.run = uuid_of(occurrence, choice.file);
    if (reason.started && choice.decision.each_commit) {
      reason.text += " each-commit: so do the " + std::to_string(occurrence.earlier.size()) +
                     " commits before it whose file says so too.";
    }
    if (choice.decision.waits || !occurrence.aside) reasons.push_back(std::move(reason));
  }
  if (choices.empty() && !occurrence.aside) {
    reasons.push_back(reason_of(occurrence,
                                "The commit has no workflow file: neither .github/workflows nor .headrace/workflows "
                                "holds a *.yml or *.yaml."));
  }
  return reasons;
}

// What keeps a push from being heard keeps it from being heard as a create too: once is enough.
bool told_already(const std::vector<Reason>& reasons, const Reason& reason) {
  return std::ranges::any_of(reasons, [&reason](const Reason& told) {
    return reason.file.empty() && told.file.empty() && told.ref == reason.ref && told.text == reason.text;
  });
}

// The newest of those before the head.
std::vector<std::string> earlier_of(const Changes& changes) {
  std::vector<std::string> ids;
  for (const PushedCommit& commit : changes.commits) {
    if (changes.head && commit.id != changes.head->id) ids.push_back(commit.id);
  }
  if (ids.size() > each_commits_max) ids.erase(ids.begin(), ids.end() - each_commits_max);
  return ids;
}

}  // namespace

Task<Result<>> Service::heard_cause(bus::Delivery delivery) {
  auto occurrences = co_await occurrences_of(*delivery.stored());
  if (!occurrences) co_return std::unexpected(occurrences.error());
  for (const Occurrence& one : *occurrences) {
    auto started = co_await start_runs(delivery, std::make_shared<Occurrence>(one));
    if (!started) co_return started;
  }
  co_return Result<>{};
}

Task<Result<>> Service::start_runs(bus::Delivery cause, std::shared_ptr<Occurrence> occurrence) {
  auto choices = co_await choose(occurrence);
  if (!choices) co_return core::pass_on(choices.error(), "reading the workflow files for an event");
  for (const FileChoice& choice : *choices) {
    if (!choice.decision.starts || !occurrence->refusal.empty()) continue;
    events::RunQueued run = occurrence->run;
    run.run = uuid_of(*occurrence, choice.file);
    run.workflow_file = choice.file.path;
    if (choice.decision.each_commit) {
      auto before = co_await start_earlier(cause, occurrence, choice.file.path);
      if (!before) co_return before;
    }
    auto started = co_await start_run(cause, std::move(run), choice.file, step_of(*occurrence, choice.file));
    if (!started) co_return started;
  }
  co_return Result<>{};
}

// Of what no account said, the platform itself is the author; where nobody can be named, nobody is trusted.
bool Service::trusts_author_of(const events::Event& cause, const std::string& repository) const {
  auto author = core::parse_actor(cause.actor());
  return author && parts.settings.trusts(*author, repository);
}

// each-commit: the file as each earlier commit has it, and where it lets itself be started by the push.
Task<Result<>> Service::start_earlier(bus::Delivery cause, std::shared_ptr<Occurrence> occurrence, std::string path) {
  for (const std::string& commit : occurrence->earlier) {
    auto snapshot = co_await parts.source.files(occurrence->run.repository, commit);
    if (!snapshot && snapshot.error().code == Code::not_found) continue;
    if (!snapshot) co_return std::unexpected(snapshot.error());
    auto file = std::ranges::find(snapshot->files, path, &SourceFile::path);
    bool skipped = file == snapshot->files.end() || !workflow::skip_word(snapshot->message).empty();
    if (skipped || !decide(*file, occurrence->occasion)) continue;
    Occurrence earlier = *occurrence;
    earlier.key += "@" + commit;
    events::RunQueued run = earlier.run;
    run.run = uuid_of(earlier, *file);
    run.commit = commit;
    run.title = snapshot->title;
    run.workflow_file = path;
    auto started = co_await start_run(cause, std::move(run), *file, step_of(earlier, *file));
    if (!started) co_return started;
  }
  co_return Result<>{};
}

Task<Result<std::vector<FileChoice>>> Service::choose(std::shared_ptr<Occurrence> occurrence) {
  std::vector<FileChoice> none;
  if (!occurrence->refusal.empty()) co_return none;
  events::RunQueued& run = occurrence->run;
  if (run.commit.empty()) {
    auto commit = co_await parts.source.commit_of(run.repository, run.ref);
    if (!commit && commit.error().code != Code::not_found) co_return std::unexpected(commit.error());
    if (!commit) occurrence->refusal = "There is no commit at " + run.ref + " of " + run.repository + ".";
    if (!commit) co_return none;
    run.commit = *commit;
  }
  auto snapshot = co_await parts.source.files(run.repository, run.commit);
  if (!snapshot && snapshot.error().code != Code::not_found) co_return std::unexpected(snapshot.error());
  if (!snapshot) occurrence->refusal = "The repository, or the commit, is not there any more.";
  if (!snapshot) co_return none;
  run.commit = snapshot->commit;
  if (run.title.empty()) run.title = snapshot->title;
  std::vector<FileChoice> choices = decide(*snapshot, *occurrence);
  if (!any_starts(choices) || !occurrence->comparison) co_return choices;
  auto looked = co_await look_at_changes(occurrence);
  if (!looked) co_return std::unexpected(looked.error());
  co_return decide(*snapshot, *occurrence);
}

Task<Result<>> Service::look_at_changes(std::shared_ptr<Occurrence> occurrence) {
  auto changes = co_await parts.source.changes(occurrence->run.repository, *occurrence->comparison);
  if (!changes && changes.error().code != Code::not_found) co_return std::unexpected(changes.error());
  if (!changes) {
    changes = Changes();
    changes->paths_note = "What changed cannot be read any more, so every filter on paths lets it pass.";
  }
  occurrence->occasion.changed_paths = changes->changed_paths;
  occurrence->occasion.paths_note = changes->paths_note;
  occurrence->earlier = earlier_of(*changes);
  std::string word = occurrence->skippable && changes->head ? workflow::skip_word(changes->head->message) : "";
  if (!word.empty()) occurrence->refusal = "The message of the newest commit says " + word + ".";
  if (occurrence->payload) occurrence->run.payload = occurrence->payload(*changes);
  co_return Result<>{};
}

Task<Result<>> Service::start_run(bus::Delivery cause, events::RunQueued run, SourceFile file, std::string step) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto queued = std::make_shared<events::RunQueued>(run);
    queued->untrusted = !trusts_author_of(cause.event(), run.repository);
    bus::Said said(parts.bus, "pipeline", cause);
    auto ids = co_await number(*queued);
    if (!ids) co_return std::unexpected(ids.error());
    said.expect({numbers_key(queued->repository), ids->numbers});
    auto plan = co_await make_plan(file, queued);
    if (!plan) co_return std::unexpected(plan.error());
    auto around = contexts(run_of(*queued), **plan);
    std::vector<JobRow> none;
    Launch started = launch(*queued, **plan, std::move(none), around, ids->ids);
    say(said, started);
    said.expect(ids->ids.expectation());
    auto appended = co_await said.append(step);
    if (appended && !appended->duplicate) remember(started.run, *plan);
    if (appended) co_return Result<>{};
    if (appended.error().code != Code::conflict) co_return std::unexpected(appended.error());
  }
  co_return core::fail(Code::unavailable,
                       "Too much happens at once to start a run of " + file.path + "; it is tried again.");
}

Task<Result<Numbered>> Service::number(events::RunQueued& run) {
  auto numbers = parts.log.last_of(numbers_key(run.repository));
  if (!numbers) co_return std::unexpected(numbers.error());
  auto shown = co_await caught_up(*numbers);
  if (!shown) co_return std::unexpected(shown.error());
  auto last = parts.store.read_here(RunsProjection::projection_name, {}, [&run](sqlite::Connection& tables) {
    return last_number(tables, run.repository, run.workflow_file);
  });
  if (!last) co_return std::unexpected(last.error());
  auto given = ids();
  if (!given) co_return std::unexpected(given.error());
  run.number = *last + 1;
  run.id = given->next();
  run.url = run_url(policy.server_url, run.repository, run.id);
  co_return Numbered{*given, *numbers};
}

Task<Result<std::vector<Reason>>> Service::why_not(std::string event_id) {
  auto stored = co_await parts.bus.find(event_id);
  if (!stored) co_return std::unexpected(stored.error());
  auto occurrences = co_await occurrences_of(*stored);
  if (!occurrences) co_return std::unexpected(occurrences.error());
  auto any = co_await heard_as_any(*stored);
  if (!any) co_return std::unexpected(any.error());
  occurrences->insert(occurrences->end(), any->begin(), any->end());
  std::vector<Reason> reasons;
  for (const Occurrence& one : *occurrences) {
    auto occurrence = std::make_shared<Occurrence>(one);
    auto choices = co_await choose(occurrence);
    if (!choices) co_return std::unexpected(choices.error());
    for (Reason& reason : reasons_of(*occurrence, *choices)) {
      if (!told_already(reasons, reason)) reasons.push_back(std::move(reason));
    }
  }
  if (reasons.empty()) {
    co_return core::fail(Code::invalid, "The event " + event_id + " is a " + stored->event.type +
                                            ", and no workflow hears of that; ask for the push that it follows from.");
  }
  co_return reasons;
}

}  // namespace headrace::pipeline
