#include "services/tests/queries.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "services/tests/marks.h"

namespace headrace::tests {

using core::Code;
using core::Result;

namespace {

constexpr size_t scanned_bytes_max = size_t{32} << 20;  // of marks, for one page of a history

constexpr std::string_view report_columns =
    "report, run, job, job_key, file, environment, ref, commit_id, attempt, step, at, suites, cases, passed, failed, "
    "errored, skipped, not_run, flaky, duration_us, told, repository, seq, marks ";

struct Stored {
  Report report;
  std::string repository;
  int64_t seq = 0;
  std::string marks;
};

core::Time time_of(int64_t nanoseconds) { return core::Time(core::Duration(nanoseconds)); }

Stored read_stored(const sqlite::Row& row) {
  Stored stored;
  Report& it = stored.report;
  it.report = row.text(0);
  it.run = row.text(1);
  it.job = row.text(2);
  it.job_key = row.text(3);
  it.file = row.text(4);
  it.environment = row.text(5);
  it.ref = row.text(6);
  it.commit = row.text(7);
  it.attempt = row.integer(8);
  it.step = row.integer(9);
  it.at = time_of(row.integer(10));
  int column = 11;
  for (int64_t* count : {&it.suites, &it.cases, &it.passed, &it.failed, &it.errored, &it.skipped, &it.not_run,
                         &it.flaky, &it.microseconds, &it.told})
    *count = row.integer(column++);
  stored.repository = row.text(21);
  stored.seq = row.integer(22);
  stored.marks = row.text(23);
  return stored;
}

template <class... Values>
Result<std::vector<Stored>> reports_where(sqlite::Connection& tables, std::string_view where, const Values&... values) {
  std::string sql = "SELECT " + std::string(report_columns) + "FROM report WHERE " + std::string(where);
  return tables.all(sqlite::Sql::generated(sql), read_stored, values...);
}

Test read_test(const sqlite::Row& row) { return {row.text(0), row.text(1), row.text(2), row.text(3)}; }

Result<Test> test_of(sqlite::Connection& tables, const std::string& repository, int64_t number) {
  auto test = tables.first("SELECT test, suite, class, name FROM test WHERE repository = ? AND number = ?", read_test,
                           repository, number);
  if (!test) return std::unexpected(test.error());
  return test->value_or(Test{});
}

Outcome outcome_of(const Mark& mark) {
  Outcome outcome;
  outcome.outcome = mark.outcome;
  outcome.flaky = mark.flaky;
  outcome.microseconds = mark.microseconds;
  return outcome;
}

// What the rare tables have of it.
Result<> add_words(sqlite::Connection& tables, const std::string& report, int64_t test, Outcome& outcome) {
  if (report::is_bad(outcome.outcome)) {
    auto read = [&](const sqlite::Row& row) {
      outcome.message = row.text(0);
      outcome.details = row.text(1);
      outcome.file = row.text(2);
      outcome.line = row.integer(3);
      return true;
    };
    auto failure = tables.first(
        "SELECT message, details, file, line FROM failure WHERE report = ? AND test = ? ORDER BY "
        "position LIMIT 1",
        read, report, test);
    if (!failure) return std::unexpected(failure.error());
  }
  auto read = [&](const sqlite::Row& row) {
    outcome.before = row.text(0);
    outcome.flaky = outcome.flaky || row.boolean(1);
    return true;
  };
  auto change = tables.first("SELECT before, flaky FROM change WHERE report = ? AND test = ?", read, report, test);
  if (!change) return std::unexpected(change.error());
  return {};
}

Result<int64_t> number_in(const std::string& cursor, int64_t otherwise) {
  if (cursor.empty()) return otherwise;
  int64_t number = 0;
  auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc() || end != cursor.data() + cursor.size() || number < 0)
    return core::fail(Code::invalid, "The cursor is not one of this list; take next of the page before.");
  return number;
}

Result<std::optional<int64_t>> find_test(sqlite::Connection& tables, const std::string& repository,
                                         const std::string& test) {
  return tables.first(
      "SELECT number FROM test WHERE repository = ? AND test = ?",
      [](const sqlite::Row& row) { return row.integer(0); }, repository, test);
}

Result<> add_run(sqlite::Connection& tables, Past& past) {
  auto read = [&](const sqlite::Row& row) {
    past.run_number = row.integer(0);
    past.workflow = row.text(1);
    return true;
  };
  auto run = tables.first("SELECT number, workflow FROM run WHERE run = ?", read, past.report.run);
  if (!run) return std::unexpected(run.error());
  return {};
}

// The test's results in one report: more than one where it was tried again.
Result<> add_past(sqlite::Connection& tables, const Stored& stored, int64_t number, History& history) {
  for (const Mark& mark : marks_of(stored.marks)) {
    if (mark.test != number) continue;
    Past past;
    past.report = stored.report;
    past.outcome = outcome_of(mark);
    if (auto added = add_words(tables, stored.report.report, number, past.outcome); !added) return added;
    if (auto added = add_run(tables, past); !added) return added;
    history.results.push_back(std::move(past));
  }
  return {};
}

struct Placed {
  const Stored* stored;
  Mark mark;
};

Result<CaseOfRun> case_of(sqlite::Connection& tables, const Placed& placed) {
  CaseOfRun one;
  auto test = test_of(tables, placed.stored->repository, placed.mark.test);
  if (!test) return std::unexpected(test.error());
  one.test = std::move(*test);
  one.outcome = outcome_of(placed.mark);
  one.report = placed.stored->report.report;
  if (auto added = add_words(tables, one.report, placed.mark.test, one.outcome); !added)
    return std::unexpected(added.error());
  return one;
}

}  // namespace

