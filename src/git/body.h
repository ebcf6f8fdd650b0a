// Body is a request's body as git wants it: unpacked where it came gzip-encoded, never more than its bound, and with
// what was read ahead handed out first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "git/gunzip.h"
#include "git/serve.h"

namespace headrace::git {

inline constexpr size_t chunk_bytes = 64 * 1024;

class Body {
 public:
  Body(ReadBody read, bool gzip, uint64_t bytes_max);

  core::Task<core::Result<size_t>> read(std::span<std::byte> bytes);  // 0 at its end; exhausted beyond the bound
  void put_back(std::string bytes);                                   // read again before anything else

 private:
  core::Task<core::Result<size_t>> read_packed(std::span<std::byte> bytes);
  core::Task<core::Result<bool>> refill();

  ReadBody read_;
  std::unique_ptr<Gunzip> gunzip_;  // null: not encoded
  std::vector<std::byte> packed_;
  size_t packed_begin_ = 0, packed_end_ = 0;
  bool source_ended_ = false;
  uint64_t left_;
  std::string ahead_;
  size_t ahead_taken_ = 0;
};

}  // namespace headrace::git
