// rooms: workflow filter events core
// One workflow file of 240 lines, read, linked and expanded into the specs of its jobs: TARGETS.md, "workflow file
// parsed and planned (240 lines)". The reference is the YAML reader alone.
#include <chrono>
#include <string>

#include "report.h"
#include "workflow/plan.h"
#include "workflow/yaml.h"

namespace {

namespace bench = headrace::bench;
namespace workflow = headrace::workflow;

constexpr int files_a_round = 50;

// Twelve jobs of nineteen lines, as hand-written files have them: matrix, conditions, env, actions and scripts.
std::string sample() {
  std::string text =
      "name: CI\non:\n  push:\n    branches: [main, 'release/**']\n  pull_request:\n    paths-ignore: ['**.md']\n"
      "permissions:\n  contents: read\nenv:\n  CARGO_TERM_COLOR: always\nconcurrency: ci-${{ github.ref }}\njobs:\n";
  for (int i = 0; i < 12; ++i) {
    std::string id = "job" + std::to_string(i);
    text += "  " + id + ":\n    name: Job ${{ matrix.os }}\n    runs-on: ${{ matrix.os }}\n";
    text += i == 0 ? "    if: github.actor != 'bot'\n" : "    needs: job" + std::to_string(i - 1) + "\n";
    text +=
        "    strategy:\n      matrix:\n        os: [ubuntu-latest, ubuntu-22.04]\n    env:\n      KEY: ${{ "
        "github.run_id }}\n    steps:\n      - uses: actions/checkout@v4\n      - name: Build\n        if: ${{ "
        "!cancelled() && github.ref == 'refs/heads/main' }}\n        run: |\n          cmake -S . -B build "
        "-DVERSION=${{ github.sha }}\n          cmake --build build\n          ctest --test-dir build\n        env:\n"
        "          TOKEN: ${{ secrets.TOKEN }}\n";
  }
  return text;
}

double milliseconds_each(std::chrono::steady_clock::time_point start) {
  std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  return took.count() / files_a_round;
}

double planned(const std::string& text) {
  headrace::workflow::Object github, contexts;
  github.set("ref", workflow::Value("refs/heads/main"));
  contexts.set("github", workflow::Value(github));
  auto nothing = [](const std::string&, const workflow::Source&) -> headrace::core::Result<workflow::Source> {
    return headrace::core::fail(headrace::core::Code::not_found, "Nothing is called.");
  };
  auto start = std::chrono::steady_clock::now();
  size_t legs = 0;
  for (int i = 0; i < files_a_round; ++i) {
    workflow::Reading reading = workflow::read(text, ".github/workflows/ci.yml");
    if (!reading.workflow) return -1;
    auto program = workflow::link(std::move(*reading.workflow), {.path = "ci.yml", .yaml = text}, nothing);
    for (const auto& job : program.templates) {
      auto made = workflow::expand(program, job, contexts);
      if (made) legs += made->legs.size();
    }
  }
  return legs == files_a_round * 24U ? milliseconds_each(start) : -1;
}

double parsed(const std::string& text) {
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < files_a_round; ++i) {
    if (!workflow::parse_yaml(text).errors.empty()) return -1;
  }
  return milliseconds_each(start);
}

}  // namespace

int main() {
  const std::string text = sample();
  auto sides = bench::alternate(7, [&] { return planned(text); }, [&] { return parsed(text); });
  bench::print({.figure = "workflow file parsed and planned (240 lines)",
                .unit = "ms",
                .ours = sides.ours,
                .reference = sides.reference,
                .against = "the YAML reader alone",
                .better = bench::Better::lower,
                .target = bench::at_most(1),
                .note = "12 jobs, 24 legs with their specs"});
}
