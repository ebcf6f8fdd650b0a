#include "services/runner/labels.h"

#include <algorithm>
#include <array>

#include "workflow/expression_value.h"

namespace headrace::runner {

using workflow::equal_in_any_case;

namespace {

// GitHub Docs, "Choosing the runner for a job": images in use, and what every self-hosted runner on Linux has.
#ifdef __aarch64__
constexpr const char* processor = "arm64";
#else
constexpr const char* processor = "x64";
#endif
constexpr std::array<const char*, 7> offered{"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "ubuntu-slim",
                                             "self-hosted",   "linux",        processor};

// How much a label says about where a job is to run, beside others: every self-hosted runner on Linux has the first
// ones (GitHub Docs, "Using self-hosted runners in a workflow").
int weight_of(std::string_view label) {
  if (equal_in_any_case(label, "linux") || equal_in_any_case(label, processor)) return 1;
  return equal_in_any_case(label, "self-hosted") ? 2 : 3;
}

}  // namespace

RunnerLabels with_default_labels(RunnerLabels given) {
  RunnerLabels labels;
  for (const char* label : offered) {
    bool named = std::ranges::any_of(given, [&](const auto& one) { return equal_in_any_case(one.first, label); });
    if (!named) labels.emplace_back(label, "sandbox");
  }
  std::ranges::move(given, std::back_inserter(labels));
  return labels;
}

std::string labels_text(const RunnerLabels& labels, std::string_view executor) {
  std::string text;
  for (const auto& [label, by] : labels)
    if (by == executor) text.append(text.empty() ? "" : ", ").append(label);
  return text;
}

std::string executor_of(const RunnerLabels& labels, const std::vector<std::string>& wanted) {
  std::string executor;
  int weight = 0;
  bool agree = true;
  for (const auto& label : wanted) {
    std::string here;
    for (const auto& [known, by] : labels)
      if (equal_in_any_case(known, label)) here = by;
    if (here.empty()) return {};
    const int more = weight_of(label);
    if (more == weight) agree = agree && here == executor;
    if (more <= weight) continue;
    weight = more;
    executor = here;
    agree = true;
  }
  return agree ? executor : std::string();
}

}  // namespace headrace::runner
