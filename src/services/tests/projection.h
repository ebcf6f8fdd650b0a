// The history of tests as tables. What is high in number is small: a report is one row with a few bytes a case
// (marks.h), and a test is a row only once, when it is first seen. Rows beside it are written for what is rare:
// failures, changes, flaky tests. So a green run of a thousand tests costs one row of four kilobytes.
//
// A *series* is the same job of the same workflow writing the same file: results are compared within one only, so that
// a test that fails on one platform of a matrix and passes on another is neither flaky nor changed by it.
#pragma once

#include <string>
#include <vector>

#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::tests {

inline constexpr int64_t failures_a_report_max = 200;  // kept with their words; the others count
inline constexpr size_t changes_a_report_max = 1000;   // kept
inline constexpr int64_t compared_max = 8;             // reports of the same tree that a report is compared with

class HistoryProjection final : public store::Projection {
 public:
  static constexpr std::string_view projection_name = "tests";
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

}  // namespace headrace::tests
