#include "cli/exec_screen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace headrace::cli {

using events::Conclusion;

namespace {

constexpr const char *red = "31", *green = "32", *yellow = "33", *blue = "34", *bold = "1", *faint = "2";
constexpr std::array<const char*, 6> job_colours{"36", "35", "34", "32", "33", "96"};
constexpr size_t flush_bytes = 64 * 1024;

bool good(Conclusion conclusion) {
  return conclusion == Conclusion::success || conclusion == Conclusion::skipped || conclusion == Conclusion::neutral;
}

core::Duration between(const std::optional<core::Time>& from, const std::optional<core::Time>& to) {
  return from && to ? *to - *from : core::Duration(0);
}

std::string place_of(const events::JobAnnotation& note) {
  if (note.file.empty()) return "";
  std::string place = note.file;
  if (note.line > 0) place += ":" + std::to_string(note.line);
  if (note.line > 0 && note.column > 0) place += ":" + std::to_string(note.column);
  return place + ": ";
}

// Without what colours it (ECMA-48, SGR), for whoever wants none.
std::string without_colours(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    auto begin = text.find("\x1b[");
    plain.append(text.substr(0, begin));
    if (begin == std::string_view::npos) break;
    auto end = text.find_first_not_of("0123456789;:", begin + 2);
    bool colour = end != std::string_view::npos && text[end] == 'm';
    if (!colour) plain.append(text.substr(begin, 2));
    text.remove_prefix(colour ? end + 1 : begin + 2);
  }
  return plain;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Colours colours_of(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return (refused == nullptr || *refused == '\0') && !dumb && ::isatty(descriptor) == 1 ? Colours::yes : Colours::no;
}

std::string shown(core::Duration took) {
  double seconds = std::chrono::duration<double>(took).count();
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

std::string Screen::paint(std::string_view text, const char* code) const {
  if (!colours_ || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::string Screen::word_of(Conclusion conclusion) const {
  if (conclusion == Conclusion::success) return paint("ok", green);
  if (conclusion == Conclusion::skipped) return paint("skipped", faint);
  if (conclusion == Conclusion::cancelled) return paint("cancelled", yellow);
  if (conclusion == Conclusion::failure) return paint("FAILED", red);
  std::string name(events::name_of(conclusion));
  return paint(name, good(conclusion) ? faint : red);
}

std::string Screen::prefix(const std::string& job) {
  auto number = numbers_.try_emplace(job, numbers_.size()).first->second;
  return paint(job + " |", job_colours[number % job_colours.size()]) + " ";
}

void Screen::say(std::string_view line) {
  out_.append(line).push_back('\n');
  if (out_.size() >= flush_bytes) flush();
}

void Screen::warn(std::string_view line) { say(paint(line, yellow)); }

void Screen::flush() {
  std::string_view rest = out_;
  while (!rest.empty()) {
    ssize_t put = ::write(descriptor_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;  // who read it has gone
    rest.remove_prefix(static_cast<size_t>(put));
  }
  out_.clear();
}

void Screen::log(const std::string& job, std::string_view text) {
  struct Mark {
    std::string_view sign, word;
    const char* colour;
  };
  static constexpr Mark marks[] = {{"##[error]", "error: ", red},
                                   {"##[warning]", "warning: ", yellow},
                                   {"##[notice]", "notice: ", blue},
                                   {"##[debug]", "debug: ", faint},
                                   {"##[command]", "$ ", blue}};
  bool& grouped = in_a_group_[job];
  if (text == "##[endgroup]") {
    grouped = false;
    return;
  }
  if (text.starts_with("##[group]")) {
    grouped = true;
    bool told = std::exchange(told_[job], {}) == text.substr(9);
    return told ? void() : say(prefix(job) + paint("> " + std::string(text.substr(9)), bold));
  }
  std::string line = colours_ ? std::string(text) : without_colours(text);
  for (const Mark& mark : marks)
    if (text.starts_with(mark.sign))
      line = paint(std::string(mark.word) + std::string(text.substr(mark.sign.size())), mark.colour);
  say(prefix(job) + (grouped ? "  " : "") + line);
}

void Screen::step_began(const std::string& job, std::string_view step) {
  in_a_group_[job] = false;
  told_[job] = step;
  say(prefix(job) + paint("* " + std::string(step), bold));
}

void Screen::step_ended(const std::string& job, std::string_view step, Conclusion conclusion, core::Duration took) {
  in_a_group_[job] = false;
  std::string time = conclusion == Conclusion::skipped ? "" : " (" + shown(took) + ")";
  say(prefix(job) + word_of(conclusion) + " " + std::string(step) + paint(time, faint));
}

void Screen::job_ended(const std::string& job, Conclusion conclusion, std::string_view reason, core::Duration took) {
  std::string time = took.count() > 0 ? " (" + shown(took) + ")" : "";
  say(prefix(job) + "= " + word_of(conclusion) + paint(time, faint) +
      (reason.empty() || conclusion == Conclusion::success ? "" : ": " + std::string(reason)));
}

// ---- the summary

void Screen::job_line(const pipeline::JobRow& job, const JobStory* story) {
  bool unserved = story != nullptr && story->unserved;
  Conclusion conclusion = job.conclusion.value_or(Conclusion::cancelled);
  std::string word = unserved ? paint("not run", yellow) : word_of(conclusion);
  size_t width = unserved ? 7 : good(conclusion) && conclusion == Conclusion::success ? 2 : 0;
  if (width == 0) width = conclusion == Conclusion::failure ? 6 : events::name_of(conclusion).size();
  std::string took = shown(between(job.started_at, job.completed_at));
  std::string line = "  " + word + std::string(width < 10 ? 10 - width : 1, ' ') + job.name;
  if (job.started_at) line += paint("  " + took, faint);
  if (conclusion != Conclusion::success && !job.reason.empty()) line += "  " + first_line(job.reason);
  say(line);
}

void Screen::failures(const pipeline::RunRow& run, const std::map<std::string, JobStory>& stories) {
  for (const auto& job : run.rows) {
    auto story = stories.find(job.job);
    bool failed = job.conclusion && !good(*job.conclusion) && *job.conclusion != Conclusion::cancelled;
    if (story == stories.end()) continue;
    const JobStory& told = story->second;
    if (failed && !told.failed_step.empty()) {
      say("");
      say(paint(job.name + ", step " + std::to_string(told.failed_number) + ": " + told.failed_step, bold));
      for (const auto& line : told.tail) log(job.name, line);
    }
    for (const auto& test : told.failed_tests)
      say("  " + paint("failed test ", red) + test.name +
          (test.message.empty() ? "" : ": " + first_line(test.message)));
    if (told.failed_tests_more > 0) say(fmt::format("  and {} more failed tests", told.failed_tests_more));
    for (const auto& note : job.annotations)
      if (!note.file.empty() || note.level != "error")
        say("  " + paint(note.level, note.level == "error" ? red : yellow) + " " + place_of(note) + note.message);
    if (!told.summary_file.empty()) say("  summary of " + job.name + ": " + told.summary_file);
  }
}

void Screen::summary(const std::vector<const pipeline::RunRow*>& runs, const std::map<std::string, JobStory>& stories) {
  for (const auto* run : runs) {
    say("");
    say(paint(run->workflow, bold) + " (" + run->workflow_file +
        "): " + word_of(run->conclusion.value_or(Conclusion::cancelled)) +
        paint("  " + shown(between(run->queued_at, run->completed_at)), faint));
    if (run->rows.empty() && !run->errors.empty()) say("  " + run->errors);
    for (const auto& job : run->rows) {
      auto story = stories.find(job.job);
      if (!job.calls || !job.reason.empty()) job_line(job, story == stories.end() ? nullptr : &story->second);
    }
    failures(*run, stories);
  }
  flush();
}

}  // namespace headrace::cli
