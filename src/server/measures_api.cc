#include "server/measures_api.h"

#include <filesystem>

#include "server/answers.h"
#include "server/metrics.h"
#include "server/pulse.h"
#include "server/storage_meter.h"
#include "server/versions.h"

namespace headrace::server {

using core::Result;
using core::Task;
namespace json = core::json;

namespace {

double seconds(core::Duration duration) { return std::chrono::duration<double>(duration).count(); }

json::object of(const Storage& storage) {
  json::array parts;
  for (const auto& part : storage.parts)
    parts.push_back(json::object{{"name", part.name}, {"bytes", part.bytes}, {"files", part.files}});
  json::object answer{{"measured_at", core::format_time(storage.at)},
                      {"took_seconds", seconds(storage.took)},
                      {"disk_bytes", storage.disk_bytes},
                      {"free_bytes", storage.free_bytes}};
  answer["parts"] = std::move(parts);
  return answer;
}

// The last beat tells when; those before it are a second apart.
json::object of(const Pulse& pulse) {
  json::array counts;
  for (const auto& beat : pulse.beats()) counts.push_back(json::value(beat.events));
  json::object answer{{"until", nullptr}};
  if (!pulse.beats().empty()) answer["until"] = core::format_time(pulse.beats().back().until);
  answer["counts"] = std::move(counts);
  return answer;
}

json::object of(const log::LogStat& log) {
  return {{"durable", log.durable},
          {"events_written", log.events_written},
          {"batches_written", log.batches_written},
          {"duplicates", log.duplicates},
          {"pending_bytes", log.pending_bytes},
          {"last_sync_seconds", seconds(log.last_sync)}};
}

json::object process_now() {
  std::error_code wrong;
  int64_t files = 0;
  for (auto one = std::filesystem::directory_iterator("/proc/self/fd", wrong);
       !wrong && one != std::filesystem::directory_iterator(); one.increment(wrong))
    ++files;
  return {{"resident_bytes", static_cast<uint64_t>(resident_bytes())}, {"open_files", files}};
}

Task<Result<>> measures(Platform& platform, const net::Server& http, Versions& versions, Call& call) {
  if (versions.empty()) versions = co_await find_versions(platform.loop.executor());
  const auto now = platform.clock.now();
  json::object answer{{"time", core::format_time(now)},
                      {"started_at", core::format_time(platform.started)},
                      {"uptime_seconds", seconds(now - platform.started)},
                      {"storage", nullptr}};
  answer["log"] = of(platform.log.stat());
  answer["events_per_second"] = of(platform.pulse);
  answer["process"] = process_now();
  const auto& counters = http.counters();
  answer["connections"] = json::object{{"http", counters.connections_open}, {"websockets", counters.websockets_open}};
  if (const auto& storage = platform.storage.ask()) answer["storage"] = of(*storage);
  json::object known;
  for (const auto& [name, version] : versions) known[name] = version;
  answer["versions"] = std::move(known);
  co_return co_await call.exchange.respond(json_answer(answer));
}

}  // namespace

void add_measures_route(Router& router, Platform& platform, const net::Server& http) {
  auto versions = std::make_shared<Versions>();  // the route's own; asked for once
  router.add({net::Method::get,
              "/api/v1/status/measures",
              Right::read_events,
              {"Events a second, storage by part, memory, versions", "platform", {}, {}, json_body("PlatformMeasures")},
              [&platform, &http, versions](Call& call) { return measures(platform, http, *versions, call); }});
}

}  // namespace headrace::server
