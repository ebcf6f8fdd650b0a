#include "store/digest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>

#include "core/bytes.h"
#include "store/history.h"

namespace headrace::store {
namespace {

using core::Result;
using sqlite::quoted_name;
using sqlite::Sql;

constexpr size_t digest_block_bytes = 64 * 1024;

// One table or history with its columns, those of its key first, and an order in which no two rows are equal unless all
// their values are.
struct Listing {
  std::string table;
  std::vector<std::string> columns;
  size_t key_columns = 0;
  std::string sql() const {
    std::vector<std::string> names, order;
    for (const auto& column : columns) {
      names.push_back(quoted_name(column));
      order.push_back(names.back() + " COLLATE BINARY");  // whatever the column's own order is
    }
    return fmt::format("SELECT {} FROM main.{} ORDER BY {}", fmt::join(names, ", "), quoted_name(table),
                       fmt::join(order, ", "));
  }
};

Listing listing_of(const Table& table, bool past) {
  Listing listing{.table = past ? history_of(table.name) : table.name, .columns = table.key, .key_columns = 0};
  if (past) listing.columns.emplace_back("until");
  listing.key_columns = listing.columns.size();
  for (const auto& column : table.columns)
    if (column.key == 0) listing.columns.push_back(column.name);
  listing.columns.emplace_back("since");
  return listing;
}

Result<std::vector<Listing>> listings(sqlite::Connection& file) {
  auto tables = tables_of(file);
  if (!tables) return std::unexpected(tables.error());
  std::vector<Listing> all;
  for (const auto& table : *tables) {
    all.push_back(listing_of(table, false));
    all.push_back(listing_of(table, true));
  }
  return all;
}

void put(std::string& out, uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(number >> shift));
}

struct Encoder {
  std::string& out;
  void operator()(std::nullptr_t) const { out.push_back('N'); }
  void operator()(int64_t number) const {
    out.push_back('I');
    put(out, static_cast<uint64_t>(number));
  }
  void operator()(double number) const {
    out.push_back('R');
    put(out, std::bit_cast<uint64_t>(number));
  }
  void operator()(std::string_view text) const { bytes('T', text); }
  void operator()(sqlite::Blob blob) const { bytes('B', blob.bytes); }
  void bytes(char kind, std::string_view value) const {
    out.push_back(kind);
    put(out, value.size());
    out += value;
  }
};

std::string encoded(const sqlite::Row& row) {
  std::string out = "(";
  for (int column = 0; column < row.columns(); ++column) std::visit(Encoder{out}, row.value(column).any());
  return out;
}

// A chain: the sum of a block goes in front of the next, so that a file of any size needs one block of memory.
class Chain {
 public:
  void add(std::string_view bytes) {
    block_ += bytes;
    while (block_.size() >= digest_block_bytes) close(digest_block_bytes);
  }
  std::string end() {
    close(block_.size());
    return core::to_hex(std::as_bytes(std::span(block_)));
  }

 private:
  void close(size_t size) {
    const auto sum = core::sha256(core::as_bytes(std::string_view(block_).substr(0, size)));
    block_.replace(0, size, reinterpret_cast<const char*>(sum.data()), sum.size());
  }
  std::string block_;
};

std::string shown(const sqlite::Value& value) {
  struct Showing {
    std::string operator()(std::nullptr_t) const { return "NULL"; }
    std::string operator()(int64_t number) const { return fmt::format("{}", number); }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(std::string_view text) const {
      constexpr size_t shown_max = 60;
      return fmt::format("'{}'{}", text.substr(0, shown_max), text.size() > shown_max ? "..." : "");
    }
    std::string operator()(sqlite::Blob blob) const { return fmt::format("{} bytes", blob.bytes.size()); }
  };
  return std::visit(Showing(), value.any());
}

std::string key_of(const Listing& listing, const sqlite::Row& row) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < listing.key_columns; ++at)
    parts.push_back(fmt::format("{}={}", listing.columns[at], shown(row.value(static_cast<int>(at)))));
  return fmt::format("{}", fmt::join(parts, " "));
}

