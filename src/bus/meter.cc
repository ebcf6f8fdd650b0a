#include "bus/meter.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

namespace headrace::bus {

namespace {

constexpr double memory_seconds = 60;

// A quarter of a power of two a step, by the two bits after the highest.
int bucket_of(uint64_t microseconds) {
  if (microseconds < 4) return static_cast<int>(microseconds);
  const int high = static_cast<int>(std::bit_width(microseconds)) - 1;
  return (high - 1) * 4 + static_cast<int>((microseconds >> (high - 2)) & 3);
}

uint64_t upper_bound_of(int bucket) {
  if (bucket < 4) return static_cast<uint64_t>(bucket) + 1;
  const int high = bucket / 4 + 1;
  return (uint64_t{1} << high) + (static_cast<uint64_t>(bucket % 4) + 1) * (uint64_t{1} << (high - 2));
}

}  // namespace

void Histogram::add(core::Duration duration) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  const int bucket = bucket_of(static_cast<uint64_t>(std::max<int64_t>(microseconds, 0)));
  ++counts_[static_cast<size_t>(std::min(bucket, buckets - 1))];
  ++count_;
}

core::Duration Histogram::quantile(double fraction) const {
  if (count_ == 0) return {};
  const auto rank = static_cast<uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  uint64_t seen = 0;
  int bucket = 0;
  for (; bucket < buckets - 1; ++bucket) {
    seen += counts_[static_cast<size_t>(bucket)];
    if (seen >= std::max<uint64_t>(rank, 1)) break;
  }
  return std::chrono::microseconds(upper_bound_of(bucket));
}

void Rate::decay_to(core::Steady now) {
  if (now <= at_) return;
  const double passed = std::chrono::duration<double>(now - at_).count();
  weight_ *= std::exp(-passed / memory_seconds);
  at_ = now;
}

void Rate::add(core::Steady now, double amount) {
  decay_to(now);
  weight_ += amount;
}

double Rate::per_second(core::Steady now) const {
  Rate later = *this;
  later.decay_to(now);
  return later.weight_ / memory_seconds;
}

}  // namespace headrace::bus
