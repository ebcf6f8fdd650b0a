#include "server/events_api.h"

#include <algorithm>
#include <ranges>

#include "events/cloudevents.h"
#include "filter/filter.h"
#include "server/answers.h"
#include "server/event_json.h"
#include "server/publishing.h"
#include "server/request.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

constexpr size_t list_max = 1'000;
constexpr size_t list_default = 100;
constexpr size_t list_bytes_max = 8 * 1024 * 1024;  // of data in one list; the answer says where to go on
constexpr size_t scanned_max = 10'000;              // events looked at for one list; the answer says where to go on

// Content-type and ce-* headers as the binding wants them: lower-case names, repeated ones joined.
events::Headers cloudevent_headers(const net::Headers& headers) {
  constexpr std::string_view prefix = "ce-";
  events::Headers found;
  for (const auto& field : headers) {
    std::string_view start = std::string_view(field.name).substr(0, prefix.size());
    if (!net::equal_ignoring_case(start, prefix) && !net::equal_ignoring_case(field.name, "content-type")) continue;
    std::string name;
    for (char c : field.name) name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    auto [place, fresh] = found.emplace(std::move(name), field.value);
    if (!fresh) place->second.append(",").append(field.value);
  }
  return found;
}

Task<Result<>> publish(Platform& platform, Call& call) {
  auto body = co_await read_body(call, events::batch_bytes_max);
  if (!body) co_return std::unexpected(body.error());
  auto headers = cloudevent_headers(call.request().headers);
  auto read = events::read_http(headers, *body);
  if (!read) co_return std::unexpected(events::to_error(read.error()));
  bool batch = events::mode_of(headers) == events::Mode::batch;
  auto how = publish_options(call.query("durability"), call.query("sync"));
  if (!how) co_return std::unexpected(how.error());
  auto published = co_await publish_foreign(platform, call.caller, std::move(*read), std::move(*how));
  if (!published) co_return std::unexpected(published.error());
  auto status = published->duplicate ? net::Status::ok : net::Status::created;
  std::string text = batch ? "[" + published->json + "]\n" : published->json + "\n";
  co_return co_await call.exchange.respond(net::make_response(status, std::move(text), "application/json"));
}

struct Listing {
  std::vector<log::Stored> events;
  log::Offset next = 0;  // where to go on; 0: the end was reached
};

// Blocks: reads the log from `from` until `limit` events have matched.
Result<Listing> list_events(log::EventLog& log, const filter::Filter& wanted, log::Offset from, log::Offset until,
                            size_t limit) {
  Listing listing;
  size_t scanned = 0, bytes = 0;
  auto types = wanted.types();
  while (true) {
    auto read = types ? log.read_types(from, limit, *types) : log.read(from, limit);
    if (!read) return std::unexpected(read.error());
    for (auto& stored : *read) {
      if (stored.offset > until) return listing;
      if (listing.events.size() == limit || bytes > list_bytes_max || scanned++ == scanned_max) {
        listing.next = stored.offset;
        return listing;
      }
      from = stored.offset + 1;
      if (!wanted.matches(stored.event)) continue;
      bytes += stored.event.data.size();
      listing.events.push_back(std::move(stored));
    }
    if (read->empty()) return listing;
  }
}

// The events from `first` to `last`; nothing where they are more than `list_bytes_max` bytes.
Result<std::optional<std::vector<log::Stored>>> read_between(log::EventLog& log, log::Offset first, log::Offset last) {
  std::vector<log::Stored> events;
  size_t bytes = 0;
  while (first <= last) {
    auto read = log.read(first, last - first + 1);
    if (!read) return std::unexpected(read.error());
    if (read->empty()) break;
    first = read->back().offset + 1;
    for (auto& stored : *read) {
      if (stored.offset > last) break;
      bytes += stored.event.data.size();
      events.push_back(std::move(stored));
    }
    if (bytes > list_bytes_max && events.size() > 1) return std::nullopt;
  }
  return events;
}

// Takes what matches, the newest first, until the list is full: then it says where to go on.
void take_newest(std::vector<log::Stored> events, const filter::Filter& wanted, size_t limit, Listing& listing,
                 size_t& bytes) {
  for (auto& stored : events | std::views::reverse) {
    if (listing.events.size() == limit || bytes > list_bytes_max) {
      listing.next = stored.offset;
      return;
    }
    if (!wanted.matches(stored.event)) continue;
    bytes += stored.event.data.size();
    listing.events.push_back(std::move(stored));
  }
}

// Blocks: the same backwards, from `last` on. The log reads forwards, so it is read by windows, and by narrower ones
// where its events are large.
Result<Listing> list_newest(log::EventLog& log, const filter::Filter& wanted, log::Offset last, size_t limit,
                            size_t window) {
  Listing listing;
  size_t bytes = 0;
  const auto oldest = std::max(log.first(), log::Offset{1});
  for (size_t looked = 0; last >= oldest && looked < scanned_max;) {
    const auto first = last - oldest < window ? oldest : last - window + 1;
    auto read = read_between(log, first, last);
    if (!read) return std::unexpected(read.error());
    if (!*read) {
      window = (last - first + 1) / 2;
      continue;
    }
    looked += window;
    take_newest(std::move(**read), wanted, limit, listing, bytes);
    if (listing.next != 0) return listing;
    last = first - 1;
    if (listing.events.size() == limit) break;
  }
  listing.next = last >= oldest ? last : 0;
  return listing;
}

