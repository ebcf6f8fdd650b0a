// Commands on a data folder that no server has open.
#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/disk.h"
#include "core/random.h"
#include "events/cloudevents.h"
#include "log/segment_log.h"
#include "services/artifact/projection.h"
#include "services/identity/projection.h"
#include "services/pipeline/projection.h"
#include "services/repository/projection.h"
#include "services/runner/projection.h"
#include "services/secrets/projection.h"
#include "services/tests/projection.h"
#include "store/rebuild.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

// A log that is not there is not made: a mistyped folder is an error.
Result<> check_log(core::Disk& disk, const std::string& data) {
  auto there = disk.exists(data + "/log");
  if (!there) return std::unexpected(there.error());
  if (!*there)
    return core::fail(Code::not_found, "There is no event log in " + data + "; name the server's folder with --data.");
  return {};
}

// The server's own lock: what it is writing is not whole yet, and its projections are not to be swapped beneath it.
Result<std::unique_ptr<core::Disk::Lock>> take_folder(core::Disk& disk, const std::string& data) {
  if (auto there = check_log(disk, data); !there) return std::unexpected(there.error());
  if (auto made = disk.make_directories(data + "/run"); !made) return std::unexpected(made.error());
  return disk.lock(data + "/run/serve.lock");
}

core::Error in_use(core::Error error, const std::string& data) {
  if (error.code == Code::conflict)
    error.message = "A server has the folder " + data + "; stop it with: headrace down --data " + data;
  return error;
}

std::string_view name_of(log::VerifyReport::Tail tail) {
  switch (tail) {
    case log::VerifyReport::Tail::sealed: return "sealed";
    case log::VerifyReport::Tail::unsealed: return "unsealed";
    case log::VerifyReport::Tail::torn: return "torn";
  }
  return "torn";
}

json::object of(const log::Place& place) {
  return {{"segment", place.segment}, {"position", place.position}, {"offset", place.offset}, {"what", place.what}};
}

json::object of(const log::VerifyReport& found) {
  json::array bad;
  for (const auto& place : found.bad) bad.push_back(of(place));
  json::object answer{{"good", found.good()},   {"segments", found.segments},  {"batches", found.batches},
                      {"events", found.events}, {"bytes", found.bytes},        {"first", found.first},
                      {"last", found.last},     {"tail", name_of(found.tail)}, {"torn", nullptr}};
  if (found.torn) answer["torn"] = of(*found.torn);
  answer["bad"] = std::move(bad);
  return answer;
}

void show(const log::VerifyReport& found) {
  print_line(std::to_string(found.events) + " events in " + std::to_string(found.segments) + " segments, offsets " +
             std::to_string(found.first) + " to " + std::to_string(found.last) + ", " + std::to_string(found.bytes) +
             " bytes");
  if (found.torn)
    print_line("The tail is torn at byte " + std::to_string(found.torn->position) + " of " + found.torn->segment +
               ": " + found.torn->what + " Nothing that was acknowledged is lost; the next start cuts it.");
  for (const auto& place : found.bad)
    print_line("DAMAGED: " + place.segment + ", byte " + std::to_string(place.position) + ", offset " +
               std::to_string(place.offset) + ": " + place.what);
  print_line(found.good() ? "whole" : "not whole");
}

std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

}  // namespace

int log_verify(const std::string& data, bool as_json) {
  core::SystemDisk disk;
  auto folder = take_folder(disk, data);
  if (!folder) return report(in_use(folder.error(), data), as_json);
  auto found = log::SegmentLog::verify(disk, data + "/log");
  if (!found) return report(in_use(found.error(), data), as_json);
  if (as_json) {
    print_json(of(*found));
  } else {
    show(*found);
  }
  return found->good() ? 0 : 1;
}

int log_stat(const std::string& data, bool as_json) {
  core::SystemDisk disk;
  core::SystemClock clock;
  auto folder = take_folder(disk, data);
  if (!folder) return report(in_use(folder.error(), data), as_json);
  auto log = log::SegmentLog::open_read_only(disk, clock, data + "/log");
  if (!log) return report(in_use(log.error(), data), as_json);
  auto stat = (*log)->stat();
  if (as_json) {
    print_json(json::object{
        {"segments", stat.segments}, {"bytes", stat.bytes}, {"first", stat.first}, {"last", stat.durable}});
  } else {
    print_line("offsets " + std::to_string(stat.first) + " to " + std::to_string(stat.durable) + ", " +
               std::to_string(stat.segments) + " segments, " + std::to_string(stat.bytes) + " bytes");
  }
  return 0;
}

int log_export(const std::string& data) {
  core::SystemDisk disk;
  core::SystemClock clock;
  auto folder = take_folder(disk, data);
  if (!folder) return report(in_use(folder.error(), data), false);
  auto log = log::SegmentLog::open_read_only(disk, clock, data + "/log");
  if (!log) return report(in_use(log.error(), data), false);
  log::Offset from = 1;
  while (true) {
    auto events = (*log)->read(from, 1'000);
    if (!events) return report(events.error(), false);
    if (events->empty()) return 0;
    std::string lines;
    for (const auto& stored : *events)
      lines +=
          "{\"offset\":" + std::to_string(stored.offset) + "," + events::to_structured(stored.event).substr(1) + "\n";
    print(lines);
    from = events->back().offset + 1;
  }
}

int projections_rebuild(const std::string& data, bool verify, bool as_json) {
  core::SystemDisk disk;
  core::SystemClock clock;
  auto folder = take_folder(disk, data);
  if (!folder) return report(in_use(folder.error(), data), as_json);
  auto log = log::SegmentLog::open_read_only(disk, clock, data + "/log");
  if (!log) return report(in_use(log.error(), data), as_json);
  identity::Projection identity;
  repository::Projection repository;
  pipeline::RunsProjection pipeline;
  runner::JobsProjection runner;
  tests::HistoryProjection tests;
  artifact::ShelfProjection artifacts;
  secrets::Projection secrets;
  auto rebuilt = store::rebuild({&identity, &repository, &pipeline, &runner, &tests, &artifacts, &secrets}, **log,
                                absolute(data) + "/projections", "", verify ? store::Verify::yes : store::Verify::no);
  if (!rebuilt) return report(rebuilt.error(), as_json);
  bool equal = true;
  json::array list;
  for (const auto& one : *rebuilt) {
    equal = equal && !one.difference;
    json::object shown{{"name", one.name},     {"version", one.version}, {"offset", one.offset},
                       {"events", one.events}, {"digest", one.digest},   {"digest_before", one.digest_before},
                       {"difference", nullptr}};
    if (one.difference)
      shown["difference"] =
          json::object{{"table", one.difference->table}, {"key", one.difference->key}, {"what", one.difference->what}};
    list.push_back(std::move(shown));
    if (as_json) continue;
    print_line(one.name + " " + one.digest.substr(0, 16) + " at offset " + std::to_string(one.offset) + ": " +
               (one.difference
                    ? "differs in " + one.difference->table + ", " + one.difference->key + ": " + one.difference->what
                : one.digest_before.empty() ? "made"
                : verify                    ? "equal"
                                            : "made anew"));
  }
  if (as_json) {
    json::object answer{{"equal", equal}};
    answer["projections"] = std::move(list);
    print_json(answer);
  }
  return equal ? 0 : 1;
}

}  // namespace headrace::cli