Result<RunTests> tests_of_run(sqlite::Connection& tables, const std::string& run, const Page& page,
                              const Tests::Only& only) {
  auto from = number_in(page.cursor, 0);
  if (!from) return std::unexpected(from.error());
  auto stored = reports_where(tables, "run = ? ORDER BY seq", run);
  if (!stored) return std::unexpected(stored.error());
  auto unwanted = [&only](const Stored& one) {
    return only && std::ranges::find(*only, Try{one.report.job, one.report.attempt}) == only->end();
  };
  std::erase_if(*stored, unwanted);
  RunTests answer;
  std::vector<Placed> all;
  for (const Stored& one : *stored) {
    answer.reports.push_back(one.report);
    for (const Mark& mark : marks_of(one.marks)) all.push_back({&one, mark});
  }
  std::ranges::stable_partition(all, [](const Placed& placed) { return report::is_bad(placed.mark.outcome); });
  for (size_t i = static_cast<size_t>(*from); i < all.size(); ++i) {
    if (answer.cases.size() == page.limit) {
      answer.next = std::to_string(i);
      break;
    }
    auto one = case_of(tables, all[i]);
    if (!one) return std::unexpected(one.error());
    answer.cases.push_back(std::move(*one));
  }
  return answer;
}

Result<RedPage> red_tests(sqlite::Connection& tables, const std::string& run, int64_t after) {
  auto stored =
      reports_where(tables, "run = ? AND seq > ? AND seen = parts AND failed + errored > 0 ORDER BY seq LIMIT ?", run,
                    after, red_reports_max);
  if (!stored) return std::unexpected(stored.error());
  RedPage page{.tests = {}, .after = after};
  for (const Stored& one : *stored) {
    page.after = one.seq;
    size_t told = 0;
    for (const Mark& mark : marks_of(one.marks)) {
      if (!report::is_bad(mark.outcome)) continue;
      if (++told > cases_said_max) break;
      auto red = case_of(tables, {&one, mark});
      if (!red) return std::unexpected(red.error());
      page.tests.push_back({std::move(red->test), std::move(red->outcome), one.report});
    }
  }
  return page;
}

Result<History> history_of(sqlite::Connection& tables, const std::string& repository, const std::string& test,
                           const std::string& ref, const Page& page) {
  auto before = number_in(page.cursor, INT64_MAX);
  if (!before) return std::unexpected(before.error());
  auto number = find_test(tables, repository, test);
  if (!number) return std::unexpected(number.error());
  if (!*number)
    return core::fail(Code::not_found, "There is no test '" + test.substr(0, 60) + "' in " + repository +
                                           "; the tests of a run show their ids.");
  auto known = test_of(tables, repository, **number);
  if (!known) return std::unexpected(known.error());
  History history{.test = std::move(*known), .results = {}, .next = {}};
  size_t bytes = 0;
  int64_t scanned = 0;
  while (true) {
    auto next =
        reports_where(tables, "repository = ?1 AND seq < ?2 AND (?3 = '' OR ref = ?3) ORDER BY seq DESC LIMIT 1",
                      repository, *before, ref);
    if (!next) return std::unexpected(next.error());
    if (next->empty()) return history;
    const Stored& stored = next->front();
    if (history.results.size() >= page.limit || ++scanned > reports_scanned_max || bytes > scanned_bytes_max) {
      history.next = std::to_string(*before);
      return history;
    }
    if (auto added = add_past(tables, stored, **number, history); !added) return std::unexpected(added.error());
    bytes += stored.marks.size();
    *before = stored.seq;
  }
}

