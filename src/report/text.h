// Small readings of texts that tools write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::report {

// "1.5", "1,234.5", "0,5", " 3s ", "1.4e-05": seconds; nothing for anything else, infinities too.
std::optional<double> parse_seconds(std::string_view text);
std::optional<int64_t> parse_count(std::string_view text);

std::string_view trimmed(std::string_view text);     // without white space at both ends
std::string_view first_line(std::string_view text);  // the first that is not blank, trimmed

std::string_view last_line(std::string_view text);  // likewise the last

// Appends as much of the UTF-8 `piece` as fits in `bytes_max`, ending on a whole character. False: some did not fit.
bool append_cut(std::string& text, std::string_view piece, size_t bytes_max);

}  // namespace headrace::report
