#include "services/tests/projection.h"

#include "core/bytes.h"
#include "events/cloudevents.h"
#include "events/pipeline.h"
#include "events/tests.h"
#include "events/vocabulary.h"
#include "report/pack.h"
#include "services/tests/comparison.h"

namespace headrace::tests {

using core::Result;

namespace {

Result<> done(Result<int64_t> changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

struct ReportRow {
  std::string report, repository, series, ref, tree;
  int64_t seq = 0, parts = 0, seen = 0, failures = 0;
  std::string marks;
};

ReportRow read_report(const sqlite::Row& row) {
  return {.report = row.text(0),
          .repository = row.text(1),
          .series = row.text(2),
          .ref = row.text(3),
          .tree = row.text(4),
          .seq = row.integer(5),
          .parts = row.integer(6),
          .seen = row.integer(7),
          .failures = row.integer(8),
          .marks = row.text(9)};
}

int64_t nanoseconds(core::Time time) { return time.time_since_epoch().count(); }

struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  Result<> operator()(const events::RunQueued& run) const {
    return done(tables.execute(
        "INSERT INTO run (run, id, number, workflow, branch) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run) DO NOTHING",
        run.run, run.id, run.number, run.workflow_file, run.branch));
  }

  Result<> operator()(const events::TestSuiteFinished& suite) const {
    auto workflow = tables.first(
        "SELECT workflow FROM run WHERE run = ?", [](const sqlite::Row& row) { return row.text(0); }, suite.run);
    if (!workflow) return std::unexpected(workflow.error());
    const std::string series = workflow->value_or("") + "\n" + suite.job_key + "\n" + suite.file;
    const auto& totals = suite.totals;
    return done(tables.execute(
        "INSERT INTO report (report, seq, repository, run, job, job_key, attempt, step, file, series, ref, commit_id, "
        "tree, "
        "environment, at, suites, cases, passed, failed, errored, skipped, not_run, flaky, duration_us, parts, told, "
        "seen, "
        "failures, marks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, "
        "?) "
        "ON CONFLICT (report) DO NOTHING",
        suite.report, stored.offset, suite.repository, suite.run, suite.job, suite.job_key, suite.attempt, suite.step,
        suite.file, series, suite.ref, suite.commit, suite.tree.empty() ? suite.commit : suite.tree, suite.environment,
        nanoseconds(stored.time), totals.suites, totals.cases, totals.passed, totals.failed, totals.errored,
        totals.skipped, totals.not_run, totals.flaky, totals.duration_us, suite.parts, suite.told, sqlite::Blob{""}));
  }

  Result<> operator()(const events::TestResults& results) const {
    auto report = tables.first(
        "SELECT report, repository, series, ref, tree, seq, parts, seen, failures, marks FROM report WHERE report = ?",
        read_report, results.report);
    if (!report) return std::unexpected(report.error());
    if (!*report || results.part != (*report)->seen + 1) return {};  // of a log that begins after it, or heard before
    auto bytes = core::from_base64(results.packed);
    auto cases = report::unpack(bytes.value_or(""));
    // It was checked before it was said; should another version have let it through, the report is one without it.
    return add_part(**report, cases ? *cases : std::vector<report::CaseResult>{});
  }

  Result<> add_part(ReportRow& report, const std::vector<report::CaseResult>& cases) const {
    std::vector<Mark> marks;
    std::optional<int64_t> last;  // number given, looked up once
    for (const auto& one : cases) {
      auto test = number_of(report.repository, one, last);
      if (!test) return std::unexpected(test.error());
      marks.push_back({*test, one.outcome, one.flaky, one.microseconds});
      if (auto kept = keep_failure(report, *test, one); !kept) return kept;
    }
    append_marks(report.marks, std::move(marks));
    ++report.seen;
    auto updated = done(tables.execute("UPDATE report SET seen = ?, failures = ?, marks = ? WHERE report = ?",
                                       report.seen, report.failures, sqlite::Blob{report.marks}, report.report));
    if (!updated || report.seen < report.parts) return updated;
    return compare(report);
  }

  // Tests are numbered in the order in which the log tells of them.
  Result<int64_t> number_of(const std::string& repository, const report::CaseResult& one,
                            std::optional<int64_t>& last) const {
    const std::string id = report::test_id(one.suite, one.class_name, one.name);
    auto integer = [](const sqlite::Row& row) { return row.integer(0); };
    auto known = tables.first("SELECT number FROM test WHERE repository = ? AND test = ?", integer, repository, id);
    if (!known) return std::unexpected(known.error());
    if (*known) return **known;
    if (!last) {
      auto greatest =
          tables.first("SELECT coalesce(max(number), 0) FROM test WHERE repository = ?", integer, repository);
      if (!greatest) return std::unexpected(greatest.error());
      last = greatest->value_or(0);
    }
    const int64_t number = ++*last;
    auto made =
        tables.execute("INSERT INTO test (repository, number, test, suite, class, name) VALUES (?, ?, ?, ?, ?, ?)",
                       repository, number, id, one.suite, one.class_name, one.name);
    if (!made) return std::unexpected(made.error());
    return number;
  }

  Result<> keep_failure(ReportRow& report, int64_t test, const report::CaseResult& one) const {
    if (!report::is_bad(one.outcome) || report.failures >= failures_a_report_max) return {};
    return done(
        tables.execute("INSERT INTO failure (report, position, test, outcome, message, details, file, line) VALUES (?, "
                       "?, ?, ?, ?, ?, ?, ?)",
                       report.report, ++report.failures, test, report::name_of(one.outcome), one.message, one.details,
                       one.file, one.line));
  }

  // With the report before it on the same branch, and with those of the same tree.
  Result<> compare(const ReportRow& report) const {
    auto text = [](const sqlite::Row& row) { return row.text(0); };
    auto before = tables.first(
        "SELECT marks FROM report WHERE repository = ? AND series = ? AND ref = ? AND seq < ? AND "
        "seen = parts ORDER BY seq DESC LIMIT 1",
        text, report.repository, report.series, report.ref, report.seq);
    if (!before) return std::unexpected(before.error());
    auto same = tables.all(
        "SELECT marks FROM report WHERE repository = ? AND series = ? AND tree = ? AND seq < ? AND seen = "
        "parts ORDER BY seq DESC LIMIT ?",
        text, report.repository, report.series, report.tree, report.seq, compared_max);
    if (!same) return std::unexpected(same.error());
    for (const Change& change : changes_in(report.marks, *before, *same, changes_a_report_max))
      if (auto kept = keep_change(report, change); !kept) return kept;
    return {};
  }

  Result<> keep_change(const ReportRow& report, const Change& change) const {
    const std::string before = change.before ? std::string(report::name_of(*change.before)) : std::string();
    auto kept = done(tables.execute("INSERT INTO change (report, test, outcome, before, flaky) VALUES (?, ?, ?, ?, ?)",
                                    report.report, change.test, report::name_of(change.outcome), before, change.flaky));
    if (!kept || !change.flaky) return kept;
    return done(tables.execute(
        "INSERT INTO flaky (repository, test, times, report, seq, at) VALUES (?, ?, 1, ?, ?, ?) ON CONFLICT "
        "(repository, "
        "test) DO UPDATE SET times = times + 1, report = excluded.report, seq = excluded.seq, at = excluded.at",
        report.repository, change.test, report.report, report.seq, nanoseconds(stored.time)));
  }
};

template <class T>
Result<> apply_as(const Apply& apply, const events::Event& event) {
  auto said = events::decode<T>(event);
  if (!said) return std::unexpected(said.error());
  return apply(*said);
}

}  // namespace

std::string HistoryProjection::schema() const {
  return "CREATE TABLE run (run TEXT PRIMARY KEY, id INTEGER NOT NULL, number INTEGER NOT NULL, workflow TEXT NOT "
         "NULL, "
         "branch TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE test (repository TEXT NOT NULL, number INTEGER NOT NULL, test TEXT NOT NULL, suite TEXT NOT "
         "NULL, "
         "class TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (repository, number)) WITHOUT ROWID;"
         "CREATE UNIQUE INDEX test_by_id ON test (repository, test);"
         "CREATE TABLE report (report TEXT PRIMARY KEY, seq INTEGER NOT NULL, repository TEXT NOT NULL, run TEXT NOT "
         "NULL, "
         "job TEXT NOT NULL, job_key TEXT NOT NULL, attempt INTEGER NOT NULL, step INTEGER NOT NULL, file TEXT NOT "
         "NULL, "
         "series TEXT NOT NULL, ref TEXT NOT NULL, commit_id TEXT NOT NULL, tree TEXT NOT NULL, environment TEXT NOT "
         "NULL, "
         "at INTEGER NOT NULL, suites INTEGER NOT NULL, cases INTEGER NOT NULL, passed INTEGER NOT NULL, failed "
         "INTEGER NOT "
         "NULL, errored INTEGER NOT NULL, skipped INTEGER NOT NULL, not_run INTEGER NOT NULL, flaky INTEGER NOT NULL, "
         "duration_us INTEGER NOT NULL, parts INTEGER NOT NULL, told INTEGER NOT NULL, seen INTEGER NOT NULL, failures "
         "INTEGER NOT NULL, marks BLOB NOT NULL);"
         "CREATE INDEX report_by_branch ON report (repository, series, ref, seq);"
         "CREATE INDEX report_by_tree ON report (repository, series, tree, seq);"
         "CREATE INDEX report_by_repository ON report (repository, seq);"
         "CREATE INDEX report_by_run ON report (run, seq);"
         "CREATE TABLE failure (report TEXT NOT NULL, position INTEGER NOT NULL, test INTEGER NOT NULL, outcome TEXT "
         "NOT "
         "NULL, message TEXT NOT NULL, details TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, PRIMARY KEY "
         "(report, position)) WITHOUT ROWID;"
         "CREATE INDEX failure_by_test ON failure (report, test);"
         "CREATE TABLE change (report TEXT NOT NULL, test INTEGER NOT NULL, outcome TEXT NOT NULL, before TEXT NOT "
         "NULL, "
         "flaky INTEGER NOT NULL, PRIMARY KEY (report, test)) WITHOUT ROWID;"
         "CREATE TABLE flaky (repository TEXT NOT NULL, test INTEGER NOT NULL, times INTEGER NOT NULL, report TEXT NOT "
         "NULL, "
         "seq INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (repository, test)) WITHOUT ROWID;"
         "CREATE INDEX flaky_by_time ON flaky (repository, seq);";
}

std::vector<std::string> HistoryProjection::types() const {
  std::vector<std::string> names;
  for (auto type : {events::RunQueued::type, events::TestSuiteFinished::type, events::TestResults::type})
    for (auto& name : events::all_types(type)) names.push_back(std::move(name));
  return names;
}

// Test events of other tools name no job of ours.
Result<> HistoryProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!events::is_reserved(stored.event.source)) return {};
  const Apply apply{tables, stored};
  if (events::is<events::RunQueued>(stored.event)) return apply_as<events::RunQueued>(apply, stored.event);
  if (events::is<events::TestSuiteFinished>(stored.event))
    return apply_as<events::TestSuiteFinished>(apply, stored.event);
  return apply_as<events::TestResults>(apply, stored.event);
}

}  // namespace headrace::tests
