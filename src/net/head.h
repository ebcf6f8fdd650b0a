// The head of a message (RFC 9112, sections 2 to 6): where it ends, what it says, and how its body is framed. Bytes in,
// values out; strict where two readers could disagree. Internal to net.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace headrace::net {

// Why a request is answered before any handler sees it.
struct Refusal {
  Status status;
  std::string reason;
};

struct HeadLimits {
  size_t bytes_max;
  size_t fields_max;
  size_t first_line_max;
};

// Finds the blank line that ends a head, without reading a byte twice.
class HeadScanner {
 public:
  explicit HeadScanner(HeadLimits limits) : limits_(limits) {}

  // `bytes` starts where the head starts, and has grown since the last call. The length of the head with its blank
  // line; 0 when more is wanted.
  std::expected<size_t, Refusal> scan(std::string_view bytes);
  void restart() { *this = HeadScanner(limits_); }

 private:
  std::optional<Refusal> check(std::string_view bytes) const;

  HeadLimits limits_;
  size_t scanned_ = 0;  // everything before has been looked at
  size_t line_start_ = 0;
  size_t lines_ = 0;
};

struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  uint64_t length = 0;
};

struct RequestHead {
  Request request;
  Framing framing;
  bool keep_alive = true;
  bool expects_continue = false;
};

// `head` is what HeadScanner found, blank line included.
std::expected<RequestHead, Refusal> parse_request_head(std::string_view head);

struct ResponseHead {
  Status status = Status::ok;
  Headers headers;
  int version_minor = 1;
  Framing framing;
  bool keep_alive = true;
};

// The framing depends on the request's method: an answer to HEAD has no body (RFC 9112, section 6.3). A string says
// what is wrong.
std::expected<ResponseHead, std::string> parse_response_head(std::string_view head, Method asked);

// Fields up to the end of `lines`, each ended by CRLF. A sentence says what is wrong.
std::optional<std::string> parse_fields(std::string_view lines, Headers& into);

}  // namespace headrace::net
