#include "events/pipeline.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<PlannedJob> auto& it) {
  visit.own("key", it.key, always, "Key in the workflow, with its matrix: build, test (1, 2).");
  visit.own("name", it.name, always, "Name for people.");
  visit.own("needs", it.needs, where_known, "Keys of the jobs that must be done before.");
  visit.own("planned", it.planned, where_known, "Key of its template in the workflow and those it calls.");
  visit.own("caller", it.caller, where_known, "Key of the job that calls its file.");
  visit.own("place", it.place, where_known, "Orders the jobs of the run.");
  visit.own("again", it.again, where_known, "It runs again as what its matrix made of it.");
}

template <class Visit>
void fields(Visit& visit, Is<ExpandedLeg> auto& it) {
  visit.own("key", it.key, always, "Unique in the run: test (ubuntu, 12).");
  visit.own("name", it.name, always, "Name for people.");
  visit.own("matrix", it.matrix, where_known, "Its values of the matrix, as JSON text.");
  visit.own("continue_on_error", it.continue_on_error, always, "Its failure does not fail the run.");
  visit.own("group", it.group, where_known, "Its concurrency group.");
  visit.own("cancel_in_progress", it.cancel_in_progress, where_known, "It wants those before it in the group ended.");
  visit.own("queue_all", it.queue_all, where_known, "In its group more than one may wait.");
  visit.own("jobs", it.jobs, where_known, "Of the workflow that it calls.");
}

template <class Visit>
void fields(Visit& visit, Is<CallOutput> auto& it) {
  visit.own("name", it.name, always, "Of the output.");
  visit.own("value", it.value, always, "As evaluated.");
}

template <class Visit>
void fields(Visit& visit, Is<CalledWorkflow> auto& it) {
  visit.own("uses", it.uses, always, "As the workflow names it: OWNER/NAME/.github/workflows/FILE@REF.");
  visit.own("commit", it.commit, always, "What the ref pointed to when the run was queued.");
}

