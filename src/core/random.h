// Chance, injected: production draws from the kernel, a test from a seed that it prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace headrace::core {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;  // any thread
  uint64_t next();
  uint64_t below(uint64_t bound);  // uniform in [0, bound); bound > 0
};

// getrandom(2): fit for secrets.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

// The same sequence for the same seed, on every machine. Not fit for secrets. One thread at a time.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  void fill(std::span<std::byte> bytes) override;

 private:
  uint64_t state_[4];  // xoshiro256**, seeded by splitmix64
};

// `bytes` random bytes in lower-case hexadecimal.
std::string random_hex(Random& random, size_t bytes);

}  // namespace headrace::core
