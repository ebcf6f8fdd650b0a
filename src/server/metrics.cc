#include "server/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "core/version.h"
#include "services/runner/runner.h"

namespace headrace::server {

namespace {

std::string escaped(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

double seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

void about_log(Exposition& out, const Platform& platform) {
  auto stat = platform.log.stat();
  auto one = [&](std::string_view name, std::string_view type, std::string_view help, double value) {
    out.family(name, type, help);
    out.sample(value);
  };
  one("headrace_log_durable_offset", "gauge", "Offset of the newest durable event.", static_cast<double>(stat.durable));
  one("headrace_log_bytes", "gauge", "Bytes of the log on disk, without indexes.", static_cast<double>(stat.bytes));
  one("headrace_log_segments", "gauge", "Segments of the log.", static_cast<double>(stat.segments));
  one("headrace_log_events_written_total", "counter", "Events written since the start.",
      static_cast<double>(stat.events_written));
  one("headrace_log_batches_written_total", "counter", "Batches written and synced since the start.",
      static_cast<double>(stat.batches_written));
  one("headrace_log_duplicates_total", "counter", "Appends that were there already.",
      static_cast<double>(stat.duplicates));
  one("headrace_log_pending_bytes", "gauge", "Bytes waiting to be written.", static_cast<double>(stat.pending_bytes));
  one("headrace_log_last_sync_seconds", "gauge", "Write and sync of the last batch.", seconds(stat.last_sync));
  one("headrace_log_stopped", "gauge", "1 when appends are refused for good: see /readyz.",
      platform.log.stopped() ? 1 : 0);
}

struct PerSubscription {
  std::string_view name, type, help;
  double (*value)(const bus::Measures&);
};

constexpr PerSubscription per_subscription[] = {
    {"oldest_unacknowledged_seconds", "gauge", "Age of the oldest event not acknowledged.",
     [](const bus::Measures& m) { return seconds(m.oldest_unacknowledged); }},
    {"queue_length", "gauge", "Events waiting; approximate while catching up.",
     [](const bus::Measures& m) { return static_cast<double>(m.queue_length); }},
    {"delivered_total", "counter", "Events acknowledged.",
     [](const bus::Measures& m) { return static_cast<double>(m.delivered); }},
    {"attempts_total", "counter", "Deliveries tried.",
     [](const bus::Measures& m) { return static_cast<double>(m.attempts); }},
    {"failed_total", "counter", "Deliveries that failed.",
     [](const bus::Measures& m) { return static_cast<double>(m.failed); }},
    {"dead_letters", "gauge", "Dead letters now.", [](const bus::Measures& m) { return static_cast<double>(m.dead); }},
    {"held_keys", "gauge", "Ordering keys held behind a dead letter.",
     [](const bus::Measures& m) { return static_cast<double>(m.held_keys); }},
    {"in_flight", "gauge", "Deliveries at work.",
     [](const bus::Measures& m) { return static_cast<double>(m.in_flight); }},
    {"error_rate", "gauge", "Failed of tried, over the last minute.",
     [](const bus::Measures& m) { return m.error_rate; }},
};

void about_bus(Exposition& out, const Platform& platform) {
  auto measures = platform.bus.measures();
  for (const auto& figure : per_subscription) {
    out.family("headrace_subscription_" + std::string(figure.name), figure.type, figure.help);
    for (const auto& subscription : measures)
      out.sample(figure.value(subscription), {{"subscription", subscription.name}});
  }
  out.family("headrace_subscription_handler_seconds", "summary", "From hand-over to acknowledgement.");
  for (const auto& m : measures) {
    out.sample(seconds(m.handler_p50), {{"subscription", m.name}, {"quantile", "0.5"}});
    out.sample(seconds(m.handler_p99), {{"subscription", m.name}, {"quantile", "0.99"}});
  }
  out.family("headrace_subscription_response_seconds", "summary", "From log time to acknowledgement.");
  for (const auto& m : measures) {
    out.sample(seconds(m.response_p50), {{"subscription", m.name}, {"quantile", "0.5"}});
    out.sample(seconds(m.response_p99), {{"subscription", m.name}, {"quantile", "0.99"}});
  }
}

void about_projections(Exposition& out, const Platform& platform) {
  auto projections = platform.store.status();
  out.family("headrace_projection_applied_offset", "gauge", "Offset up to which a projection shows the log.");
  for (const auto& status : projections) out.sample(static_cast<double>(status.applied), {{"projection", status.name}});
  out.family("headrace_projection_stopped", "gauge", "1 when an event could not be applied: see /readyz.");
  for (const auto& status : projections)
    out.sample(status.phase == store::Status::Phase::stopped ? 1 : 0, {{"projection", status.name}});
}

void about_http(Exposition& out, const net::ServerCounters& counters) {
  out.family("headrace_http_connections", "gauge", "Open connections.");
  out.sample(static_cast<double>(counters.connections_open));
  out.family("headrace_http_websockets", "gauge", "Open WebSockets.");
  out.sample(static_cast<double>(counters.websockets_open));
  out.family("headrace_http_requests_total", "counter", "Requests that reached a handler.");
  out.sample(static_cast<double>(counters.requests));
  out.family("headrace_http_refused_total", "counter", "Connections and requests refused before a handler saw them.");
  out.sample(static_cast<double>(counters.connections_refused), {{"what", "connection"}});
  out.sample(static_cast<double>(counters.requests_refused), {{"what", "request"}});
  out.family("headrace_http_answers_total", "counter", "Answers by the first digit of their status.");
  for (size_t digit = 1; digit < counters.answers.size(); ++digit)
    out.sample(static_cast<double>(counters.answers[digit]), {{"class", std::to_string(digit) + "xx"}});
  out.family("headrace_http_bytes_total", "counter", "Bytes on the wire.");
  out.sample(static_cast<double>(counters.bytes_received), {{"direction", "received"}});
  out.sample(static_cast<double>(counters.bytes_sent), {{"direction", "sent"}});
}

void about_runners(Exposition& out, const Platform& platform) {
  double slots = 0, busy = 0;
  auto runners = platform.runner.connected();
  for (const auto& runner : runners) {
    slots += static_cast<double>(runner.slots);
    busy += static_cast<double>(runner.busy);
  }
  out.family("headrace_runners", "gauge", "Connected runners.");
  out.sample(static_cast<double>(runners.size()));
  out.family("headrace_runner_slots", "gauge", "Slots of connected runners.");
  out.sample(busy, {{"state", "busy"}});
  out.sample(slots - busy, {{"state", "idle"}});
  out.family("headrace_leases", "gauge", "Jobs given to runners.");
  out.sample(static_cast<double>(platform.runner.leases()));
}

}  // namespace

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::sample(double value, const Labels& labels) {
  text_ += family_;
  char separator = '{';
  for (const auto& [name, text] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", separator, name, escaped(text));
    separator = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += fmt::format(" {}\n", value);
}

// Field 2 of /proc/self/statm, in pages.
double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::string metrics_text(const Platform& platform, const net::ServerCounters& counters) {
  Exposition out;
  out.family("headrace_build_info", "gauge", "The version that runs.");
  out.sample(1, {{"version", core::version()}});
  out.family("process_resident_memory_bytes", "gauge", "Resident memory of the server.");
  out.sample(resident_bytes());
  about_log(out, platform);
  about_projections(out, platform);
  about_bus(out, platform);
  about_http(out, counters);
  about_runners(out, platform);
  return out.take();
}

}  // namespace headrace::server
