// How results become HTTP answers: one table of statuses, one form of errors.
#pragma once

#include <string>

#include "core/json.h"
#include "core/result.h"
#include "net/http.h"

namespace headrace::server {

// invalid 422 (400 for what is no request at all is the caller's to say), unauthenticated 401, denied 403, not_found
// 404, conflict 409, exhausted 503 (413 for a body, see request.h), unavailable 503, corrupt 500.
net::Status status_of(core::Code code);

// {"error":{"code","message"}}; Retry-After with 503, WWW-Authenticate with 401.
net::Response answer_of(const core::Error& error);
net::Response answer_of(net::Status status, std::string_view code, std::string message);
// The same for clients of GitHub's API: {"message","documentation_url","status"} besides.
net::Response github_answer_of(const core::Error& error, const std::string& public_url);

net::Response json_answer(const core::json::value& value, net::Status status = net::Status::ok);
net::Response no_content();

}  // namespace headrace::server