template <class Visit>
void fields(Visit& visit, Is<RunQueued> auto& it) {
  visit.subject("run", it.run, "UUID of the run.");
  visit.standard("pipelineName", it.workflow, always, "Name of the workflow.");
  visit.uri(it.url, where_known, "Page of the run.");
  visit.own("id", it.id, always, "Number of the run, unique in the platform.");
  visit.own("number", it.number, always, "Counts the runs of the workflow in its repository, from 1.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("repository_id", it.repository_id, always, "Number of the repository.");
  visit.own("workflow_file", it.workflow_file, always, "Path of the workflow's file.");
  visit.own("event", it.event, always, "What it runs on, in the words of the workflow language: push.");
  visit.own("event_id", it.event_id, where_known, "Id of the event that started it.");
  visit.own("ref", it.ref, where_known, "Full name of the ref.");
  visit.own("branch", it.branch, where_known, "Short name of the branch.");
  visit.own("commit", it.commit, always, "Commit it runs on.");
  visit.own("actor", it.actor, where_known, "Account on whose behalf it runs.");
  visit.own("attempt", it.attempt, always, "1, and more when it is run again.");
  visit.own("title", it.title, where_known, "First line of the commit's message, mostly.");
  visit.own("jobs", it.jobs, always, "The plan.");
  visit.own("carried", it.carried, where_known, "When run again: keys of the jobs that stand as they ended before.");
  visit.own("payload", it.payload, where_known, "What happened, as JSON text in the shape of GitHub's webhooks.");
  visit.own("inputs", it.inputs, where_known, "The inputs it was started with, as JSON text.");
  visit.own("depth", it.depth, where_known, "How many runs it follows from by way of workflow_run or event.");
  visit.own("waits", it.waits, where_known, "It waits for its concurrency group.");
  visit.own("group", it.group, where_known, "Its concurrency group.");
  visit.own("cancel_in_progress", it.cancel_in_progress, where_known, "It wants those before it in the group ended.");
  visit.own("queue_all", it.queue_all, where_known, "In its group more than one may wait.");
  visit.own("called", it.called, where_known, "Workflows of other repositories that it calls.");
  visit.own("variables_at", it.variables_at, where_known,
            "Offset of an event: the run sees variables as they were after it.");
  visit.own("untrusted", it.untrusted, where_known,
            "Its author may not write to the repository: no secrets, and tokens that read at most.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<RunAdmitted> auto& it) {
  visit.subject("run", it.run, "UUID of the run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "Which attempt of the run.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<RunCancelled> auto& it) {
  visit.subject("run", it.run, "UUID of the run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "Which attempt of the run.");
  visit.own("reason", it.reason, always, "Why, for people.");
  visit.own("requested_by", it.requested_by, where_known, "Actor who asked for it.");
  visit.own("forced", it.forced, always, "Nothing of it runs any more, whatever its conditions say.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobExpanded> auto& it) {
  visit.subject("job", it.job, "UUID of the job that was expanded.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "Which attempt of the run.");
  visit.own("key", it.key, always, "Key of what was expanded.");
  visit.own("legs", it.legs, always, "The jobs it is from now on.");
  visit.own("fail_fast", it.fail_fast, always, "When one fails the others are cancelled.");
  visit.own("max_parallel", it.max_parallel, always, "How many may run at a time; 0: all.");
  visit.own("calls", it.calls, where_known, "They call a workflow.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobSettled> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("id", it.id, always, "Number of the job, unique in the platform.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("key", it.key, always, "Key in the run.");
  visit.own("name", it.name, always, "Name for people.");
  visit.own("conclusion", it.conclusion, always, "How it ended.");
  visit.own("reason", it.reason, where_known, "Why it failed, for people.");
  visit.own("outputs", it.outputs, where_known, "Of the workflow that it called.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<RunStarted> auto& it) {
  visit.subject("run", it.run, "UUID of the run.");
  visit.standard("pipelineName", it.workflow, always, "Name of the workflow.");
  visit.uri(it.url, always, "Page of the run; a urn:headrace: where it has none.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("number", it.number, always, "Number of the run in its workflow.");
  visit.own("attempt", it.attempt, always, "1, and more when it is run again.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<RunFinished> auto& it) {
  visit.subject("run", it.run, "UUID of the run.");
  visit.standard("pipelineName", it.workflow, always, "Name of the workflow.");
  visit.uri(it.url, where_known, "Page of the run.");
  visit.outcome(it.conclusion, "The conclusion in the words of CDEvents.");
  visit.standard("errors", it.errors, where_known, "Why it did not succeed, for people.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("number", it.number, always, "Number of the run in its workflow.");
  visit.own("attempt", it.attempt, always, "1, and more when it is run again.");
  visit.own("conclusion", it.conclusion, always, "How it ended.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobQueued> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("id", it.id, always, "Number of the job, unique in the platform.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("key", it.key, always, "Key in the workflow, with its matrix.");
  visit.own("name", it.name, always, "Name for people.");
  visit.own("attempt", it.attempt, always, "1, and more when it is run again.");
  visit.own("labels", it.labels, always, "Of runs-on: a runner must have all.");
  visit.own("commit", it.commit, always, "Commit it runs on.");
  visit.own("ref", it.ref, where_known, "Full name of the ref.");
  visit.own("spec", it.spec, always, "What to run, as JSON text for the runner.");
  visit.own("timeout_minutes", it.timeout_minutes, always, "The longest it may run.");
  visit.own("restricted", it.restricted, always,
            "It has an environment or may use secrets: once begun it is never retried by itself.");
  visit.own("environment", it.environment, where_known, "Environment it deploys to.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobCancelled> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("reason", it.reason, always, "Why, for people.");
  visit.own("requested_by", it.requested_by, where_known, "Actor who asked for it.");
  visit.own("of_run", it.of_run, where_known, "With its whole run, not for itself.");
  visit.own("forced", it.forced, where_known, "At once: no step of it runs on, whatever its condition.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobSkipped> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("id", it.id, always, "Number of the job, unique in the platform.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("key", it.key, always, "Key in the workflow, with its matrix.");
  visit.own("name", it.name, always, "Name for people.");
  visit.own("reason", it.reason, always, "Why, for people.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(RunQueued)
HEADRACE_EVENTS_WORD(RunStarted)
HEADRACE_EVENTS_WORD(RunFinished)
HEADRACE_EVENTS_WORD(JobQueued)
HEADRACE_EVENTS_WORD(JobCancelled)
HEADRACE_EVENTS_WORD(JobSkipped)
HEADRACE_EVENTS_WORD(RunAdmitted)
HEADRACE_EVENTS_WORD(RunCancelled)
HEADRACE_EVENTS_WORD(JobExpanded)
HEADRACE_EVENTS_WORD(JobSettled)

std::vector<codec::Entry> codec::pipeline_words() {
  constexpr std::string_view service = "pipeline";
  return {
      entry<RunQueued>("RunQueued", service,
                       "An event asked for a run of a workflow: it has its number, its plan, and waits."),
      entry<RunStarted>("RunStarted", service, "The first job of a run has started."),
      entry<RunFinished>("RunFinished", service, "All jobs of a run are over, or it could not start."),
      entry<JobQueued>("JobQueued", service, "What a job needs is done, and it waits for a runner."),
      entry<JobCancelled>("JobCancelled", service,
                          "A job shall not run, or run no longer; a runner that has it stops it."),
      entry<JobSkipped>("JobSkipped", service,
                        "A job will not run: its condition was false, or something it needs did not succeed."),
      entry<RunAdmitted>("RunAdmitted", service, "The concurrency group of a run has room for it: its jobs begin."),
      entry<RunCancelled>("RunCancelled", service, "A run shall end before its jobs are done."),
      entry<JobExpanded>("JobExpanded", service, "A job's matrix is known: it is these jobs from now on."),
      entry<JobSettled>("JobSettled", service,
                        "A job ended that no runner had: it calls a workflow, or its expressions failed."),
  };
}

}  // namespace headrace::events
