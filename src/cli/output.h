// What a command prints and how it ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace headrace::cli {

// 0 done; 1 the thing asked about failed, does not exist or conflicts; 2 wrong usage; 3 no connection, no right, or the
// server's fault.
int exit_code_of(core::Code code);

void print(std::string_view text);  // standard output, as it is
void print_line(std::string_view text);
void print_json(const core::json::value& value);  // one line
int report(const core::Error& error, bool json);  // to standard error, with json as an object on standard output too

// Columns as wide as their widest cell, two spaces apart; the last is not padded.
std::string table(const std::vector<std::vector<std::string>>& rows);

// The text of a file, or of the standard input for "-"; at most 8 MiB.
core::Result<std::string> read_input(const std::string& path);

}  // namespace headrace::cli
