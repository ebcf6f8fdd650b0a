// The words of HTTP (RFC 9110, RFC 9112): method, status, headers, request, response. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::net {

enum class Method { get, head, post, put, patch, delete_, options, other };
std::string_view name_of(Method method);  // "GET"; "" for other
Method method_of(std::string_view name);  // case-sensitive, as RFC 9110 section 9.1 has it

// Any three digits are a Status; the names are those in use here.
enum class Status : int {
  continue_ = 100,
  switching_protocols = 101,
  ok = 200,
  created = 201,
  accepted = 202,
  no_content = 204,
  moved_permanently = 301,
  found = 302,
  see_other = 303,
  not_modified = 304,
  temporary_redirect = 307,
  bad_request = 400,
  unauthorized = 401,
  forbidden = 403,
  not_found = 404,
  method_not_allowed = 405,
  not_acceptable = 406,
  request_timeout = 408,
  conflict = 409,
  gone = 410,
  precondition_failed = 412,
  content_too_large = 413,
  uri_too_long = 414,
  unsupported_media_type = 415,
  range_not_satisfiable = 416,
  expectation_failed = 417,
  unprocessable_content = 422,
  upgrade_required = 426,
  too_many_requests = 429,
  header_fields_too_large = 431,
  internal_error = 500,
  not_implemented = 501,
  bad_gateway = 502,
  unavailable = 503,
  gateway_timeout = 504,
  version_not_supported = 505,
  insufficient_storage = 507,
};
std::string_view reason_of(Status status);  // "Not Found"; "Unknown" for one without a name here

// Case does not count, as RFC 9110 section 5.1 has it for names of fields.
bool equal_ignoring_case(std::string_view a, std::string_view b);

struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

// Header fields in the order they came; names compare without case, a name may repeat. A name that is no token, or a
// value with a control character (RFC 9110 section 5.5), breaks an invariant: it would split the message.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Field> fields);

  void add(std::string name, std::string value);  // beside what is there
  void set(std::string name, std::string value);  // instead of what is there
  void remove(std::string_view name);
  void clear() { fields_.clear(); }

  const std::string* find(std::string_view name) const;  // the first; null where absent
  std::string_view get(std::string_view name) const;     // the first; empty where absent
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  size_t count(std::string_view name) const;
  // `token` is an element of the comma-separated lists in all fields of that name, without case: Connection, Upgrade.
  bool has_token(std::string_view name, std::string_view token) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  bool operator==(const Headers&) const = default;

 private:
  std::vector<Field> fields_;
};

// Who is at the other end of the connection itself; X-Forwarded-For and its like are never believed here.
struct Peer {
  std::string address;  // "127.0.0.1", "::1"; empty for a Unix socket
  uint16_t port = 0;
  // Unix sockets only, by SO_PEERCRED: who made the connection.
  bool local = false;
  int64_t process = 0;
  uint32_t user = 0;
};

struct Parameter {
  std::string name;
  std::string value;
  bool operator==(const Parameter&) const = default;
};

struct Request {
  Method method = Method::get;
  std::string method_text;            // "GET", "REPORT"
  std::string target;                 // as sent: "/a%20b?x=1"
  std::string path;                   // as sent, without the query, never decoded: "/a%20b"; "*" for OPTIONS *
  std::vector<std::string> segments;  // path, cut at "/", then decoded: {"a b"}; never "." or ".."; may hold a "/" that
                                      // was sent as %2F; "/" has none, "/a/" has {"a", ""}
  std::vector<Parameter> query;       // decoded ("+" is a space), in order
  std::string host;  // "example.org:8080", of an absolute target or the Host field; may be empty in HTTP/1.0
  Headers headers;
  int version_minor = 1;  // HTTP/1.<minor>: 0 or 1
  Peer peer;
  bool over_tls = false;

  const std::string* parameter(std::string_view name) const;  // the first of that name; null where absent
};

struct Response {
  Status status = Status::ok;
  Headers headers;
  std::string body;
};

// A whole answer with its Content-Type.
Response make_response(Status status, std::string body, std::string content_type = "text/plain; charset=utf-8");

}  // namespace headrace::net
