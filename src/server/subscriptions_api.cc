#include "server/subscriptions_api.h"

#include "server/answers.h"
#include "server/request.h"
#include "server/subscription_json.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

constexpr size_t body_max = 128 * 1024;

Task<Result<>> show_named(Platform& platform, Call& call, std::string name, net::Status success) {
  auto status = platform.bus.status(name);
  if (!status) co_return std::unexpected(status.error());
  co_return co_await call.exchange.respond(json_answer(of(*status), success));
}

Task<Result<>> list(Platform& platform, Call& call) {
  core::json::array all;
  for (const auto& status : platform.bus.all()) all.push_back(of(status));
  core::json::object answer;
  answer["subscriptions"] = std::move(all);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> create(Platform& platform, Call& call) {
  auto body = co_await read_body(call, body_max);
  if (!body) co_return std::unexpected(body.error());
  auto wanted = read_subscription(*body);
  if (!wanted) co_return std::unexpected(wanted.error());
  std::string name = wanted->name;
  auto created = co_await platform.bus.create(call.caller.actor, std::move(*wanted));
  if (!created) co_return created;
  co_return co_await show_named(platform, call, std::move(name), net::Status::created);
}

Task<Result<>> show(Platform& platform, Call& call) {
  return show_named(platform, call, call.capture("name"), net::Status::ok);
}

Task<Result<>> pause(Platform& platform, Call& call) {
  auto paused = co_await platform.bus.pause(call.caller.actor, call.capture("name"),
                                            "paused by " + core::to_string(call.caller.actor));
  if (!paused) co_return paused;
  co_return co_await show(platform, call);
}

Task<Result<>> resume(Platform& platform, Call& call) {
  auto resumed = co_await platform.bus.resume(call.caller.actor, call.capture("name"));
  if (!resumed) co_return resumed;
  co_return co_await show(platform, call);
}

Task<Result<>> seek(Platform& platform, Call& call) {
  auto start = read_start(call.query("to"));
  if (!start) co_return std::unexpected(start.error());
  auto sought = co_await platform.bus.seek(call.caller.actor, call.capture("name"), *start);
  if (!sought) co_return sought;
  co_return co_await show(platform, call);
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto removed = co_await platform.bus.remove(call.caller.actor, call.capture("name"));
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

}  // namespace

void add_subscription_routes(Router& router, Platform& platform) {
  router.add({net::Method::get,
              "/api/v1/subscriptions",
              Right::read_events,
              {"All subscriptions with their measures", "subscriptions", {}, {}, json_body("Subscriptions")},
              [&platform](Call& call) { return list(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/subscriptions",
              Right::operate,
              {"Make a durable subscription to pull from",
               "subscriptions",
               {},
               json_body("SubscriptionWish"),
               json_body("Subscription"),
               201},
              [&platform](Call& call) { return create(platform, call); }});
  router.add(
      {net::Method::get,
       "/api/v1/subscriptions/{name}",
       Right::read_events,
       {"One subscription: measures, what it waits for, held keys", "subscriptions", {}, {}, json_body("Subscription")},
       [&platform](Call& call) { return show(platform, call); }});
  router.add({net::Method::delete_,
              "/api/v1/subscriptions/{name}",
              Right::operate,
              {"Delete it, with its cursor", "subscriptions", {}, {}, {}, 204},
              [&platform](Call& call) { return remove(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/subscriptions/{name}/pause",
              Right::operate,
              {"Deliver nothing until resumed", "subscriptions", {}, {}, json_body("Subscription")},
              [&platform](Call& call) { return pause(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/subscriptions/{name}/resume",
              Right::operate,
              {"Deliver again", "subscriptions", {}, {}, json_body("Subscription")},
              [&platform](Call& call) { return resume(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/subscriptions/{name}/seek",
              Right::operate,
              {"Go on from another place; what lies behind it is delivered again",
               "subscriptions",
               {{"to", "now, beginning, an offset or a time"}},
               {},
               json_body("Subscription")},
              [&platform](Call& call) { return seek(platform, call); }});
  add_subscription_streams(router, platform);
  add_dead_letter_routes(router, platform);
}

}  // namespace headrace::server
