// SummaryStore keeps what the steps of jobs wrote to GITHUB_STEP_SUMMARY, beside the log of the job:
//
//   DATA/logs/<last two of job>/<job>-<attempt>.summary/<step>-<number>.md
//
// `number` is the runner's, within the job: the same piece told twice is one file. GitHub Docs, "Adding a job summary":
// at most 1 MiB a step, and 20 steps of a job are shown. Blocks; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/disk.h"
#include "core/result.h"
#include "services/runner/log_store.h"

namespace headrace::runner {

inline constexpr size_t summaries_a_job_max = 20;
inline constexpr size_t summary_bytes_max = size_t{1} << 20;  // of one

struct SummaryPiece {
  int64_t step = 0, number = 0;
  uint64_t bytes = 0;
  bool operator==(const SummaryPiece&) const = default;
};

class SummaryStore {
 public:
  SummaryStore(core::Disk& disk, std::string directory)  // disk outlives this
      : disk_(disk), directory_(std::move(directory)) {}

  // Durable when it returns. invalid: too large, or of a job that has as many as are kept.
  core::Result<> keep(const LogName& name, int64_t step, int64_t number, std::string_view markdown) const;
  // By step, then number; empty where there are none.
  core::Result<std::vector<SummaryPiece>> pieces(const LogName& name) const;
  core::Result<uint64_t> bytes(const LogName& name) const;  // of all pieces
  core::Result<std::string> read(const LogName& name, const SummaryPiece& piece) const;

 private:
  std::string folder_of(const LogName& name) const;
  core::Disk& disk_;
  std::string directory_;
};

}  // namespace headrace::runner
