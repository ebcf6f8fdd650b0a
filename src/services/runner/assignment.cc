#include "services/runner/assignment.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "core/json.h"
#include "services/runner/log_lines.h"
#include "services/runner/summary_store.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

// Many at a time, for a million lines a second come through here.
size_t count_lines(std::string_view text) {
  constexpr size_t together = 64;
  size_t lines = 0;
  for (; text.size() >= together; text.remove_prefix(together)) {
    uint8_t found = 0;
    for (size_t i = 0; i < together; ++i) found = static_cast<uint8_t>(found + (text[i] == '\n' ? 1 : 0));
    lines += found;
  }
  return lines + static_cast<size_t>(std::ranges::count(text, '\n'));
}

Result<> keep_file(core::Disk& disk, const std::string& path, std::string_view text) {
  auto file = disk.open(path + ".new", core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto written = (*file)->write_at(0, core::as_bytes(text)); !written) return written;
  return disk.rename(path + ".new", path);
}

events::JobAnnotation said(Annotation note) {
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

}  // namespace

Assignment::Assignment(Surroundings around, Token token)
    : around_(std::move(around)),
      token_(token),
      permitted_(around_.loop),
      findings_(around_.disk, around_.folder + "/found") {}

Task<> Assignment::run(Run order) {
  running_ = true;
  auto end = co_await execute(order);
  running_ = false;
  if (dropped_) co_return;
  keep_end(std::move(end));
  around_.changed();
}

Task<JobEnd> Assignment::execute(const Run& order) {
  JobEnd failed;
  failed.conclusion = events::Conclusion::failure;
  auto spec = parse_job_spec(order.spec);
  auto made = around_.disk.make_directories(around_.folder);
  auto opened = made ? open_log() : made;
  Executor* executor = around_.executor(order.executor);
  if (!spec || !opened || !executor) {
    failed.errors = !spec     ? spec.error().message
                    : !opened ? opened.error().message
                              : "This runner has no executor '" + order.executor + "'.";
    co_return failed;
  }
  if (!co_await may_begin(order.restricted)) {
    failed.conclusion = events::Conclusion::cancelled;
    failed.errors = cancelled_;
    co_return failed;
  }
  actions_ = std::make_unique<JobActions>(around_.repositories, around_.actions);
  JobExecution::Around around{.loop = around_.loop,
                              .clock = around_.clock,
                              .disk = around_.disk,
                              .executor = *executor,
                              .observer = *this,
                              .actions = actions_.get(),
                              .server = around_.server};
  JobOrder job;
  job.spec = std::move(*spec);
  job.event = order.event;
  job.grant = order.grant;
  job.runner_name = around_.runner;
  std::string own = around_.folder + "/job";
  JobPlace place{own, own + "/workspace", own + "/temp", {}, actions_->shared(job)};
  execution_ = std::make_unique<JobExecution>(std::move(around), std::move(job), std::move(place), around_.times);
  if (!cancelled_.empty()) execution_->cancel(cancelled_, ending_);
  auto end = co_await execution_->run();
  execution_.reset();
  co_return end;
}

// A restricted job that is lost is never tried again by itself once it has begun. So that this is known for certain, it
// begins after that is on the event log, and waits where the server is away.
Task<bool> Assignment::may_begin(bool restricted) {
  if (!restricted) co_return true;
  waits_to_begin_ = true;
  around_.changed();
  while (waits_to_begin_ && cancelled_.empty()) co_await permitted_.wait();
  bool may = !waits_to_begin_;
  waits_to_begin_ = false;
  co_return may;
}

void Assignment::begin() {
  waits_to_begin_ = false;
  permitted_.notify_all();
}

void Assignment::cancel(std::string reason, Ending ending) {
  if (execution_) return execution_->cancel(std::move(reason), ending);
  if (ending == Ending::at_once) ending_ = ending;
  cancelled_ = reason.empty() ? "cancelled" : std::move(reason);
  permitted_.notify_all();
}

void Assignment::drop() {
  dropped_ = true;
  cancel("its lease is not in force any more");
}

