#include "services/runner/summary_store.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

std::string file_name(int64_t step, int64_t number) {
  return std::to_string(step) + "-" + std::to_string(number) + ".md";
}

// "3-12.md"; nothing: it is none of ours, or not whole.
std::optional<SummaryPiece> piece_of(std::string_view name) {
  SummaryPiece piece;
  const char* end = name.data() + name.size();
  auto [dash, bad_step] = std::from_chars(name.data(), end, piece.step);
  if (bad_step != std::errc() || dash == end || *dash != '-') return std::nullopt;
  auto [rest, bad_number] = std::from_chars(dash + 1, end, piece.number);
  if (bad_number != std::errc() || std::string_view(rest, static_cast<size_t>(end - rest)) != ".md")
    return std::nullopt;
  return piece;
}

}  // namespace

std::string SummaryStore::folder_of(const LogName& name) const {
  return directory_ + "/" + name.job.substr(name.job.size() - std::min<size_t>(2, name.job.size())) + "/" + name.job +
         "-" + std::to_string(name.attempt) + ".summary";
}

Result<> SummaryStore::keep(const LogName& name, int64_t step, int64_t number, std::string_view markdown) const {
  if (markdown.size() > summary_bytes_max)
    return core::fail(Code::invalid, "The summary of a step is larger than 1 MiB; it is not kept.");
  auto there = pieces(name);
  if (!there) return std::unexpected(there.error());
  auto same = [&](const SummaryPiece& piece) { return piece.step == step && piece.number == number; };
  const bool known = std::ranges::any_of(*there, same);
  if (!known && there->size() >= summaries_a_job_max)
    return core::fail(Code::invalid, "The job has " + std::to_string(summaries_a_job_max) +
                                         " summaries already; this one is not kept.");
  const std::string folder = folder_of(name), above = folder.substr(0, folder.rfind('/'));
  if (auto made = disk_.make_directories(folder); !made) return made;
  if (auto written = core::write_file(disk_, folder + "/" + file_name(step, number), markdown); !written)
    return written;
  // The folders on the way may be new.
  if (auto synced = disk_.sync_directory(above); !synced) return synced;
  return disk_.sync_directory(directory_);
}

Result<std::vector<SummaryPiece>> SummaryStore::pieces(const LogName& name) const {
  std::vector<SummaryPiece> all;
  const std::string folder = folder_of(name);
  auto there = disk_.exists(folder);
  if (!there) return std::unexpected(there.error());
  if (!*there) return all;
  auto names = disk_.list(folder);
  if (!names) return std::unexpected(names.error());
  for (const auto& file : *names) {
    auto piece = piece_of(file);
    if (!piece) continue;
    auto opened = disk_.open(folder + "/" + file, core::Disk::Open::read);
    auto size = opened ? (*opened)->size() : Result<uint64_t>(std::unexpected(opened.error()));
    if (!size) return std::unexpected(size.error());
    piece->bytes = *size;
    all.push_back(*piece);
  }
  std::ranges::sort(all, {}, [](const SummaryPiece& piece) { return std::pair(piece.step, piece.number); });
  return all;
}

Result<uint64_t> SummaryStore::bytes(const LogName& name) const {
  auto all = pieces(name);
  if (!all) return std::unexpected(all.error());
  uint64_t sum = 0;
  for (const auto& piece : *all) sum += piece.bytes;
  return sum;
}

Result<std::string> SummaryStore::read(const LogName& name, const SummaryPiece& piece) const {
  return core::read_file(disk_, folder_of(name) + "/" + file_name(piece.step, piece.number), summary_bytes_max);
}

}  // namespace headrace::runner
