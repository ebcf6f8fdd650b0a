#include "services/runner/masks.h"

#include <algorithm>

#include "core/bytes.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

constexpr size_t recent_max = 256;  // patterns
constexpr size_t window_max = 16;
constexpr std::string_view stars = "***";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::string url_encoded(std::string_view text, std::string_view digits, std::string_view also_plain) {
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (is_plain(c) || also_plain.contains(c)) {
      out += c;
    } else {
      out += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return out;
}

std::string json_escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::string_view from = "\"\\\b\f\n\r\t", to = "\"\\bfnrt";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (auto at = from.find(c); at != std::string_view::npos) {
      out += {'\\', to[at]};
    } else if (byte < 0x20) {
      out += {'\\', 'u', '0', '0', digits[byte / 16], digits[byte % 16]};
    } else {
      out += c;
    }
  }
  return out;
}

std::string xml_escaped(std::string_view text, std::string_view apostrophe) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += apostrophe; break;
      default: out += c;
    }
  }
  return out;
}

std::string replaced(std::string_view text, std::string_view characters, std::string_view before) {
  std::string out;
  for (char c : text) {
    if (characters.contains(c)) out += before;
    out += c;
  }
  return out;
}

// As bash and `printf %q` and `set -x` print it: inside of '...' and inside of "...", and with \ before what is
// special.
std::string single_quoted(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out;
}

// The characters of base64 that stand for bytes of `text` alone, when `before` bytes of something else come first.
std::string base64_core(std::string_view text, size_t before) {
  std::string bytes = std::string(before, '\0') + std::string(text);
  std::string encoded = core::to_base64(core::as_bytes(bytes));
  size_t first = before == 0 ? 0 : before + 1;
  size_t whole = bytes.size() * 8 / 6;  // characters whose six bits are all known
  return whole > first ? encoded.substr(first, whole - first) : std::string();
}

// `base64` breaks its lines after 76 characters, `openssl` and PEM after 64. Where the secret comes first in what is
// encoded it is known where the breaks are.
void add_base64_lines(const std::string& encoded, std::vector<std::string>& forms) {
  for (size_t width : {size_t{64}, size_t{76}})
    for (size_t at = 0; encoded.size() > width && at < encoded.size(); at += width)
      forms.push_back(encoded.substr(at, width));
}

std::string url_alphabet(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

}  // namespace

Result<> Masks::insert(std::string pattern, size_t shortest) {
  if (pattern.size() < shortest || pattern.contains('\n')) return {};
  bytes_ += pattern.size();
  if (bytes_ > mask_patterns_bytes_max)
    return core::fail(Code::exhausted, "The job has more to be masked than " +
                                           std::to_string(mask_patterns_bytes_max >> 20) + " MiB of secrets.");
  if (recent_patterns_.size() >= recent_max) {
    for (const auto& known : recent_patterns_) settled_.insert(known);
    recent_patterns_.clear();
    recent_ = Automaton();
  }
  recent_.insert(pattern);
  recent_patterns_.push_back(std::move(pattern));
  return {};
}

// A secret of one line, or all lines of one as some encodings put them into one.
Result<> Masks::add_forms(std::string_view secret) {
  constexpr std::string_view upper = "0123456789ABCDEF", lower = "0123456789abcdef";
  std::vector<std::string> forms;
  for (size_t before = 0; before < 3; ++before) {
    forms.push_back(base64_core(secret, before));
    forms.push_back(url_alphabet(forms.back()));
  }
  add_base64_lines(base64_core(secret, 0), forms);
  forms.push_back(url_encoded(secret, upper, ""));
  forms.push_back(url_encoded(secret, lower, ""));
  forms.push_back(url_encoded(secret, upper, "!'()*"));  // JavaScript's encodeURIComponent
  forms.push_back(url_encoded(secret, upper, "/"));      // Python's quote
  std::string spaces = url_encoded(secret, upper, " ");  // of forms
  std::ranges::replace(spaces, ' ', '+');
  forms.push_back(std::move(spaces));
  forms.push_back(json_escaped(secret));
  forms.push_back(xml_escaped(secret, "&apos;"));
  forms.push_back(xml_escaped(secret, "&#39;"));
  forms.push_back(single_quoted(secret));
  forms.push_back(replaced(secret, "\"$`\\", "\\"));
  forms.push_back(replaced(secret, " \t\"'$`\\!&|;<>()[]{}*?#~^=,", "\\"));
  std::ranges::sort(forms);
  auto twice = std::ranges::unique(forms);
  forms.erase(twice.begin(), twice.end());
  for (auto& form : forms) {
    if (form == secret) continue;
    if (auto added = insert(std::move(form), mask_encoded_min); !added) return added;
  }
  return {};
}

Result<> Masks::add(std::string_view secret) {
  if (is_blank(secret)) return {};
  if (secret.size() > mask_secret_bytes_max)
    return core::fail(Code::exhausted,
                      "A value to be masked is larger than " + std::to_string(mask_secret_bytes_max / 1024) + " KiB.");
  if (auto added = add_forms(secret); !added) return added;
  bool many = secret.contains('\n');
  for (std::string_view rest = secret; !rest.empty();) {
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (is_blank(line) || (many && line.size() < mask_line_min)) continue;
    if (auto added = insert(std::string(line), 1); !added) return added;
    if (!many) continue;
    if (auto added = add_forms(line); !added) return added;
  }
  return {};
}

std::string Masks::masked(std::string_view text) const {
  std::string out;
  Between between;
  mask(text, between, true, out);
  return out;
}

