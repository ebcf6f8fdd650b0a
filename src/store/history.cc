#include "store/history.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace headrace::store {
namespace {

using core::Code;
using core::Result;
using sqlite::quoted_name;
using sqlite::Sql;

constexpr std::string_view history_suffix = "_history";

std::unexpected<core::Error> breaks_rule(std::string_view what, std::string_view rule) {
  return core::fail(Code::invalid, fmt::format("The schema of a projection is refused: {} {}.", what, rule));
}

std::string list(const std::vector<sqlite::Column>& columns, std::string_view prefix = {}) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(fmt::format("{}{}", prefix, quoted_name(column.name)));
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<Table> describe(sqlite::Connection& file, const std::string& name) {
  auto columns = file.columns(name);
  if (!columns) return std::unexpected(columns.error());
  Table table{.name = name, .columns = std::move(*columns), .key = {}};
  std::erase_if(table.columns, [](const auto& column) { return column.name == "since"; });
  std::vector<std::pair<int, std::string>> key;
  for (const auto& column : table.columns)
    if (column.key > 0) key.emplace_back(column.key, column.name);
  std::ranges::sort(key);
  for (auto& [place, column] : key) table.key.push_back(std::move(column));
  return table;
}

Result<> check_table(sqlite::Connection& file, const std::string& name) {
  if (name.ends_with(history_suffix) || name.starts_with("store_"))
    return breaks_rule(fmt::format("the table name {}", name), "is taken by the store; choose another");
  auto columns = file.columns(name);
  if (!columns) return std::unexpected(columns.error());
  for (const std::string_view taken : {"since", "until", "rowid"})
    if (std::ranges::any_of(*columns, [&](const auto& column) { return column.name == taken; }))
      return breaks_rule(fmt::format("the column {}.{}", name, taken), "has a name that history needs; choose another");
  if (std::ranges::none_of(*columns, [](const auto& column) { return column.key > 0; }))
    return breaks_rule(fmt::format("the table {}", name), "has no PRIMARY KEY");
  return {};
}

struct Made {
  std::string type, name, table, sql;
};

Result<std::vector<Made>> made_by(sqlite::Connection& file) {
  return file.all(
      "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema WHERE tbl_name NOT LIKE 'store\\_meta' "
      "ESCAPE '\\' ORDER BY type DESC, name",
      [](const sqlite::Row& row) { return Made{row.text(0), row.text(1), row.text(2), row.text(3)}; });
}

Result<> check(sqlite::Connection& file, const std::vector<Made>& made) {
  for (const auto& thing : made) {
    if (thing.name == "sqlite_sequence")
      return breaks_rule("AUTOINCREMENT", "numbers rows by itself; take ids from the event");
    if (thing.type != "table" && thing.type != "index")
      return breaks_rule(fmt::format("the {} {}", thing.type, thing.name), "is neither a table nor an index");
    if (thing.sql.starts_with("CREATE VIRTUAL"))
      return breaks_rule(fmt::format("the virtual table {}", thing.name), "cannot have a history");
    if (thing.type != "table") continue;
    if (auto checked = check_table(file, thing.name); !checked) return checked;
  }
  return {};
}

// Whether the row's place is its rowid or, in a WITHOUT ROWID table, its primary key.
Result<std::string> same_row(sqlite::Connection& file, const Table& table) {
  const auto without = file.integer("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", table.name);
  if (!without) return std::unexpected(without.error());
  if (*without == 0) return std::string("rowid = new.rowid");
  std::vector<std::string> equal;
  for (const auto& column : table.key) equal.push_back(fmt::format("{0} = new.{0}", quoted_name(column)));
  return fmt::format("{}", fmt::join(equal, " AND "));
}

std::string history_table(const Table& table) {
  std::vector<std::string> columns;
  for (const auto& column : table.columns)
    columns.push_back(
        fmt::format("{} {} COLLATE {}", quoted_name(column.name), column.type, quoted_name(column.collation)));
  return fmt::format("CREATE TABLE {} ({}, since INTEGER NOT NULL, until INTEGER NOT NULL);",
                     quoted_name(history_of(table.name)), fmt::join(columns, ", "));
}

// A row that began within the event at hand leaves no trace: between two offsets there is no moment to look at.
std::string triggers(const Table& table, const std::string& same_row) {
  const auto keep = fmt::format("INSERT INTO {} ({}, since, until) VALUES ({}, old.since, current_offset());",
                                quoted_name(history_of(table.name)), list(table.columns), list(table.columns, "old."));
  const auto name = quoted_name(table.name);
  return fmt::format(
      "CREATE TRIGGER {} AFTER UPDATE OF {} ON {} WHEN old.since < current_offset() BEGIN {} "
      "UPDATE {} SET since = current_offset() WHERE {}; END;"
      "CREATE TRIGGER {} AFTER DELETE ON {} WHEN old.since < current_offset() BEGIN {} END;",
      quoted_name("store_" + table.name + "_updated"), list(table.columns), name, keep, name, same_row,
      quoted_name("store_" + table.name + "_deleted"), name, keep);
}

std::string history_index(const Table& table, std::string_view name, std::string_view columns) {
  return fmt::format("CREATE INDEX {} ON {} ({}, until);", quoted_name(fmt::format("{}{}", name, history_suffix)),
                     quoted_name(history_of(table.name)), columns);
}

// The first bracket of a statement and the one that closes it; names and texts in quotes are passed over.
struct Brackets {
  size_t open = 0, close = 0;
};

Brackets brackets_of(std::string_view sql) {
  Brackets found;
  int depth = 0;
  char quote = 0;
  for (size_t at = 0; at < sql.size(); ++at) {
    const char letter = sql[at];
    if (quote != 0) {
      if (letter == quote) quote = 0;
    } else if (letter == '\'' || letter == '"' || letter == '`') {
      quote = letter;
    } else if (letter == '(') {
      if (depth++ == 0) found.open = at;
    } else if (letter == ')' && --depth == 0) {
      found.close = at;
      break;
    }
  }
  return found;
}

// An index as it was written, on the history instead, never unique: many pasts of one row have the same values.
std::string mirrored(const Table& table, const Made& index) {
  const auto [open, close] = brackets_of(index.sql);
  return fmt::format("CREATE INDEX {} ON {} ({}, until){};", quoted_name(index.name + std::string(history_suffix)),
                     quoted_name(history_of(table.name)), index.sql.substr(open + 1, close - open - 1),
                     index.sql.substr(close + 1));
}

// What a UNIQUE within CREATE TABLE made: it has no text of its own.
Result<std::string> unique_columns(sqlite::Connection& file, const std::string& index) {
  auto names = file.all(
      "SELECT name FROM pragma_index_info(?) ORDER BY seqno",
      [](const sqlite::Row& row) { return quoted_name(row.view(0)); }, index);
  if (!names) return std::unexpected(names.error());
  return fmt::format("{}", fmt::join(*names, ", "));
}

Result<std::string> indexes(sqlite::Connection& file, const Table& table, const std::vector<Made>& made) {
  std::vector<std::string> key;
  for (const auto& column : table.key) key.push_back(quoted_name(column));
  auto sql = history_index(table, table.name + "_key", fmt::format("{}", fmt::join(key, ", ")));
  auto uniques = file.all(
      "SELECT name FROM pragma_index_list(?) WHERE origin = 'u' ORDER BY name",
      [](const sqlite::Row& row) { return row.text(0); }, table.name);
  if (!uniques) return std::unexpected(uniques.error());
  int number = 0;
  for (const auto& unique : *uniques) {
    auto columns = unique_columns(file, unique);
    if (!columns) return columns;
    sql += history_index(table, fmt::format("{}_unique_{}", table.name, ++number), *columns);
  }
  for (const auto& index : made)
    if (index.type == "index" && index.table == table.name && !index.sql.empty()) sql += mirrored(table, index);
  return sql;
}

Result<> add_to(sqlite::Connection& file, const Table& table, const std::vector<Made>& made) {
  auto place = same_row(file, table);
  if (!place) return std::unexpected(place.error());
  auto mirrors = indexes(file, table, made);
  if (!mirrors) return std::unexpected(mirrors.error());
  return file.run(
      Sql::generated(fmt::format("ALTER TABLE {} ADD COLUMN since INTEGER NOT NULL DEFAULT (current_offset());",
                                 quoted_name(table.name)) +
                     history_table(table) + *mirrors + triggers(table, *place)));
}

}  // namespace