// Which of two rows comes first in the order of SQLite for binary texts; the columns of the key decide.
int order(const sqlite::Value& one, const sqlite::Value& other) {
  const auto rank = [](const sqlite::Value& value) {
    return value.any().index() == 2 ? size_t{1} : value.any().index();
  };
  if (rank(one) != rank(other)) return rank(one) < rank(other) ? -1 : 1;
  if (rank(one) == 0) return 0;
  if (rank(one) == 1) {
    const auto number = [](const sqlite::Value& value) {
      return value.any().index() == 1 ? static_cast<long double>(value.integer())
                                      : static_cast<long double>(value.real());
    };
    return number(one) < number(other) ? -1 : number(one) > number(other);
  }
  const auto bytes = [](const sqlite::Value& value) {
    const auto* blob = std::get_if<sqlite::Blob>(&value.any());
    return blob != nullptr ? blob->bytes : value.text();
  };
  return bytes(one).compare(bytes(other));
}

int order(const Listing& listing, const sqlite::Row& kept, const sqlite::Row& rebuilt) {
  for (int at = 0; at < static_cast<int>(listing.key_columns); ++at)
    if (const int found = order(kept.value(at), rebuilt.value(at)); found != 0) return found;
  return 0;
}

std::optional<Difference> compare(const Listing& listing, const sqlite::Row& kept, const sqlite::Row& rebuilt) {
  for (int at = 0; at < kept.columns(); ++at) {
    const auto one = kept.value(at);
    const auto other = rebuilt.value(at);
    if (one == other) continue;
    return Difference{
        listing.table, key_of(listing, kept),
        fmt::format("{} is {}, rebuilt {}", listing.columns[static_cast<size_t>(at)], shown(one), shown(other))};
  }
  return std::nullopt;
}

Result<std::optional<Difference>> difference_in(const Listing& listing, sqlite::Connection& kept,
                                                sqlite::Connection& rebuilt) {
  auto one = kept.prepare(Sql::generated(listing.sql()));
  if (!one) return std::unexpected(one.error());
  auto other = rebuilt.prepare(Sql::generated(listing.sql()));
  if (!other) return std::unexpected(other.error());
  for (;;) {
    auto left = one->step();
    if (!left) return std::unexpected(left.error());
    auto right = other->step();
    if (!right) return std::unexpected(right.error());
    if (!*left && !*right) return std::optional<Difference>();
    const int first = !*right ? -1 : !*left ? 1 : order(listing, one->row(), other->row());
    if (first < 0) return Difference{listing.table, key_of(listing, one->row()), "missing in the rebuilt file"};
    if (first > 0) return Difference{listing.table, key_of(listing, other->row()), "only in the rebuilt file"};
    if (auto found = compare(listing, one->row(), other->row())) return found;
  }
}

}  // namespace

Result<std::string> digest_of(sqlite::Connection& file) {
  auto all = listings(file);
  if (!all) return std::unexpected(all.error());
  Chain chain;
  for (const auto& listing : *all) {
    chain.add(fmt::format("#{}\n", listing.table));
    auto rows = file.prepare(Sql::generated(listing.sql()));
    if (!rows) return std::unexpected(rows.error());
    for (;;) {
      auto more = rows->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      chain.add(encoded(rows->row()));
    }
  }
  return chain.end();
}

Result<std::optional<Difference>> difference(sqlite::Connection& kept, sqlite::Connection& rebuilt) {
  auto all = listings(rebuilt);
  if (!all) return std::unexpected(all.error());
  for (const auto& listing : *all) {
    auto found = difference_in(listing, kept, rebuilt);
    if (!found || *found) return found;
  }
  return std::optional<Difference>();
}

}  // namespace headrace::store
