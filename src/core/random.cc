#include "core/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace headrace::core {

uint64_t Random::next() {
  uint64_t value;
  fill(std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

uint64_t Random::below(uint64_t bound) {
  require(bound > 0, "Random::below wants a bound above 0");
  uint64_t unfair = (0 - bound) % bound;  // so many of the lowest values would make some results likelier
  while (true) {
    uint64_t value = next();
    if (value >= unfair) return value % bound;
  }
}

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      require(errno == EINTR, "getrandom(2) failed");
      continue;
    }
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

namespace {

uint64_t splitmix(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t xoshiro(uint64_t (&s)[4]) {
  uint64_t result = std::rotl(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

}  // namespace

SeededRandom::SeededRandom(uint64_t seed) {
  for (uint64_t& word : state_) word = splitmix(seed);
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    uint64_t value = xoshiro(state_);
    size_t size = std::min(bytes.size(), sizeof value);
    std::memcpy(bytes.data(), &value, size);
    bytes = bytes.subspan(size);
  }
}

std::string random_hex(Random& random, size_t bytes) {
  std::vector<std::byte> drawn(bytes);
  random.fill(drawn);
  return to_hex(drawn);
}

}  // namespace headrace::core
