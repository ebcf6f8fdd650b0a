#include "log/siphash.h"

#include <bit>

namespace headrace::log {

namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
  }
  void word(uint64_t value) {
    v3 ^= value;
    round(), round();
    v0 ^= value;
  }
};

}  // namespace

uint64_t siphash(const HashKey& key, ByteView bytes) {
  State state{key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
              key[1] ^ 0x7465646279746573U};
  size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) state.word(load<uint64_t>(bytes.data() + at));
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  for (unsigned shift = 0; at < bytes.size(); ++at, shift += 8)
    last |= static_cast<uint64_t>(std::to_integer<uint8_t>(bytes[at])) << shift;
  state.word(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace headrace::log
