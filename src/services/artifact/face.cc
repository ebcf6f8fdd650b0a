#include "services/artifact/face.h"

#include <fmt/format.h>

#include "net/url.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t call_bytes_max = 64 * 1024;

// Twirp version 7, "Error Codes". What a bound refuses is 507 and not 429: the toolkit tries 429 again for half a
// minute, and a bound is still there then.
struct Refusal {
  net::Status status;
  std::string_view code;
};

Refusal refusal_of(Code code) {
  switch (code) {
    case Code::invalid: return {net::Status::bad_request, "invalid_argument"};
    case Code::unauthenticated: return {net::Status::unauthorized, "unauthenticated"};
    case Code::denied: return {net::Status::forbidden, "permission_denied"};
    case Code::not_found: return {net::Status::not_found, "not_found"};
    case Code::conflict: return {net::Status::conflict, "already_exists"};
    case Code::exhausted: return {net::Status::insufficient_storage, "resource_exhausted"};
    case Code::unavailable: return {net::Status::unavailable, "unavailable"};
    case Code::corrupt: return {net::Status::internal_error, "dataloss"};
  }
  return {net::Status::internal_error, "internal"};
}

net::Response answer_of(const core::Error& error) {
  auto refusal = refusal_of(error.code);
  return net::make_response(refusal.status, core::to_text(json::object{{"code", refusal.code}, {"msg", error.message}}),
                            "application/json");
}

std::string camel_of(std::string_view snake) {
  std::string camel;
  for (size_t i = 0; i < snake.size(); ++i) {
    bool up = snake[i] == '_' && i + 1 < snake.size();
    camel.push_back(up ? static_cast<char>(snake[++i] - 'a' + 'A') : snake[i]);
  }
  return camel;
}

}  // namespace

std::string member(const json::value& asked, std::string_view snake) {
  const auto* found = core::find(asked, snake);
  if (found == nullptr) found = core::find(asked, camel_of(snake));
  if (found == nullptr) return {};
  if (found->is_string()) return std::string(found->get_string());
  if (found->is_int64()) return std::to_string(found->get_int64());
  if (found->is_uint64()) return std::to_string(found->get_uint64());
  return {};
}

Face::Face(FaceParts parts) : parts_(std::move(parts)) {}

void Face::recall() {
  for (const auto& id : parts_.blobs.uploads())
    if (auto pending = parse_pending(parts_.blobs.upload(id)->about)) pending_.emplace(id, std::move(*pending));
}

bool Face::serves(const net::Request& request) {
  return request.path.starts_with("/twirp/") || request.path.starts_with("/_blobs/");
}

Task<Result<>> Face::answer(net::Exchange& exchange) {
  if (exchange.request().path.starts_with("/_blobs/")) co_return co_await answer_blob(exchange);
  co_return co_await answer_call(exchange);
}

// An address that a client says it reached us by is good for nothing but the answer to that client.
std::string Face::base_of(const net::Request& request) {
  auto door = request.headers.get(door_header);
  if (auto url = net::parse_url(door); url && url->target == "/" && (url->scheme == "http" || url->scheme == "https"))
    return url->scheme + "://" + url->authority();
  return (request.over_tls ? "https://" : "http://") + request.host;
}

// ---- Calls

Task<Result<>> Face::answer_call(net::Exchange& exchange) {
  const auto& segments = exchange.request().segments;
  Answer answer = core::fail(Code::not_found, "There is no such service; docs/artifacts.md lists those there are.");
  if (exchange.request().method == net::Method::post && segments.size() == 3)
    answer = co_await call(exchange, segments[1], segments[2]);
  if (!answer) co_return co_await exchange.respond(answer_of(answer.error()));
  co_return co_await exchange.respond(net::make_response(net::Status::ok, core::to_text(*answer), "application/json"));
}

