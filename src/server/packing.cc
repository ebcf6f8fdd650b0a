#include "server/packing.h"

#include <zlib.h>

#include "server/accept.h"

namespace headrace::server {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr int gzip_wrapping = 15 + 16;  // zlib.h, deflateInit2: the largest window, and a gzip header around it
constexpr int memory_level = 8;         // zlib's own default

}  // namespace

bool may_be_packed(const Route& route, const net::Request& request) {
  return route.method == net::Method::get && route.about.answer.type == json_type && takes(request, "gzip");
}

core::Task<> pack(Platform& platform, net::Response& answer) {
  if (answer.status != net::Status::ok || answer.body.size() < packed_least ||
      answer.headers.contains("Content-Encoding"))
    co_return;
  if (answer.headers.get("Content-Type") != json_type) co_return;
  answer.headers.set("Vary", "Accept-Encoding");
  core::Result<std::string> packed;
  if (answer.body.size() <= packed_on_loop) {
    packed = gzip(answer.body);
  } else {
    auto work = [&plain = answer.body]() -> core::Result<std::string> { return gzip(plain); };
    packed = co_await core::blocking(platform.git_reads, std::move(work));
  }
  if (!packed) co_return;  // the pool is busy: it goes as it is
  answer.body = std::move(*packed);
  answer.headers.set("Content-Encoding", "gzip");
}

std::string gzip(std::string_view plain) {
  z_stream stream{};
  core::require(
      deflateInit2(&stream, packing_level, Z_DEFLATED, gzip_wrapping, memory_level, Z_DEFAULT_STRATEGY) == Z_OK,
      "zlib starts");
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int done = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  core::require(done == Z_STREAM_END, "zlib packs into a buffer of deflateBound bytes");
  return packed;
}

}  // namespace headrace::server
