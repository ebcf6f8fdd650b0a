#include "services/pipeline/search.h"

#include <limits>

#include "services/pipeline/projection.h"

namespace headrace::pipeline {

using core::Result;

namespace {

// Each takes one value, whether it is asked for or not. A plus keeps SQLite from an index that has more than another.
std::string where_of(const RunSearch& search) {
  std::string where =
      search.commit.empty() ? " FROM listed WHERE repository = ?" : " FROM listed WHERE +repository = ?";
  auto add = [&where](const std::string& value, std::string_view condition) {
    where += value.empty() ? " AND (? = '')" : " AND " + std::string(condition);
  };
  add(search.branch, "+branch = ?");
  add(search.event, "+event = ?");
  add(search.actor, "+actor = ?");
  add(search.commit, "commit_id = ?");
  constexpr std::string_view state = "(SELECT state FROM outcome WHERE outcome.queued = listed.queued)";
  add(search.status, search.status == "completed"
                         ? "? = 'completed' AND " + std::string(state) + " NOT IN ('queued', 'in_progress')"
                         : "? = " + std::string(state));
  return where + " AND created_at BETWEEN ? AND ?";
}

int64_t nanoseconds(const std::optional<core::Time>& time, int64_t otherwise) {
  return time ? time->time_since_epoch().count() : otherwise;
}

}  // namespace

Result<RunsFound> search_runs(sqlite::Connection& tables, const RunSearch& search) {
  if (search.limit > search_limit_max || search.skip > search_skip_max)
    return core::fail(core::Code::invalid, "A search of runs reaches back " + std::to_string(search_skip_max) +
                                               " runs, in pages of at most " + std::to_string(search_limit_max) +
                                               "; ask for less, by branch, commit or status.");
  const std::string where = where_of(search);
  const int64_t from = nanoseconds(search.from, std::numeric_limits<int64_t>::min()),
                to = nanoseconds(search.to, std::numeric_limits<int64_t>::max());
  const std::string page = "SELECT id" + where + " ORDER BY queued DESC LIMIT ? OFFSET ?";
  auto ids = tables.all(
      sqlite::Sql::generated(page), [](const sqlite::Row& row) { return row.integer(0); }, search.repository,
      search.branch, search.event, search.actor, search.commit, search.status, from, to,
      static_cast<int64_t>(search.limit), static_cast<int64_t>(search.skip));
  if (!ids) return std::unexpected(ids.error());
  const std::string counted = "SELECT count(*) FROM (SELECT 1" + where + " LIMIT ?)";
  auto total = tables.first(
      sqlite::Sql::generated(counted), [](const sqlite::Row& row) { return row.integer(0); }, search.repository,
      search.branch, search.event, search.actor, search.commit, search.status, from, to, search_count_max);
  if (!total) return std::unexpected(total.error());
  return RunsFound{std::move(*ids), total->value_or(0)};
}

}  // namespace headrace::pipeline
