#include "core/id.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/bytes.h"

namespace headrace::core {

namespace {

constexpr uint32_t counter_max = 0xfff;

std::string written(uint64_t millisecond, uint32_t counter, uint64_t chance) {
  std::array<std::byte, 16> bytes;
  for (size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::byte>(millisecond >> (40 - 8 * i));
  bytes[6] = static_cast<std::byte>(0x70 | (counter >> 8));  // version 7
  bytes[7] = static_cast<std::byte>(counter);
  for (size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::byte>(chance >> (56 - 8 * i));
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant of RFC 9562
  std::string text = to_hex(bytes);
  for (size_t place : {8u, 13u, 18u, 23u}) text.insert(place, 1, '-');
  return text;
}

}  // namespace

IdSource::IdSource(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

std::string IdSource::next() {
  std::lock_guard lock(mutex_);
  auto now = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now().time_since_epoch()).count();
  auto millisecond = static_cast<uint64_t>(std::max<int64_t>(now, 0));
  uint64_t chance = random_.next();
  if (millisecond > millisecond_) {
    millisecond_ = millisecond;
    counter_ = static_cast<uint32_t>(random_.next() & 0x7ff);  // leaves room to count
  } else if (++counter_ > counter_max) {
    ++millisecond_;
    counter_ = 0;
  }
  return written(millisecond_, counter_, chance);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    char c = text[i];
    bool hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (dash ? c != '-' : !hexadecimal) return false;
  }
  return true;
}

uint64_t uuid_milliseconds(std::string_view text) {
  if (!is_uuid(text) || text[14] != '7') return 0;
  std::string digits = std::string(text.substr(0, 8)).append(text.substr(9, 4));
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace headrace::core
