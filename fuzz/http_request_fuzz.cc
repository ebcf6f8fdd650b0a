// rooms: net core
// Any bytes as a request, an answer, a body and an event stream: never broken by them, and the same whether they come
// at once or in pieces - for what is framed differently by how it is cut can be smuggled.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/body.h"
#include "net/head.h"
#include "net/sse.h"
#include "net/url.h"

namespace {

using namespace headrace::net;

constexpr HeadLimits limits{.bytes_max = 4096, .fields_max = 20, .first_line_max = 1024};

void expect(bool holds) {
  if (!holds) std::abort();
}

// The length of the head, 0 for none yet, -1 where it is refused; the bytes come `step` at a time.
long scan(std::string_view bytes, size_t step) {
  HeadScanner scanner(limits);
  for (size_t end = std::min(step, bytes.size());; end = std::min(end + step, bytes.size())) {
    auto length = scanner.scan(bytes.substr(0, end));
    if (!length) return -1;
    if (*length > 0) return static_cast<long>(*length);
    if (end == bytes.size()) return 0;
  }
}

struct Decoded {
  std::string body;
  size_t used = 0;
  bool broken = false;
};

Decoded decode(Framing framing, std::string_view bytes, size_t step, size_t room) {
  BodyDecoder decoder(framing);
  Decoded result;
  std::array<std::byte, 512> into;
  size_t end = std::min(step, bytes.size());
  while (!decoder.done()) {
    auto done = decoder.decode(bytes.substr(result.used, end - result.used), std::span(into).first(room));
    if (!done) return {.body = {}, .used = 0, .broken = true};  // what came out before the break counts for nothing
    result.body.append(reinterpret_cast<const char*>(into.data()), done->produced);
    result.used += done->consumed;
    if (done->consumed == 0 && done->produced == 0 && end == bytes.size()) break;
    if (result.used == end) end = std::min(end + step, bytes.size());
  }
  return result;
}

void try_body(Framing framing, std::string_view bytes) {
  const Decoded whole = decode(framing, bytes, bytes.size() + 1, 512);
  for (size_t step : {1u, 3u, 7u}) {
    const Decoded pieces = decode(framing, bytes, step, step * 2);
    expect(pieces.broken == whole.broken && pieces.body == whole.body && pieces.used == whole.used);
  }
  expect(framing.kind != Framing::Kind::length ||
         whole.body.size() == std::min<uint64_t>(framing.length, bytes.size()));
}

void try_request(std::string_view bytes) {
  const long length = scan(bytes, bytes.size() + 1);
  expect(length == scan(bytes, 1) && length == scan(bytes, 5));
  if (length <= 0) return;
  auto head = parse_request_head(bytes.substr(0, static_cast<size_t>(length)));
  if (!head) return;
  const Request& request = head->request;
  for (const std::string& segment : request.segments)
    expect(segment != "." && segment != ".." && !segment.contains('\0'));
  for (const Field& field : request.headers) expect(!field.value.contains('\r') && !field.value.contains('\n'));
  expect(request.headers.count("Content-Length") + request.headers.count("Transfer-Encoding") <= 1);
  expect(request.version_minor == 0 || request.headers.count("Host") == 1);
  try_body(head->framing, bytes.substr(static_cast<size_t>(length)));
}

void try_answer(std::string_view bytes) {
  const long length = scan(bytes, bytes.size() + 1);
  if (length <= 0) return;
  auto head = parse_response_head(bytes.substr(0, static_cast<size_t>(length)), Method::get);
  if (head) try_body(head->framing, bytes.substr(static_cast<size_t>(length)));
}

void try_events(std::string_view bytes) {
  SseParser whole(1024), pieces(1024);
  auto all = whole.feed(bytes);
  std::vector<ServerSentEvent> heard;
  for (char c : bytes) {
    auto events = pieces.feed({&c, 1});
    if (!events) return expect(!all);
    heard.insert(heard.end(), events->begin(), events->end());
  }
  expect(all && *all == heard);
}

void try_url(std::string_view bytes) {
  auto url = parse_url(bytes);
  if (!url) return;
  auto again = parse_url(url->scheme + "://" + url->authority() + url->target);
  expect(again && again->host == url->host && again->port == url->port && again->target == url->target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_request(bytes);
  try_answer(bytes);
  try_body({Framing::Kind::chunked, 0}, bytes);
  try_events(bytes);
  try_url(bytes);
  return 0;
}
