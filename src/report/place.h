// Where a test failed and what it said, found in the text of the failure: some tools tell it nowhere else. Known are
// GoogleTest's "FILE:LINE: Failure", the last line of a pytest failure ("FILE:LINE: AssertionError"), the last frame of
// a Python traceback, the first own frame of a JavaScript stack, and "FILE:LINE:COLUMN: error: ..." as compilers and
// Catch2 write it. Of a text's first text_looked_at_max bytes. Pure; linear in the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::report {

inline constexpr size_t text_looked_at_max = 64 * 1024;

struct Place {
  std::string file;
  int64_t line = 0;
  std::string message;  // what stood with it; may be empty
  bool operator==(const Place&) const = default;
};

std::optional<Place> place_in(std::string_view text);

// "src/a.cc:12" alone in a line, as GoogleTest begins the message of a failure.
std::optional<Place> place_alone(std::string_view line);

}  // namespace headrace::report
