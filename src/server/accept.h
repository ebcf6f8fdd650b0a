// What a client takes: lists with weights, RFC 9110 section 12.4.2: "br;q=0.5, gzip".
#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>

#include "net/http.h"

namespace headrace::server {

inline std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Calls `look` with each element of a list and its weight.
template <class Look>
void each_weighted(std::string_view list, Look look) {
  while (!list.empty()) {
    auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), element.size() + 1));
    auto name = trimmed(element.substr(0, element.find(';')));
    double weight = 1;
    if (auto q = element.find("q="); q != std::string_view::npos) {
      auto digits = trimmed(element.substr(q + 2));
      if (std::from_chars(digits.data(), digits.data() + digits.size(), weight).ec != std::errc()) weight = 0;
    }
    if (!name.empty()) look(name, weight);
  }
}

// Whether a content coding is named, and not with the weight 0.
inline bool takes(const net::Request& request, std::string_view coding) {
  bool taken = false;
  each_weighted(request.headers.get("Accept-Encoding"), [&](std::string_view name, double weight) {
    if (net::equal_ignoring_case(name, coding)) taken = weight > 0;
  });
  return taken;
}

}  // namespace headrace::server
