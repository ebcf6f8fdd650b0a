// The part of a blob that a request asks for (RFC 9110, section 14.2): one range of bytes. More than one, or what is no
// range, counts as none, as the RFC lets a server choose.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headrace::artifact {

struct Range {
  uint64_t first = 0;
  uint64_t length = 0;
  bool operator==(const Range&) const = default;
};

enum class RangeKind { whole, part, unsatisfiable };
struct Asked {
  RangeKind kind = RangeKind::whole;
  Range range;  // of the part, or all there is
  bool operator==(const Asked&) const = default;
};
Asked range_of(std::string_view header, uint64_t size);

}  // namespace headrace::artifact
