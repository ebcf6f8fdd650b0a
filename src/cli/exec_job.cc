#include "cli/exec_job.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "cli/exec_screen.h"
#include "core/bytes.h"
#include "core/diagnostics.h"
#include "services/artifact/local.h"

namespace headrace::cli {

using core::Result;
using core::Task;
using events::Conclusion;

namespace {

constexpr std::string_view last_line = "Complete job name: ";  // of every log; the name stands before each line here

// A value as it is: where a text may hold ${{ }}, it means nothing in this one.
std::string literal(std::string value) {
  constexpr std::string_view sign = "${{";
  for (size_t at = value.find(sign); at != std::string::npos; at = value.find(sign, at + 12)) {
    value.replace(at, sign.size(), "${{ '${{' }}");
  }
  return value;
}

events::JobAnnotation said(runner::Annotation note) {
  return {.level = std::string(name_of(note.level)),
          .message = std::move(note.message),
          .title = std::move(note.title),
          .file = std::move(note.file),
          .line = note.line,
          .end_line = note.end_line,
          .column = note.column,
          .end_column = note.end_column,
          .step = note.step};
}

// "2026-11-23T07:16:00.123456Z 1 text" -> text
std::string_view text_of(std::string_view line) {
  auto time = line.find(' ');
  auto step = time == std::string_view::npos ? time : line.find(' ', time + 1);
  return step == std::string_view::npos ? line : line.substr(step + 1);
}

}  // namespace

LocalJob::LocalJob(Around around, events::JobQueued order, std::string payload, std::string folder)
    : around_(std::move(around)), order_(std::move(order)), payload_(std::move(payload)), folder_(std::move(folder)) {}

Result<runner::JobOrder> LocalJob::order() const {
  runner::JobOrder order;
  auto spec = runner::parse_job_spec(order_.spec);
  if (!spec) return std::unexpected(spec.error());
  auto grant = around_.grants.grant(order_.spec);
  if (!grant) return std::unexpected(grant.error());
  order.spec = std::move(*spec);
  order.grant = std::move(*grant);
  order.event = payload_.empty() ? "{}" : payload_;
  order.runner_name = "exec";
  runner::Variables given = around_.env;
  for (auto& [name, value] : given) value = literal(std::move(value));
  if (!given.empty()) order.spec.env.insert(order.spec.env.begin(), std::move(given));
  return order;
}

Task<events::JobFinished> LocalJob::run(runner::Executor* executor) {
  events::JobFinished finished;
  finished.job = order_.job;
  finished.run = order_.run;
  finished.repository = order_.repository;
  finished.name = order_.name;
  finished.runner = "exec";
  finished.attempt = order_.attempt;
  finished.conclusion = Conclusion::failure;
  auto wanted = order();
  auto made = around_.disk.make_directories(folder_);
  if (!wanted || !made) {
    finished.errors = !wanted ? wanted.error().message : made.error().message;
    co_return finished;
  }
  std::string own = folder_ + "/job";
  runner::JobPlace place{own, own + "/workspace", own + "/temp", {}, {}};
  actions_ = std::make_unique<runner::JobActions>(around_.repositories, around_.actions);
  runner::JobExecution::Around around{.loop = around_.loop.executor(),
                                      .clock = around_.clock,
                                      .disk = around_.disk,
                                      .executor = *executor,
                                      .observer = *this,
                                      .actions = actions_.get()};
  lend_artifacts(*wanted, around);
  execution_ =
      std::make_unique<runner::JobExecution>(std::move(around), std::move(*wanted), std::move(place), around_.times);
  if (!cancelled_.empty()) execution_->cancel(cancelled_, ending_);
  auto end = co_await execution_->run();
  execution_.reset();
  if (lease_ != 0) around_.artifacts->end(lease_);
  if (!story_.began && end.conclusion == Conclusion::failure) {
    auto able = co_await executor->available();
    story_.incapable = !able.has_value();
  }
  finished.conclusion = end.conclusion;
  finished.errors = std::move(end.errors);
  finished.steps = std::move(end.steps);
  for (auto& [name, value] : end.outputs) finished.outputs.push_back({name, value});
  for (auto& note : end.annotations) finished.annotations.push_back(said(std::move(note)));
  finished.environment_url = std::move(end.environment_url);
  if (summary_bytes_ > 0) finished.summary_bytes = static_cast<int64_t>(summary_bytes_);
  co_return finished;
}

void LocalJob::lend_artifacts(runner::JobOrder& order, runner::JobExecution::Around& around) {
  if (around_.artifacts == nullptr) return;
  const workflow::Value* github = order.spec.contexts.find("github");
  auto text = [&](std::string_view name) {
    const workflow::Value* member = github ? github->find(name) : nullptr;
    return member ? member->to_text() : std::string();
  };
  lease_ = around_.artifacts->lease();
  artifact::Holder holder{.lease = lease_,
                          .repository = order_.repository,
                          .run = order_.run,
                          .run_id = std::atoll(text("run_id").c_str()),
                          .job = order_.job,
                          .ref = text("ref"),
                          .commit = text("sha")};
  if (auto base = text("base_ref"); !base.empty()) holder.reads.push_back("refs/heads/" + base);
  order.grant.runtime_token = around_.artifacts->token(holder);
  around.server = {
      .url = "http://localhost", .unix_socket = around_.artifacts->socket(), .trusted_pem = {}, .whole = false};
}

void LocalJob::cancel(std::string reason, runner::Ending ending) {
  cancelled_ = reason.empty() ? "cancelled" : std::move(reason);
  if (ending == runner::Ending::at_once) ending_ = ending;
  if (execution_) execution_->cancel(cancelled_, ending_);
}

Result<> LocalJob::log(std::string_view lines) {
  while (!lines.empty()) {
    auto end = std::min(lines.find('\n'), lines.size());
    auto text = text_of(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (text.starts_with(last_line)) continue;
    around_.screen.log(order_.name, text);
    if (text == "##[endgroup]" && !std::exchange(introduced_, true)) {
      tail_.clear();  // what a step begins with is the step itself
      continue;
    }
    tail_.emplace_back(text);
    if (tail_.size() > tail_lines) tail_.pop_front();
  }
  around_.screen.flush();
  return {};
}

void LocalJob::step_began(const runner::StepSpec& step) {
  story_.began = true;
  tail_.clear();
  introduced_ = false;
  step_since_ = around_.clock.steady();
  around_.screen.step_began(order_.name, step.name);
  around_.screen.flush();
}

void LocalJob::step_ended(const runner::StepSpec& step, Conclusion conclusion) {
  around_.screen.step_ended(order_.name, step.name, conclusion, around_.clock.steady() - step_since_);
  around_.screen.flush();
  bool first = story_.failed_step.empty() && conclusion != Conclusion::success && conclusion != Conclusion::skipped;
  if (!first) return;
  story_.failed_step = step.name;
  story_.failed_number = step.number;
  story_.tail = tail_;
}

void LocalJob::summary(int64_t, std::string_view markdown) {
  auto path = around_.workshop.summary_file(order_.key + "-" + order_.job.substr(0, 8));
  auto file = path ? around_.disk.open(*path, core::Disk::Open::ensure)
                   : Result<std::unique_ptr<core::File>>(std::unexpected(path.error()));
  auto written =
      file ? (*file)->write_at(summary_bytes_, core::as_bytes(markdown)) : Result<>(std::unexpected(file.error()));
  if (!written) return core::diagnose(core::Level::warning, "exec", "keeping a summary: " + written.error().message);
  summary_bytes_ += markdown.size();
  story_.summary_file = *path;
}

void LocalJob::reports(const runner::StepSpec&, std::vector<runner::FoundReport> found) {
  for (const auto& report : found) {
    if (!report.reading) {
      around_.screen.log(order_.name, "##[warning]" + report::in_words(report.reading.error(), report.file));
      continue;
    }
    story_.tests += report.reading->counted.cases;
    story_.tests_failed += report.reading->counted.failed + report.reading->counted.errored;
    for (const auto& one : report.reading->cases) {
      if (!report::is_bad(one.outcome)) continue;
      if (story_.failed_tests.size() >= failed_tests_told_max) {
        ++story_.failed_tests_more;
        continue;
      }
      auto name = report::shown_name(report::suite_path(*report.reading, one), one.class_name, one.name);
      story_.failed_tests.push_back({report.file, around_.masks.masked(name), around_.masks.masked(one.message)});
      const auto& told = story_.failed_tests.back();
      around_.screen.log(order_.name, "##[error]failed test " + told.name + ": " + told.message);
    }
  }
  around_.screen.flush();
}

}  // namespace headrace::cli
