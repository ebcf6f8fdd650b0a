// What is counted of one subscription: a log-scale histogram and rates that forget. No clock of its own.
#pragma once

#include <array>
#include <cstdint>

#include "core/clock.h"

namespace headrace::bus {

// Durations from 1 us to about 4 h in buckets a factor of 2^(1/4) apart; 544 bytes.
class Histogram {
 public:
  void add(core::Duration duration);
  core::Duration quantile(double fraction) const;  // upper bound of the bucket it falls in; 0 while empty
  uint64_t count() const { return count_; }

 private:
  static constexpr int buckets = 136;
  std::array<uint32_t, buckets> counts_{};
  uint64_t count_ = 0;
};

// Events a second over about the last minute: an exponentially weighted mean.
class Rate {
 public:
  void add(core::Steady now, double amount = 1);
  double per_second(core::Steady now) const;

 private:
  void decay_to(core::Steady now);
  double weight_ = 0;
  core::Steady at_{};
};

struct Meter {
  Histogram handler;
  Histogram response;
  Rate delivered_rate;
  Rate attempt_rate;
  Rate failure_rate;
  uint64_t delivered = 0;
  uint64_t attempts = 0;
  uint64_t failed = 0;
};

}  // namespace headrace::bus
