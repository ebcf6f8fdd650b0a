// How people name a run on the command line. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"

namespace headrace::cli {

// "7" may be an id or a number, "#7" and "team/hello#7" are numbers, what has no digits alone is a UUID.
struct RunName {
  std::string repository;  // empty: not said
  std::string digits;      // empty: a UUID
  std::string uuid;
  bool may_be_id = false;
};
core::Result<RunName> parse_run_name(std::string_view text);  // invalid: it is none of these

// The id of the run with this number among those of the repository that have it: workflows count each for itself.
// not_found: there is none; conflict: there are several, which it names.
core::Result<std::string> run_with_number(const core::json::value& runs, const std::string& number,
                                          const std::string& repository);

// "CI #3 of team/hello (id 125)"
std::string words_of_run(const core::json::value& run);

}  // namespace headrace::cli
