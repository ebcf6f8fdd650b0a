#include "events/tests.h"

#include "events/codec.h"

namespace headrace::events {

using codec::Is;
using enum codec::Presence;

template <class Visit>
void fields(Visit& visit, Is<TestTotals> auto& it) {
  visit.own("suites", it.suites, always, "Suites, those within others too.");
  visit.own("cases", it.cases, always, "Cases, counted once each.");
  visit.own("passed", it.passed, always, "That passed.");
  visit.own("failed", it.failed, always, "That failed.");
  visit.own("errored", it.errored, always, "That could not be carried through.");
  visit.own("skipped", it.skipped, always, "That were skipped.");
  visit.own("not_run", it.not_run, always, "That were left out or disabled.");
  visit.own("flaky", it.flaky, always, "That passed only when tried again; among the passed.");
  visit.own("duration_us", it.duration_us, always, "Sum over the cases, in microseconds.");
}

template <class Visit>
void fields(Visit& visit, Is<TestSuiteFinished> auto& it) {
  visit.subject("report", it.report, "Names the reading of a report: job, attempt, step and file.");
  visit.reference("environment", it.environment, "Executor of the job.");
  visit.reference("testSuite", it.suite, "File of the report.");
  visit.outcome(it.conclusion, "failure where a case failed or errored.");
  visit.standard("reason", it.reason, where_known, "How many cases did not succeed, for people.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("run", it.run, always, "UUID of the run.");
  visit.own("job", it.job, always, "UUID of the job.");
  visit.own("job_key", it.job_key, always, "Key of the job in its workflow, with its matrix.");
  visit.own("attempt", it.attempt, always, "Which attempt of the job.");
  visit.own("step", it.step, always, "Number of the step after which it was found.");
  visit.own("ref", it.ref, where_known, "Full name of the ref.");
  visit.own("commit", it.commit, always, "Commit that was tested.");
  visit.own("tree", it.tree, where_known, "Tree of that commit.");
  visit.own("file", it.file, always, "The report's file, relative to the workspace.");
  visit.own("totals", it.totals, always, "Counted, not as the report declares them.");
  visit.own("parts", it.parts, always, "How many testresults.recorded follow.");
  visit.own("told", it.told, always, "Cases in those; fewer than totals.cases where they did not fit.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<TestResults> auto& it) {
  visit.subject("report", it.report, "As in testsuiterun.finished.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("part", it.part, always, "Which part, from 1.");
  visit.own("parts", it.parts, always, "Of how many.");
  visit.own("packed", it.packed, always,
            "Cases and what they came to, packed as docs/test-reports.md says, as base64.");
  visit.ordered_by(it.repository);
}

template <class Visit>
void fields(Visit& visit, Is<TestCaseFinished> auto& it) {
  visit.subject("id", it.id, "The report and the test.");
  visit.reference("environment", it.environment, "Executor of the job.");
  visit.reference("testSuiteRun", it.report, "The report, as in testsuiterun.finished.");
  visit.reference("testCase", it.test_case, "Class and name, for people.");
  visit.outcome(it.conclusion, "error where it could not be carried through.");
  visit.standard("reason", it.reason, where_known, "The first words of the failure.");
  visit.own("repository", it.repository, always, "Full name of the repository.");
  visit.own("run", it.run, always, "UUID of the run.");
  visit.own("job", it.job, always, "UUID of the job.");
  visit.own("ref", it.ref, where_known, "Full name of the ref.");
  visit.own("commit", it.commit, always, "Commit that was tested.");
  visit.own("test", it.test, always, "Names the test: 16 hexadecimal digits of its suite, class and name.");
  visit.own("suite", it.suite, where_known, "Names of the suites around it.");
  visit.own("class", it.class_name, where_known, "Its class.");
  visit.own("name", it.name, where_known, "Its name.");
  visit.own("file", it.file, where_known, "Source file, as the tool wrote it.");
  visit.own("line", it.line, always, "Line in it; 0: not known.");
  visit.own("outcome", it.outcome, always, "passed, failed, errored, skipped or not_run.");
  visit.own("before", it.before, where_known, "What it came to the last time on this branch, where that differs.");
  visit.own("flaky", it.flaky, always, "It came to both on one tree.");
  visit.own("duration_us", it.duration_us, always, "In microseconds; 0: not known.");
  visit.ordered_by(it.repository);
}

HEADRACE_EVENTS_WORD(TestSuiteFinished)
HEADRACE_EVENTS_WORD(TestResults)
HEADRACE_EVENTS_WORD(TestCaseFinished)

std::vector<codec::Entry> codec::test_words() {
  return {
      entry<TestSuiteFinished>("TestSuiteFinished", "runner",
                               "A test report that a step of a job wrote has been read and counted."),
      entry<TestResults>("TestResults", "runner",
                         "What the cases of a test report came to, packed: they are too many for an event each."),
      entry<TestCaseFinished>(
          "TestCaseFinished", "tests",
          "A test failed, or came to something else than the last time on its branch, or differs on "
          "one tree; at most 200 a report."),
  };
}

}  // namespace headrace::events
