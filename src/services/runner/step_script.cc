#include "services/runner/step_script.h"

#include <algorithm>
#include <array>
#include <utility>

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

struct Known {
  std::string_view name, arguments, extension;
};
constexpr std::array<Known, 6> shells{{{"bash", "--noprofile --norc -e -o pipefail {0}", ".sh"},
                                       {"sh", "-e {0}", ".sh"},
                                       {"python", "{0}", ".py"},
                                       {"node", "{0}", ".js"},
                                       {"pwsh", "-command \". '{0}'\"", ".ps1"},
                                       {"powershell", "-command \". '{0}'\"", ".ps1"}}};

const Known* known_shell(std::string_view name) {
  const auto* found = std::ranges::find(shells, name, &Known::name);
  return found == shells.end() ? nullptr : found;
}

// Words as .NET splits a command line: blanks part them, double quotes hold them together, \" is a quote.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false, begun = false;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\\' && text.substr(at + 1, 1) == "\"") {
      word += '"';
      begun = true;
      ++at;
    } else if (c == '"') {
      inside = !inside;
      begun = true;
    } else if ((c == ' ' || c == '\t') && !inside) {
      if (begun) words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (begun) words.push_back(std::move(word));
  return words;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

}  // namespace

Result<ShellChoice> choose_shell(std::string_view shell, bool bash_there) {
  auto first = shell.find_first_not_of(' ');
  if (first == std::string_view::npos) return ShellChoice{bash_there ? "bash" : "sh", "-e {0}", ".sh"};
  shell.remove_prefix(first);
  auto space = shell.find(' ');
  std::string program(shell.substr(0, space));
  std::string arguments(space == std::string_view::npos ? "" : shell.substr(space + 1));
  const Known* known = known_shell(program);
  if (arguments.find_first_not_of(' ') == std::string::npos && known) arguments = known->arguments;
  if (!arguments.contains("{0}"))
    return core::fail(Code::invalid,
                      "Invalid shell option. Shell must be a valid built-in (bash, sh, python, node, pwsh, powershell) "
                      "or a format string containing '{0}'; it is '" +
                          std::string(shell) + "'.");
  return ShellChoice{std::move(program), std::move(arguments), known ? std::string(known->extension) : ""};
}

std::vector<std::string> shell_command(const ShellChoice& shell, std::string_view script_path) {
  std::vector<std::string> argv{shell.program};
  for (auto& word : words_of(shell.arguments)) argv.push_back(replaced(std::move(word), "{0}", script_path));
  return argv;
}

std::string script_text(const ShellChoice& shell, std::string_view run) {
  std::string text(run);
  if (shell.program == "pwsh" || shell.program == "powershell")
    return "$ErrorActionPreference = 'stop'\n" + text +
           "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }";
  return text + "\n";
}

std::string first_line(std::string_view run) {
  auto begin = run.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  run.remove_prefix(begin);
  return std::string(run.substr(0, run.find_first_of("\r\n")));
}

std::string first_template_line(std::string_view run) {
  auto begin = run.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  run.remove_prefix(begin);
  size_t end = 0;
  while (end < run.size() && run[end] != '\n' && run[end] != '\r') {
    size_t closed = run.substr(end).starts_with("${{") ? run.find("}}", end) : std::string_view::npos;
    end = closed == std::string_view::npos ? end + 1 : closed + 2;
  }
  return std::string(run.substr(0, end));
}

}  // namespace headrace::runner
