// What a `run:` step starts: which program, with which arguments, on a script of which name and text. GitHub Docs,
// "jobs.<job_id>.steps[*].shell", and its runner, which these options are of.
//
//   (none)      bash -e {0}, or sh -e {0} where there is no bash        python      python {0}
//   bash        bash --noprofile --norc -e -o pipefail {0}              node        node {0}, which GitHub has not
//   sh          sh -e {0}                                               pwsh        pwsh -command ". '{0}'"
//   WORDS {0}   these words, {0} being the script's path                powershell  powershell -command ". '{0}'"
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

struct ShellChoice {
  std::string program;    // "bash"
  std::string arguments;  // with {0}; "-e {0}"
  std::string extension;  // of the script: ".sh", ".py", ".ps1", "" for one's own
};

// `shell` evaluated; "" for the default, `bash_there` says which. invalid: no such shell, in GitHub's words.
core::Result<ShellChoice> choose_shell(std::string_view shell, bool bash_there);
std::vector<std::string> shell_command(const ShellChoice& shell, std::string_view script_path);
std::string script_text(const ShellChoice& shell, std::string_view run);  // what stands in the script

// What GitHub shows of a script without a name: its first line that is not blank.
std::string first_line(std::string_view run);
// What is to be evaluated for it: an expression may go over several lines.
std::string first_template_line(std::string_view run);

}  // namespace headrace::runner
