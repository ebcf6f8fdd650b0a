// How a benchmark tells its figures: lines on standard output, which `./dev bench` gathers into docs/benchmarks.md.
//
//   row|figure|ours|reference|ratio|target|verdict|note     one figure, ours beside the reference of the same run
//   version|name|text                                       of something that was measured against
//   skip|figure|reason                                      a figure that could not be taken here, and why
//
// A benchmark is bench/<name>_bench.cc: a main() of its own, its first line `// rooms: log bus` names the libraries to
// link. It runs both sides in turn (A B A B), for only ratios within one run mean something, prints what it likes to
// standard error, and ends within two minutes. A missing reference is a skip or a row without one, never a failure.
//
//   auto sides = bench::alternate(5, [] { return publish_ours(); }, [] { return publish_redis(); });
//   bench::print({.figure = "publish, 1 in flight", .unit = "events/s", .ours = sides.ours,
//                 .reference = sides.reference, .against = "Redis appendfsync always", .target = bench::ratio(1.0)});
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace headrace::bench {

enum class Better { higher, lower };

struct Target {
  enum class Kind { none, ratio, at_most, at_least };
  Kind kind = Kind::none;
  double value = 0;
};
inline Target ratio(double at_least) { return {Target::Kind::ratio, at_least}; }  // 2.0: twice as good as the reference
inline Target at_most(double value) { return {Target::Kind::at_most, value}; }    // in the row's unit
inline Target at_least(double value) { return {Target::Kind::at_least, value}; }

struct Row {
  std::string figure;  // what was measured: "publish, 16 connections, durable"
  std::string unit;    // of both sides: "events/s", "us", "MiB"
  double ours = 0;
  std::optional<double> reference;  // of the same run; a recorded figure says so in `against`
  std::string against;              // the reference: "Redis 7.0.15, appendfsync always", "Laminar (recorded)"
  Better better = Better::higher;
  Target target;
  std::string note;
};

void print(const Row& row);
void print_version(const std::string& name, const std::string& text);
void print_skip(const std::string& figure, const std::string& reason);

// How many times better than the reference, whichever way is better; nothing without a reference.
std::optional<double> ratio_of(const Row& row);

// The medians of `rounds` runs of each side, taken in turn.
struct Sides {
  double ours = 0;
  double reference = 0;
};
Sides alternate(int rounds, const std::function<double()>& ours, const std::function<double()>& reference);

double median(std::vector<double> values);                     // of at least one
double quantile(std::vector<double> values, double fraction);  // 0.99 is the p99; of at least one

// Seconds that `work` takes, by the steady clock.
double seconds(const std::function<void()>& work);

// First line that a command prints, for versions: first_line_of("redis-server --version"). Empty where it cannot run.
std::string first_line_of(const std::string& command);

}  // namespace headrace::bench
