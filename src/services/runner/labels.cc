#include "server/local_labels.h"

#include <algorithm>
#include <array>

namespace headrace::server {

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

}  // namespace headrace::server
