#include "server/subscription_json.h"

#include <charconv>

#include "server/request.h"

namespace headrace::server {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

double seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

json::object of(const bus::Measures& measures) {
  return {{"oldest_unacknowledged_seconds", seconds(measures.oldest_unacknowledged)},
          {"queue_length", measures.queue_length},
          {"queue_exact", measures.queue_exact},
          {"delivered", measures.delivered},
          {"delivered_per_second", measures.delivered_per_second},
          {"attempts", measures.attempts},
          {"failed", measures.failed},
          {"dead", measures.dead},
          {"in_flight", measures.in_flight},
          {"error_rate", measures.error_rate},
          {"handler_p50_seconds", seconds(measures.handler_p50)},
          {"handler_p99_seconds", seconds(measures.handler_p99)},
          {"response_p50_seconds", seconds(measures.response_p50)},
          {"response_p99_seconds", seconds(measures.response_p99)}};
}

json::object of(const bus::Waiting& waiting) {
  return {{"reason", bus::name_of(waiting.reason)},
          {"since", core::format_time(waiting.since)},
          {"offset", waiting.offset},
          {"key", waiting.key},
          {"detail", waiting.detail}};
}

// The filters of a request, as the bus takes them: CloudEvents SQL, or JSON of the dialects.
Result<std::string> filter_in(const json::value& request) {
  auto sql = core::string_at(request, "filter");
  const auto* dialects = core::find(request, "filters");
  if (sql && dialects)
    return core::fail(Code::invalid, "Give filter (CloudEvents SQL) or filters (dialects), not both.");
  if (dialects && !dialects->is_array()) return core::fail(Code::invalid, "filters is a list of filter dialects.");
  return dialects ? core::to_text(*dialects) : sql.value_or("");
}

}  // namespace

Result<bus::Start> read_start(const std::string& text) {
  if (text.empty() || text == "now") return bus::Start::now();
  if (text == "beginning") return bus::Start::beginning();
  log::Offset offset = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error == std::errc() && end == text.data() + text.size()) return bus::Start::at(offset);
  auto time = core::parse_time(text);
  if (!time)
    return core::fail(Code::invalid, "A place to begin is now, beginning, an offset or a time (RFC 3339), not '" +
                                         text.substr(0, 60) + "'.");
  return bus::Start::at(*time);
}

Result<bus::Subscription> read_subscription(std::string_view text) {
  auto request = core::parse_json(text);
  if (!request) return std::unexpected(request.error());
  auto good = check_members(*request, {{"name", Kind::text},
                                       {"filter", Kind::text},
                                       {"filters", Kind::any},
                                       {"start", Kind::text},
                                       {"order_by", Kind::text},
                                       {"ack_wait_seconds", Kind::integer},
                                       {"deliveries_max", Kind::integer},
                                       {"on_dead", Kind::text},
                                       {"paused", Kind::boolean}});
  if (!good) return std::unexpected(good.error());
  bus::Subscription made;
  auto name = core::string_at(*request, "name");
  if (!name) return core::fail(Code::invalid, "A subscription needs a name.");
  made.name = *name;
  auto filter = filter_in(*request);
  if (!filter) return std::unexpected(filter.error());
  made.filter = *filter;
  auto start = read_start(core::string_at(*request, "start").value_or(""));
  if (!start) return std::unexpected(start.error());
  made.start = *start;
  made.order_by = core::string_at(*request, "order_by").value_or("");
  auto ack_wait = core::integer_at(*request, "ack_wait_seconds").value_or(30);
  auto deliveries = core::integer_at(*request, "deliveries_max").value_or(6);
  if (ack_wait < 1 || ack_wait > 86'400) return core::fail(Code::invalid, "ack_wait_seconds is 1 to 86400.");
  made.ack_wait = std::chrono::seconds(ack_wait);
  if (deliveries < 1 || deliveries > 1'000) return core::fail(Code::invalid, "deliveries_max is 1 to 1000.");
  made.deliveries_max = static_cast<uint32_t>(deliveries);
  auto dead = core::string_at(*request, "on_dead").value_or("continue");
  if (dead != "continue" && dead != "hold") return core::fail(Code::invalid, "on_dead is continue or hold.");
  made.on_dead = dead == "hold" ? bus::OnDead::hold : bus::OnDead::go_on;
  made.paused = core::boolean_at(*request, "paused").value_or(false);
  return made;
}

json::object of(const bus::Status& status) {
  json::array waiting;
  for (const auto& reason : status.waiting) waiting.push_back(of(reason));
  json::array held;
  for (const auto& key : status.held)
    held.push_back(json::object{{"key", key.key}, {"dead", key.dead}, {"waiting", key.waiting}});
  json::array types;
  for (const auto& type : status.subscription.types) types.emplace_back(type);
  return {{"name", status.subscription.name},
          {"service", status.subscription.service},
          {"kind", status.kind == bus::Status::Kind::pull ? "pull" : "handler"},
          {"types", std::move(types)},
          {"filter", status.subscription.filter},
          {"order_by", status.subscription.order_by},
          {"on_dead", status.subscription.on_dead == bus::OnDead::hold ? "hold" : "continue"},
          {"state", !status.present  ? "absent"
                    : status.paused  ? "paused"
                    : status.stalled ? "stalled"
                                     : "running"},
          {"acknowledged", status.acknowledged},
          {"connections", status.connections},
          {"waiting", std::move(waiting)},
          {"held", std::move(held)},
          {"measures", of(status.measures)}};
}

json::object of(const bus::DeadLetter& letter) {
  return {{"subscription", letter.subscription},
          {"offset", letter.offset},
          {"key", letter.key},
          {"attempts", letter.attempts},
          {"error", letter.error},
          {"since", core::format_time(letter.since)},
          {"holds", letter.holds}};
}

}  // namespace headrace::server
