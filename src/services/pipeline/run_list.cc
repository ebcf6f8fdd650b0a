#include "services/pipeline/run_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "services/pipeline/pipeline.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/run_words.h"
#include "store/store.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using sqlite::Sql;
using sqlite::Value;

namespace {

constexpr int64_t counted_max = 1'000;  // entries of an index, to choose among indexes
constexpr size_t streams_max = 200;     // read side by side: of more repositories, all runs are looked at
constexpr size_t commits_max = 20;      // that begin alike

constexpr std::string_view columns =
    "queued, run, id, number, repository, workflow, workflow_file, event, branch, commit_id, actor, title, created_at";
struct At {  // of those
  enum Column { queued, run, id, number, repository, workflow, file, event, branch, commit, actor, title, created };
};

struct Named {
  std::string_view result;
  std::vector<std::string_view> states;  // of the table outcome
};

// As the pages have them: web/src/status/status.ts. What was completed without a conclusion is "completed".
const std::array<Named, 7>& named() {
  static const std::array<Named, 7> all{{{"failed", {"failure", "timed_out", "startup_failure"}},
                                         {"passed", {"success"}},
                                         {"running", {"in_progress"}},
                                         {"queued", {"queued"}},
                                         {"cancelled", {"cancelled"}},
                                         {"skipped", {"skipped", "neutral", "stale", "completed"}},
                                         {"waiting", {"action_required"}}}};
  return all;
}

bool is_over(std::string_view state) { return state != "queued" && state != "in_progress"; }

bool is_of(std::string_view state, Status status) {
  return status == Status::completed ? is_over(state) : state == name_of(status);
}

// The states that are asked for; nothing where any will do.
Result<std::optional<std::vector<std::string_view>>> states_of(const RunQuery& query) {
  if (query.result.empty() && !query.status) return std::optional<std::vector<std::string_view>>();
  if (!query.result.empty() && std::ranges::find(named(), query.result, &Named::result) == named().end())
    return core::fail(Code::invalid, "result is failed, passed, running, queued, cancelled, skipped or waiting.");
  std::vector<std::string_view> states;
  for (const Named& one : named())
    for (std::string_view state : one.states)
      if ((query.result.empty() || query.result == one.result) && (!query.status || is_of(state, *query.status)))
        states.push_back(state);
  return std::optional(std::move(states));
}

Result<int64_t> read_cursor(const std::string& cursor) {
  if (cursor.empty()) return INT64_MAX;
  int64_t before = 0;
  auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  if (error == std::errc() && end == cursor.data() + cursor.size()) return before;
  return core::fail(Code::invalid, "The cursor '" + cursor + "' is none that a list of runs gave. Begin without one.");
}

Result<std::string> read_commit(const std::string& given) {
  std::string digits = folded_ascii(given);
  if (digits.empty() ||
      (digits.size() >= commit_digits_min && digits.find_first_not_of("0123456789abcdef") == std::string::npos))
    return digits;
  return core::fail(Code::invalid, "commit is how the id of a commit begins: at least " +
                                       std::to_string(commit_digits_min) + " digits of 0-9 and a-f.");
}

// The ids of commits that begin so, each found by a step into the index: one commit may have many runs.
Result<std::vector<std::string>> commits_like(sqlite::Connection& tables, const std::string& digits) {
  std::vector<std::string> all;
  const std::string end = digits + "g";
  for (std::string from = digits;;) {
    auto found = tables.first(
        "SELECT commit_id FROM listed WHERE commit_id >= ? AND commit_id < ? ORDER BY commit_id LIMIT 1",
        [](const sqlite::Row& row) { return row.text(0); }, from, end);
    if (!found) return std::unexpected(found.error());
    if (!*found) return all;
    if (all.size() == commits_max)
      return core::fail(Code::invalid, "More than " + std::to_string(commits_max) + " commits begin with " + digits +
                                           "; give more digits.");
    from = **found + "0";
    all.push_back(std::move(**found));
  }
}

// An index and what is read of it: for each of these values the runs of a table, newest first.
struct Source {
  std::string_view table = "listed";
  std::string_view where;  // takes one of the values
  std::vector<std::vector<Value>> values;
};

struct Asked {
  const RunQuery& query;
  int64_t before = 0;  // only what was queued before this offset
  std::string commit;
  std::vector<std::string> commits;
  std::optional<std::vector<std::string_view>> states;
  std::unordered_set<std::string_view> within;
  RunWords words;