Result<FlakyPage> flaky_tests(sqlite::Connection& tables, const std::string& repository, const Page& page) {
  auto from = number_in(page.cursor, 0);
  if (!from) return std::unexpected(from.error());
  auto read = [](const sqlite::Row& row) {
    return Flaky{
        {row.text(0), row.text(1), row.text(2), row.text(3)}, row.integer(4), time_of(row.integer(5)), row.text(6)};
  };
  auto tests = tables.all(
      "SELECT t.test, t.suite, t.class, t.name, f.times, f.at, r.run FROM flaky f JOIN test t ON t.repository = "
      "f.repository AND t.number = f.test JOIN report r ON r.report = f.report WHERE f.repository = ? ORDER BY f.seq "
      "DESC, "
      "f.test LIMIT ? OFFSET ?",
      read, repository, page.limit + 1, *from);
  if (!tests) return std::unexpected(tests.error());
  FlakyPage answer{.tests = std::move(*tests), .next = {}};
  if (answer.tests.size() > page.limit) {
    answer.tests.pop_back();
    answer.next = std::to_string(*from + static_cast<int64_t>(page.limit));
  }
  return answer;
}

Result<std::vector<Slow>> slowest_tests(sqlite::Connection& tables, const std::string& repository,
                                        const std::string& ref, size_t limit) {
  auto reports =
      reports_where(tables,
                    "report IN (SELECT report FROM (SELECT report, max(seq) AS newest FROM report WHERE "
                    "repository = ?1 AND (?2 = '' OR ref = ?2) GROUP BY series ORDER BY newest DESC LIMIT ?3)) "
                    "ORDER BY seq DESC",
                    repository, ref, series_max);
  if (!reports) return std::unexpected(reports.error());
  std::vector<Placed> all;
  for (const Stored& one : *reports)
    for (const Mark& mark : marks_of(one.marks))
      if (mark.microseconds) all.push_back({&one, mark});
  auto slower = [](const Placed& a, const Placed& b) {  // in the order of the log where they took the same
    return std::tuple(*b.mark.microseconds, b.stored->seq, a.mark.test) <
           std::tuple(*a.mark.microseconds, a.stored->seq, b.mark.test);
  };
  const size_t count = std::min(limit, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(count), slower);
  std::vector<Slow> slow;
  for (size_t i = 0; i < count; ++i) {
    auto test = test_of(tables, repository, all[i].mark.test);
    if (!test) return std::unexpected(test.error());
    slow.push_back(
        {std::move(*test), *all[i].mark.microseconds, all[i].stored->report.run, all[i].stored->report.job_key});
  }
  return slow;
}

Result<Notable> notable_in(sqlite::Connection& tables, const std::string& report, size_t max) {
  auto stored = reports_where(tables, "report = ? AND seen = parts", report);
  if (!stored) return std::unexpected(stored.error());
  Notable notable;
  if (stored->empty()) return notable;
  notable.repository = stored->front().repository;
  notable.report = stored->front().report;
  std::map<int64_t, bool> changed;  // to whether it is flaky on one tree
  auto changes = tables.all(
      "SELECT test, flaky FROM change WHERE report = ?",
      [](const sqlite::Row& row) { return std::pair(row.integer(0), row.boolean(1)); }, report);
  if (!changes) return std::unexpected(changes.error());
  changed.insert(changes->begin(), changes->end());
  auto marks = marks_of(stored->front().marks);
  auto bad = [](const Mark& mark) { return report::is_bad(mark.outcome); };
  std::ranges::stable_partition(marks, bad);
  for (const Mark& mark : marks) {
    if (notable.cases.size() >= max) break;
    auto change = changed.find(mark.test);
    if (!bad(mark) && change == changed.end()) continue;
    auto one = case_of(tables, {&stored->front(), mark});
    if (!one) return std::unexpected(one.error());
    notable.cases.push_back(std::move(*one));
    notable.flaky.push_back(change != changed.end() && change->second);
  }
  return notable;
}

}  // namespace headrace::tests
