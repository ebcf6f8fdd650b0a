#include "services/runner/labels.h"

#include <algorithm>
#include <array>

namespace headrace::runner {

namespace {

// GitHub Docs, "Choosing the runner for a job": images in use, and what every self-hosted runner on Linux has.
#ifdef __aarch64__
constexpr const char* processor = "arm64";
#else
constexpr const char* processor = "x64";
#endif
constexpr std::array<const char*, 6> offered{"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04",
                                             "self-hosted",   "linux",        processor};

}  // namespace

RunnerLabels with_default_labels(RunnerLabels given) {
  RunnerLabels labels;
  for (const char* label : offered) {
    bool named = std::ranges::any_of(given, [&](const auto& one) { return one.first == label; });
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
  for (const auto& label : wanted) {
    std::string here;
    for (const auto& [known, by] : labels)
      if (known == label) here = by;
    if (here.empty() || (!executor.empty() && executor != here)) return {};
    executor = here;
  }
  return executor;
}

}  // namespace headrace::runner
