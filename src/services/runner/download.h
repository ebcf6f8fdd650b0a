// What a natively served action downloads: to a file of the runner's beside the job's folder, where the job has no hand
// in it, gone with this.
#pragma once

#include <memory>
#include <string>

#include "core/disk.h"
#include "services/runner/inside_program.h"
#include "services/runner/toolkit_client.h"

namespace headrace::runner {

inline constexpr size_t download_piece_bytes = 256 * 1024;
inline constexpr int download_attempts_max = 5;

class Download {
 public:
  Download(StepEngine& engine, core::Pool& pool);  // both outlive it
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  core::Task<core::Result<>> fetch(ToolkitClient& client, std::string url);  // tried again where the server was away
  core::Task<core::Result<>> copy_to(InsideProgram& program);

  const core::File& file() const { return *file_; }
  const std::string& digest() const { return digest_; }  // "sha256:..."
  uint64_t size() const { return size_; }
  bool is_zip() const { return is_zip_; }  // by its first bytes

 private:
  core::Task<core::Result<>> fetch_once(ToolkitClient& client, std::string url);
  StepEngine& engine_;
  core::Pool& pool_;
  std::string path_;
  std::unique_ptr<core::File> file_;
  std::string digest_;
  uint64_t size_ = 0;
  bool is_zip_ = false;
};

}  // namespace headrace::runner
