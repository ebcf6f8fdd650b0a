#include "net/url.h"

#include <algorithm>
#include <utility>

#include "net/grammar.h"

namespace headrace::net {

namespace {

constexpr std::string_view hexadecimal = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    result.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return result;
}

core::Result<uint16_t> parse_port(std::string_view text, std::string_view url) {
  auto number = parse_length(text);
  if (!number || *number == 0 || *number > 65'535)
    return core::fail(core::Code::invalid,
                      "The URL '" + std::string(url) + "' has a port that is no number from 1 to 65535.");
  return static_cast<uint16_t>(*number);
}

// "host", "host:1", "[::1]:1" into url.host and url.port.
core::Result<> take_host(std::string_view authority, std::string_view text, Url& url) {
  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos)
      return core::fail(core::Code::invalid, "The URL '" + std::string(text) + "' has a '[' without its ']'.");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else if (const size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  const bool clean = std::ranges::all_of(host, [](char c) { return is_unreserved(c) || c == ':'; });
  if (host.empty() || !clean || (!port.empty() && port.front() != ':'))
    return core::fail(core::Code::invalid, "The URL '" + std::string(text) + "' names no proper host.");
  url.host = lowered(host);
  url.port = url.secure() ? 443 : 80;
  if (port.size() <= 1) return {};
  auto number = parse_port(port.substr(1), text);
  if (!number) return std::unexpected(number.error());
  url.port = *number;
  return {};
}

core::Result<std::string_view> take_user(std::string_view authority, std::string_view text, Url& url) {
  const size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return authority;
  const std::string_view user = authority.substr(0, at);
  const size_t colon = user.find(':');
  auto name = percent_decode(user.substr(0, colon));
  auto password = percent_decode(colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1));
  if (!name || !password)
    return core::fail(
        core::Code::invalid,
        "The user or password in the URL of '" + std::string(authority.substr(at + 1)) + "' has a bad %-escape.",
        std::string(text.substr(0, 8)));
  url.user = std::move(*name);
  url.password = std::move(*password);
  return authority.substr(at + 1);
}

}  // namespace

std::string Url::authority() const {
  std::string result = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (secure() ? 443 : 80)) result += ":" + std::to_string(port);
  return result;
}

core::Result<Url> parse_url(std::string_view text) {
  const size_t scheme_end = text.find("://");
  Url url;
  url.scheme = lowered(text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end));
  if (url.scheme != "http" && url.scheme != "https" && url.scheme != "ws" && url.scheme != "wss")
    return core::fail(core::Code::invalid,
                      "'" + std::string(text) + "' is no URL that starts with http:// or https://.");
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t authority_end = rest.find_first_of("/?");
  auto authority = take_user(rest.substr(0, authority_end), text, url);
  if (!authority) return std::unexpected(authority.error());
  if (auto taken = take_host(*authority, text, url); !taken) return std::unexpected(taken.error());
  url.target = authority_end == std::string_view::npos ? "/" : std::string(rest.substr(authority_end));
  if (url.target.front() == '?') url.target.insert(0, 1, '/');
  if (std::ranges::any_of(url.target, [](char c) { return c <= ' ' || c >= 0x7f; }))
    return core::fail(core::Code::invalid,
                      "The URL '" + std::string(text) + "' has a character that must be written as %XX.");
  return url;
}

std::optional<std::string> percent_decode(std::string_view text) { return decode(text, false); }

std::string percent_encode(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (is_unreserved(c)) {
      result.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    result.push_back('%');
    result.push_back(hexadecimal[byte >> 4]);
    result.push_back(hexadecimal[byte & 15]);
  }
  return result;
}

std::optional<std::vector<Parameter>> parse_query(std::string_view text) {
  std::vector<Parameter> parameters;
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), true);
    auto value = decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

std::string encode_query(const std::vector<Parameter>& parameters) {
  std::string result;
  for (const Parameter& parameter : parameters) {
    if (!result.empty()) result.push_back('&');
    result.append(percent_encode(parameter.name)).append("=").append(percent_encode(parameter.value));
  }
  return result;
}

std::optional<std::vector<std::string>> parse_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> segments;
  path.remove_prefix(1);
  while (!path.empty() || !segments.empty()) {
    const size_t end = path.find('/');
    auto segment = percent_decode(path.substr(0, end));
    if (!segment || *segment == "." || *segment == "..") return std::nullopt;
    segments.push_back(std::move(*segment));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  return segments;
}

}  // namespace headrace::net
