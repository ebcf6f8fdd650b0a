#include "net/body_reader.h"

#include <algorithm>
#include <utility>

namespace headrace::net {

namespace {

constexpr size_t input_part = 8 * 1024;      // read at once while a body is in its framing
constexpr size_t believed_max = 256 * 1024;  // of a declared length, before any of it has come

// Large parts go straight to where they are wanted.
std::span<std::byte> straight_part(const BodyDecoder& body, std::span<std::byte> into) {
  if (body.plain_bytes() < input_part || into.size() < input_part) return {};
  return into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), body.plain_bytes())));
}

}  // namespace

core::Task<core::Result<size_t>> read_body(Stream& stream, Buffer& in, BodyDecoder& body, core::Duration idle,
                                           std::span<std::byte> into) {
  while (true) {
    auto step = body.decode(in.view(), into);
    if (!step) co_return core::fail(core::Code::invalid, body.problem());
    in.consume(step->consumed);
    if (step->produced > 0 || body.done()) co_return step->produced;
    if (idle > core::Duration::zero()) stream.read_within(idle);
    const auto straight = straight_part(body, into);
    const auto room = straight.empty() ? in.prepare(input_part) : straight;
    auto got = co_await stream.read(room);
    stream.read_whenever();
    if (!got) co_return std::unexpected(std::move(got.error()));
    if (*got == 0) {
      if (body.end_of_stream()) co_return size_t{0};
      co_return core::fail(core::Code::unavailable, "The connection ended before the body was whole.");
    }
    if (straight.empty()) {
      in.commit(*got);
    } else {
      body.took_plain(*got);
      co_return *got;
    }
  }
}

size_t next_size(size_t have, uint64_t declared, size_t max) {
  const size_t wanted = declared > have
                            ? static_cast<size_t>(std::min<uint64_t>(declared - have, std::max(have, believed_max)))
                            : std::max(have, input_part);
  return have + std::min(wanted, max - have + 1);
}

}  // namespace headrace::net
