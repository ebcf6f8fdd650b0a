// Workflow commands: lines that a step prints to say something to the runner, "::name property=value,...::data".
// GitHub Docs, "Workflow commands for GitHub Actions"; messages are those of GitHub's runner.
//
//   debug, notice, warning, error (file, line, endLine, col, endColumn, title) · group, endgroup · add-mask
//   add-matcher, remove-matcher · echo on|off · stop-commands TOKEN ... ::TOKEN:: · set-output, save-state (deprecated,
//   with a warning) · set-env, add-path (an error, unless ACTIONS_ALLOW_UNSECURE_COMMANDS is true)
//
// The older form "##[name property=value;...]data", anywhere in a line, is known as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

inline constexpr size_t command_properties_max = 64;

struct CommandLine {
  std::string name;  // as written; names match without regard to case
  Variables properties;
  std::string data;

  std::string property(std::string_view wanted) const;  // "" where it is not given
};

// A cheap no: the line can be no command.
bool may_be_command(std::string_view line);
// Nothing where the line is none of the commands above, `also` ("" for none) counted as one.
std::optional<CommandLine> parse_command(std::string_view line, std::string_view also = {});

// %25, %0D, %0A stand for %, CR and LF.
std::string unescape_data(std::string_view text);

// A remark about code or the run. Levels as GitHub's check annotations have them.
struct Annotation {
  enum class Level { notice, warning, error };
  Level level = Level::notice;
  std::string message, title;
  std::string file;                                            // relative to the workspace; "": about no file
  int64_t line = 0, end_line = 0, column = 0, end_column = 0;  // from 1; 0: not given
  int64_t step = 0;                                            // its number in the job
  bool operator==(const Annotation&) const = default;
};
std::string_view name_of(Annotation::Level level);  // "error"
std::optional<Annotation::Level> parse_level(std::string_view name);

// What commands do to the step that printed them.
class CommandEffects {
 public:
  virtual ~CommandEffects() = default;
  virtual void print(std::string_view line) = 0;  // to the log, masked
  virtual void debug(std::string_view line) = 0;  // to the log where debugging is on
  // To the log, as ##[error]..., and kept. `file` is as the step wrote it.
  virtual void annotate(Annotation annotation) = 0;
  virtual void add_mask(std::string_view secret) = 0;
  virtual core::Result<> add_matchers(const std::string& file) = 0;     // an inside path, or relative to the workspace
  virtual core::Result<> remove_matchers(const std::string& file) = 0;  // those that the file names
  virtual void remove_matcher(std::string_view owner) = 0;
  virtual void set_output(std::string name, std::string value) = 0;
  virtual void save_state(std::string name, std::string value) = 0;
  virtual void set_variable(std::string name, std::string value) = 0;
  virtual void add_path(std::string path) = 0;
  virtual std::string variable(std::string_view name) const = 0;  // of the step's env context; "" where not set
  virtual void fail() = 0;                                        // the step fails, whatever its program's exit code
};

// The commands of one step, with what they switch: echo, and whether commands are listened to.
class StepCommands {
 public:
  StepCommands(CommandEffects& effects, bool echo) : effects_(effects), echo_(echo) {}
  // True: the line was a command, and is dealt with. False: it is output like any other.
  bool take(std::string_view line);

 private:
  core::Result<> process(const CommandLine& command, std::string_view line);
  core::Result<> stop(const CommandLine& command);
  core::Result<> switch_echo(const CommandLine& command);
  core::Result<> insecure(const CommandLine& command);
  core::Result<> remove_matchers(const CommandLine& command);
  void deprecated(const CommandLine& command);
  void add_mask(const CommandLine& command);

  CommandEffects& effects_;
  bool echo_;
  bool stopped_ = false;
  std::string token_;  // that ends stop-commands
};

// Lines and columns as GitHub takes them: what contradicts itself is left out.
Annotation annotation_of(const CommandLine& command, Annotation::Level level);

}  // namespace headrace::runner