Task<Face::Answer> Face::call(net::Exchange& exchange, std::string service, std::string method) {
  std::string_view header = exchange.request().headers.get("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  bool bearer = header.size() > scheme.size() && net::equal_ignoring_case(header.substr(0, scheme.size()), scheme);
  auto by = bearer ? parts_.keys.read(header.substr(scheme.size()), parts_.clock.now()) : std::nullopt;
  if (!by)
    co_return core::fail(Code::unauthenticated,
                         "This service is for jobs: send the runtime token of one (ACTIONS_RUNTIME_TOKEN).");
  if (!parts_.shelf.alive(by->lease))
    co_return core::fail(Code::unauthenticated, "The job of this token is over, and the token with it.");
  auto body = co_await exchange.body(call_bytes_max);
  if (!body && body.error().code == Code::exhausted)
    co_return core::fail(Code::invalid, fmt::format("A call has at most {} bytes.", call_bytes_max));
  if (!body) co_return std::unexpected(body.error());
  auto asked = core::parse_json(*body);
  if (!asked || !asked->is_object())
    co_return core::fail(Code::invalid, asked ? "A call is a JSON object." : asked.error().message);
  std::string base = base_of(exchange.request());
  if (service == artifact_service)
    co_return co_await call_artifacts(std::move(method), std::move(*by), std::move(*asked), std::move(base));
  if (service == cache_service)
    co_return co_await call_caches(std::move(method), std::move(*by), std::move(*asked), std::move(base));
  co_return core::fail(Code::not_found, "There is no service '" + service.substr(0, 100) + "'.");
}

// ---- Uploads

std::string Face::upload_of(const Pending& like) const {
  for (const auto& [id, one] : pending_)
    if (one.kind == like.kind && one.name == like.name && one.version == like.version &&
        one.holder.lease == like.holder.lease && one.holder.run == like.holder.run)
      return id;
  return {};
}

Task<Result<std::string>> Face::begin(Pending pending) {
  if (parts_.free_bytes() < parts_.shelf.bounds().free_bytes_min)
    co_return core::fail(Code::exhausted, "The disk of the server is nearly full; its operator must make room.");
  if (std::string before = upload_of(pending); !before.empty()) co_await end(before);  // it broke off; begun anew
  size_t of_job = 0;
  for (const auto& [id, one] : pending_) of_job += one.holder.lease == pending.holder.lease ? 1 : 0;
  if (of_job >= uploads_a_job_max)
    co_return core::fail(Code::exhausted,
                         fmt::format("A job has at most {} uploads at once; end some of them.", uploads_a_job_max));
  std::string id = parts_.ids.next();
  pending_.emplace(id, pending);
  auto begun = co_await parts_.blobs.begin(id, to_text(pending));
  if (!begun) pending_.erase(id);
  if (!begun) co_return std::unexpected(begun.error());
  co_return id;
}

// What was uploaded, if it is whole and what the client says it is.
Task<Result<Blob>> Face::whole(std::string upload, std::string size, std::string digest) {
  const auto* there = parts_.blobs.upload(upload);
  if (there == nullptr || !there->whole)
    co_return core::fail(Code::invalid, "Nothing whole was uploaded: put the blob, or its blocks and their list.");
  Blob blob = *there->whole;
  if (!size.empty() && size != std::to_string(blob.size))
    co_return core::fail(Code::invalid, fmt::format("{} bytes were announced and {} have come; upload it again.",
                                                    size.substr(0, 20), blob.size));
  if (!digest.empty() && digest != blob.digest)
    co_return core::fail(Code::invalid, "The digest of what has come is " + blob.digest + " and not " +
                                            digest.substr(0, 80) + ", as announced; upload it again.");
  co_return blob;
}

Task<> Face::end(std::string upload) {
  pending_.erase(upload);
  co_await parts_.blobs.forget(std::move(upload));
}

Task<> Face::tidy() {
  std::vector<std::string> over;
  for (const auto& id : parts_.blobs.uploads()) {
    auto found = pending_.find(id);
    if (found == pending_.end() || !parts_.shelf.alive(found->second.holder.lease)) over.push_back(id);
  }
  for (auto& id : over) co_await end(id);
}

// ---- Addresses

std::string Face::address(std::string path, const Holder& by, const std::string& base) const {
  return base + parts_.keys.sign({.path = std::move(path),
                                  .by = core::to_string(core::Actor::job(by.repository)),
                                  .lease = by.lease,
                                  .until = parts_.clock.now() + address_lives});
}

std::string Face::address_of(const Artifact& artifact, const core::Actor& by, const std::string& base) const {
  std::string suffix = artifact.media == "application/zip" && !artifact.name.ends_with(".zip") ? ".zip" : "";
  return base + parts_.keys.sign({.path = fmt::format("/_blobs/artifact/{}/{}", artifact.id,
                                                      net::percent_encode(artifact.name + suffix)),
                                  .by = core::to_string(by),
                                  .lease = 0,
                                  .until = parts_.clock.now() + address_of_a_user_lives});
}

}  // namespace headrace::artifact
