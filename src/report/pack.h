// What the cases of a report came to, small enough to travel in events: names, results, times, and of bad cases the
// first words and where they stand. A report of 100,000 cases is a handful of parts; docs/test-reports.md has the
// bytes. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "report/report.h"

namespace headrace::report {

inline constexpr size_t part_bytes_max = size_t{150} << 10;  // of a packed part: as base64, and in JSON, within 256 KiB
inline constexpr size_t parts_max = 8;                       // of a report; cases that do not fit are left out
inline constexpr size_t unpacked_bytes_max = size_t{8} << 20;  // of one part
inline constexpr size_t told_message_bytes_max = 500;          // of a bad case
inline constexpr size_t told_details_bytes_max = 2000;         // of one of the first told_details_max bad cases
inline constexpr size_t told_details_max = 200;

struct CaseResult {
  std::string suite = {};  // path: "outer > inner"
  std::string class_name = {};
  std::string name = {};
  Outcome outcome = Outcome::passed;
  bool flaky = false;                        // passed when tried again, within the report
  std::optional<int64_t> microseconds = {};  // from 0; nothing: not known
  std::string file = {};                     // of bad cases only, as are the following
  int64_t line = 0;
  std::string message = {};
  std::string details = {};
  bool operator==(const CaseResult&) const = default;
};

struct Packed {
  std::vector<std::string> parts;  // bytes; bad cases come first
  int64_t told = 0;                // cases in them
};

Packed pack(const Report& report);
core::Result<std::vector<CaseResult>> unpack(std::string_view part);  // invalid: it is none, or not within the bounds

// 16 hexadecimal digits that name a test within its repository: of its suite, class and name.
std::string test_id(std::string_view suite, std::string_view class_name, std::string_view name);

}  // namespace headrace::report
