// What a step with actions/download-artifact asks for, and which artifacts of a run that is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

inline constexpr size_t listed_artifacts_max = 1'000;  // of one run that are looked at, as @actions/artifact does

struct ArtifactWish {
  std::string name, pattern, path, token, repository, run_id, on_mismatch;
  std::vector<int64_t> ids;
  bool merge = false, as_it_is = false;
  bool folder_for_one = false;  // asked for without a name, one alone has a folder of its name, as each of several
};

struct ListedArtifact {
  int64_t id = 0;
  std::string name, digest;
  int64_t size = 0;
};

std::optional<int64_t> artifact_id_of(std::string_view text);

// Until v4 of the action, also where its commit is pinned; since v5 one alone is unpacked where `path` says. What is
// not known to be older is taken for a new one.
bool folder_for_one(std::string_view uses);

core::Result<ArtifactWish> artifact_wish_of(const StepRun& step);

// Of an answer of the server; without those that have expired.
core::Result<std::vector<ListedArtifact>> read_artifact_list(core::Result<core::json::value> answer);

// Newest first; of each name the newest. What is missing, and how it was chosen, is told in the log.
core::Result<std::vector<ListedArtifact>> choose_artifacts(StepRun& step, const ArtifactWish& wish,
                                                           std::vector<ListedArtifact> all);

}  // namespace headrace::runner
