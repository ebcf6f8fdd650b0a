#include "events/runner.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<JobLeased> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "Which attempt of the job.");
  visit.own("runner", it.runner, always, "Name of the runner.");
  visit.own("executor", it.executor, always, "How it runs there: host, sandbox, container.");
  visit.own("lease_seconds", it.lease_seconds, always, "It is lost when not renewed for so long.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobLost> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "Which attempt of the job.");
  visit.own("runner", it.runner, always, "Name of the runner that had it.");
  visit.own("reason", it.reason, always, "Why it counts as lost, for people.");
  visit.own("steps_begun", it.steps_begun, always, "A step had begun, so it may have had effects.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobRequeued> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.own("run", it.run, always, "UUID of its run.");
  visit.own("repository", it.repository, where_known, "Full name of the repository.");
  visit.own("attempt", it.attempt, always, "The new attempt.");
  visit.own("reason", it.reason, always, "Why, for people.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<JobStarted> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.standard("taskName", it.name, always, "Name of the job, for people.");
  visit.uri(it.url, where_known, "Page of the job.");
  visit.reference("pipelineRun", it.run, "UUID of its run.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("runner", it.runner, always, "Name of the runner.");
  visit.own("attempt", it.attempt, always, "Which attempt of the job.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<StepResult> auto& it) {
  visit.own("number", it.number, always, "From 1, in the order of the job.");
  visit.own("name", it.name, always, "For people.");
  visit.own("conclusion", it.conclusion, always, "How it ended.");
  visit.own("started_at", it.started_at, where_known, "When it began; absent: it did not.");
  visit.own("completed_at", it.completed_at, where_known, "When it ended.");
  visit.own("exit_code", it.exit_code, where_known, "Of its process; absent: there was none, or a signal ended it.");
}

template <class Visit>
void fields(Visit& visit, Is<LogSize> auto& it) {
  visit.own("bytes", it.bytes, always, "Bytes of text.");
  visit.own("lines", it.lines, always, "Lines.");
}

template <class Visit>
void fields(Visit& visit, Is<JobOutput> auto& it) {
  visit.own("name", it.name, always, "Of the output.");
  visit.own("value", it.value, always, "As the job set it.");
}

template <class Visit>
void fields(Visit& visit, Is<JobAnnotation> auto& it) {
  visit.own("level", it.level, always, "notice, warning or error.");
  visit.own("message", it.message, always, "What is remarked.");
  visit.own("title", it.title, where_known, "Above the message.");
  visit.own("file", it.file, where_known, "Relative to the workspace.");
  visit.own("line", it.line, always, "From 1; 0: not given, as for those below.");
  visit.own("end_line", it.end_line, always, "Last line.");
  visit.own("column", it.column, always, "First column.");
  visit.own("end_column", it.end_column, always, "Last column.");
  visit.own("step", it.step, always, "Number of the step that made it.");
}

template <class Visit>
void fields(Visit& visit, Is<JobFinished> auto& it) {
  visit.subject("job", it.job, "UUID of the job.");
  visit.standard("taskName", it.name, always, "Name of the job, for people.");
  visit.uri(it.url, where_known, "Page of the job.");
  visit.reference("pipelineRun", it.run, "UUID of its run.");
  visit.outcome(it.conclusion, "The conclusion in the words of CDEvents.");
  visit.standard("errors", it.errors, where_known, "Why it did not succeed, for people.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("runner", it.runner, where_known, "Name of the runner; absent: none ever had it.");
  visit.own("attempt", it.attempt, always, "Which attempt of the job.");
  visit.own("conclusion", it.conclusion, always, "How it ended.");
  visit.own("steps", it.steps, always, "What became of each step.");
  visit.own("log", it.log, always, "Size of its log, which is a file, not events.");
  visit.own("outputs", it.outputs, where_known, "Of the job, for those that need it; none holds a secret.");
  visit.own("annotations", it.annotations, where_known, "Remarks of its steps, at most 50.");
  visit.own("environment_url", it.environment_url, where_known, "Where what it deployed is to be seen.");
  visit.own("summary_bytes", it.summary_bytes, where_known, "Of its summary, a file beside the log.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(JobLeased)
HEADRACE_EVENTS_WORD(JobLost)
HEADRACE_EVENTS_WORD(JobRequeued)
HEADRACE_EVENTS_WORD(JobStarted)
HEADRACE_EVENTS_WORD(JobFinished)

std::vector<codec::Entry> codec::runner_words() {
  constexpr std::string_view service = "runner";
  return {
      entry<JobLeased>("JobLeased", service,
                       "A runner has taken a job. The log offset of this event is the lease's fencing token."),
      entry<JobLost>("JobLost", service, "A lease ran out, or the runner said that it lost the job."),
      entry<JobRequeued>("JobRequeued", service, "A lost job is to run again."),
      entry<JobStarted>("JobStarted", service, "The first step of a job has begun."),
      entry<JobFinished>("JobFinished", service, "A job is over, with what became of each step."),
  };
}

}  // namespace headrace::events
