#include "filter/pattern.h"

#include <cstring>

#include "filter/text.h"

namespace headrace::filter {
namespace {
constexpr char any_character = '\xFF';  // never occurs in UTF-8
}

Pattern::Pattern(std::string_view text) : pieces_(1) {
  for (size_t at = 0; at < text.size(); ++at) {
    Piece& piece = pieces_.back();
    bool escaped = text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '%' || text[at + 1] == '_');
    if (text[at] == '%') {
      pieces_.emplace_back();
    } else if (text[at] == '_') {
      piece.bytes.push_back(any_character);
      piece.has_any = true;
      ++piece.characters;
    } else {
      if (escaped) ++at;
      piece.bytes.push_back(text[at]);
      if (!continues(text[at])) ++piece.characters;
    }
  }
}

std::optional<std::string> Pattern::literal() const {
  if (pieces_.size() > 1 || pieces_[0].has_any) return std::nullopt;
  return pieces_[0].bytes;
}

std::optional<size_t> Pattern::match_at(const Piece& piece, std::string_view text, size_t at) {
  if (!piece.has_any) {
    if (text.substr(at, piece.bytes.size()) != piece.bytes) return std::nullopt;
    return at + piece.bytes.size();
  }
  for (char byte : piece.bytes) {
    if (at >= text.size()) return std::nullopt;
    if (byte == any_character) {
      at = next_character(text, at);
    } else if (byte != text[at++]) {
      return std::nullopt;
    }
  }
  return at;
}

std::optional<size_t> Pattern::find(const Piece& piece, std::string_view text, size_t from) {
  if (piece.bytes.empty()) return from;
  if (!piece.has_any) {  // memmem is linear, string_view::find is not
    const void* found = memmem(text.data() + from, text.size() - from, piece.bytes.data(), piece.bytes.size());
    if (found == nullptr) return std::nullopt;
    return static_cast<size_t>(static_cast<const char*>(found) - text.data()) + piece.bytes.size();
  }
  for (; from < text.size(); from = next_character(text, from)) {
    if (auto end = match_at(piece, text, from)) return end;
  }
  return std::nullopt;
}

bool Pattern::match_end(const Piece& piece, std::string_view text, size_t from) {
  if (!piece.has_any) return text.size() - from >= piece.bytes.size() && text.ends_with(piece.bytes);
  size_t start = last_characters(text, piece.characters);
  return start != std::string_view::npos && start >= from && match_at(piece, text, start) == text.size();
}

bool Pattern::matches(std::string_view text) const {
  auto end = match_at(pieces_.front(), text, 0);
  if (!end) return false;
  if (pieces_.size() == 1) return *end == text.size();
  for (size_t i = 1; i + 1 < pieces_.size(); ++i) {
    end = find(pieces_[i], text, *end);
    if (!end) return false;
  }
  return match_end(pieces_.back(), text, *end);
}

}  // namespace headrace::filter
