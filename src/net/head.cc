#include "net/head.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/grammar.h"
#include "net/url.h"

namespace headrace::net {

namespace {

std::unexpected<Refusal> refuse(Status status, std::string reason) {
  return std::unexpected(Refusal{status, std::move(reason)});
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 2);
  return line;
}

// "HTTP/1.1" -> 1. -1: no version of HTTP at all, -2: another major version.
int version_minor(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  const bool version = text.size() == 8 && text.starts_with("HTTP/") && text[5] >= '0' && text[5] <= '9' &&
                       text[6] == '.' && text[7] >= '0' && text[7] <= '9';
  if (!version) return -1;
  return text[5] == '1' ? 1 : -2;  // RFC 9110, section 2.5: a higher minor version is read as ours
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_host(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && !std::string_view("/?#@\\<>\"'{}|^`,;").contains(c); });
}

// RFC 9112, section 3.2: origin-form, absolute-form (its host counts, not the Host field's), and "*" for OPTIONS.
std::optional<Refusal> take_target(std::string_view target, Request& request) {
  request.target = target;
  if (!is_visible(target) || target.empty() || target.contains('#'))
    return Refusal{Status::bad_request, "The target of the request has a character that must be written as %XX."};
  if (target == "*" && request.method == Method::options) {
    request.path = target;
    return std::nullopt;
  }
  if (equal_ignoring_case(target.substr(0, 7), "http://") || equal_ignoring_case(target.substr(0, 8), "https://")) {
    std::string_view rest = target.substr(target.find("://") + 3);
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    request.host = rest.substr(0, end);
    if (request.host.empty() || !is_host(request.host))
      return Refusal{Status::bad_request, "The target of the request names no proper host."};
    request.target = rest.substr(end);
    if (!request.target.starts_with('/')) request.target.insert(0, 1, '/');
  }
  const std::string_view whole = request.target;
  const size_t mark = whole.find('?');
  request.path = whole.substr(0, mark);
  auto segments = parse_path(request.path);
  if (!segments) return Refusal{Status::bad_request, "The path has a bad %-escape, or a '.' or '..' for a part."};
  request.segments = std::move(*segments);
  auto query = parse_query(mark == std::string_view::npos ? std::string_view() : whole.substr(mark + 1));
  if (!query) return Refusal{Status::bad_request, "The query has a bad %-escape."};
  request.query = std::move(*query);
  return std::nullopt;
}

std::optional<Refusal> take_request_line(std::string_view line, Request& request) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || line.substr(first + 1, last - first - 1).contains(' '))
    return Refusal{Status::bad_request, "The first line is not 'METHOD TARGET HTTP/1.1' with single spaces."};
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) return Refusal{Status::bad_request, "The method is not a word of HTTP."};
  const int minor = version_minor(line.substr(last + 1));
  if (minor == -1) return Refusal{Status::bad_request, "The first line does not end in a version of HTTP."};
  if (minor == -2) return Refusal{Status::version_not_supported, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  if (method == "CONNECT") return Refusal{Status::not_implemented, "This server is no proxy."};
  request.method_text = method;
  request.method = method_of(method);
  request.version_minor = minor;
  return take_target(line.substr(first + 1, last - first - 1), request);
}

// RFC 9112, section 3.2: exactly one, and it must look like one.
std::optional<Refusal> check_host(Request& request) {
  const size_t count = request.headers.count("Host");
  if (count > 1 || (count == 0 && request.version_minor == 1))
    return Refusal{Status::bad_request, "A request of HTTP/1.1 has exactly one Host field."};
  if (count == 0) return std::nullopt;
  const std::string_view host = request.headers.get("Host");
  if (!is_host(host)) return Refusal{Status::bad_request, "The Host field names no proper host."};
  if (request.host.empty()) request.host = host;
  return std::nullopt;
}

// RFC 9110, section 5.3: a field that is no list stands once. Of two credentials another reader may take the other one.
std::optional<Refusal> check_credentials(const Request& request) {
  if (request.headers.count("Authorization") < 2) return std::nullopt;
  return Refusal{Status::bad_request, "A request has one Authorization field at most."};
}

