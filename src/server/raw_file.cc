// A file of a repository as it is, whole: for a browser's pictures and for whoever downloads it. It comes from
// strangers and is answered from our own address, so nothing of it ever runs as a page of ours.
#include <array>
#include <memory>

#include "git/repository.h"
#include "net/url.h"
#include "server/repositories_api.h"
#include "server/request.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

// libgit2 gives a file only whole, so it is in memory until the client has it.
constexpr size_t large_bytes = size_t{1} << 20;
constexpr int large_at_once_max = 4;  // beyond: 503, and Retry-After

struct Picture {
  std::string_view extension;
  std::string_view type;
};
constexpr std::array<Picture, 9> pictures{{{".png", "image/png"},
                                           {".jpg", "image/jpeg"},
                                           {".jpeg", "image/jpeg"},
                                           {".gif", "image/gif"},
                                           {".webp", "image/webp"},
                                           {".avif", "image/avif"},
                                           {".bmp", "image/bmp"},
                                           {".ico", "image/x-icon"},
                                           {".svg", "image/svg+xml"}}};

std::string type_of(std::string path, bool binary) {
  for (char& c : path)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const auto& picture : pictures)
    if (path.ends_with(picture.extension)) return std::string(picture.type);
  return binary ? "application/octet-stream" : "text/plain; charset=utf-8";
}

net::Headers headers_of(const std::string& path, bool binary, bool download) {
  auto type = type_of(path, binary);
  bool shown = !download && type != "application/octet-stream";
  auto name = path.substr(path.rfind('/') + 1);
  net::Headers headers{
      {"Content-Type", type},
      {"Content-Disposition", (shown ? "inline" : "attachment") + ("; filename*=UTF-8''" + net::percent_encode(name))},
      {"Cache-Control", "private, no-cache"},
      {"X-Content-Type-Options", "nosniff"},
      // A drawing has styles within; a sandbox without exceptions runs no script and has no origin.
      {"Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'"}};
  return headers;
}

// One of the few large files on their way to clients.
class Large {
 public:
  explicit Large(int& count) : count_(&count) { ++*count_; }
  Large(const Large&) = delete;
  Large& operator=(const Large&) = delete;
  ~Large() { --*count_; }

 private:
  int* count_;
};

net::Response answer_with(net::Headers headers, std::string content) {
  net::Response answer;
  answer.headers = std::move(headers);
  answer.body = std::move(content);
  return answer;
}

Task<Result<>> raw(Platform& platform, Call& call, std::shared_ptr<int> large) {
  auto id = co_await repository_in(platform, call);
  if (!id) co_return std::unexpected(id.error());
  auto download = flag_in(call, "download");
  if (!download) co_return std::unexpected(download.error());
  auto path = call.query("path");
  auto read = [revision = call.capture("revision"), path](size_t bytes_max) {
    return
        [revision, path, bytes_max](git::Repository& repository) { return repository.blob(revision, path, bytes_max); };
  };
  auto begun = co_await platform.repositories.read(*id, read(large_bytes));
  if (!begun) co_return std::unexpected(begun.error());
  auto headers = headers_of(path, begun->binary, *download);
  if (!begun->truncated())
    co_return co_await call.exchange.respond(answer_with(std::move(headers), std::move(begun->content)));
  if (*large >= large_at_once_max)
    co_return core::fail(Code::unavailable, "Other large files are being downloaded; this one comes after them.");
  Large one(*large);
  auto whole = co_await platform.repositories.read(*id, read(begun->size));
  if (!whole) co_return std::unexpected(whole.error());
  co_return co_await call.exchange.respond(answer_with(std::move(headers), std::move(whole->content)));
}

}  // namespace

void add_raw_route(Router& router, Platform& platform) {
  auto large = std::make_shared<int>(0);  // of this route and of the requests it still answers
  router.add({net::Method::get,
              "/api/v1/repositories/{owner}/{repo}/raw/{revision...}",
              Right::read_repository,
              {"A file as it is, of any size",
               "repositories",
               {{"path", "within the tree"}, {"download", "true: never shown in the browser", "boolean"}},
               {},
               "application/octet-stream"},
              [&platform, large](Call& call) { return raw(platform, call, large); }});
}

}  // namespace headrace::server