  bool fits(const sqlite::Row& row) const {
    auto same = [&row](At::Column column, const std::string& value) {
      return value.empty() || row.view(column) == value;
    };
    return same(At::repository, query.repository) && same(At::branch, query.branch) && same(At::actor, query.actor) &&
           same(At::event, query.event) && row.view(At::commit).starts_with(commit) &&
           (query.number == 0 || row.integer(At::number) == query.number) && is_of_workflow(row) &&
           (!query.within || within.contains(row.view(At::repository))) &&
           (words.empty() || words.fit({.id = row.integer(At::id),
                                        .number = row.integer(At::number),
                                        .commit = row.view(At::commit),
                                        .texts = {row.view(At::title), row.view(At::workflow), row.view(At::repository),
                                                  row.view(At::branch), row.view(At::actor)}}));
  }
  bool is_of_workflow(const sqlite::Row& row) const {
    const std::string& asked = query.workflow;
    if (asked.empty() || row.view(At::workflow) == asked) return true;
    const std::string_view path = row.view(At::file);
    return path == asked || path.substr(path.rfind('/') + 1) == asked;
  }
};

std::vector<std::vector<Value>> each_of(const auto& texts) {
  std::vector<std::vector<Value>> values;
  for (const auto& text : texts) values.push_back({Value(text)});
  return values;
}

std::vector<Source> sources_of(const Asked& asked, Moment moment) {
  const RunQuery& query = asked.query;
  std::vector<Source> all;
  auto add = [&all](std::string_view where, const std::string& value) {
    if (!value.empty()) all.push_back({.where = where, .values = {{Value(value)}}});
  };
  if (!asked.commit.empty()) all.push_back({.where = "commit_id = ?", .values = each_of(asked.commits)});
  if (query.number != 0 && !query.repository.empty())
    all.push_back(
        {.where = "repository = ? AND number = ?", .values = {{Value(query.repository), Value(query.number)}}});
  add("branch = ?", query.branch);
  add("actor = ?", query.actor);
  add("repository = ?", query.repository);
  add("event = ?", query.event);
  if (query.repository.empty() && query.within && query.within->size() <= streams_max)
    all.push_back({.where = "repository = ?", .values = each_of(*query.within)});
  // In the past each run was at work once, and the index has them all.
  const bool lasting = asked.states && std::ranges::all_of(*asked.states, is_over);
  if (asked.states && (lasting || moment == Moment::now) && (!query.status || *query.status != Status::completed))
    all.push_back({.table = "outcome", .where = "state = ?", .values = each_of(*asked.states)});
  return all;
}

Result<int64_t> count_of(sqlite::Connection& tables, const Source& source, int64_t before) {
  const std::string text = "SELECT count(*) FROM (SELECT 1 FROM " + std::string(source.table) + " WHERE " +
                           std::string(source.where) + " AND queued < ? LIMIT ?)";
  int64_t count = 0;
  for (auto values : source.values) {
    if (count >= counted_max) break;
    values.insert(values.end(), {Value(before), Value(counted_max)});
    auto statement = tables.prepare(Sql::generated(text));
    if (!statement) return std::unexpected(statement.error());
    if (auto bound = statement->bind(values); !bound) return std::unexpected(bound.error());
    auto row = statement->step();
    if (!row) return std::unexpected(row.error());
    count += statement->row().integer(0);
  }
  return count;
}

// Of all that could be read, what has least; what stands first, where several have more than is worth counting.
Result<Source> choose(sqlite::Connection& tables, const Asked& asked, Moment moment) {
  auto sources = sources_of(asked, moment);
  if (sources.empty()) return Source{.where = {}, .values = {{}}};
  if (sources.size() == 1) return std::move(sources.front());
  size_t best = 0;
  int64_t least = INT64_MAX;
  for (size_t i = 0; i < sources.size(); ++i) {
    auto count = count_of(tables, sources[i], asked.before);
    if (!count) return std::unexpected(count.error());
    if (*count < least) best = i;
    least = std::min(least, *count);
  }
  return std::move(sources[best]);
}

// The runs of a source, newest first, whatever value they have.
class Stream {
 public:
  static Result<Stream> open(sqlite::Connection& tables, const Source& source, int64_t before) {
    Stream stream;
    std::string text = source.table == "outcome" ? "SELECT queued" : "SELECT " + std::string(columns);
    text += " FROM " + std::string(source.table) + " WHERE ";
    if (!source.where.empty()) text += std::string(source.where) + " AND ";
    text += "queued < ? ORDER BY queued DESC";
    for (auto values : source.values) {
      values.push_back(Value(before));
      auto statement = tables.prepare(Sql::generated(text));
      if (!statement) return std::unexpected(statement.error());
      if (auto bound = statement->bind(values); !bound) return std::unexpected(bound.error());
      stream.statements_.push_back(std::move(*statement));
      if (auto placed = stream.place(stream.statements_.size() - 1); !placed) return std::unexpected(placed.error());
    }
    return stream;
  }

  bool ended() const { return heads_.empty(); }
  int64_t queued() const { return heads_.front().first; }
  const sqlite::Row& row() const { return statements_[heads_.front().second].row(); }
  Result<> next() {
    std::ranges::pop_heap(heads_);
    const size_t at = heads_.back().second;
    heads_.pop_back();
    return place(at);
  }

