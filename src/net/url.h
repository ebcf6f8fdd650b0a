// URLs (RFC 3986) as far as HTTP needs them, percent-encoding and query strings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/http.h"

namespace headrace::net {

struct Url {
  std::string scheme;    // "http", "https", "ws", "wss"; lower case
  std::string user;      // decoded; empty where absent
  std::string password;  // decoded
  std::string host;      // lower case; an IPv6 address without its brackets
  uint16_t port = 0;     // 80 or 443 by scheme where absent
  std::string target;    // path and query, at least "/"; the fragment is dropped

  bool secure() const { return scheme == "https" || scheme == "wss"; }
  std::string authority() const;  // "host" or "host:8080" or "[::1]:8080", as a Host field wants it
};

// Absolute URLs of the four schemes. Code::invalid names what is wrong.
core::Result<Url> parse_url(std::string_view text);

// "%41+b" -> "A+b". Nothing where an escape is incomplete or stands for a NUL byte.
std::optional<std::string> percent_decode(std::string_view text);
// Everything but unreserved characters (RFC 3986, 2.3) is escaped: fit for one path segment or query value.
std::string percent_encode(std::string_view text);

// "a=1&b=x+y"; nothing where an escape is bad. Also for application/x-www-form-urlencoded bodies.
std::optional<std::vector<Parameter>> parse_query(std::string_view text);
std::string encode_query(const std::vector<Parameter>& parameters);

// "/a/b%20c" -> {"a", "b c"}; nothing where it does not start with "/", an escape is bad, or a segment decodes to "."
// or
// "..".
std::optional<std::vector<std::string>> parse_path(std::string_view path);

}  // namespace headrace::net
