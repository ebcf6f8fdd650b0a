// Numbers as zip has them: the lowest byte first. Internal to archive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::archive {

inline void put(std::string& into, uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) into.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
}
inline uint64_t get(std::string_view from, size_t at, int bytes) {
  uint64_t number = 0;
  for (int i = 0; i < bytes; ++i)
    number |= static_cast<uint64_t>(static_cast<unsigned char>(from[at + static_cast<size_t>(i)])) << (8 * i);
  return number;
}

inline constexpr uint32_t local_mark = 0x04034b50, central_mark = 0x02014b50, descriptor_mark = 0x08074b50,
                          end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50;
inline constexpr uint64_t small_max = 0xffffffff;  // what fits in 32 bits; it stands for "see the 64-bit field"
inline constexpr uint64_t count_max = 0xffff;
inline constexpr uint16_t extra64 = 0x0001;  // APPNOTE 4.5.3

}  // namespace headrace::archive
