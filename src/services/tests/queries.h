// What is asked of the projection's tables; Tests has what each means.
#pragma once

#include "services/tests/tests.h"
#include "sqlite/connection.h"

namespace headrace::tests {

core::Result<RunTests> tests_of_run(sqlite::Connection& tables, const std::string& run, const Page& page,
                                    const Tests::Only& only);
core::Result<RedPage> red_tests(sqlite::Connection& tables, const std::string& run, int64_t after);
core::Result<History> history_of(sqlite::Connection& tables, const std::string& repository, const std::string& test,
                                 const std::string& ref, const Page& page);
core::Result<FlakyPage> flaky_tests(sqlite::Connection& tables, const std::string& repository, const Page& page);
core::Result<std::vector<Slow>> slowest_tests(sqlite::Connection& tables, const std::string& repository,
                                              const std::string& ref, size_t limit);

// What is to be said of a report once all its parts are there: bad cases first, then changes; at most `max`.
struct Notable {
  std::string repository;
  Report report;
  std::vector<CaseOfRun> cases;
  std::vector<bool> flaky;  // one a case: on one tree
};
core::Result<Notable> notable_in(sqlite::Connection& tables, const std::string& report, size_t max);

}  // namespace headrace::tests
