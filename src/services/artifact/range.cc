#include "services/artifact/range.h"

#include <algorithm>
#include <charconv>

namespace headrace::artifact {

namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Asked range_of(std::string_view header, uint64_t size) {
  const Asked all{RangeKind::whole, {0, size}};
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit) || header.contains(',')) return all;
  header.remove_prefix(unit.size());
  auto dash = header.find('-');
  if (dash == std::string_view::npos) return all;
  auto first = number(header.substr(0, dash)), last = number(header.substr(dash + 1));
  if (!first && (!last || dash != 0)) return all;  // neither "5-" nor "-5"
  if (first && !last && dash + 1 != header.size()) return all;
  if (!first) {
    if (*last == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
    uint64_t length = std::min(*last, size);
    return {RangeKind::part, {size - length, length}};
  }
  if (last && *last < *first) return all;
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return {RangeKind::part, {*first, end - *first + 1}};
}

}  // namespace headrace::artifact