 private:
  Result<> place(size_t at) {
    auto more = statements_[at].step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    heads_.emplace_back(statements_[at].row().integer(0), at);
    std::ranges::push_heap(heads_);
    return {};
  }

  std::vector<sqlite::Statement> statements_;
  std::vector<std::pair<int64_t, size_t>> heads_;  // a heap: the newest of each
};

struct Found {
  std::vector<std::string> runs;  // UUIDs
  std::string next;
  std::optional<core::Time> looked_until;
};

// Whether it is in one of the states asked for.
Result<bool> has_state(sqlite::Connection& tables, const Asked& asked, int64_t at) {
  if (!asked.states) return true;
  auto state = tables.text("SELECT state FROM outcome WHERE queued = ?", at);
  if (!state) return std::unexpected(state.error());
  return std::ranges::find(*asked.states, *state) != asked.states->end();
}

class Looking {
 public:
  Looking(sqlite::Connection& tables, const Asked& asked) : tables_(tables), asked_(asked) {}

  Result<Found> through(const Source& source) {
    auto stream = Stream::open(tables_, source, asked_.before);
    if (!stream) return std::unexpected(stream.error());
    const bool known = source.table == "outcome";  // its state, and nothing else of it
    for (size_t looked = 0; !stream->ended(); ++looked) {
      if (looked == looked_max || found_.runs.size() == asked_.query.limit) {
        found_.next = std::to_string(last_);
        if (found_.runs.size() < asked_.query.limit) found_.looked_until = core::Time(core::Duration(last_created_));
        break;
      }
      last_ = stream->queued();
      auto looked_at = known ? look_up() : look_at(stream->row());
      if (!looked_at) return std::unexpected(looked_at.error());
      if (auto moved = stream->next(); !moved) return std::unexpected(moved.error());
    }
    return std::move(found_);
  }

 private:
  Result<> look_at(const sqlite::Row& row) {
    last_created_ = row.integer(At::created);
    if (!asked_.fits(row)) return {};
    auto fits = has_state(tables_, asked_, last_);
    if (fits && *fits) found_.runs.push_back(row.text(At::run));
    if (!fits) return std::unexpected(fits.error());
    return {};
  }

  Result<> look_up() {
    static const std::string text = "SELECT " + std::string(columns) + " FROM listed WHERE queued = ?";
    auto read = [this](const sqlite::Row& row) {
      last_created_ = row.integer(At::created);
      if (asked_.fits(row)) found_.runs.push_back(row.text(At::run));
      return true;
    };
    auto done = tables_.first(Sql::generated(text), read, last_);
    if (!done) return std::unexpected(done.error());
    return {};
  }

  sqlite::Connection& tables_;
  const Asked& asked_;
  Found found_;
  int64_t last_ = 0, last_created_ = 0;
};

Result<Asked> read_query(sqlite::Connection& tables, const RunQuery& query) {
  if (query.limit < 1 || query.limit > list_max)
    return core::fail(Code::invalid,
                      "The limit of a list of runs is " + std::to_string(query.limit) + "; it must be 1 to 1000.");
  auto before = read_cursor(query.cursor);
  if (!before) return std::unexpected(before.error());
  auto shown = store::offset_of(tables);
  if (!shown) return std::unexpected(shown.error());
  auto states = states_of(query);
  if (!states) return std::unexpected(states.error());
  auto commit = read_commit(query.commit);
  if (!commit) return std::unexpected(commit.error());
  Asked asked{.query = query,
              .before = std::min(*before, static_cast<int64_t>(*shown) + 1),
              .commit = std::move(*commit),
              .commits = {},
              .states = std::move(*states),
              .within = {},
              .words = RunWords(query.words)};
  if (query.within) asked.within.insert(query.within->begin(), query.within->end());
  if (asked.commit.empty()) return asked;
  auto commits = commits_like(tables, asked.commit);
  if (!commits) return std::unexpected(commits.error());
  asked.commits = std::move(*commits);
  return asked;
}

}  // namespace

std::vector<std::string_view> results() {
  std::vector<std::string_view> names;
  for (const Named& one : named()) names.push_back(one.result);
  return names;
}

Result<RunPage> find_runs(sqlite::Connection& tables, const RunQuery& query, Moment moment) {
  auto asked = read_query(tables, query);
  if (!asked) return std::unexpected(asked.error());
  auto source = choose(tables, *asked, moment);
  if (!source) return std::unexpected(source.error());
  auto found = Looking(tables, *asked).through(*source);
  if (!found) return std::unexpected(found.error());
  RunPage page{.runs = {}, .next = std::move(found->next), .looked_until = found->looked_until};
  for (const std::string& uuid : found->runs) {
    auto shown = find_shown(tables, uuid);
    if (!shown) return std::unexpected(shown.error());
    if (*shown) page.runs.push_back(std::move(**shown));
  }
  return page;
}

}  // namespace headrace::pipeline
