// The legs of a job's matrix. GitHub, "Workflow syntax", "strategy.matrix", "include", "exclude".
#pragma once

#include <vector>

#include "workflow/evaluate.h"

namespace headrace::workflow {

// In GitHub's order: the product of the vectors, the first varying slowest, without what is excluded; then what
// `include` adds. At most legs_max. `node` is strategy.matrix; an absent one gives one leg without a matrix (null).
Evaluated<std::vector<Value>> matrix_legs(const Evaluation& evaluation, const Node& node);

// "ubuntu, 12": what stands behind a job's name in brackets; empty for null.
std::string leg_suffix(const Value& matrix);

}  // namespace headrace::workflow
