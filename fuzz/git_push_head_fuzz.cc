// rooms: git core
// Any bytes as the head of a push, whole and cut in two, and as a gzip-encoded body: refused or read, the same both
// ways, and every name that is let through is one that cannot end a line.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "git/gunzip.h"
#include "git/names.h"
#include "git/pkt_line.h"

namespace {

using headrace::git::PushHeadReader;

constexpr size_t commands_max = 1'000;
constexpr int steps_max = 10'000;

void check_names(const PushHeadReader& reader) {
  for (const auto& change : reader.head().changes)
    if (!headrace::git::check_ref(change.ref) || change.ref.find('\n') != std::string::npos) std::abort();
}

void read_head(std::string_view text) {
  PushHeadReader whole(commands_max);
  const auto at_once = whole.feed(text);
  check_names(whole);
  PushHeadReader cut(commands_max);
  auto in_two = cut.feed(text.substr(0, text.size() / 2));
  if (in_two && !*in_two) in_two = cut.feed(text.substr(text.size() / 2));
  if (at_once.has_value() != in_two.has_value()) std::abort();
  if (at_once &&
      (*at_once != *in_two || whole.head().changes != cut.head().changes || whole.consumed() != cut.consumed()))
    std::abort();
}

void unpack(std::string_view text) {
  headrace::git::Gunzip gunzip;
  std::array<std::byte, 512> out;
  auto packed = std::as_bytes(std::span(text));
  for (int step = 0; step < steps_max; ++step) {
    const auto done = gunzip.step(packed, out);
    if (!done || done->ended || (done->taken == 0 && done->made == 0)) return;
    packed = packed.subspan(done->taken);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_head(text);
  unpack(text);
  return 0;
}
