#include "services/runner/container_facts.h"

#include <algorithm>
#include <charconv>

#include "core/json.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "80" or "8000-8010".
bool is_port_or_range(std::string_view text) {
  size_t dash = text.find('-');
  if (!port_number(text.substr(0, dash))) return false;
  return dash == std::string_view::npos || port_number(text.substr(dash + 1)).has_value();
}

bool is_address(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos && std::ranges::count(text, '.') == 3;
}

}  // namespace

std::string_view name_of(ContainerHealth health) {
  switch (health) {
    case ContainerHealth::running: return "running";
    case ContainerHealth::starting: return "starting";
    case ContainerHealth::healthy: return "healthy";
    case ContainerHealth::unhealthy: return "unhealthy";
    case ContainerHealth::ended: return "not running any more";
    case ContainerHealth::unknown: break;
  }
  return "in an unknown state";
}

ContainerHealth read_health(std::string_view text) {
  auto state = core::parse_json(text);
  if (!state || !state->is_object()) return ContainerHealth::unknown;
  const auto& object = state->get_object();
  auto status = core::string_at(*state, "Status").value_or("");
  if (status == "exited" || status == "dead" || status == "stopped" || status == "removing")
    return ContainerHealth::ended;
  for (const char* name : {"Health", "Healthcheck"}) {
    const auto* health = object.if_contains(name);
    auto said = health && health->is_object() ? core::string_at(*health, "Status").value_or("") : std::string();
    if (said == "healthy") return ContainerHealth::healthy;
    if (said == "unhealthy") return ContainerHealth::unhealthy;
    if (said == "starting") return ContainerHealth::starting;
  }
  return status == "running" ? ContainerHealth::running : ContainerHealth::unknown;
}

std::chrono::nanoseconds read_patience(std::string_view text) {
  constexpr int64_t second = 1'000'000'000;
  constexpr int64_t interval_max = 3'600 * second, retries_max = 1'000;
  int64_t interval = 30 * second, retries = 3, start = 0;
  auto plan = core::parse_json(text);
  auto take = [&](const char* name, int64_t& into, int64_t most) {
    auto given = plan ? core::integer_at(*plan, name) : std::nullopt;
    if (given && *given > 0) into = std::min(*given, most);
  };
  take("Interval", interval, interval_max);
  take("Retries", retries, retries_max);
  take("StartPeriod", start, interval_max);
  return std::chrono::nanoseconds(start + interval * retries);
}

std::string read_end(std::string_view text) {
  auto state = core::parse_json(text);
  auto code = state ? core::integer_at(*state, "ExitCode") : std::nullopt;
  return code ? "exit code " + std::to_string(*code) : std::string();
}

Variables read_ports(std::string_view text) {
  Variables ports;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    size_t slash = line.find('/'), arrow = line.find(" -> "), colon = line.rfind(':');
    if (slash == std::string_view::npos || arrow == std::string_view::npos || slash > arrow) continue;
    if (colon == std::string_view::npos || colon < arrow) continue;
    bool tcp = line.substr(slash + 1, arrow - slash - 1) == "tcp";
    std::string inner(line.substr(0, tcp ? slash : arrow));
    auto outer = port_number(line.substr(colon + 1));
    if (!port_number(line.substr(0, slash)) || !outer) continue;
    if (std::ranges::none_of(ports, [&](const auto& known) { return known.first == inner; }))
      ports.emplace_back(std::move(inner), std::to_string(*outer));
  }
  return ports;
}

Variables read_environment(std::string_view text) {
  Variables words;
  auto list = core::parse_json(text);
  if (!list || !list->is_array()) return words;
  for (const auto& one : list->get_array()) {
    if (!one.is_string()) continue;
    std::string word(one.get_string());
    size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    std::string name = word.substr(0, equals);
    if (std::ranges::none_of(words, [&](const auto& known) { return known.first == name; }))
      words.emplace_back(std::move(name), word.substr(equals + 1));
  }
  return words;
}

std::optional<uint16_t> port_number(std::string_view text) {
  uint16_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || number == 0) return {};
  return number;
}

Result<PortWish> read_port_wish(std::string_view text) {
  auto wrong = [text] {
    return core::fail(Code::invalid, "'" + std::string(text) + "' is no port, as 8080, 8080:80 or 8080:53/udp are.");
  };
  PortWish wish;
  std::string_view rest = text;
  if (size_t slash = rest.find('/'); slash != std::string_view::npos) {
    wish.protocol = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
  }
  if (wish.protocol != "tcp" && wish.protocol != "udp" && wish.protocol != "sctp") return wrong();
  size_t last = rest.rfind(':');
  wish.inner = rest.substr(last == std::string_view::npos ? 0 : last + 1);
  rest = last == std::string_view::npos ? std::string_view() : rest.substr(0, last);
  if (size_t colon = rest.find(':'); colon != std::string_view::npos) {
    wish.address = rest.substr(0, colon);
    rest = rest.substr(colon + 1);
    if (!is_address(wish.address)) return wrong();
  }
  wish.outer = rest;
  if (last == 0 || !is_port_or_range(wish.inner) || (!wish.outer.empty() && !is_port_or_range(wish.outer)))
    return wrong();
  if (!is_digit(text.front())) return wrong();
  return wish;
}

std::string PortWish::words() const {
  return (address.empty() ? "127.0.0.1" : address) + ":" + outer + ":" + inner + "/" + protocol;
}

}  // namespace headrace::runner
