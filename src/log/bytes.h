// Numbers in little-endian byte order, as every number in a segment is, and variable-length ones (7 bits a byte, low
// bits first, the high bit says that more follow).
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headrace::log {

using ByteView = std::span<const std::byte>;

inline std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <std::integral T>
void store(char* at, T value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(at, &value, sizeof value);
}

template <std::integral T>
T load(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}

template <std::integral T>
void append_number(std::string& to, T value) {
  char bytes[sizeof value];
  store(bytes, value);
  to.append(bytes, sizeof bytes);
}

void append_varint(std::string& to, uint64_t value);

// Takes values off the front of bytes that may be anything; once something is missing, ok() is false for good.
class Taker {
 public:
  explicit Taker(ByteView bytes) : bytes_(bytes) {}

  ByteView take(uint64_t size);
  uint64_t varint();
  std::string_view text() { return text_of(take(varint())); }  // a varint length, then so many bytes
  template <std::integral T>
  T number() {
    ByteView taken = take(sizeof(T));
    return ok_ ? load<T>(taken.data()) : T{};
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }
  size_t left() const { return bytes_.size(); }
  void fail() { ok_ = false; }

 private:
  ByteView bytes_;
  bool ok_ = true;
};

}  // namespace headrace::log
