#include "server/dispatch.h"

#include <algorithm>

#include "core/bytes.h"
#include "server/answers.h"
#include "server/door.h"
#include "server/packing.h"
#include "server/pages.h"
#include "server/request.h"
#include "server/sessions.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

std::string allowed(const std::vector<net::Method>& methods) {
  std::string text;
  for (auto method : methods) text.append(text.empty() ? "" : ", ").append(net::name_of(method));
  return text;
}

net::Response no_method(const net::Request& request, const std::vector<net::Method>& methods) {
  auto answer = answer_of(net::Status::method_not_allowed, "invalid",
                          request.method_text.substr(0, 20) + " is not possible at " + request.path.substr(0, 200) +
                              "; " + allowed(methods) + " is.");
  answer.headers.set("Allow", allowed(methods));
  return answer;
}

bool readable(std::string_view text) { return text.find('\0') == std::string_view::npos && core::is_utf8(text); }

// What is decoded here may go into events, and those are JSON.
bool readable(const net::Request& request) {
  return std::ranges::all_of(request.segments, [](const std::string& part) { return readable(part); }) &&
         std::ranges::all_of(request.query,
                             [](const net::Parameter& one) { return readable(one.name) && readable(one.value); });
}

}  // namespace

Task<> Dispatch::operator()(net::Exchange& exchange) {
  auto handled = co_await handle(exchange);
  // Once an answer has begun nothing can be said any more: the client sees it broken off.
  if (handled || exchange.started()) co_return;
  auto answer = exchange.request().path.starts_with("/api/v3/")
                    ? github_answer_of(handled.error(), platform_.public_url)
                    : answer_of(handled.error());
  // Or the browser asks for a name and a password over the page, which has a better way to sign in.
  if (asked_by_a_page(exchange.request())) answer.headers.remove("WWW-Authenticate");
  if (auto answered = co_await exchange.respond(std::move(answer)); !answered) co_return;
}

Task<Result<>> Dispatch::handle(net::Exchange& exchange) {
  const auto& request = exchange.request();
  if (!open_ && request.path != "/healthz")
    co_return core::fail(Code::unavailable, "The server is starting or stopping. Try again in a moment.");
  if (!readable(request))
    co_return co_await exchange.respond(answer_of(
        net::Status::bad_request, "invalid", "The path or the query of this request holds a NUL or is not UTF-8."));
  auto match = router_.find(request);
  if (!match.route && match.methods.empty())
    if (auto page = page_for(request)) co_return co_await exchange.respond(std::move(*page));
  if (!match.route && match.methods.empty())
    co_return core::fail(Code::not_found, "There is nothing at " + request.path.substr(0, 200) +
                                              "; /api/v1/openapi.json lists what there is.");
  if (!match.route) co_return co_await exchange.respond(no_method(request, match.methods));
  auto caller = caller_of(platform_, request);
  if (!caller) co_return std::unexpected(caller.error());
  if (auto allowed = may(platform_, *caller, *match.route, match.captures); !allowed) co_return allowed;
  if (auto known = check_query(*match.route, request); !known)
    co_return co_await exchange.respond(answer_of(net::Status::bad_request, "invalid", known.error().message));
  auto shown = co_await shown_by(platform_, *match.route, request);
  if (!shown) co_return std::unexpected(shown.error());
  exchange.shape_answer([this, shown = *shown, packed = may_be_packed(*match.route, request)](net::Response& answer) {
    return shape(answer, shown, packed);
  });
  Call call{exchange, std::move(*caller), std::move(match.captures)};
  co_return co_await match.route->action(call);
}

Task<> Dispatch::shape(net::Response& answer, Shown shown, bool packed) {
  shown.say(platform_, answer);
  if (packed) co_await pack(platform_, answer);
}

}  // namespace headrace::server
