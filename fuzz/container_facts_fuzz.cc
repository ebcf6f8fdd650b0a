// rooms: runner
// Any bytes as what a container engine prints: read without harm, and what is read holds to its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "services/runner/container_engine.h"
#include "services/runner/container_facts.h"

namespace {

namespace runner = headrace::runner;

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  check(!runner::name_of(runner::read_health(text)).empty());
  check(runner::read_patience(text) > std::chrono::nanoseconds(0));
  runner::read_end(text);
  for (const auto& [inner, outer] : runner::read_ports(text)) {
    check(runner::port_number(inner.substr(0, inner.find('/'))).has_value());
    check(runner::port_number(outer).has_value());
  }
  for (const auto& [name, value] : runner::read_environment(text)) check(!name.empty() && !name.contains('='));
  if (auto wish = runner::read_port_wish(text)) {
    auto words = wish->words();  // one word of a command line, and it says the same again
    check(words.find_first_not_of("0123456789.:-/tcpuds") == std::string::npos);
    auto again = runner::read_port_wish(words);
    check(again && again->inner == wish->inner && again->outer == wish->outer && again->protocol == wish->protocol);
  }
  if (auto words = runner::split_options(std::string(text)))
    for (const auto& word : *words) check(word.size() <= size);
  return 0;
}
