// Bytes received and not yet used. Internal to net.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace headrace::net {

class Buffer {
 public:
  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }

  void consume(size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  // Room for at least `least` bytes after what is there; then commit() as many as came.
  std::span<std::byte> prepare(size_t least) {
    if (capacity_ - end_ < least) make_room(least);
    return std::as_writable_bytes(std::span(bytes_.get() + end_, capacity_ - end_));
  }
  void commit(size_t bytes) { end_ += bytes; }

  void append(std::string_view bytes) {
    std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  // Gives memory back beyond `keep`, if nothing is in it.
  void release(size_t keep) {
    if (!empty() || capacity_ <= keep) return;
    bytes_.reset();
    capacity_ = 0;
  }

 private:
  void make_room(size_t least) {
    const size_t used = size();
    if (capacity_ - used >= least && begin_ >= capacity_ / 2) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, used);
    } else {
      const size_t wanted = std::max(used + least, used * 2);
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (used > 0) std::memcpy(larger.get(), bytes_.get() + begin_, used);
      bytes_ = std::move(larger);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = used;
  }

  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace headrace::net
