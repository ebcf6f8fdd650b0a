#include "core/json_text.h"

namespace headrace::core {

namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

// Characters from the beginning on that stand for themselves.
size_t plain_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size() && is_plain(text[length])) ++length;
  return length;
}

}  // namespace

JsonText& JsonText::key(std::string_view name) {
  separate();
  quote(name);
  out_.push_back(':');
  return *this;
}

JsonText& JsonText::value(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

JsonText& JsonText::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonText& JsonText::open(char bracket) {
  separate();
  out_.push_back(bracket);
  return *this;
}

// What stands before tells whether a comma is wanted: no value ends with one of these.
void JsonText::separate() {
  if (out_.empty()) return;
  char last = out_.back();
  if (last != '{' && last != '[' && last != ':') out_.push_back(',');
}

// RFC 8259, section 7.
void JsonText::quote(std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  out_.push_back('"');
  while (!text.empty()) {
    const size_t plain = plain_length(text);
    out_.append(text.substr(0, plain));
    if (plain == text.size()) break;
    char c = text[plain];
    text.remove_prefix(plain + 1);
    out_.push_back('\\');
    switch (c) {
      case '"':
      case '\\': out_.push_back(c); break;
      case '\b': out_.push_back('b'); break;
      case '\f': out_.push_back('f'); break;
      case '\n': out_.push_back('n'); break;
      case '\r': out_.push_back('r'); break;
      case '\t': out_.push_back('t'); break;
      default: out_.append("u00").append({hex[c >> 4], hex[c & 15]});
    }
  }
  out_.push_back('"');
}

}  // namespace headrace::core
