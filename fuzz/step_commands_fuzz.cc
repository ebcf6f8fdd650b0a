// rooms: runner
// Any bytes as what a step prints and as the files it writes: commands, values, paths, a problem matcher. What is read
// is bounded; the same output cut elsewhere gives the same log.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "services/runner/step_files.h"
#include "services/runner/step_output.h"

namespace {

namespace runner = headrace::runner;

void check(bool holds) {
  if (!holds) std::abort();
}

// A step without a runner around it.
struct Effects final : runner::CommandEffects, runner::ProblemEffects {
  runner::LogLines& lines;
  runner::Masks masks;
  runner::ProblemMatchers matchers;
  explicit Effects(runner::LogLines& to) : lines(to) {}
  void print(std::string_view line) override { lines.line(masks.masked(line)); }
  void debug(std::string_view line) override { print(line); }
  void annotate(runner::Annotation note) override {
    check(note.line >= 0 && note.end_line >= 0 && note.column >= 0 && note.end_column >= 0);
    print(note.message);
  }
  void add_mask(std::string_view secret) override { static_cast<void>(masks.add(secret)); }
  headrace::core::Result<> add_matchers(const std::string& file) override { return matchers.add(file); }
  headrace::core::Result<> remove_matchers(const std::string& file) override { return matchers.remove_those_of(file); }
  void remove_matcher(std::string_view owner) override { matchers.remove(owner); }
  void set_output(std::string name, std::string) override { check(!name.empty()); }
  void save_state(std::string name, std::string) override { check(!name.empty()); }
  void set_variable(std::string, std::string) override {}
  void add_path(std::string) override {}
  std::string variable(std::string_view) const override { return "true"; }
  void fail() override {}
  void problem(const runner::Problem& problem, std::string_view line) override {
    print(problem.message + std::string(line));
  }
  void matcher_removed(const std::string& message) override { print(message); }
};

class StillClock final : public headrace::core::Clock {
 public:
  headrace::core::Time now() const override { return {}; }
  headrace::core::Steady steady() const override { return {}; }
  headrace::core::Task<> sleep_for(headrace::core::Duration) override { co_return; }
};

std::string log_of(std::string_view text, size_t piece) {
  StillClock clock;
  runner::LogLines lines(clock);
  Effects effects(lines);
  static_cast<void>(effects.masks.add("secret"));
  runner::StepCommands commands(effects, true);
  runner::StepOutput output(lines, effects.masks, effects.matchers, commands, effects);
  for (size_t at = 0; at < text.size(); at += piece) output.add(text.substr(at, piece));
  output.end();
  lines.end();
  return lines.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto values = runner::parse_values_file(text);
  check(values ? values->size() <= runner::step_file_values_max : !values.error().message.empty());
  for (const auto& path : runner::parse_path_file(text)) check(!path.empty());
  runner::ProblemMatchers matchers;
  if (matchers.add(text)) static_cast<void>(matchers.match(text));
  if (size < 4'096) check(log_of(text, size + 1) == log_of(text, 1 + size % 7));
  return 0;
}
