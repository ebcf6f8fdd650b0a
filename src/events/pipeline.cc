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
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobCancelled> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("reason", it.reason, always, "Why, for people.");
  visit.own("requested_by", it.requested_by, where_known, "Actor who asked for it.");
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
  };
}

}  // namespace headrace::events
