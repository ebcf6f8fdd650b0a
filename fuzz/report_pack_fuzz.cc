// rooms: report
// Any bytes as a part of packed test results, as they are and as what a part was compressed from: refused, or within
// every bound that pack.h promises.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "report/pack.h"
#include "report/varint.h"

namespace {

namespace report = headrace::report;

void check(bool holds) {
  if (!holds) std::abort();
}

void look(std::string_view part) {
  auto cases = report::unpack(part);
  if (!cases) {
    check(cases.error().code == headrace::core::Code::invalid && !cases.error().message.empty());
    return;
  }
  check(!cases->empty());
  for (const auto& one : *cases) {
    check(headrace::core::is_utf8(one.suite) && headrace::core::is_utf8(one.name));
    check(one.message.size() <= report::told_message_bytes_max && one.details.size() <= report::told_details_bytes_max);
    check(one.line >= 0 && (!one.microseconds || *one.microseconds >= 0));
    check(report::test_id(one.suite, one.class_name, one.name).size() == 16);
  }
}

// Its first byte says how many cases it is to hold.
std::string part_of(std::string_view plain) {
  std::string part(1, '\1');
  report::put_varint(part, plain.empty() ? 0 : static_cast<unsigned char>(plain.front()));
  if (!plain.empty()) plain.remove_prefix(1);
  report::put_varint(part, plain.size());
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(size, '\0');
  check(compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                  static_cast<uLong>(plain.size()), 1) == Z_OK);
  packed.resize(size);
  return part + packed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  look(text);
  look(part_of(text));
  return 0;
}
