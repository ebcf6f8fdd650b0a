#include "server/pages.h"

#include <algorithm>
#include <charconv>

#include "server/accept.h"
#include "server/answers.h"
#include "server/page_files.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view document = "/index.html";

// A browser names HTML when somebody goes to an address; curl, git and the pages themselves do not.
bool wants_html(const net::Request& request) {
  bool wanted = false;
  each_weighted(request.headers.get("Accept"), [&](std::string_view name, double weight) {
    if (net::equal_ignoring_case(name, "text/html")) wanted = weight > 0;
  });
  return wanted;
}

const PageFile* find(std::string_view path) {
  auto files = page_files();
  auto found = std::ranges::lower_bound(files, path, {}, &PageFile::path);
  return found != files.end() && found->path == path ? &*found : nullptr;
}

// RFC 9110 section 13.1.2.
bool is_known(const net::Request& request, std::string_view tag) {
  bool known = false;
  each_weighted(request.headers.get("If-None-Match"), [&](std::string_view one, double) {
    if (one.starts_with("W/")) one.remove_prefix(2);
    known = known || one == tag || one == "*";
  });
  return known;
}

net::Response answer_with(const PageFile& file, const net::Request& request, std::string_view kept) {
  std::string_view coding;
  std::string_view body = file.plain;
  if (!file.brotli.empty() && takes(request, "br")) {
    coding = "br";
    body = file.brotli;
  } else if (!file.gzip.empty() && takes(request, "gzip")) {
    coding = "gzip";
    body = file.gzip;
  }
  const bool known = is_known(request, file.tag);
  auto answer = known ? net::Response{net::Status::not_modified, {}, {}}
                      : net::make_response(net::Status::ok, std::string(body), std::string(file.type));
  answer.headers.set("ETag", std::string(file.tag));
  answer.headers.set("Cache-Control", std::string(kept));
  answer.headers.set("Vary", "Accept-Encoding");
  answer.headers.set("X-Content-Type-Options", "nosniff");
  if (!known && !coding.empty()) answer.headers.set("Content-Encoding", std::string(coding));
  return answer;
}

Task<Result<>> asset(Call& call) {
  const auto* file = find("/assets/" + call.capture("file"));
  if (file == nullptr)
    co_return core::fail(Code::not_found, "There is no such file; reload the page, it may be of an older server.");
  co_return co_await call.exchange.respond(answer_with(*file, call.request(), "public, max-age=31536000, immutable"));
}

}  // namespace

std::optional<net::Response> page_for(const net::Request& request) {
  const bool reading = request.method == net::Method::get || request.method == net::Method::head;
  const bool of_the_api = std::ranges::any_of(std::initializer_list<std::string_view>{"/api/", "/assets/", "/_blobs/"},
                                              [&](std::string_view start) { return request.path.starts_with(start); });
  const auto* file = find(document);
  if (file == nullptr || !reading || of_the_api || !wants_html(request)) return std::nullopt;
  auto answer = answer_with(*file, request, "no-cache");
  answer.headers.set("Content-Security-Policy", std::string(page_policy()));
  answer.headers.set("Referrer-Policy", "same-origin");
  answer.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  return answer;
}

void add_page_routes(Router& router) {
  router.add({net::Method::get,
              "/assets/{file...}",
              Right::anyone,
              {"A file of the web pages", "platform", {}, {}, "application/octet-stream"},
              [](Call& call) { return asset(call); }});
}

}  // namespace headrace::server