bool Masks::holds_secret(std::string_view text) const {
  std::vector<Automaton::Hit> hits;
  settled_.scan(text, hits);
  recent_.scan(text, hits);
  return !hits.empty();
}

size_t Masks::mask(std::string_view text, Between& between, bool last, std::string& out) const {
  std::vector<Automaton::Hit> hits;
  size_t open = settled_.scan(text, hits);
  size_t middle = hits.size();
  open = std::max(open, recent_.scan(text, hits));
  std::inplace_merge(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(middle), hits.end(),
                     [](const auto& a, const auto& b) { return a.begin < b.begin; });
  size_t keep_from = last ? text.size() : text.size() - open;
  size_t at = between.covered;   // up to here all is written or hidden
  bool hidden = between.hidden;  // what ends at `at` is
  for (const auto& hit : hits) {
    if (hit.begin >= keep_from) break;
    if (hit.end <= at) continue;
    if (!hidden || hit.begin > at) {
      out.append(text.substr(at, hit.begin - at));
      out.append(stars);
    }
    at = hit.end;
    hidden = true;
  }
  if (at < keep_from) {
    out.append(text.substr(at, keep_from - at));
    at = keep_from;
    hidden = false;
  }
  between = {at - keep_from, hidden};
  return text.size() - keep_from;
}

// ---- The automaton

uint32_t Masks::Automaton::child_of(uint32_t node, unsigned char byte) const {
  if (node == 0) return root_[byte];
  for (uint32_t child = nodes_[node].child; child != 0; child = nodes_[child].sibling)
    if (nodes_[child].byte == byte) return child;
  return 0;
}

void Masks::Automaton::insert(std::string_view pattern) {
  uint32_t node = 0;
  for (char c : pattern) {
    auto byte = static_cast<unsigned char>(c);
    uint32_t next = child_of(node, byte);
    if (next == 0) {
      next = static_cast<uint32_t>(nodes_.size());
      Node made;
      made.byte = byte;
      made.depth = nodes_[node].depth + 1;
      made.sibling = node == 0 ? 0 : nodes_[node].child;
      nodes_.push_back(made);
      if (node == 0) {
        root_[byte] = next;
      } else {
        nodes_[node].child = next;
      }
    }
    node = next;
  }
  nodes_[node].ends = true;
  sealed_ = false;
}

void Masks::Automaton::seal() const {
  std::vector<uint32_t> order;  // breadth first
  order.reserve(nodes_.size());
  for (uint32_t child : root_)
    if (child != 0) order.push_back(child);
  for (uint32_t child : order) nodes_[child].longest = nodes_[child].ends ? 1 : 0;
  window_ = window_max;
  for (size_t i = 0; i < order.size(); ++i) {
    uint32_t node = order[i];
    if (nodes_[node].ends) window_ = std::min<size_t>(window_, nodes_[node].depth);
    for (uint32_t child = nodes_[node].child; child != 0; child = nodes_[child].sibling) {
      uint32_t fail = nodes_[node].fail;
      while (fail != 0 && child_of(fail, nodes_[child].byte) == 0) fail = nodes_[fail].fail;
      uint32_t to = child_of(fail, nodes_[child].byte);
      nodes_[child].fail = to;
      nodes_[child].longest = nodes_[child].ends ? nodes_[child].depth : nodes_[to].longest;
      order.push_back(child);
    }
  }
  shift_.assign(65'536, static_cast<uint8_t>(window_ - 1));
  for (uint32_t node : order) {
    if (nodes_[node].depth >= window_) break;  // breadth first: all others are as deep
    for (uint32_t child = nodes_[node].child; child != 0; child = nodes_[child].sibling) {
      auto& shift = shift_[size_t{nodes_[node].byte} << 8 | nodes_[child].byte];
      shift = std::min(shift, static_cast<uint8_t>(window_ - nodes_[child].depth));
    }
  }
  sealed_ = true;
}

size_t Masks::Automaton::candidate(std::string_view text, size_t from) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (window_ < 2) {
    while (from < text.size() && root_[bytes[from]] == 0) ++from;
    return from;
  }
  size_t end = from + window_ - 1;  // of the window: its last byte
  while (end < text.size()) {
    size_t shift = shift_[size_t{bytes[end - 1]} << 8 | bytes[end]];
    if (shift == 0) {
      from = end + 1 - window_;
      uint32_t first = root_[bytes[from]];
      if (first != 0 && child_of(first, bytes[from + 1]) != 0) return from;
      shift = 1;
    }
    end += shift;
  }
  return end + 1 - window_;
}

size_t Masks::Automaton::scan(std::string_view text, std::vector<Hit>& hits) const {
  if (empty()) return 0;
  if (!sealed_) seal();
  size_t first_hit = hits.size();
  uint32_t node = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (node == 0) at = candidate(text, at);
    if (at >= text.size()) break;
    auto byte = static_cast<unsigned char>(text[at]);
    uint32_t next = child_of(node, byte);
    while (next == 0 && node != 0) {
      node = nodes_[node].fail;
      next = child_of(node, byte);
    }
    node = next;
    size_t length = nodes_[node].longest;
    if (length == 0) continue;
    size_t begin = at + 1 - length;
    while (hits.size() > first_hit && begin <= hits.back().end) {
      begin = std::min(begin, hits.back().begin);
      hits.pop_back();
    }
    hits.push_back({begin, at + 1});
  }
  return nodes_[node].depth;
}

}  // namespace headrace::runner
