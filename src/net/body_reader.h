// Reads a body from a stream, whichever side asks. Internal to net.
#pragma once

#include <cstddef>
#include <span>

#include "net/body.h"
#include "net/buffer.h"
#include "net/stream.h"

namespace headrace::net {

// The next bytes of the body; 0 at its end. `idle` is the longest wait for a byte; 0: for ever. Errors: invalid (the
// framing is broken), exhausted (idle too long), unavailable (the other end went before the end of the body).
core::Task<core::Result<size_t>> read_body(Stream& stream, Buffer& in, BodyDecoder& body, core::Duration idle,
                                           std::span<std::byte> into);

// How large a string should be to read on, of which `have` bytes are full: what was declared, or twice as much, not far
// beyond `max`.
size_t next_size(size_t have, uint64_t declared, size_t max);

}  // namespace headrace::net
