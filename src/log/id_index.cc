#include "log/id_index.h"

#include <algorithm>

namespace headrace::log {

namespace {
size_t bytes_of(std::string_view expected) { return expected.size() + 128; }  // with the node
}  // namespace

void IdIndex::start_segment(Offset first) {
  std::lock_guard lock(mutex_);
  close_open(first - 1);
  open_ = std::make_shared<Segment>(first);
}

void IdIndex::resume_segment(OpenIds ids) {
  start_segment(ids.table.first());
  std::lock_guard lock(mutex_);
  static_cast<OpenIds&>(*open_) = std::move(ids);
  for (const auto& [expected, named] : open_->expected) open_->expected_bytes += bytes_of(expected);
}

OpenIds IdIndex::open_ids() const {
  std::lock_guard lock(mutex_);
  return *open_;
}

void IdIndex::end_segment(Offset last) {
  std::lock_guard lock(mutex_);
  close_open(last);
}

void IdIndex::close_open(Offset last) {
  if (!open_) return;
  open_->last = last;
  closed_.push_back(std::exchange(open_, nullptr));
}

void IdIndex::insert(const Identity& identity, Offset offset) {
  std::lock_guard lock(mutex_);
  open_->table.insert(identity, offset);
}

void IdIndex::name(std::string_view expected, Named named) {
  std::lock_guard lock(mutex_);
  auto found = open_->expected.find(expected);
  if (found != open_->expected.end()) {
    found->second = named;
    return;
  }
  open_->expected.emplace(std::string(expected), named);
  open_->expected_bytes += bytes_of(expected);
}

bool IdIndex::full(size_t events_max) const {
  std::lock_guard lock(mutex_);
  return open_->table.size() >= events_max || open_->expected_bytes >= expected_bytes_max;
}

core::Result<bool> IdIndex::find(const Identity& identity, const Candidate& accept) const {
  std::vector<Offset> candidates;
  std::shared_ptr<const Runs> runs;
  {
    std::lock_guard lock(mutex_);
    Candidate collect = [&](Offset offset) -> core::Result<bool> {
      candidates.push_back(offset);
      return false;
    };
    if (open_) static_cast<void>(open_->table.find(identity.hash, collect));
    for (const auto& segment : closed_) static_cast<void>(segment->table.find(identity.hash, collect));
    runs = runs_;
  }
  for (Offset offset : candidates) {
    auto accepted = accept(offset);
    if (!accepted || *accepted) return accepted;
  }
  for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
    auto accepted = (*run)->find(identity, accept);
    if (!accepted || *accepted) return accepted;
  }
  return false;
}

std::optional<Named> IdIndex::named_in_memory(std::string_view expected) const {
  std::lock_guard lock(mutex_);
  auto named_in = [&](const Segment& segment) -> std::optional<Named> {
    auto found = segment.expected.find(expected);
    return found != segment.expected.end() ? std::optional(found->second) : std::nullopt;
  };
  std::optional<Named> named = open_ ? named_in(*open_) : std::nullopt;
  for (auto segment = closed_.rbegin(); !named && segment != closed_.rend(); ++segment) named = named_in(**segment);
  return named;
}

core::Result<bool> IdIndex::find_named(std::string_view expected, const Candidate& accept) const {
  return find(identity_of_expected(key_, expected), accept);
}

bool IdIndex::has_unsaved() const {
  std::lock_guard lock(mutex_);
  return !closed_.empty();
}

core::Result<> IdIndex::save(core::Disk& disk, const std::string& directory) {
  std::shared_ptr<const Segment> closed;
  {
    std::lock_guard lock(mutex_);
    if (closed_.empty()) return {};
    closed = closed_.front();
  }
  Offset last = closed->last;
  IdTable table = closed->table;
  for (const auto& [expected, named] : closed->expected)
    table.insert(identity_of_expected(key_, expected), named.commit);
  if (auto written = write_run(disk, directory, key_, table, last); !written) return written;
  return install_run(disk, directory, run_name(table.first(), last));
}

core::Result<> IdIndex::load_filter_if_it_fits(IdRun& run) const {
  size_t used = 0;
  for (const auto& other : *runs_)
    if (other->filter_loaded()) used += other->filter_bytes();
  if (used + run.filter_bytes() > filter_bytes_max_) return {};
  return run.load_filter();
}

core::Result<> IdIndex::install_run(core::Disk& disk, const std::string& directory, const std::string& name) {
  auto run = IdRun::open(disk, directory + "/" + name, key_);
  if (!run) return std::unexpected(run.error());
  if (!*run)
    return core::fail(core::Code::corrupt, "A file of stored ids that was just written reads back damaged.", name);
  std::lock_guard lock(mutex_);
  if (auto loaded = load_filter_if_it_fits(**run); !loaded) return loaded;
  auto covered = [&](const std::shared_ptr<const IdRun>& other) {
    return other->header().first >= (*run)->header().first && other->header().last <= (*run)->header().last;
  };
  Runs runs = *runs_;
  std::erase_if(runs, covered);
  std::erase_if(closed_, [&](const auto& segment) {
    return segment->table.first() >= (*run)->header().first && segment->table.first() <= (*run)->header().last;
  });
  auto first_of = [](const std::shared_ptr<const IdRun>& other) { return other->header().first; };
  auto place = std::ranges::lower_bound(runs, (*run)->header().first, {}, first_of);
  runs.insert(place, std::shared_ptr<const IdRun>(std::move(*run)));
  runs_ = std::make_shared<const Runs>(std::move(runs));
  return {};
}

// The newest runs up to some tier, once they are run_fan_in.
IdIndex::Runs IdIndex::due_for_merge() const {
  Runs all = runs();
  size_t start = all.size();
  for (uint32_t tier = 0; start > 0; ++tier) {
    while (start > 0 && all[start - 1]->header().tier <= tier) --start;
    if (all.size() - start < run_fan_in) continue;
    bool fits = all.back()->header().last - all[start]->header().first < UINT32_MAX;
    return fits ? Runs(all.begin() + static_cast<std::ptrdiff_t>(start), all.end()) : Runs();
  }
  return {};
}

core::Result<bool> IdIndex::merge(core::Disk& disk, const std::string& directory, const std::atomic<bool>& cancelled) {
  Runs newest = due_for_merge();
  if (newest.empty()) return false;
  if (auto merged = merge_runs(disk, directory, key_, newest, cancelled); !merged)
    return std::unexpected(merged.error());
  std::string name = run_name(newest.front()->header().first, newest.back()->header().last);
  if (auto installed = install_run(disk, directory, name); !installed) return std::unexpected(installed.error());
  for (const auto& run : newest) {
    auto removed = disk.remove(directory + "/" + run_name(run->header().first, run->header().last));
    if (!removed && removed.error().code != core::Code::not_found) return std::unexpected(removed.error());
  }
  if (auto synced = disk.sync_directory(directory); !synced) return std::unexpected(synced.error());
  return true;
}

IdIndex::Runs IdIndex::runs() const {
  std::lock_guard lock(mutex_);
  return *runs_;
}

void IdIndex::drop_before(Offset first, std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  Runs kept;
  for (const auto& run : *runs_) {
    if (run->header().last < first) {
      names.push_back(run_name(run->header().first, run->header().last));
    } else {
      kept.push_back(run);
    }
  }
  runs_ = std::make_shared<const Runs>(std::move(kept));
}

}  // namespace headrace::log
