// Identifiers of events, runs and jobs: UUID version 7 (RFC 9562, section 5.7), so they sort by time of creation.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/random.h"

namespace headrace::core {

class IdSource {
 public:
  IdSource(const Clock& clock, Random& random);  // both outlive this
  // 36 characters, lower case. Ids of one source strictly increase, also within a millisecond and when the clock steps
  // back (RFC 9562, section 6.2, method 1: a 12-bit counter, then the millisecond is advanced). Any thread.
  std::string next();

 private:
  const Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  uint64_t millisecond_ = 0;
  uint32_t counter_ = 0;
};

bool is_uuid(std::string_view text);
// Time of creation within a UUIDv7, in milliseconds since 1970; 0 for anything else.
uint64_t uuid_milliseconds(std::string_view text);

}  // namespace headrace::core