std::string history_of(const std::string& table) { return table + std::string(history_suffix); }

Result<> add_history(sqlite::Connection& tables) {
  auto made = made_by(tables);
  if (!made) return std::unexpected(made.error());
  if (auto checked = check(tables, *made); !checked) return checked;
  for (const auto& thing : *made) {
    if (thing.type != "table") continue;
    auto table = describe(tables, thing.name);
    if (!table) return std::unexpected(table.error());
    if (auto added = add_to(tables, *table, *made); !added) return added;
  }
  return {};
}

Result<std::vector<Table>> tables_of(sqlite::Connection& file) {
  auto names = file.all(
      "SELECT name FROM main.sqlite_schema live WHERE type = 'table' AND EXISTS (SELECT 1 FROM main.sqlite_schema past "
      "WHERE past.type = 'table' AND past.name = live.name || '_history') ORDER BY name",
      [](const sqlite::Row& row) { return row.text(0); });
  if (!names) return std::unexpected(names.error());
  std::vector<Table> tables;
  for (const auto& name : *names) {
    auto table = describe(file, name);
    if (!table) return std::unexpected(table.error());
    tables.push_back(std::move(*table));
  }
  return tables;
}

Result<> show_past(sqlite::Connection& reader) {
  auto tables = tables_of(reader);
  if (!tables) return std::unexpected(tables.error());
  std::string sql;
  for (const auto& table : *tables)
    sql += fmt::format(
        "CREATE TEMP VIEW {0} AS SELECT {2}, since FROM main.{0} WHERE since <= at_offset() "
        "UNION ALL SELECT {2}, since FROM main.{1} WHERE until > at_offset() AND since <= at_offset();",
        quoted_name(table.name), quoted_name(history_of(table.name)), list(table.columns));
  return reader.run(Sql::generated(sql));
}

}  // namespace headrace::store
