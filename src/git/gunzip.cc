#include "git/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace headrace::git {

struct Gunzip::Impl {
  z_stream stream{};
  bool ended = false;
};

namespace {

constexpr int gzip_only = 16 + MAX_WBITS;

uInt bounded(size_t bytes) { return static_cast<uInt>(std::min<size_t>(bytes, std::numeric_limits<uInt>::max())); }

}  // namespace

Gunzip::Gunzip() : impl_(std::make_unique<Impl>()) {
  core::require(inflateInit2(&impl_->stream, gzip_only) == Z_OK, "zlib starts");
}

Gunzip::~Gunzip() { inflateEnd(&impl_->stream); }

core::Result<Gunzip::Step> Gunzip::step(std::span<const std::byte> packed, std::span<std::byte> unpacked) {
  if (impl_->ended) return Step{packed.size(), 0, true};
  auto& stream = impl_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));  // zlib only reads it
  stream.avail_in = bounded(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = bounded(unpacked.size());
  const int code = inflate(&stream, Z_NO_FLUSH);
  if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
    return core::fail(core::Code::invalid, "The body says it is gzip, but it cannot be unpacked.",
                      stream.msg != nullptr ? stream.msg : "");
  impl_->ended = code == Z_STREAM_END;
  return Step{packed.size() - stream.avail_in, unpacked.size() - stream.avail_out, impl_->ended};
}

}  // namespace headrace::git
