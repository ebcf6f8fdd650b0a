// Files of variables for `exec` (--env-file, --secret-file, --var-file), as dotenv files are:
//
//   NAME=plain text        # a comment; blanks around the value are dropped
//   export NAME='as it stands, over several lines'
//   NAME="escapes: \n \t \r \" \\ \$, over several lines"
//
// Of a name that stands twice the last counts. Nothing is expanded.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::cli {

inline constexpr size_t variables_file_bytes_max = 1024 * 1024;

// invalid: "FILE:LINE:COLUMN: what is wrong and what would be right"; never a value of the file.
core::Result<runner::Variables> parse_variables(std::string_view text, const std::string& file);
// The file; an empty path gives nothing.
core::Result<runner::Variables> read_variables(const std::string& path);

}  // namespace headrace::cli
