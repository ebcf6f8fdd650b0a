#include "log/spare.h"

#include <algorithm>
#include <array>
#include <vector>

namespace headrace::log {

namespace {

constexpr size_t zeros_bytes = 64 * 1024;
constexpr uint64_t fill_sync_bytes = 1 << 20;  // so that a batch's sync never waits for more of these zeros
constexpr size_t probe_block = 4096;
constexpr size_t probe_syncs = 100;
constexpr std::string_view probe_name = "probe.tmp";
constexpr std::array<std::byte, zeros_bytes> zeros{};

core::Result<core::Duration> median_sync(core::File& file, const core::Clock& clock,
                                         const std::atomic<bool>& cancelled) {
  std::vector<std::byte> block(probe_block, std::byte{0x5a});
  std::vector<core::Duration> times;
  for (size_t i = 0; i < probe_syncs; ++i) {
    if (cancelled) return core::fail(core::Code::exhausted, "The probe was stopped.");
    auto start = clock.steady();
    if (auto done = file.write_at(i * probe_block, block); !done) return std::unexpected(done.error());
    if (auto done = file.sync(); !done) return std::unexpected(done.error());
    times.push_back(clock.steady() - start);
  }
  std::ranges::nth_element(times, times.begin() + probe_syncs / 2);
  return times[probe_syncs / 2];
}

}  // namespace

core::Result<> Spare::find() {
  std::string path = directory_ + "/" + std::string(spare_name);
  auto file = disk_.open(path, core::Disk::Open::read);
  if (!file) return file.error().code == core::Code::not_found ? core::Result<>() : std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size == bytes_) state_ = State::ready;
  return {};
}

bool Spare::take() {
  auto expected = State::ready;
  return state_.compare_exchange_strong(expected, State::taken);
}

core::Result<> Spare::make(const std::atomic<bool>& cancelled) {
  auto expected = State::absent;
  if (!wanted_ || !state_.compare_exchange_strong(expected, State::making)) return {};
  std::string path = directory_ + "/" + std::string(spare_name);
  auto file = disk_.open(path, core::Disk::Open::ensure);
  core::Result<> filled = file ? fill(**file, cancelled) : std::unexpected(file.error());
  if (!filled && file) {
    file->reset();
    static_cast<void>(disk_.remove(path));  // gives its room back; should it stay, the next attempt empties it
  }
  state_ = filled ? State::ready : State::absent;
  return filled;
}

core::Result<> Spare::fill(core::File& file, const std::atomic<bool>& cancelled) {
  if (auto emptied = file.truncate(0); !emptied) return emptied;
  for (uint64_t at = 0; at < bytes_; at += zeros_bytes) {
    if (cancelled) return core::fail(core::Code::exhausted, "Filling the next segment was stopped.");
    auto size = static_cast<size_t>(std::min<uint64_t>(zeros_bytes, bytes_ - at));
    if (auto written = file.write_at(at, std::span(zeros).first(size)); !written) return written;
    if ((at + size) % fill_sync_bytes != 0) continue;
    if (auto synced = file.sync(); !synced) return synced;
  }
  return file.sync();
}

core::Result<PrefillProbe> probe_prefill(core::Disk& disk, const core::Clock& clock, const std::string& directory,
                                         const std::atomic<bool>& cancelled) {
  std::string path = directory + "/" + std::string(probe_name);
  auto file = disk.open(path, core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = (*file)->truncate(0); !emptied) return std::unexpected(emptied.error());
  PrefillProbe probe;
  auto growing = median_sync(**file, clock, cancelled);
  auto prefilled = growing ? median_sync(**file, clock, cancelled) : growing;
  file->reset();
  if (auto removed = disk.remove(path); !removed) return std::unexpected(removed.error());
  if (!prefilled) return std::unexpected(prefilled.error());
  probe.growing = *growing;
  probe.prefilled = *prefilled;
  return probe;
}

}  // namespace headrace::log
