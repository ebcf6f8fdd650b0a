#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bus/cursor_store.h"
#include "core/json.h"

namespace headrace::bus {

namespace json = core::json;

namespace {

constexpr std::string_view from_names[] = {"now", "beginning", "offset", "time"};

Duration duration_at(const json::value& object, std::string_view key, Duration otherwise) {
  auto number = core::integer_at(object, key);
  return number ? Duration(*number) : otherwise;
}

json::value start_to_json(const Start& start) {
  return json::object{{"from", from_names[static_cast<size_t>(start.from)]},
                      {"offset", start.offset},
                      {"time", start.time.time_since_epoch().count()}};
}

Start start_from_json(const json::value& value) {
  Start start;
  const std::string from = core::string_at(value, "from").value_or("now");
  for (size_t i = 0; i < std::size(from_names); ++i)
    if (from == from_names[i]) start.from = static_cast<Start::From>(i);
  start.offset = static_cast<Offset>(core::integer_at(value, "offset").value_or(0));
  start.time = core::Time(duration_at(value, "time", {}));
  return start;
}

std::vector<std::string> strings_at(const json::value& object, std::string_view key) {
  std::vector<std::string> strings;
  const auto* array = core::find(object, key);
  if (array == nullptr || !array->is_array()) return strings;
  for (const auto& entry : array->get_array())
    if (entry.is_string()) strings.emplace_back(entry.get_string());
  return strings;
}

}  // namespace

std::string to_text(const Subscription& subscription) {
  json::array types;
  for (const auto& type : subscription.types) types.emplace_back(type);
  json::array back_off;
  for (auto pause : subscription.back_off) back_off.emplace_back(pause.count());
  return core::to_text(json::object{{"name", subscription.name},
                                    {"service", subscription.service},
                                    {"types", std::move(types)},
                                    {"filter", subscription.filter},
                                    {"start", start_to_json(subscription.start)},
                                    {"order_by", subscription.order_by},
                                    {"concurrency", subscription.concurrency},
                                    {"ack_wait", subscription.ack_wait.count()},
                                    {"back_off", std::move(back_off)},
                                    {"deliveries_max", subscription.deliveries_max},
                                    {"hold", subscription.on_dead == OnDead::hold},
                                    {"sync", subscription.sync}});
}

core::Result<Subscription> subscription_from_text(std::string_view text) {
  auto value = core::parse_json(text);
  if (!value) return std::unexpected(value.error());
  Subscription subscription;
  subscription.name = core::string_at(*value, "name").value_or("");
  subscription.service = core::string_at(*value, "service").value_or("");
  subscription.types = strings_at(*value, "types");
  subscription.filter = core::string_at(*value, "filter").value_or("");
  if (const auto* start = core::find(*value, "start")) subscription.start = start_from_json(*start);
  subscription.order_by = core::string_at(*value, "order_by").value_or("");
  subscription.concurrency = static_cast<size_t>(core::integer_at(*value, "concurrency").value_or(1));
  subscription.ack_wait = duration_at(*value, "ack_wait", subscription.ack_wait);
  if (const auto* pauses = core::find(*value, "back_off"); pauses != nullptr && pauses->is_array()) {
    subscription.back_off.clear();
    for (const auto& pause : pauses->get_array())
      if (pause.is_int64()) subscription.back_off.emplace_back(pause.get_int64());
  }
  subscription.deliveries_max = static_cast<uint32_t>(core::integer_at(*value, "deliveries_max").value_or(1));
  subscription.on_dead = core::boolean_at(*value, "hold").value_or(false) ? OnDead::hold : OnDead::go_on;
  subscription.sync = core::boolean_at(*value, "sync").value_or(false);
  return subscription;
}

}  // namespace headrace::bus
