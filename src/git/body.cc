#include "git/body.h"

#include <algorithm>
#include <cstring>

namespace headrace::git {

using core::Code;
using core::Result;
using core::Task;

Body::Body(ReadBody read, bool gzip, uint64_t bytes_max) : read_(std::move(read)), left_(bytes_max) {
  if (!gzip) return;
  gunzip_ = std::make_unique<Gunzip>();
  packed_.resize(chunk_bytes);
}

void Body::put_back(std::string bytes) {
  ahead_ = std::move(bytes);
  ahead_taken_ = 0;
}

Task<Result<size_t>> Body::read(std::span<std::byte> bytes) {
  if (const size_t ahead = std::min(ahead_.size() - ahead_taken_, bytes.size()); ahead > 0) {
    std::memcpy(bytes.data(), ahead_.data() + ahead_taken_, ahead);
    ahead_taken_ += ahead;
    co_return ahead;
  }
  // Two statements: g++ 12 destroys what a co_await within ?: returns twice.
  Result<size_t> count = 0;
  if (gunzip_) {
    count = co_await read_packed(bytes);
  } else {
    count = co_await read_(bytes);
  }
  if (!count) co_return count;
  if (*count > left_) co_return core::fail(Code::exhausted, "The request is larger than this server takes.");
  left_ -= *count;
  co_return count;
}

Task<Result<bool>> Body::refill() {
  auto count = co_await read_(packed_);
  if (!count) co_return std::unexpected(count.error());
  packed_begin_ = 0;
  packed_end_ = *count;
  source_ended_ = *count == 0;
  co_return !source_ended_;
}

Task<Result<size_t>> Body::read_packed(std::span<std::byte> bytes) {
  for (;;) {
    const auto packed = std::span(packed_).subspan(packed_begin_, packed_end_ - packed_begin_);
    auto step = gunzip_->step(packed, bytes);
    if (!step) co_return std::unexpected(step.error());
    packed_begin_ += step->taken;
    if (step->made > 0) co_return step->made;
    if (source_ended_ && step->ended) co_return size_t{0};
    if (source_ended_) co_return core::fail(Code::invalid, "The body says it is gzip, but it ends in the middle.");
    if (auto more = co_await refill(); !more) co_return std::unexpected(more.error());
  }
}

}  // namespace headrace::git
