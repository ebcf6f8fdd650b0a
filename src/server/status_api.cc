#include "server/status_api.h"

#include <memory>

#include "core/version.h"
#include "server/answers.h"
#include "server/metrics.h"
#include "server/openapi.h"
#include "server/pages.h"
#include "services/runner/protocol.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Result;
using core::Task;
namespace json = core::json;

namespace {

Task<Result<>> health(Call& call) { return call.exchange.respond(net::make_response(net::Status::ok, "ok\n")); }

// For programs; a browser is given the page.
Task<Result<>> front(Platform& platform, Call& call) {
  if (auto page = page_for(call.request())) return call.exchange.respond(std::move(*page));
  const auto& url = platform.public_url;
  std::string text = "Headrace " + std::string(core::version()) +
                     ": push, build, test and everything that follows, on one event log.\n\n"
                     "A browser shows pages at this address; there is a command line and an API.\n\n"
                     "  sign in   headrace login LINK      (serve prints the link as long as nobody has signed in)\n"
                     "            HEADRACE_URL=" +
                     url +
                     " headrace login -      (with a token on the standard input)\n"
                     "  help      headrace --help\n"
                     "  API       " +
                     url +
                     "/api/v1/openapi.json\n"
                     "  clone     git clone " +
                     url +
                     "/OWNER/NAME.git\n"
                     "  health    " +
                     url + "/healthz, " + url + "/readyz\n";
  return call.exchange.respond(net::make_response(net::Status::ok, std::move(text)));
}

// 200 means that all projections are at the log's tail and the log takes appends; else 503 names what is not so.
Task<Result<>> ready(Platform& platform, Call& call) {
  std::string trouble;
  if (auto stopped = platform.log.stopped())
    trouble += stopped->message + (stopped->detail.empty() ? "" : " (" + stopped->detail + ")") + "\n";
  if (auto projected = platform.store.ready(); !projected) trouble += projected.error().message + "\n";
  auto status = trouble.empty() ? net::Status::ok : net::Status::unavailable;
  std::string words = trouble.empty() ? "ready\n" : std::move(trouble);
  co_return co_await call.exchange.respond(net::make_response(status, std::move(words)));
}

json::object of(const store::Status& projection) {
  json::object one{{"name", projection.name},
                   {"version", projection.version},
                   {"phase", store::name_of(projection.phase)},
                   {"applied", projection.applied},
                   {"rebuilt", projection.rebuilt},
                   {"tail", projection.tail},
                   {"why", nullptr}};
  if (projection.why) one["why"] = projection.why->message;
  return one;
}

json::object of(const runner::ConnectedRunner& runner) {
  json::array labels;
  for (const auto& [label, executor] : runner.labels)
    labels.push_back(json::object{{"label", label}, {"executor", executor}});
  json::object one{{"name", runner.name},
                   {"slots", runner.slots},
                   {"busy", runner.busy},
                   {"since", core::format_time(runner.since)},
                   {"draining", runner.draining}};
  one["labels"] = std::move(labels);
  return one;
}

json::object of(const bus::Attention& attention) {
  return {{"dead_letters", attention.dead_letters}, {"stalled", attention.stalled}, {"paused", attention.paused}};
}

Task<Result<>> status(Platform& platform, Call& call) {
  json::array projections;
  for (const auto& projection : platform.store.status()) projections.push_back(of(projection));
  json::array runners;
  for (const auto& one : platform.runner.connected()) runners.push_back(of(one));
  auto log = platform.log.stat();
  json::object answer{{"version", core::version()},
                      {"time", core::format_time(platform.clock.now())},
                      {"started_at", core::format_time(platform.started)}};
  answer["log"] = json::object{{"first", log.first},
                               {"durable", log.durable},
                               {"segments", log.segments},
                               {"bytes", log.bytes},
                               {"stopped", nullptr}};
  if (auto stopped = platform.log.stopped()) answer["log"].get_object()["stopped"] = stopped->message;
  answer["projections"] = std::move(projections);
  answer["runners"] = std::move(runners);
  answer["bus"] = of(platform.bus.attention());
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> connect_runner(Platform& platform, Call& call) {
  net::WebSocketOptions options;
  options.subprotocols.emplace_back(runner::subprotocol);
  options.message_bytes_max = runner::message_bytes_max;
  auto socket = co_await call.exchange.upgrade(std::move(options));
  if (!socket) co_return Result<>{};
  co_await platform.runner.serve(**socket, call.caller.actor);
  co_return Result<>{};
}

}  // namespace

void add_status_routes(Router& router, Platform& platform, const net::Server& http) {
  router.add({net::Method::get,
              "/",
              Right::anyone,
              {"What this is, and where to go", "platform", {}, {}, "text/plain"},
              [&platform](Call& call) { return front(platform, call); }});
  router.add({net::Method::get,
              "/healthz",
              Right::anyone,
              {"The process answers", "platform", {}, {}, "text/plain"},
              [](Call& call) { return health(call); }});
  router.add({net::Method::get,
              "/readyz",
              Right::anyone,
              {"All projections are at the tail of the log, and it takes appends", "platform", {}, {}, "text/plain"},
              [&platform](Call& call) { return ready(platform, call); }});
  router.add({net::Method::get,
              "/metrics",
              Right::read_events,
              {"Measures, for Prometheus", "platform", {}, {}, "text/plain"},
              [&platform, &http](Call& call) {
                return call.exchange.respond(net::make_response(net::Status::ok,
                                                                metrics_text(platform, http.counters()),
                                                                "text/plain; version=0.0.4; charset=utf-8"));
              }});
  router.add({net::Method::get,
              "/api/v1/status",
              Right::signed_in,
              {"Log, projections, runners", "platform", {}, {}, json_body("Status")},
              [&platform](Call& call) { return status(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/openapi.json",
              Right::anyone,
              {"This document", "platform", {}, {}},
              [&router, &platform, text = std::make_shared<std::string>()](Call& call) {
                if (text->empty()) *text = openapi_text(router, platform.public_url);  // routes do not change any more
                return call.exchange.respond(net::make_response(net::Status::ok, *text, "application/json"));
              }});
  router.add({net::Method::get,
              "/api/v1/runner",
              Right::run_jobs,
              {"WebSocket of a runner (docs/runner-protocol.md)", "runners", {}, {}, "application/json", 101},
              [&platform](Call& call) { return connect_runner(platform, call); }});
}

}  // namespace headrace::server
