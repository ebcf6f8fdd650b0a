// rooms: archive
// Archives that a stranger made: zip and tar, read to their ends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "archive/archive.h"

namespace {

using namespace headrace;

class Memory final : public core::File {
 public:
  explicit Memory(std::span<const std::byte> bytes) : bytes_(bytes) {}
  core::Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    if (offset >= bytes_.size()) return size_t{0};
    size_t count = std::min<size_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
  }
  core::Result<> write_at(uint64_t, std::span<const std::byte>) override { return {}; }
  core::Result<> sync() override { return {}; }
  core::Result<> truncate(uint64_t) override { return {}; }
  core::Result<uint64_t> size() const override { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

class Counting final : public archive::TarSink {
 public:
  core::Result<> begin(const archive::Entry& entry) override {
    core::require(!open_, "one after the other");
    open_ = true;
    left_ = entry.size;
    return {};
  }
  core::Result<> add(std::span<const std::byte> bytes) override {
    core::require(open_ && bytes.size() <= left_, "no more than was said");
    left_ -= bytes.size();
    return {};
  }
  core::Result<> end() override {
    core::require(open_ && left_ == 0, "all that was said");
    open_ = false;
    return {};
  }

 private:
  bool open_ = false;
  uint64_t left_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::as_bytes(std::span(data, size));
  const Memory file(bytes);
  if (auto zip = archive::ZipReader::open(file)) {
    std::vector<std::byte> piece(4096);
    uint64_t read = 0;
    for (size_t i = 0; i < (*zip)->entries().size() && i < 100; ++i) {
      if (auto safe = archive::safe_name((*zip)->entries()[i].name))
        core::require(safe->front() != '/' && !("/" + *safe + "/").contains("/../"), "it stays below");
      if (!(*zip)->seek(i)) continue;
      for (auto got = (*zip)->read(piece); got && *got > 0 && read < (1U << 22); got = (*zip)->read(piece))
        read += *got;
    }
  }
  Counting sink;
  archive::TarReader tar(sink);
  size_t half = size / 2;
  if (tar.feed(bytes.first(half)) && tar.feed(bytes.subspan(half)) && tar.finish()) return 0;
  return 0;
}
