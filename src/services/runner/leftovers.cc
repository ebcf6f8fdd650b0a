#include "services/runner/leftovers.h"

#include <unistd.h>

#include "process/adopt.h"

namespace headrace::runner {

namespace {

constexpr std::string_view tracking_name = "RUNNER_TRACKING_ID=";

std::string marked_by(const std::string& owner) {
  return std::string(tracking_name).append("headrace:").append(owner).append(":");
}

// FOLDER/TOKEN of an entry, empty where it is none of ours.
std::string_view place_of(std::string_view entry) {
  static const std::string before = std::string(tracking_name) + "headrace:";
  if (!entry.starts_with(before)) return {};
  entry.remove_prefix(before.size());
  const size_t end = entry.find(':');
  return end == std::string_view::npos ? std::string_view() : entry.substr(end + 1);
}

}  // namespace

std::string this_runner() {
  static std::pair<pid_t, std::string> known;  // a fork is another process
  if (known.first != ::getpid()) {
    const auto record = process::record_of_ourselves();
    known = {::getpid(), std::to_string(::getpid()) + "-" + std::to_string(record ? record->start_time : 0)};
  }
  return known.second;
}

std::string tracking_of(const std::string& folder) { return marked_by(this_runner()) + folder; }

size_t end_leftovers(const std::string& folder) {
  const std::string within = folder + "/";
  return process::end_family([&](std::string_view entry) { return place_of(entry).starts_with(within); }).size();
}

size_t end_leftovers_of_job(const std::string& folder) {
  const std::string mark = tracking_of(folder);
  auto ours = [&](std::string_view entry) { return entry == mark; };
  if (process::find_family(ours).empty()) return 0;  // as nearly always: no wait to look again
  return process::end_family(ours).size();
}

void mark(std::vector<std::string>& environment, const std::string& folder) {
  std::erase_if(environment, [](const std::string& entry) { return entry.starts_with(tracking_name); });
  environment.push_back(tracking_of(folder));
}

core::Result<process::Warden> post_warden() {
  const std::string mark = marked_by(this_runner());
  return process::Warden::post(
      [mark] { process::end_family([&](std::string_view entry) { return entry.starts_with(mark); }); });
}

std::vector<pid_t> end_unrecorded(const std::string& record_path) {
  const std::string mark = std::string(record_variable) + "=" + record_path;
  return process::end_family([&](std::string_view entry) { return entry == mark; });
}

}  // namespace headrace::runner