// RFC 9112, section 6.1 and 6.3; section 11.2 is what happens to those who are lenient.
std::expected<Framing, Refusal> framing_of(const Headers& headers, int version) {
  const size_t codings = headers.count("Transfer-Encoding");
  const size_t lengths = headers.count("Content-Length");
  if (codings > 0) {
    if (lengths > 0) return refuse(Status::bad_request, "A message has either Content-Length or Transfer-Encoding.");
    if (version == 0) return refuse(Status::bad_request, "HTTP/1.0 has no Transfer-Encoding.");
    const std::string_view coding = headers.get("Transfer-Encoding");
    if (codings == 1 && equal_ignoring_case(coding, "chunked")) return Framing{Framing::Kind::chunked, 0};
    return refuse(Status::not_implemented, "The only Transfer-Encoding known here is 'chunked', once.");
  }
  if (lengths == 0) return Framing{};
  auto length = parse_length(headers.get("Content-Length"));
  if (lengths > 1 || !length) return refuse(Status::bad_request, "Content-Length is one number, once.");
  return Framing{*length == 0 ? Framing::Kind::none : Framing::Kind::length, *length};
}

bool keeps_alive(const Headers& headers, int version) {
  if (headers.has_token("Connection", "close")) return false;
  return version == 1 || headers.has_token("Connection", "keep-alive");
}

}  // namespace

std::optional<Refusal> HeadScanner::check(std::string_view bytes) const {
  const size_t length = lines_ == 0 ? bytes.size() : 0;
  if (length > limits_.first_line_max)
    return Refusal{Status::uri_too_long, "The first line of the request is too long."};
  if (lines_ > limits_.fields_max + 1)
    return Refusal{Status::header_fields_too_large, "The request has too many header fields."};
  if (scanned_ > limits_.bytes_max)
    return Refusal{Status::header_fields_too_large, "The header of the request is too large."};
  return std::nullopt;
}

std::expected<size_t, Refusal> HeadScanner::scan(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      break;
    }
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    scanned_ = at + 1;
    if (at == line_start_ || bytes[at - 1] != '\r')
      return refuse(Status::bad_request, "A line of the header does not end in CR LF.");
    if (auto refusal = check(bytes.substr(0, at))) return std::unexpected(std::move(*refusal));
    if (at == line_start_ + 1) return scanned_;
    line_start_ = scanned_;
    ++lines_;
  }
  if (auto refusal = check(bytes)) return std::unexpected(std::move(*refusal));
  return size_t{0};
}

std::optional<std::string> parse_fields(std::string_view lines, Headers& into) {
  while (!lines.empty()) {
    const std::string_view line = take_line(lines);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return "A header field is folded over several lines.";
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return "A header field is not 'Name: value', without a space before the colon.";
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return "A header field has a control character in its value.";
    into.add(std::string(line.substr(0, colon)), std::string(value));
  }
  return std::nullopt;
}

std::expected<RequestHead, Refusal> parse_request_head(std::string_view head) {
  RequestHead result;
  Request& request = result.request;
  if (auto refusal = take_request_line(take_line(head), request)) return std::unexpected(std::move(*refusal));
  if (auto problem = parse_fields(head, request.headers)) return refuse(Status::bad_request, std::move(*problem));
  if (auto refusal = check_host(request)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_credentials(request)) return std::unexpected(std::move(*refusal));
  auto framing = framing_of(request.headers, request.version_minor);
  if (!framing) return std::unexpected(std::move(framing.error()));
  result.framing = *framing;
  result.keep_alive = keeps_alive(request.headers, request.version_minor);
  const std::string_view expect = request.headers.get("Expect");
  if (!expect.empty() && request.version_minor == 1) {
    if (!equal_ignoring_case(expect, "100-continue"))
      return refuse(Status::expectation_failed, "The only expectation known here is '100-continue'.");
    result.expects_continue = result.framing.kind != Framing::Kind::none;
  }
  return result;
}

std::expected<ResponseHead, std::string> parse_response_head(std::string_view head, Method asked) {
  ResponseHead result;
  const std::string_view line = take_line(head);
  const int minor = version_minor(line.substr(0, line.find(' ')));
  auto status = line.size() >= 12 && line[8] == ' ' && (line.size() == 12 || line[12] == ' ')
                    ? parse_length(line.substr(9, 3))
                    : std::nullopt;
  if (minor < 0 || !status || *status < 100)
    return std::unexpected("The first line of the answer is not 'HTTP/1.1 200 OK'.");
  result.status = static_cast<Status>(*status);
  result.version_minor = minor;
  if (auto problem = parse_fields(head, result.headers)) return std::unexpected(std::move(*problem));
  result.keep_alive = keeps_alive(result.headers, minor);
  if (asked == Method::head || *status < 200 || *status == 204 || *status == 304) return result;
  auto framing = framing_of(result.headers, minor);
  if (!framing) return std::unexpected(std::move(framing.error().reason));
  result.framing = *framing;
  if (framing->kind == Framing::Kind::none && !result.headers.contains("Content-Length")) {
    result.framing.kind = Framing::Kind::until_close;
    result.keep_alive = false;
  }
  return result;
}

}  // namespace headrace::net
