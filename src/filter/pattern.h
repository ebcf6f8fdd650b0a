// A LIKE pattern (CESQL 3.4.3), compiled: % is any number of characters, _ is one, \ takes their meaning away.
// Matching goes from left to right without backtracking across a %: at most text times the longest piece.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::filter {

class Pattern {
 public:
  explicit Pattern(std::string_view text);  // UTF-8
  bool matches(std::string_view text) const;
  std::optional<std::string> literal() const;  // the only text that it matches, if there is only one

 private:
  struct Piece {        // what stands between two %
    std::string bytes;  // any_character stands for _
    size_t characters = 0;
    bool has_any = false;
  };
  static std::optional<size_t> match_at(const Piece& piece, std::string_view text, size_t at);  // where it ends
  static std::optional<size_t> find(const Piece& piece, std::string_view text, size_t from);    // where it ends
  static bool match_end(const Piece& piece, std::string_view text, size_t from);

  std::vector<Piece> pieces_;  // at least one
};

}  // namespace headrace::filter
