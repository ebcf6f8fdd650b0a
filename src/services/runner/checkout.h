// actions/checkout, served here: the same inputs and outputs (its README, "Usage"), without Node and without the
// network of the job. The runner keeps a mirror of each repository. Where a job sees the mirror's objects, read-only
// (JobActions::shared), its repository names them; else what it asked for goes into its workspace over git's own
// protocol, spoken through a pipe between its git and the mirror.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "services/runner/job_context.h"

namespace headrace::runner {

enum class Submodules { none, direct, nested };

// What `with` says, and what follows from it.
struct CheckoutWish {
  std::string repository, ref, token, path;
  std::string commit;  // known before anything is asked: that of the run
  int64_t depth = 1;   // 0: all history
  bool tags = false, clean = true, persist = true, lfs = false, safe_directory = true;
  bool own = false;  // the repository of the run
  std::string filter;
  std::vector<std::string> sparse;
  bool cone = true;
  Submodules submodules = Submodules::none;
  bool submodule = false;  // of another: its commit is all that is asked for
};

// invalid: the input that is wrong, with what would be right.
core::Result<CheckoutWish> parse_checkout(const Variables& with, const JobContext& job);

}  // namespace headrace::runner
