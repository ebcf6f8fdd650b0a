// What most commands do: ask the server one thing, and show the answer.
#pragma once

#include <string>
#include <string_view>

#include "cli/api.h"
#include "cli/output.h"

namespace headrace::cli {

// `ask` is given an Api and returns the answer's JSON; it is printed as it is with --json, else shown by `show`.
template <class Ask, class Show>
int asked(bool json, Ask ask, Show show) {
  auto access = find_access();
  if (!access) return report(access.error(), json);
  Api api(*access);
  core::Result<core::json::value> answer = ask(api);
  if (!answer) return report(answer.error(), json);
  if (json) {
    print_json(answer->is_null() ? core::json::value(core::json::object()) : *answer);
  } else {
    show(*answer);
  }
  return 0;
}

// A text member, or "-" where there is none.
std::string words(const core::json::value& value, std::string_view key);
// An integer member as text, or "-".
std::string number(const core::json::value& value, std::string_view key);

}  // namespace headrace::cli
