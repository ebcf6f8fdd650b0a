// rooms: filter events core
// Any text as a CESQL expression and as a JSON filter: refused or evaluated, and both ways of evaluating agree.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "filter/filter.h"

namespace {

headrace::events::Event sample() {
  headrace::events::Event event;
  event.id = "1";
  event.source = "/a";
  event.type = "com.example.type";
  event.subject = "Grüße";
  event.extensions = {{"hop", int32_t{5}}, {"flag", true}, {"text", "10"}};
  return event;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const headrace::events::Event event = sample();
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto filter = headrace::filter::compile(text)) {
    if (filter->matches(event) != filter->evaluate(event).passed()) std::abort();
    auto types = filter->types();
    bool possible = !types.has_value();
    for (const auto& type : types.value_or(std::vector<std::string>{})) possible = possible || type == event.type;
    if (filter->matches(event) && !possible) std::abort();
  }
  if (auto filter = headrace::filter::compile_json(text)) {
    auto again = headrace::filter::compile_json(filter->json());
    if (!again || again->matches(event) != filter->matches(event)) std::abort();
  }
  return 0;
}
