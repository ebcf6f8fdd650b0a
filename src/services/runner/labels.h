// Which labels of runs-on a machine offers, and by which executor their jobs run: those of GitHub's Linux runners lead
// to the executor `sandbox`, and where the operator gave a label to another executor (`serve --label L=EXECUTOR`) that
// counts. Nothing leads to `host` by itself. A label is offered also where this machine can make no sandbox: its jobs
// are refused then, with the reason.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headrace::runner {

using RunnerLabels = std::vector<std::pair<std::string, std::string>>;  // label, executor

// The defaults, but for those that are given, then what is given, in its order.
RunnerLabels with_default_labels(RunnerLabels given);

// "a, b": the labels that lead to this executor.
std::string labels_text(const RunnerLabels& labels, std::string_view executor);

// The executor by which a job with these labels runs; empty: none does. GitHub: a runner must have them all, in any
// case. `linux` and `x64` only describe the machine, and `self-hosted` gives way to a label of the operator's own:
// [self-hosted, linux, gpu] runs where gpu leads.
std::string executor_of(const RunnerLabels& labels, const std::vector<std::string>& wanted);

}  // namespace headrace::runner
