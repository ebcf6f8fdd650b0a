#include "cli/completion.h"

#include "cli/output.h"

namespace headrace::cli {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

}  // namespace

int print_completion(const Words& words, const std::string& shell) {
  std::string script;
  if (shell == "zsh") script += "autoload -U +X bashcompinit && bashcompinit\n";
  script +=
      "_headrace() {\n  local at=\"\" word\n  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$word\" "
      "in -*) ;; *) at=\"${at:+$at }$word\" ;; esac\n  done\n  local words=\"\"\n  case \"$at\" in\n";
  // Longer places first: the first pattern that fits counts.
  for (auto entry = words.rbegin(); entry != words.rend(); ++entry)
    script += "    \"" + entry->first + "\"" + (entry->first.empty() ? "" : "*") + ") words=\"" +
              joined(entry->second) + "\" ;;\n";
  script +=
      "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n  [ ${#COMPREPLY[@]} -gt 0 ] "
      "|| COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -F _headrace headrace\n";
  print(script);
  return 0;
}

}  // namespace headrace::cli
