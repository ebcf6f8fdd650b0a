#include "services/runner/step_commands.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

constexpr std::array<std::string_view, 15> names{
    "stop-commands", "set-env", "set-output", "save-state", "add-mask", "add-path", "add-matcher", "remove-matcher",
    "debug",         "warning", "error",      "notice",     "group",    "endgroup", "echo"};
// Those whose echo would show what they hide, or show it twice.
constexpr std::array<std::string_view, 5> silent{"add-mask", "debug", "warning", "error", "notice"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

template <size_t count>
bool is_one_of(std::string_view name, const std::array<std::string_view, count>& all) {
  return std::ranges::any_of(all, [&](std::string_view known) { return same(known, name); });
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::string unescape(std::string_view text, std::string_view also) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    auto code = text[at] == '%' ? text.substr(at + 1, 2) : std::string_view();
    char stands_for = 0;
    if (code == "25") stands_for = '%';
    if (code == "0D") stands_for = '\r';
    if (code == "0A") stands_for = '\n';
    if (code == "3A" && also.contains(':')) stands_for = ':';
    if (code == "2C" && also.contains(',')) stands_for = ',';
    if (code == "3B" && also.contains(';')) stands_for = ';';
    if (code == "5D" && also.contains(']')) stands_for = ']';
    out += stands_for != 0 ? stands_for : text[at];
    if (stands_for != 0) at += 2;
  }
  return out;
}

// "name a=1,b=2" of either form; nothing where the name is no command.
std::optional<CommandLine> parse_head(std::string_view head, char between, std::string_view escaped,
                                      std::string_view also) {
  auto space = head.find(' ');
  auto name = head.substr(0, space);
  if (!is_one_of(name, names) && (also.empty() || !same(name, also))) return std::nullopt;
  CommandLine command;
  command.name = name;
  if (space == std::string_view::npos) return command;
  for (auto rest = without_blanks(head.substr(space + 1)); !rest.empty();) {
    auto end = rest.find(between);
    auto property = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    auto equals = property.find('=');
    if (equals == std::string_view::npos) continue;
    if (command.properties.size() >= command_properties_max) break;
    command.properties.emplace_back(without_blanks(property.substr(0, equals)),
                                    unescape(property.substr(equals + 1), escaped));
  }
  return command;
}

std::optional<CommandLine> parse_colons(std::string_view line, std::string_view also) {
  auto text = line.substr(std::min(line.find_first_not_of(" \t\r\v\f"), line.size()));
  if (!text.starts_with("::")) return std::nullopt;
  auto end = text.find("::", 2);
  if (end == std::string_view::npos) return std::nullopt;
  auto command = parse_head(text.substr(2, end - 2), ',', ":,", also);
  if (command) command->data = unescape(text.substr(end + 2), "");
  return command;
}

std::optional<CommandLine> parse_brackets(std::string_view line, std::string_view also) {
  auto begin = line.find("##[");
  if (begin == std::string_view::npos) return std::nullopt;
  auto end = line.find(']', begin);
  if (end == std::string_view::npos) return std::nullopt;
  auto command = parse_head(line.substr(begin + 3, end - begin - 3), ';', ";]", also);
  if (command) command->data = unescape(line.substr(end + 1), ";]");
  return command;
}

int64_t number(const CommandLine& command, std::string_view name) {
  std::string text = command.property(name);
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

std::unexpected<core::Error> wrong(std::string message) { return core::fail(Code::invalid, std::move(message)); }

}  // namespace

std::string unescape_data(std::string_view text) { return unescape(text, ""); }

std::string CommandLine::property(std::string_view wanted) const {
  for (const auto& [known, value] : properties)
    if (same(known, wanted)) return value;
  return {};
}

bool may_be_command(std::string_view line) {
  auto first = line.find_first_not_of(" \t\r\v\f");
  if (first == std::string_view::npos) return false;
  return line.substr(first, 2) == "::" || line.contains("##[");
}

std::optional<CommandLine> parse_command(std::string_view line, std::string_view also) {
  auto command = parse_colons(line, also);
  return command ? command : parse_brackets(line, also);
}

std::string_view name_of(Annotation::Level level) {
  switch (level) {
    case Annotation::Level::notice: return "notice";
    case Annotation::Level::warning: return "warning";
    case Annotation::Level::error: return "error";
  }
  return "notice";
}

std::optional<Annotation::Level> parse_level(std::string_view name) {
  for (auto level : {Annotation::Level::notice, Annotation::Level::warning, Annotation::Level::error})
    if (same(name, name_of(level))) return level;
  return std::nullopt;
}

Annotation annotation_of(const CommandLine& command, Annotation::Level level) {
  Annotation note{.level = level,
                  .message = command.data,
                  .title = command.property("title"),
                  .file = command.property("file"),
                  .line = number(command, "line"),
                  .end_line = number(command, "endLine"),
                  .column = number(command, "col"),
                  .end_column = number(command, "endColumn")};
  if (note.line == 0) note.line = note.end_line;
  if (note.column == 0) note.column = note.end_column;
  bool spans_lines = note.end_line != 0 && note.end_line != note.line;
  if (note.line == 0 || spans_lines) note.column = note.end_column = 0;
  if (note.end_line != 0 && note.end_line < note.line) note.line = note.end_line = 0;
  if (note.end_column != 0 && note.end_column < note.column) note.column = note.end_column = 0;
  return note;
}

