#include <array>
#include <cstring>

#include "core/bytes.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace headrace::core {

namespace {

constexpr uint32_t polynomial = 0x82f63b78;  // Castagnoli, reflected: RFC 3720, appendix B.4

constexpr auto table = [] {
  std::array<uint32_t, 256> entries{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit) sum = sum & 1 ? sum >> 1 ^ polynomial : sum >> 1;
    entries[i] = sum;
  }
  return entries;
}();

uint32_t by_table(std::span<const std::byte> bytes, uint32_t sum) {
  for (std::byte b : bytes) sum = table[(sum ^ static_cast<uint32_t>(b)) & 0xff] ^ sum >> 8;
  return sum;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t by_instruction(std::span<const std::byte> bytes, uint32_t sum) {
  uint64_t wide = sum;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    wide = _mm_crc32_u64(wide, word);
    bytes = bytes.subspan(8);
  }
  auto narrow = static_cast<uint32_t>(wide);
  for (std::byte b : bytes) narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(b));
  return narrow;
}
#endif

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes, uint32_t seed) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~by_instruction(bytes, ~seed);
#endif
  return ~by_table(bytes, ~seed);
}

}  // namespace headrace::core
