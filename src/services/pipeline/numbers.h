// Names and numbers that are given once.
//
// 64-bit ids (GitHub's API shows them) need no table: a batch that names the log's key "ids" and expects it at offset e
// may give the ids e + 1 to e + n, where n is at most the number of its events. The log takes it only if e is still the
// end of the last batch that did so, and this batch ends at e + n or later; so ids never repeat, and they grow.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "log/event_log.h"

namespace headrace::pipeline {

inline constexpr std::string_view ids_key = "ids";
std::string numbers_key(std::string_view repository);  // "numbers/<repository>"
std::string run_key(std::string_view run);             // "run/<run>": named by all that is said of a run

class Ids {
 public:
  explicit Ids(log::Offset expected) : expected_(expected), last_(expected) {}
  int64_t next() { return static_cast<int64_t>(++last_); }
  bool given() const { return last_ != expected_; }
  log::Expected expectation() const { return {std::string(ids_key), expected_}; }

 private:
  log::Offset expected_;
  log::Offset last_;
};

// UUIDs (version 8, RFC 9562, section 5.8) that follow from what they name, so that a repeated decision names the same.
std::string derived_uuid(std::string_view kind, std::string_view of, std::string_view name);
std::string job_uuid(std::string_view run, int64_t run_attempt, std::string_view key);

}  // namespace headrace::pipeline