Result<filter::Filter> filter_of(const std::string& text) {
  if (text.empty()) return filter::Filter();
  auto compiled = filter::compile(text);
  if (compiled && !compiled->problems().empty())
    return core::fail(core::Code::invalid, "The filter cannot be used: " + compiled->problems().front().message);
  return compiled;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto wanted = filter_of(call.query("filter"));
  if (!wanted) co_return std::unexpected(wanted.error());
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  const auto order = call.query("order");
  if (!order.empty() && order != "oldest" && order != "newest")
    co_return core::fail(core::Code::invalid, "order is oldest (first) or newest.");
  const bool newest = order == "newest";
  auto from = number_in(call, "from", 0, UINT64_MAX, newest ? UINT64_MAX : 1);
  if (!from) co_return std::unexpected(from.error());
  auto limit = number_in(call, "limit", 1, list_max, list_default);
  if (!limit) co_return std::unexpected(limit.error());
  const log::Offset until = at->value_or(UINT64_MAX);
  const size_t window = call.query("filter").empty() ? *limit : list_max;
  auto reading = [&log = platform.log, wanted = *wanted, from = *from, until, limit = *limit, newest, window] {
    return newest ? list_newest(log, wanted, std::min({from, until, log.durable()}), limit, window)
                  : list_events(log, wanted, from, until, limit);
  };
  auto listing = co_await core::blocking(platform.git_reads, std::move(reading));
  if (!listing) co_return std::unexpected(listing.error());
  std::string text = "{\"events\":" + event_list_text(listing->events) +
                     ",\"next\":" + (listing->next ? std::to_string(listing->next) : "null") + "}\n";
  co_return co_await call.exchange.respond(net::make_response(net::Status::ok, std::move(text), "application/json"));
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto stored = co_await platform.bus.find(call.capture("id"));
  if (!stored) co_return std::unexpected(stored.error());
  co_return co_await call.exchange.respond(
      net::make_response(net::Status::ok, event_text(*stored) + "\n", "application/json"));
}

Task<Result<>> why(Platform& platform, Call& call) {
  auto chain = co_await platform.bus.why(call.capture("id"));
  if (!chain) co_return std::unexpected(chain.error());
  std::string text = "{\"event\":" + event_text(chain->event) + ",\"causes\":" + event_list_text(chain->causes) +
                     ",\"effects\":" + event_list_text(chain->effects) +
                     ",\"root_found\":" + (chain->root_found ? "true" : "false") +
                     ",\"truncated\":" + (chain->truncated ? "true" : "false") + "}\n";
  co_return co_await call.exchange.respond(net::make_response(net::Status::ok, std::move(text), "application/json"));
}

core::json::object of(const bus::Route& route) {
  core::json::array types;
  for (const auto& type : route.types) types.emplace_back(type);
  return {{"way", route.way == bus::Route::Way::hears ? "hears" : "says"},
          {"service", route.service},
          {"subscription", route.subscription},
          {"types", std::move(types)},
          {"filter", route.filter},
          {"handler", route.handler},
          {"state", route.state}};
}

Task<Result<>> routes(Platform& platform, Call& call) {
  core::json::array lines;
  for (const auto& route : platform.bus.routes()) lines.push_back(of(route));
  core::json::object answer;
  answer["routes"] = std::move(lines);
  co_return co_await call.exchange.respond(json_answer(answer));
}

}  // namespace

void add_event_routes(Router& router, Platform& platform) {
  const std::vector<QueryParameter> listing{{"filter", "CloudEvents SQL; all events where absent"},
                                            {"order", "oldest first, where absent, or newest"},
                                            {"from", "first offset to look at; of newest the highest", "integer"},
                                            {"at", "only events up to this offset or time"},
                                            {"limit", "1 to 1000 events, 100 where absent", "integer"}};
  router.add({net::Method::post,
              "/api/v1/events",
              Right::write_events,
              {"Publish a CloudEvent (structured, binary) or a batch; durable when answered",
               "events",
               {{"durability", "disk (default) or memory"},
                {"sync", "true: wait, at most 5 s, for the handlers that asked to be waited for", "boolean"}},
               {"application/cloudevents+json", "CloudEvent"},
               json_body("Published"),
               201},
              [&platform](Call& call) { return publish(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/events",
              Right::read_events,
              {"List events; next is where to go on", "events", listing, {}, json_body("EventPage")},
              [&platform](Call& call) { return list(platform, call); }});
  add_event_streams(router, platform);
  router.add({net::Method::get,
              "/api/v1/routes",
              Right::read_events,
              {"Who hears and says what", "events", {}, {}, json_body("Routes")},
              [&platform](Call& call) { return routes(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/events/{id}",
              Right::read_events,
              {"One event by its id", "events", {}, {}, json_body("Event")},
              [&platform](Call& call) { return show(platform, call); }});
  router.add(
      {net::Method::get,
       "/api/v1/events/{id}/why",
       Right::read_events,
       {"The causes of an event back to the root, and everything that followed", "events", {}, {}, json_body("Why")},
       [&platform](Call& call) { return why(platform, call); }});
}

}  // namespace headrace::server
