#include <cstdio>

#include "cli/ask.h"
#include "cli/commands.h"
#include "net/url.h"

namespace headrace::cli {

namespace json = core::json;

namespace {

std::string path_of(const std::string& name) { return "/api/v1/subscriptions/" + net::percent_encode(name); }

std::string letter_path(const std::string& subscription, int64_t offset) {
  return "/api/v1/dead-letters/" + net::percent_encode(subscription) + "/" + std::to_string(offset);
}

std::string real(const json::value& value, std::string_view key) {
  const auto* found = core::find(value, key);
  if (!found || !found->is_number()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", found->to_number<double>());
  return text;
}

void show_one(const json::value& subscription) {
  const auto& measures = subscription.at("measures");
  print_line(words(subscription, "name") + " (" + words(subscription, "kind") + ", " + words(subscription, "state") +
             ")");
  print_line("  acknowledged to offset " + number(subscription, "acknowledged") + ", queue " +
             number(measures, "queue_length") + ", oldest " + real(measures, "oldest_unacknowledged_seconds") + " s");
  print_line("  delivered " + number(measures, "delivered") + ", failed " + number(measures, "failed") + ", dead " +
             number(measures, "dead") + ", response p50 " + real(measures, "response_p50_seconds") + " s p99 " +
             real(measures, "response_p99_seconds") + " s");
  for (const auto& waiting : subscription.at("waiting").as_array())
    print_line("  not delivered because of " + words(waiting, "reason") + " (since " + words(waiting, "since") +
               "): " + words(waiting, "detail"));
  for (const auto& held : subscription.at("held").as_array())
    print_line("  held: " + words(held, "key") + " behind the dead letter of offset " + number(held, "dead"));
}

}  // namespace

int subscription_create(const SubscriptionCreate& options, bool as_json) {
  json::object wish{{"name", options.name}};
  if (!options.filter.empty()) wish["filter"] = options.filter;
  if (!options.start.empty()) wish["start"] = options.start;
  if (!options.order_by.empty()) wish["order_by"] = options.order_by;
  if (!options.on_dead.empty()) wish["on_dead"] = options.on_dead;
  return asked(
      as_json, [&](Api& api) { return api.post("/api/v1/subscriptions", core::to_text(wish)); },
      [](const json::value& made) {
        print_line("made the subscription " + words(made, "name") + "; pull from it at /api/v1/subscriptions/" +
                   words(made, "name") + "/stream");
      });
}

int subscription_list(bool as_json) {
  return asked(
      as_json, [](Api& api) { return api.get("/api/v1/subscriptions"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{
            {"NAME", "STATE", "QUEUE", "OLDEST s", "DELIVERED", "FAILED", "DEAD", "P99 s"}};
        for (const auto& one : answer.at("subscriptions").as_array()) {
          const auto& measures = one.at("measures");
          rows.push_back({words(one, "name"), words(one, "state"), number(measures, "queue_length"),
                          real(measures, "oldest_unacknowledged_seconds"), number(measures, "delivered"),
                          number(measures, "failed"), number(measures, "dead"),
                          real(measures, "response_p99_seconds")});
        }
        print(table(rows));
      });
}

int subscription_show(const std::string& name, bool as_json) {
  return asked(as_json, [&](Api& api) { return api.get(path_of(name)); }, show_one);
}

int subscription_act(const std::string& verb, const std::string& name, const std::string& to, bool as_json) {
  auto ask = [&](Api& api) {
    if (verb == "delete") return api.remove(path_of(name));
    return api.post(path_of(name) + "/" + verb + (verb == "seek" ? "?to=" + net::percent_encode(to) : ""));
  };
  return asked(as_json, ask, [&](const json::value&) { print_line(name + ": " + verb + " done"); });
}

int dead_letter_list(const std::string& subscription, bool as_json) {
  std::string path = "/api/v1/dead-letters?subscription=" + net::percent_encode(subscription);
  return asked(
      as_json, [&](Api& api) { return api.get(path); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"SUBSCRIPTION", "OFFSET", "KEY", "ATTEMPTS", "SINCE", "ERROR"}};
        for (const auto& letter : answer.at("dead_letters").as_array())
          rows.push_back({words(letter, "subscription"), number(letter, "offset"), words(letter, "key"),
                          number(letter, "attempts"), words(letter, "since"), words(letter, "error")});
        print(table(rows));
      });
}

int dead_letter_show(const std::string& subscription, int64_t offset, bool as_json) {
  return asked(
      as_json, [&](Api& api) { return api.get(letter_path(subscription, offset)); },
      [](const json::value& letter) { print(core::to_pretty_text(letter)); });
}

int dead_letter_act(const std::string& verb, const std::string& subscription, int64_t offset, const std::string& reason,
                    bool as_json) {
  std::string path =
      letter_path(subscription, offset) + "/" + verb + (reason.empty() ? "" : "?reason=" + net::percent_encode(reason));
  return asked(
      as_json, [&](Api& api) { return api.post(path); },
      [&](const json::value&) { print_line(subscription + " " + std::to_string(offset) + ": " + verb + " done"); });
}

}  // namespace headrace::cli
