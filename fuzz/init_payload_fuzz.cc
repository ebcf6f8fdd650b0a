// rooms: process
// Any bytes as the payload of a run, as the init within a sandbox or container reads it: refused, or words that all
// stand within it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "process/init_payload.h"

namespace {

namespace init = headrace::process::init;

void check(bool holds) {
  if (!holds) std::abort();
}

size_t count_within(char** words, const std::string& text) {
  size_t count = 0;
  for (; words[count] != nullptr; ++count) {
    check(words[count] >= text.data() && words[count] < text.data() + text.size());
    check(words[count] + std::strlen(words[count]) < text.data() + text.size());
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  init::Wanted wanted;
  wanted.text = text.data();
  wanted.bytes = text.size();
  if (init::take_apart(wanted)) {
    init::Payload counts;
    std::memcpy(&counts, text.data(), sizeof counts);
    check(wanted.directory >= text.data() && wanted.directory < text.data() + text.size());
    check(count_within(wanted.arguments, text) == counts.arguments);
    check(count_within(wanted.environment, text) == counts.environment);
  }
  init::forget_words(wanted);
  return 0;
}
