#include "store/testing/script_projection.h"

#include <stdexcept>

namespace headrace::store::testing {

core::Result<> ScriptProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  const auto& script = stored.event.data;
  if (!script.starts_with('!')) return tables.run(sqlite::Sql::generated(script));
  if (mended_) return {};
  if (script == "!throw") throw std::runtime_error("thrown by the event");
  const auto code = script == "!unavailable" ? core::Code::unavailable : core::Code::invalid;
  return core::fail(code, "the event asked for it.");
}

core::Result<std::vector<std::string>> rows_of(sqlite::Connection& tables, std::string query) {
  return tables.all(sqlite::Sql::generated(query), [](const sqlite::Row& row) {
    std::string text;
    for (int column = 0; column < row.columns(); ++column) {
      if (column > 0) text += '|';
      text += row.is_null(column) ? "NULL" : "<" + row.text(column) + ">";
    }
    return text;
  });
}

}  // namespace headrace::store::testing
