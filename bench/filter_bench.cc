// rooms: filter events core
// CloudEvents SQL and dialect filters over one event: TARGETS.md, "CESQL filter under 1 us an event". The reference is
// the same question written by hand in C++, the floor of what a filter can cost.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "filter/filter.h"
#include "report.h"

namespace {

using headrace::events::Event;
using headrace::filter::Filter;
namespace bench = headrace::bench;

constexpr int64_t events_a_round = 400'000;

Event sample() {
  Event event;
  event.id = "018c2d3e-0000-7000-8000-000000000001";
  event.source = "/headrace/repository";
  event.type = "dev.cdevents.change.merged.0.3.0";
  event.subject = "team/hello";
  event.extensions = {{"actor", "user:alice"}, {"causationid", "x"}, {"correlationid", "y"}, {"hop", int32_t{5}}};
  return event;
}

// Nanoseconds an event. The question is asked through a std::function, as the bus would.
double measure(const std::function<bool(const Event&)>& matches) {
  const Event event = sample();
  int64_t matched = 0;
  auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < events_a_round; ++i) matched += matches(event) ? 1 : 0;
  std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return matched == events_a_round ? took.count() / static_cast<double>(events_a_round) : -1;
}

void compare(const std::string& figure, const Filter& filter, const std::function<bool(const Event&)>& by_hand) {
  auto sides = bench::alternate(
      5, [&] { return measure([&filter](const Event& event) { return filter.matches(event); }); },
      [&] { return measure(by_hand); });
  bench::print({.figure = "filter: " + figure,
                .unit = "ns",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = "the same test written in C++",
                .better = bench::Better::lower,
                .target = bench::at_most(1000),
                .note = {}});
}

bool four_conditions(const Event& event) {
  auto hop = event.extensions.find("hop");
  return event.type.starts_with("dev.cdevents.") && event.type.find(".merged.") != std::string::npos &&
         event.subject == "team/hello" && hop != event.extensions.end() && std::get<int32_t>(hop->second) < 10 &&
         event.text("actor").starts_with("user:");
}

bool three_clauses(const Event& event) {
  return event.type.starts_with("dev.cdevents.") && event.subject == "team/hello" && event.text("actor") != "system";
}

}  // namespace

int main() {
  const std::string merged = "dev.cdevents.change.merged.0.3.0";
  compare("type = '...'", *headrace::filter::compile("type = '" + merged + "'"),
          [&merged](const Event& event) { return event.type == merged; });
  compare("type LIKE 'dev.cdevents.%'", *headrace::filter::compile("type LIKE 'dev.cdevents.%'"),
          [](const Event& event) { return event.type.starts_with("dev.cdevents."); });
  compare("CESQL of four conditions",
          *headrace::filter::compile(
              "type LIKE 'dev.cdevents.%.merged.%' AND subject = 'team/hello' AND hop < 10 AND actor LIKE 'user:%'"),
          four_conditions);
  compare("dialect all of three",
          *headrace::filter::compile_json(
              R"({"all":[{"prefix":{"type":"dev.cdevents."}},{"exact":{"subject":"team/hello"}},)"
              R"({"not":{"exact":{"actor":"system"}}}]})"),
          three_clauses);
}
