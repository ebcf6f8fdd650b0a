#include "services/runner/toolkit_client.h"

#include <algorithm>
#include <tuple>

#include "core/bytes.h"
#include "net/url.h"
#include "services/runner/door.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t answer_max = size_t{4} << 20;
constexpr std::string_view service_front = "/twirp/github.actions.results.api.v1.";

net::ClientOptions options_of(const ServerWay& way) {
  net::ClientOptions options;
  options.unix_socket = way.unix_socket;
  options.trusted_pem = way.trusted_pem;
  options.answer = door_answer_max;
  return options;
}

Code code_of(int status) {
  switch (status) {
    case 401: return Code::unauthenticated;
    case 403: return Code::denied;
    case 404: return Code::not_found;
    case 409: return Code::conflict;
    case 413:
    case 507: return Code::exhausted;
    default: return status >= 500 || status == 429 ? Code::unavailable : Code::invalid;
  }
}

// What the answer says for people: {"msg"} of Twirp, {"message"} of the API, <Message> of blobs.
core::Error error_of(const net::Response& answer) {
  int status = static_cast<int>(answer.status);
  std::string message;
  if (auto body = core::parse_json(answer.body)) {
    message = core::string_at(*body, "msg").value_or(core::string_at(*body, "message").value_or(""));
    if (const auto* error = core::find(*body, "error")) message = core::string_at(*error, "message").value_or(message);
  } else if (auto begin = answer.body.find("<Message>"); begin != std::string::npos) {
    begin += std::string_view("<Message>").size();
    message = answer.body.substr(begin, answer.body.find("</Message>", begin) - begin);
  }
  if (message.empty())
    message = "The server answered " + std::to_string(status) + " " + std::string(net::reason_of(answer.status)) + ".";
  return {code_of(status), core::to_valid_utf8(std::move(message)), {}};
}

// "Actions.Results:<run>:<job>" among the scopes of a token, which is ours to pass on and not to judge.
std::pair<std::string, std::string> backend_of(std::string_view token) {
  auto first = token.find('.'), last = token.rfind('.');
  if (first == std::string_view::npos || last <= first) return {};
  auto bytes = core::from_base64(token.substr(first + 1, last - first - 1));
  auto claims = bytes ? core::parse_json(*bytes) : Result<json::value>(core::fail(Code::invalid, ""));
  std::string scopes = claims ? core::string_at(*claims, "scp").value_or("") : "";
  constexpr std::string_view mark = "Actions.Results:";
  auto at = scopes.find(mark);
  if (at == std::string::npos) return {};
  std::string pair = scopes.substr(at + mark.size());
  pair = pair.substr(0, pair.find(' '));
  auto colon = pair.find(':');
  if (colon == std::string::npos) return {};
  return {pair.substr(0, colon), pair.substr(colon + 1)};
}

}  // namespace

ToolkitClient::ToolkitClient(StepEngine& engine)
    : engine_(engine), client_(engine.loop(), engine.clock(), options_of(engine.server())) {
  std::tie(run_, job_) = backend_of(engine.order().grant.runtime_token);
}

Result<std::unique_ptr<ToolkitClient>> ToolkitClient::open(StepEngine& engine) {
  if (engine.server().empty() || engine.order().grant.runtime_token.empty())
    return core::fail(Code::unavailable,
                      "This job was lent no artifacts and caches: its server is older than its runner, or there is "
                      "none.");
  return std::unique_ptr<ToolkitClient>(new ToolkitClient(engine));
}

std::string ToolkitClient::onward(const std::string& url) const {
  auto read = net::parse_url(url);
  return read ? engine_.server().url + read->target : url;
}

// Asked again where the server is away or says that it will be able later.
Task<Result<net::Response>> ToolkitClient::send(net::ClientRequest request) {
  auto wait = toolkit_wait_first;
  for (int attempt = 1;; ++attempt) {
    auto answer = co_await client_.send(request, answer_max);
    bool later = answer ? code_of(static_cast<int>(answer->status)) == Code::unavailable &&
                              static_cast<int>(answer->status) >= 400
                        : answer.error().code == Code::unavailable;
    if (!later || attempt == toolkit_attempts_max) co_return answer;
    co_await engine_.clock().sleep_for(wait);
    wait = std::min(wait * 2, toolkit_wait_most);
  }
}