Result<> Assignment::open_log() {
  auto file = around_.disk.open(around_.folder + "/log", core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  log_ = std::move(*file);
  log_bytes_ = *size;
  return {};
}

Result<> Assignment::append_log(std::string_view lines) {
  if (auto written = log_->write_at(log_bytes_, core::as_bytes(lines)); !written) return written;
  log_bytes_ += lines.size();
  log_lines_ += count_lines(lines);
  around_.changed();
  return {};
}

Result<> Assignment::log(std::string_view lines) {
  if (log_full_) return {};
  if (log_bytes_ + lines.size() <= around_.log_bytes_max) return append_log(lines);
  log_full_ = true;
  LogLines last(around_.clock);
  last.line("The log of this job is full (" + std::to_string(around_.log_bytes_max) +
            " bytes); what it prints from here on is not kept.");
  return append_log(last.take());
}

Result<std::string> Assignment::read_log(uint64_t offset, size_t max) const {
  Result<size_t> got = 0;
  std::string bytes;
  bytes.resize_and_overwrite(std::min<uint64_t>(max, log_bytes_ - offset), [&](char* into, size_t count) {
    got = log_->read_at(offset, std::as_writable_bytes(std::span(into, count)));
    return got.value_or(0);
  });
  if (!got) return std::unexpected(got.error());
  return bytes;
}

void Assignment::step_began(const StepSpec& step) { step_is(step, {}); }

void Assignment::step_ended(const StepSpec& step, events::Conclusion conclusion) { step_is(step, conclusion); }

// GitHub Docs, "Adding a job summary": 20 steps of a job are shown.
void Assignment::summary(int64_t step, std::string_view markdown) {
  if (++summaries_ > summaries_a_job_max)
    return found(step, core::fail(Code::exhausted,
                                  "A job shows the summaries of " + std::to_string(summaries_a_job_max) + " steps."));
  found(step, findings_.keep(Summary{.token = token_, .number = 0, .step = step, .markdown = std::string(markdown)}));
}

void Assignment::reports(const StepSpec& step, std::vector<FoundReport> reports) {
  for (auto& report : reports) {
    if (!report.reading) continue;
    report.told.token = token_;
    report.told.step = step.number;
    found(step.number, findings_.keep(std::move(report.told)));
  }
}

// What cannot be kept is no reason to end a job, but the log says so.
void Assignment::found(int64_t step, const Result<>& kept) {
  if (kept) return around_.changed();
  LogLines line(around_.clock);
  line.begin_step(step);
  line.line("##[warning]A report or summary of this step is lost: " + kept.error().message);
  if (auto logged = log(line.take()); !logged)
    core::diagnose(core::Level::warning, "runner", "keeping what a step found: " + kept.error().message);
}

void Assignment::step_is(const StepSpec& step, std::optional<events::Conclusion> conclusion) {
  if (steps_.empty() || steps_.back().number != step.number) steps_.push_back({});
  StepChanged& now = steps_.back();
  now.token = token_;
  now.number = step.number;
  now.name = step.name;
  now.conclusion = conclusion;
  around_.stepped(now);
}

// Told with its step, so that whoever takes up a connection again learns of both at once.
void Assignment::annotated(const Annotation& note) {
  auto step = std::ranges::find(steps_.rbegin(), steps_.rend(), note.step, &StepChanged::number);
  if (step == steps_.rend()) return;
  step->annotations.push_back(said(note));
  around_.stepped(*step);
}

// The record is left when its process has ended, for it never names another. A sandbox has one for all steps.
void Assignment::group(pid_t leader) {
  if (leader == 0) return;
  auto record = process::record_of(leader);
  if (!record || *record == group_) return;  // it has ended already, or is known
  auto saved = process::save_record(around_.disk, around_.folder + "/group", *record, process::Outlives::our_crash);
  if (saved)
    group_ = std::move(*record);
  else
    core::diagnose(core::Level::warning, "runner", saved.error().message);
}

void Assignment::keep_end(JobEnd end) {
  end_ = Finished{.token = token_,
                  .conclusion = end.conclusion,
                  .errors = std::move(end.errors),
                  .steps = std::move(end.steps),
                  .log_bytes = log_bytes_,
                  .log_lines = log_lines_};
  for (auto& [name, value] : end.outputs) end_->outputs.push_back({std::move(name), std::move(value)});
  for (auto& note : end.annotations) end_->annotations.push_back(said(std::move(note)));
  end_->environment_url = std::move(end.environment_url);
  // Not synced: it outlives this process, and after a power cut a job whose end is not whole counts as lost.
  auto kept = keep_file(around_.disk, around_.folder + "/end.json", encode(*end_));
  // The server still hears of it; only a crash of the runner before that would count the job as lost.
  if (!kept) core::diagnose(core::Level::warning, "runner", "keeping the end of a job: " + kept.error().message);
}

bool end_group(core::Executor executor, core::Disk& disk, const std::string& folder) {
  auto record = process::load_record(disk, folder + "/group");
  if (!record || !*record) return false;
  auto alive = process::adopt(std::move(executor), **record);
  return alive && *alive && ::killpg((*record)->pid, SIGKILL) == 0;
}

Result<> Assignment::recover() {
  end_group(around_.loop, around_.disk, around_.folder);
  if (auto opened = open_log(); !opened) return opened;
  if (auto recovered = findings_.recover(); !recovered) return recovered;
  lost_ = Lost{token_, "it was started again, and the job ended with the old process"};
  auto text = core::read_file(around_.disk, around_.folder + "/end.json");
  if (!text && text.error().code == Code::not_found) return {};
  if (!text) return std::unexpected(text.error());
  auto message = decode(*text);
  if (!message) return std::unexpected(message.error());
  auto* finished = std::get_if<Finished>(&*message);
  if (!finished || finished->token != token_ || finished->log_bytes != log_bytes_) return {};
  end_ = std::move(*finished);
  lost_.reset();
  return {};
}

// Folders that a job closed to its own user; the job has ended, so nobody moves them meanwhile.
static void open_folders(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  auto at = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;  // what cannot be opened is told by the removal
    if (at->symlink_status(ignored).type() == fs::file_type::directory)
      fs::permissions(at->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
  }
}

Result<> remove_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (error == std::errc::permission_denied) {
    open_folders(folder);
    std::filesystem::remove_all(folder, error);
  }
  if (error)
    return core::fail(Code::unavailable, "The folder of a finished job could not be removed: " + error.message() + ".",
                      folder);
  return {};
}

}  // namespace headrace::runner
