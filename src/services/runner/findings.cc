#include "services/runner/findings.h"

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "core/diagnostics.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

constexpr std::string_view unfinished = ".new";

std::optional<int64_t> number_of(std::string_view name) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number < 1) return std::nullopt;
  return number;
}

}  // namespace

Result<> Findings::keep(Reported report) {
  report.number = next_;
  return keep(report.number, encode(report));
}

Result<> Findings::keep(Summary summary) {
  summary.number = next_;
  return keep(summary.number, encode(summary));
}

Result<> Findings::keep(int64_t number, const std::string& text) {
  if (bytes_ + text.size() > findings_bytes_max)
    return core::fail(Code::exhausted, "More than " + std::to_string(findings_bytes_max >> 20) +
                                           " MiB of reports and summaries of this job wait to reach the server.");
  if (auto made = disk_.make_directories(folder_); !made) return made;
  const std::string path = path_of(number), fresh = path + std::string(unfinished);
  auto file = disk_.open(fresh, core::Disk::Open::create);
  if (!file) return std::unexpected(file.error());
  auto written = (*file)->write_at(0, core::as_bytes(text));
  if (written) written = disk_.rename(fresh, path);
  if (!written) {
    if (auto removed = disk_.remove(fresh); !removed)
      core::diagnose(core::Level::debug, "runner", removed.error().message);
    return written;
  }
  kept_[number].bytes = text.size();
  bytes_ += text.size();
  ++next_;
  return {};
}

Result<> Findings::recover() {
  auto there = disk_.exists(folder_);
  if (!there) return std::unexpected(there.error());
  if (!*there) return {};
  auto names = disk_.list(folder_);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    auto number = number_of(name);
    if (!number) continue;
    auto file = disk_.open(folder_ + "/" + name, core::Disk::Open::read);
    auto size = file ? (*file)->size() : Result<uint64_t>(std::unexpected(file.error()));
    if (!size) return std::unexpected(size.error());
    kept_[*number].bytes = *size;
    bytes_ += *size;
    next_ = std::max(next_, *number + 1);
  }
  return {};
}

bool Findings::has_next() const {
  return in_flight_ < findings_in_flight_max &&
         std::ranges::any_of(kept_, [](const auto& one) { return !one.second.sent; });
}

Result<std::string> Findings::next() {
  auto found = std::ranges::find_if(kept_, [](const auto& one) { return !one.second.sent; });
  if (found == kept_.end()) return core::fail(Code::not_found, "Everything that was found has been sent.");
  auto text = core::read_file(disk_, path_of(found->first), message_bytes_max);
  if (!text) {
    forget(found->first);
    return text;
  }
  found->second.sent = true;
  ++in_flight_;
  return text;
}

void Findings::forget(int64_t number) {
  auto found = kept_.find(number);
  if (found == kept_.end()) return;
  if (found->second.sent) --in_flight_;
  bytes_ -= found->second.bytes;
  kept_.erase(found);
  // Where it stays the folder of the job takes it along at its end.
  if (auto removed = disk_.remove(path_of(number)); !removed)
    core::diagnose(core::Level::debug, "runner", removed.error().message);
}

void Findings::again(int64_t number) {
  auto found = kept_.find(number);
  if (found == kept_.end() || !found->second.sent) return;
  found->second.sent = false;
  --in_flight_;
}

void Findings::connection_lost() {
  for (auto& [number, kept] : kept_) kept.sent = false;
  in_flight_ = 0;
}

}  // namespace headrace::runner