Task<Result<json::value>> ToolkitClient::call(std::string service, std::string method, json::object asked) {
  net::ClientRequest request;
  request.url = engine_.server().url + std::string(service_front) + service + "/" + method;
  request.method = "POST";
  request.headers.set("Authorization", "Bearer " + engine_.order().grant.runtime_token);
  request.headers.set("Content-Type", "application/json");
  request.body = core::to_text(asked);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::ok) co_return std::unexpected(error_of(*answer));
  co_return core::parse_json(answer->body);
}

Task<Result<json::value>> ToolkitClient::artifacts(std::string method, json::object asked) {
  asked["workflow_run_backend_id"] = run_;
  asked["workflow_job_run_backend_id"] = job_;
  co_return co_await call("ArtifactService", std::move(method), std::move(asked));
}

Task<Result<json::value>> ToolkitClient::caches(std::string method, json::object asked) {
  co_return co_await call("CacheService", std::move(method), std::move(asked));
}

Task<Result<json::value>> ToolkitClient::api(std::string path, std::string token) {
  net::ClientRequest request;
  request.url = engine_.server().url + "/api/v3" + path;
  request.headers.set("Authorization", "Bearer " + token);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::ok) co_return std::unexpected(error_of(*answer));
  co_return core::parse_json(answer->body);
}

Task<Result<std::string>> ToolkitClient::location(std::string path, std::string token) {
  net::ClientRequest request;
  request.url = engine_.server().url + "/api/v3" + path;
  request.headers.set("Authorization", "Bearer " + token);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::found) co_return std::unexpected(error_of(*answer));
  co_return std::string(answer->headers.get("Location"));
}

Task<Result<>> ToolkitClient::put(std::string url, std::string body) {
  net::ClientRequest request;
  request.url = onward(url);
  request.method = "PUT";
  request.headers.set("x-ms-blob-type", "BlockBlob");
  request.body = std::move(body);
  auto answer = co_await send(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::created) co_return std::unexpected(error_of(*answer));
  co_return Result<>{};
}

Task<Result<std::unique_ptr<net::Call>>> ToolkitClient::get(std::string url) {
  net::ClientRequest request;
  request.url = onward(url);
  auto call = co_await client_.open(std::move(request));
  if (!call) co_return std::unexpected(call.error());
  auto answer = co_await (*call)->answer();
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status == net::Status::ok) co_return std::move(*call);
  auto body = co_await (*call)->body(answer_max);
  if (body) answer->body = std::move(*body);
  co_return std::unexpected(error_of(*answer));
}

// ---- Blocks

Task<Result<>> BlockUpload::add(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t room = std::min(upload_block_bytes - block_.size(), bytes.size());
    block_.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    if (block_.size() < upload_block_bytes) continue;
    if (auto put = co_await put_block(); !put) co_return put;
  }
  co_return Result<>{};
}

Task<Result<>> BlockUpload::put_block() {
  std::string number = std::to_string(ids_.size());
  std::string id = core::to_base64(core::as_bytes(std::string(12 - std::min<size_t>(12, number.size()), '0') + number));
  size_ += block_.size();
  std::string block = std::exchange(block_, std::string());
  auto put = co_await client_.put(url_ + "&comp=block&blockid=" + net::percent_encode(id), std::move(block));
  if (put) ids_.push_back(std::move(id));
  co_return put;
}

Task<Result<>> BlockUpload::finish() {
  if (!block_.empty())
    if (auto put = co_await put_block(); !put) co_return put;
  std::string list = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (const auto& id : ids_) list += "<Latest>" + id + "</Latest>";
  list += "</BlockList>";
  co_return co_await client_.put(url_ + "&comp=blocklist", std::move(list));
}

}  // namespace headrace::runner
