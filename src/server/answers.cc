#include "server/answers.h"

#include "core/bytes.h"

namespace headrace::server {

using core::Code;

net::Status status_of(Code code) {
  switch (code) {
    case Code::invalid: return net::Status::unprocessable_content;
    case Code::unauthenticated: return net::Status::unauthorized;
    case Code::denied: return net::Status::forbidden;
    case Code::not_found: return net::Status::not_found;
    case Code::conflict: return net::Status::conflict;
    case Code::exhausted: return net::Status::unavailable;
    case Code::unavailable: return net::Status::unavailable;
    case Code::corrupt: return net::Status::internal_error;
  }
  return net::Status::internal_error;
}

net::Response answer_of(net::Status status, std::string_view code, std::string message) {
  core::json::object error{{"code", code}, {"message", std::move(message)}};
  auto response = json_answer(core::json::object{{"error", std::move(error)}}, status);
  if (status == net::Status::unavailable) response.headers.set("Retry-After", "1");
  // Basic, so that git asks for a token; API clients send Bearer.
  if (status == net::Status::unauthorized)
    response.headers.set("WWW-Authenticate", "Basic realm=\"Headrace\", charset=\"UTF-8\"");
  return response;
}

net::Response answer_of(const core::Error& error) {
  return answer_of(status_of(error.code), core::name_of(error.code), error.message);
}

net::Response github_answer_of(const core::Error& error, const std::string& public_url) {
  auto response = answer_of(error);
  const auto status = static_cast<int>(response.status);
  core::json::object body{{"message", error.message},
                          {"documentation_url", public_url + "/api/v1/openapi.json"},
                          {"status", std::to_string(status)},
                          {"error", {{"code", core::name_of(error.code)}, {"message", error.message}}}};
  response.body = json_answer(body).body;
  return response;
}

net::Response json_answer(const core::json::value& value, net::Status status) {
  // Foreign bytes (paths, messages, names of others) can only be within strings, so the text is mended as a whole.
  return net::make_response(status, core::to_valid_utf8(core::to_text(value)) + "\n", "application/json");
}

net::Response no_content() {
  net::Response response;
  response.status = net::Status::no_content;
  return response;
}

}  // namespace headrace::server