bool StepCommands::take(std::string_view line) {
  if (!may_be_command(line)) return false;
  auto command = parse_command(line, token_);
  if (!command) return false;
  if (stopped_) {
    if (!same(command->name, token_)) return false;
    effects_.print(line);
    stopped_ = false;
    token_.clear();
    return true;
  }
  if (echo_ && !is_one_of(command->name, silent)) effects_.print(line);
  if (auto done = process(*command, line); !done) {
    bool hide = is_one_of(command->name, silent);
    effects_.annotate(
        {.level = Annotation::Level::error,
         .message = "Unable to process command '" + (hide ? command->name : std::string(line)) + "' successfully.",
         .title = {},
         .file = {}});
    effects_.annotate({.level = Annotation::Level::error, .message = done.error().message, .title = {}, .file = {}});
    effects_.fail();
  }
  return true;
}

Result<> StepCommands::process(const CommandLine& command, std::string_view line) {
  auto is = [&](std::string_view name) { return same(command.name, name); };
  if (auto level = parse_level(command.name)) return effects_.annotate(annotation_of(command, *level)), Result<>{};
  if (is("debug")) return effects_.debug(command.data), Result<>{};
  if (is("group")) return effects_.print("##[group]" + command.data), Result<>{};
  if (is("endgroup")) return effects_.print("##[endgroup]"), Result<>{};
  if (is("add-mask")) return add_mask(command), Result<>{};
  if (is("echo")) return switch_echo(command);
  if (is("stop-commands")) {
    if (!echo_) effects_.print(line);
    return stop(command);
  }
  if (is("add-matcher")) {
    if (!command.data.empty()) return effects_.add_matchers(command.data);
    effects_.annotate(
        {.level = Annotation::Level::warning, .message = "File path must be specified.", .title = {}, .file = {}});
    return {};
  }
  if (is("remove-matcher")) return remove_matchers(command);
  if (is("set-env") || is("add-path")) return insecure(command);
  std::string name = command.property("name");
  if (name.empty()) return wrong("Required field 'name' is missing in ##[" + command.name + "] command.");
  deprecated(command);
  if (is("set-output")) {
    effects_.set_output(std::move(name), command.data);
  } else {
    effects_.save_state(std::move(name), command.data);
  }
  return {};
}

void StepCommands::deprecated(const CommandLine& command) {
  effects_.annotate(
      {.level = Annotation::Level::warning,
       .message = "The `" + command.name +
                  "` command is deprecated and will be disabled soon. Please upgrade to using Environment "
                  "Files. For more information see: https://github.blog/changelog/"
                  "2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/",
       .title = {},
       .file = {}});
}

Result<> StepCommands::stop(const CommandLine& command) {
  bool weak = command.data.empty() || command.data == "pause-logging" || is_one_of(command.data, names);
  if (weak && !same(effects_.variable("ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS"), "true"))
    return wrong(
        "You cannot use a endToken that is an empty string, the string 'pause-logging', or another workflow command. "
        "For "
        "more information see: https://docs.github.com/actions/learn-github-actions/"
        "workflow-commands-for-github-actions#example-stopping-and-starting-workflow-commands or opt into insecure "
        "command execution by setting the `ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS` environment variable to `true`.");
  stopped_ = true;
  token_ = command.data;
  return {};
}

Result<> StepCommands::switch_echo(const CommandLine& command) {
  auto value = without_blanks(command.data);
  if (!same(value, "on") && !same(value, "off"))
    return wrong("Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '" + command.data +
                 "'.");
  echo_ = same(value, "on");
  return {};
}

Result<> StepCommands::insecure(const CommandLine& command) {
  if (!same(effects_.variable("ACTIONS_ALLOW_UNSECURE_COMMANDS"), "true"))
    return wrong("The `" + command.name +
                 "` command is disabled. Please upgrade to using Environment Files or opt into unsecure command "
                 "execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`. For more "
                 "information see: https://github.blog/changelog/"
                 "2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/");
  if (same(command.name, "add-path")) {
    if (command.data.empty()) return wrong("The path of ##[add-path] is empty.");
    return effects_.add_path(command.data), Result<>{};
  }
  std::string name = command.property("name");
  if (name.empty()) return wrong("Required field 'name' is missing in ##[set-env] command.");
  if (same(name, "NODE_OPTIONS")) {
    effects_.annotate({.level = Annotation::Level::error,
                       .message = "Can't update NODE_OPTIONS environment variable using ::set-env:: command.",
                       .title = {},
                       .file = {}});
    return {};
  }
  return effects_.set_variable(std::move(name), command.data), Result<>{};
}

Result<> StepCommands::remove_matchers(const CommandLine& command) {
  std::string owner = command.property("owner");
  bool both = !owner.empty() && !command.data.empty();
  bool none = owner.empty() && command.data.empty();
  if (both || none) {
    effects_.annotate({.level = Annotation::Level::warning,
                       .message = both ? "Either specify an owner name or a file path in ##[remove-matcher] command. "
                                         "Both values cannot be set."
                                       : "Either an owner name or a file path must be specified in ##[remove-matcher] "
                                         "command.",
                       .title = {},
                       .file = {}});
    return {};
  }
  if (owner.empty()) return effects_.remove_matchers(command.data);
  effects_.remove_matcher(owner);
  return {};
}

void StepCommands::add_mask(const CommandLine& command) {
  if (without_blanks(command.data).empty()) {
    effects_.annotate({.level = Annotation::Level::warning,
                       .message = "Can't add secret mask for empty string in ##[add-mask] command.",
                       .title = {},
                       .file = {}});
    return;
  }
  if (echo_) effects_.print("::add-mask::***");
  effects_.add_mask(command.data);
}

}  // namespace headrace::runner
