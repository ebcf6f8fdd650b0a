// What connection.cc, statement.cc and function.cc share; for no one else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "sqlite/connection.h"

struct sqlite3;
struct sqlite3_stmt;

namespace headrace::sqlite {

struct KeptStatement {
  sqlite3_stmt* statement = nullptr;
  bool lent = false;
  uint64_t last_use = 0;
};

struct JournalState {
  size_t checkpoint_pages = 0;
  size_t pages = 0;  // of the write-ahead log after the last commit
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct Connection::Impl {
  std::string path;
  sqlite3* handle = nullptr;
  std::unordered_map<std::string, std::unique_ptr<KeptStatement>, TextHash, std::equal_to<>> kept;
  uint64_t uses = 0;
  JournalState journal;
  std::optional<core::Error> function_error;  // what a function of ours answered while a statement ran

  ~Impl();
  core::Result<sqlite3_stmt*> compile(std::string_view sql, bool persistent);
  void forget_least_used();
};

// The failure `code` of `handle` as an Error; `doing` names what was tried.
core::Error error_of(sqlite3* handle, int code, std::string_view doing, std::string_view path);
inline std::unexpected<core::Error> failed(sqlite3* handle, int code, std::string_view doing, std::string_view path) {
  return std::unexpected(error_of(handle, code, doing, path));
}

// Text and blobs are copied, or must stay until the statement is given back.
enum class Hold { copy, borrow };
core::Result<> bind_values(sqlite3_stmt* statement, std::span<const Value> values, Hold hold, std::string_view path);

}  // namespace headrace::sqlite
