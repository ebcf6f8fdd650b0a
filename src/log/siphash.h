// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit hash that nobody who does not know the key can aim at.
#pragma once

#include <array>
#include <cstdint>

#include "log/bytes.h"

namespace headrace::log {

using HashKey = std::array<uint64_t, 2>;

uint64_t siphash(const HashKey& key, ByteView bytes);

}  // namespace headrace::log
