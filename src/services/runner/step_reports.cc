// Test reports of a job's steps: looked for when a step has ended, read one at a time beside the loop.
#include "core/diagnostics.h"
#include "services/runner/step_engine_impl.h"

namespace headrace::runner {

using core::Result;
using core::Task;

namespace {

// Actions of GitHub's that bring files from elsewhere: reports among them are fixtures, or other jobs'.
bool brings_files(const StepSpec& step) {
  constexpr std::string_view actions[] = {"actions/checkout", "actions/cache", "actions/cache/restore",
                                          "actions/download-artifact"};
  const std::string_view name = std::string_view(step.uses).substr(0, step.uses.find('@'));
  for (auto action : actions)
    if (workflow::equal_in_any_case(name, action)) return true;
  return false;
}

}  // namespace

// $HEADRACE_REPORTS is there before the first step, and what the workspace holds before it is none of the job's.
Task<> StepEngine::Impl::expect_reports() {
  const std::string folder = place.temporary + "/reports";
  if (auto made = around->make_folder(folder); !made)
    core::diagnose(core::Level::warning, "runner", "making the folder for test reports: " + made.error().message);
  auto look = [workspace = place.workspace, folder, inside = around->inside().workspace] {
    return std::make_unique<ReportFinder>(workspace, folder, inside);
  };
  auto finder = co_await core::blocking(pool(), std::move(look));
  if (finder) reports = std::move(*finder);
  if (!finder) core::diagnose(core::Level::warning, "runner", finder.error().message);
}

Task<> StepEngine::Impl::find_reports(StepSpec step) {
  if (!reports) co_return;
  auto* finder = reports.get();
  auto look = [finder] { return finder->after_step(); };
  auto looked = co_await core::blocking(pool(), std::move(look));
  if (!looked) co_return report_warning("Looking for test reports: " + looked.error().message);
  if (brings_files(step)) co_return finder->pass_over();
  std::shared_ptr<const Masks> masks;  // a copy: those of the job are the loop's
  while (finder->has_next()) {
    if (!masks) masks = std::make_shared<const Masks>(context.masks());
    auto read = [finder, masks] { return finder->next(*masks); };
    auto found = co_await core::blocking(pool(), std::move(read));
    if (!found) co_return report_warning("Reading a test report: " + found.error().message);
    if (!*found) break;
    tell_report(step, std::move(**found));
  }
  if (reports->incomplete() == incomplete_reports) co_return;
  incomplete_reports = reports->incomplete();
  if (!incomplete_reports.empty()) report_warning(incomplete_reports);
}

void StepEngine::Impl::report_warning(const std::string& message) {
  annotate({.level = Annotation::Level::warning, .message = message, .title = "Test reports", .file = {}}, message);
}

// One that cannot be read is said where people look: in the log, and as an annotation on the line that is wrong.
void StepEngine::Impl::tell_report(const StepSpec& step, FoundReport found) {
  if (!found.reading) {
    const report::Problem& problem = found.reading.error();
    Annotation note{.level = Annotation::Level::warning,
                    .message = "This test report cannot be read, so its tests are not counted: " + problem.message,
                    .title = "Test reports",
                    .file = found.file};
    note.line = problem.line;
    note.column = problem.line > 0 ? problem.column : 0;
    return annotate(std::move(note), "The test report " + report::in_words(problem, found.file));
  }
  const int64_t cases = found.reading->counted.cases;
  if (found.told.told < cases)
    say("The test report " + found.file + " has " + std::to_string(cases) + " cases; all are counted, and " +
        std::to_string(found.told.told) + " of them, the bad ones first, fit into the history of tests.");
  std::vector<FoundReport> one;
  one.push_back(std::move(found));
  out.observer.reports(step, std::move(one));
}

}  // namespace headrace::runner
