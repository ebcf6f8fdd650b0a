#include <fmt/format.h>
#include <sqlite3.h>

#include "sqlite/impl.h"

namespace headrace::sqlite {
namespace {

sqlite3_stmt* raw(void* statement) { return static_cast<sqlite3_stmt*>(statement); }

struct Binder {
  sqlite3_stmt* statement;
  int place;
  sqlite3_destructor_type hold;

  int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, place); }
  int operator()(int64_t number) const { return sqlite3_bind_int64(statement, place, number); }
  int operator()(double number) const { return sqlite3_bind_double(statement, place, number); }
  // A null pointer would bind NULL, and an empty text is not NULL.
  int operator()(std::string_view text) const {
    return sqlite3_bind_text64(statement, place, text.empty() ? "" : text.data(), text.size(), hold, SQLITE_UTF8);
  }
  int operator()(Blob blob) const {
    return sqlite3_bind_blob64(statement, place, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(), hold);
  }
};

}  // namespace

core::Result<> bind_values(sqlite3_stmt* statement, std::span<const Value> values, Hold hold, std::string_view path) {
  const int wanted = sqlite3_bind_parameter_count(statement);
  if (static_cast<size_t>(wanted) != values.size())
    return core::fail(core::Code::invalid,
                      fmt::format("The statement has {} parameters, but {} values were given.", wanted, values.size()),
                      sqlite3_sql(statement));
  int place = 0;
  for (const auto& value : values) {
    const Binder binder{statement, ++place, hold == Hold::copy ? SQLITE_TRANSIENT : SQLITE_STATIC};
    if (const int code = std::visit(binder, value.any()); code != SQLITE_OK)
      return failed(sqlite3_db_handle(statement), code, "binding a value", path);
  }
  return {};
}

bool Row::is_null(int column) const { return sqlite3_column_type(raw(statement_), column) == SQLITE_NULL; }
int64_t Row::integer(int column) const { return sqlite3_column_int64(raw(statement_), column); }
double Row::real(int column) const { return sqlite3_column_double(raw(statement_), column); }

std::string_view Row::view(int column) const {
  // The blob form gives text as it is stored; numbers are turned into text first.
  const bool stored = sqlite3_column_type(raw(statement_), column) == SQLITE_BLOB;
  const void* bytes = stored ? sqlite3_column_blob(raw(statement_), column)
                             : static_cast<const void*>(sqlite3_column_text(raw(statement_), column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(raw(statement_), column));
  return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

std::optional<std::string> Row::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<int64_t> Row::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

Value Row::value(int column) const {
  switch (sqlite3_column_type(raw(statement_), column)) {
    case SQLITE_INTEGER: return integer(column);
    case SQLITE_FLOAT: return real(column);
    case SQLITE_TEXT: return view(column);
    case SQLITE_BLOB: return Blob{view(column)};
    default: return nullptr;
  }
}

int Row::columns() const { return sqlite3_column_count(raw(statement_)); }
std::string_view Row::name(int column) const { return sqlite3_column_name(raw(statement_), column); }

Statement::Statement(Statement&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), row_(other.row_), kept_(other.kept_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(owner_, other.owner_);
  std::swap(row_, other.row_);
  std::swap(kept_, other.kept_);
  return *this;
}

Statement::~Statement() {
  if (owner_ != nullptr) owner_->give_back(row_.statement_, kept_);
}

core::Result<> Statement::bind(std::span<const Value> values) {
  sqlite3_reset(raw(row_.statement_));
  return bind_values(raw(row_.statement_), values, Hold::copy, owner_->path());
}

core::Result<bool> Statement::step() {
  const int code = sqlite3_step(raw(row_.statement_));
  if (code == SQLITE_ROW) return true;
  auto& failure = owner_->impl_->function_error;
  if (code == SQLITE_DONE) {
    sqlite3_reset(raw(row_.statement_));  // gives up the read lock now rather than when it is given back
    return false;
  }
  auto error = error_of(owner_->impl_->handle, code, sqlite3_sql(raw(row_.statement_)), owner_->path());
  sqlite3_reset(raw(row_.statement_));
  if (failure) error = *std::exchange(failure, std::nullopt);
  return std::unexpected(std::move(error));
}

}  // namespace headrace::sqlite
