#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <string>

#include "sqlite/impl.h"

namespace headrace::sqlite {
namespace {

core::Code code_of(sqlite3* handle, int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return core::Code::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return core::Code::corrupt;
    case SQLITE_CONSTRAINT: return core::Code::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT: return core::Code::unavailable;
    case SQLITE_IOERR:
      return handle != nullptr && sqlite3_system_errno(handle) == ENOSPC ? core::Code::exhausted
                                                                         : core::Code::unavailable;
    default: return core::Code::invalid;
  }
}

std::string_view sentence(core::Code code) {
  switch (code) {
    case core::Code::exhausted:
      return "The database cannot grow: the disk is full, or a value is too large. Free space, then try again";
    case core::Code::corrupt: return "The database file is damaged. Rebuild it from the log, or restore a backup";
    case core::Code::conflict: return "The database refused the change, because a constraint does not hold";
    case core::Code::unavailable: return "The database cannot be used just now. Try again";
    default: return "The database does not understand the statement";
  }
}

}  // namespace

core::Error error_of(sqlite3* handle, int code, std::string_view doing, std::string_view path) {
  const auto ours = code_of(handle, code);
  const char* reason = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  return {.code = ours,
          .message = fmt::format("{} ({}).", sentence(ours), reason),
          .detail = fmt::format("{}: {}, SQLite code {} ({})", path, doing, code, reason)};
}

std::string quoted_name(std::string_view name) {
  std::string text = "\"";
  for (const char letter : name) text.append(letter == '"' ? 2 : 1, letter);
  return text + '"';
}

}  // namespace headrace::sqlite
