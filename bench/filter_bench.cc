// rooms: filter events core
// CloudEvents SQL and dialect filters over one event: TARGETS.md wants each below 1 us.
#include <benchmark/benchmark.h>

#include "filter/filter.h"

namespace {

using headrace::events::Event;
using headrace::filter::Filter;

Event sample() {
  Event event;
  event.id = "018c2d3e-0000-7000-8000-000000000001";
  event.source = "/headrace/repository";
  event.type = "dev.cdevents.change.merged.0.3.0";
  event.subject = "team/hello";
  event.extensions = {{"actor", "user:alice"}, {"causationid", "x"}, {"correlationid", "y"}, {"hop", int32_t{5}}};
  return event;
}

void run(benchmark::State& state, const Filter& filter) {
  Event event = sample();
  for (auto _ : state) benchmark::DoNotOptimize(filter.matches(event));
}

void cesql(benchmark::State& state, const char* expression) { run(state, *headrace::filter::compile(expression)); }
void dialect(benchmark::State& state, const char* json) { run(state, *headrace::filter::compile_json(json)); }

BENCHMARK_CAPTURE(cesql, type_equals, "type = 'dev.cdevents.change.merged.0.3.0'");
BENCHMARK_CAPTURE(cesql, type_in, "type IN ('a', 'b', 'c', 'dev.cdevents.change.merged.0.3.0')");
BENCHMARK_CAPTURE(cesql, type_like, "type LIKE 'dev.cdevents.%'");
BENCHMARK_CAPTURE(
    cesql, four_conditions,
    "type LIKE 'dev.cdevents.%.merged.%' AND subject = 'team/hello' AND hop < 10 AND actor LIKE 'user:%'");
BENCHMARK_CAPTURE(cesql, missing_attribute, "nothere = 'x' OR type = 'y'");
BENCHMARK_CAPTURE(dialect, exact, R"({"exact":{"type":"dev.cdevents.change.merged.0.3.0"}})");
BENCHMARK_CAPTURE(
    dialect, all_of_three,
    R"({"all":[{"prefix":{"type":"dev.cdevents."}},{"exact":{"subject":"team/hello"}},{"not":{"exact":{"actor":"system"}}}]})");

void compile(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(headrace::filter::compile("type LIKE 'dev.cdevents.%' AND subject = 'team/hello'"));
  }
}
BENCHMARK(compile);

}  // namespace

BENCHMARK_MAIN();
