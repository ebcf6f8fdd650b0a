// The files a step writes to say something to the runner: GITHUB_ENV, GITHUB_OUTPUT and GITHUB_STATE hold "NAME=value"
// lines and values of several lines, "NAME<<DELIMITER", lines, "DELIMITER"; GITHUB_PATH a folder a line; and
// GITHUB_STEP_SUMMARY Markdown. GitHub Docs, "Workflow commands", "Environment files"; messages are GitHub's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

inline constexpr size_t step_file_bytes_max = size_t{1} << 20;     // env, output, state, path: one file
inline constexpr size_t step_summary_bytes_max = size_t{1} << 20;  // GitHub's bound of a step's summary
inline constexpr size_t step_file_values_max = 10'000;             // in one file

// In the order of the file, names may repeat (the last counts). invalid: the line that is wrong.
core::Result<Variables> parse_values_file(std::string_view text);
std::vector<std::string> parse_path_file(std::string_view text);

}  // namespace headrace::runner
