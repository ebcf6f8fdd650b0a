// History gives every table of a projection a past: where each row's present began (`since`), and an append-only table
// of what it was before (`<table>_history`, with since <= offset < until), kept by triggers. The projection knows
// nothing of it. DESIGN section 7; docs/projections.md, "History".
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "sqlite/connection.h"

namespace headrace::store {

inline constexpr int history_format = 1;  // raised whenever what is generated changes: files are then rebuilt

// One table of a projection.
struct Table {
  std::string name;
  std::vector<sqlite::Column> columns;  // without `since`
  std::vector<std::string> key;         // the primary key's columns, in its order
};

// After the projection's schema has been run in an empty file whose connection has current_offset(): checks that it
// keeps to the rules of Projection::schema (Code::invalid names the table and the rule), and adds history to each
// table.
core::Result<> add_history(sqlite::Connection& tables);

// The tables of a file that have history, by name.
core::Result<std::vector<Table>> tables_of(sqlite::Connection& file);

// On a connection with at_offset(): temporary views that hide each table behind what it was at that offset.
core::Result<> show_past(sqlite::Connection& reader);

std::string history_of(const std::string& table);

}  // namespace headrace::store
