#include "cli/ask.h"
#include "cli/commands.h"
#include "events/cdevents.h"
#include "events/cloudevents.h"
#include "filter/filter.h"
#include "net/url.h"

namespace headrace::cli {

namespace json = core::json;

namespace {

constexpr std::chrono::seconds patience{60};  // for a server that is started again

std::string media_type_of(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r\n");
  bool batch = first != std::string_view::npos && text[first] == '[';
  return std::string(batch ? events::batch_media_type : events::structured_media_type);
}

std::string line_of(const json::value& event) {
  return number(event, "offset") + "  " + words(event, "time") + "  " + words(event, "type") + "  " +
         words(event, "subject") + "  " + words(event, "id");
}

}  // namespace

int event_publish(const std::string& file, const std::string& durability, bool sync, bool as_json) {
  auto text = read_input(file);
  if (!text) return report(text.error(), as_json);
  std::string path = "/api/v1/events?sync=" + std::string(sync ? "true" : "false") +
                     (durability.empty() ? "" : "&durability=" + durability);
  return asked(
      as_json, [&](Api& api) { return api.post(path, *text, media_type_of(*text)); },
      [](const json::value& answer) {
        auto show = [](const json::value& one) {
          print_line("offset " + number(one, "offset") + "  " + words(one, "id") + "  (" + words(one, "durability") +
                     ")");
        };
        if (!answer.is_array()) return show(answer);
        for (const auto& one : answer.get_array()) show(one);
      });
}

int event_tail(const EventTail& options) {
  auto access = find_access();
  if (!access) return report(access.error(), false);
  Api api(*access);
  std::string path = "/api/v1/events/stream?from=" + net::percent_encode(options.from) +
                     "&filter=" + net::percent_encode(options.filter);
  int64_t shown = 0;
  auto hear = [&](const net::ServerSentEvent& event) {
    print_line(event.data);
    return options.limit == 0 || ++shown < options.limit;
  };
  auto followed = api.follow(path, hear, patience);
  return followed ? 0 : report(followed.error(), false);
}

int event_show(const std::string& id, bool as_json) {
  return asked(
      as_json, [&](Api& api) { return api.get("/api/v1/events/" + net::percent_encode(id)); },
      [](const json::value& event) { print(core::to_pretty_text(event)); });
}

int event_why(const std::string& id, bool as_json) {
  return asked(
      as_json, [&](Api& api) { return api.get("/api/v1/events/" + net::percent_encode(id) + "/why"); },
      [](const json::value& chain) {
        const auto& causes = chain.at("causes").as_array();
        for (size_t i = causes.size(); i-- > 0;) print_line("because  " + line_of(causes[i]));
        print_line("     >>  " + line_of(chain.at("event")));
        for (const auto& effect : chain.at("effects").as_array()) print_line("     so  " + line_of(effect));
        if (!core::boolean_at(chain, "root_found").value_or(true))
          print_line("The first cause names an event that this log does not hold.");
        if (core::boolean_at(chain, "truncated").value_or(false))
          print_line("There is more; only the first are shown.");
      });
}

int event_why_not(const std::string& id, bool as_json) {
  return asked(
      as_json, [&](Api& api) { return api.get("/api/v1/events/" + net::percent_encode(id) + "/why-not"); },
      [](const json::value& answer) {
        for (const auto& reason : answer.at("reasons").as_array())
          print_line(words(reason, "event") + " " + words(reason, "ref") + "  " + words(reason, "file") +
                     (core::boolean_at(reason, "started").value_or(false) ? " starts: " : " does not start: ") +
                     words(reason, "reason"));
        if (answer.at("reasons").as_array().empty()) print_line("No workflow waits for this event.");
      });
}

int event_routes(bool as_json) {
  return asked(
      as_json, [](Api& api) { return api.get("/api/v1/routes"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"SERVICE", "", "EVENTS", "SUBSCRIPTION", "STATE"}};
        for (const auto& route : answer.at("routes").as_array()) {
          auto filter = words(route, "filter");
          std::vector<std::string> heard;  // one a line: a service says a dozen
          for (const auto& type : route.at("types").as_array()) heard.emplace_back(type.as_string());
          if (heard.empty()) heard.push_back(filter == "-" ? "everything" : filter);
          for (const auto& event : heard)
            rows.push_back({words(route, "service"), words(route, "way"), event, words(route, "subscription"),
                            words(route, "state")});
        }
        print(table(rows));
      });
}

int event_validate(const std::string& file, bool as_json) {
  auto text = read_input(file);
  if (!text) return report(text.error(), as_json);
  auto verdict = events::validate(*text);
  if (as_json) {
    print_line(events::to_json(verdict));
  } else {
    print_line(verdict.valid
                   ? "valid: " + verdict.type
                   : "not valid: " + (verdict.type.empty() ? std::string("no type could be read") : verdict.type));
    for (const auto& problem : verdict.errors)
      print_line("  " + (problem.pointer.empty() ? std::string("/") : problem.pointer) + ": " + problem.message);
  }
  return verdict.valid ? 0 : 1;
}

int filter_test(const std::string& expression, const std::string& file, bool as_json) {
  auto text = read_input(file);
  if (!text) return report(text.error(), as_json);
  auto answer = filter::test(expression, *text);
  if (!answer) return report(answer.error(), as_json);
  print_line(*answer);
  return 0;
}

}  // namespace headrace::cli
