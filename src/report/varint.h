// Numbers of any length as bytes: seven bits each, lowest first, the high bit set on all but the last (LEB128).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::report {

inline void put_varint(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>((number & 0x7f) | 0x80));
  out.push_back(static_cast<char>(number));
}

// Reads from bytes that outlive it. After the first thing that is not there everything is 0 and empty, and failed().
class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes) : rest_(bytes) {}

  unsigned byte() {
    if (rest_.empty()) return fail();
    auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      unsigned next = byte();
      value |= static_cast<uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return failed_ ? 0 : value;
    }
    return fail();  // more than 63 bits
  }
  std::string_view bytes(uint64_t count) {
    if (failed_ || count > rest_.size()) {
      fail();
      return {};
    }
    auto piece = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return piece;
  }
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

 private:
  unsigned fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace headrace::report
