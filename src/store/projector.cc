#include "store/projector.h"

#include <algorithm>
#include <set>

#include "core/diagnostics.h"
#include "core/disk.h"

namespace headrace::store {

using core::Result;
using std::chrono::steady_clock;

Projector::Projector(log::EventLog& log, std::string directory, Store::Limits limits, std::function<void()> moved)
    : log_(log), directory_(std::move(directory)), limits_(limits), moved_(std::move(moved)) {}

Projector::~Projector() { stop(); }

void Projector::add(std::unique_ptr<Projection> projection) {
  core::require(!thread_.joinable(), "projections are added before the store is started");
  core::require(find(projection->name()) == nullptr, "a projection's name is its own");
  lines_.push_back(std::make_unique<Line>(std::move(projection), directory_, limits_));
}

Line* Projector::find(std::string_view name) const {
  const auto found = std::ranges::find_if(lines_, [&](const auto& line) { return line->name == name; });
  return found == lines_.end() ? nullptr : found->get();
}

// What a rebuild left when it was cut short; it begins again.
static Result<> remove_unfinished(core::Disk& disk, const std::string& directory) {
  auto names = disk.list(directory);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names)
    if (name.ends_with(".db.new"))
      if (auto removed = remove_database(directory + "/" + name); !removed) return removed;
  return {};
}

Result<> Projector::start() {
  core::SystemDisk disk;
  if (auto made = disk.make_directories(directory_); !made) return made;
  if (auto removed = remove_unfinished(disk, directory_); !removed) return removed;
  for (const auto& line : lines_)
    if (auto opened = line->open(log_); !opened)
      return core::pass_on(opened.error(), "opening projection " + line->name);
  note_types();
  watch_ = log_.watch([this](Offset) { wake(); });
  thread_ = std::thread([this] { run(); });
  checkpoint_thread_ = std::thread([this] { checkpoints(); });
  return {};
}

void Projector::note_types() {
  std::set<std::string> all;
  for (const auto& line : lines_) {
    const auto types = line->projection().types();
    if (types.empty()) return types_.reset();
    all.insert(types.begin(), types.end());
  }
  types_.emplace(all.begin(), all.end());
}

void Projector::wake() {
  {
    const std::lock_guard lock(mutex_);
    heard_ = true;
  }
  changed_.notify_one();
}

void Projector::stop() {
  if (!thread_.joinable()) return;
  watch_.reset();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  checkpoint_changed_.notify_one();
  thread_.join();
  checkpoint_thread_.join();
  for (const auto& line : lines_) line->close();
}

std::optional<core::Error> Projector::log_error() const {
  const std::lock_guard lock(mutex_);
  return log_error_;
}

void Projector::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      heard_ = false;  // before looking at the log: what comes later wakes again
      if (stopping_) return;
    }
    if (!round()) rest();
  }
}

void Projector::ask_for_checkpoint() {
  {
    const std::lock_guard lock(mutex_);
    checkpoint_asked_ = true;
  }
  checkpoint_changed_.notify_one();
}

void Projector::checkpoints() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      checkpoint_changed_.wait(lock, [this] { return checkpoint_asked_ || stopping_; });
      if (stopping_) return;
      checkpoint_asked_ = false;
    }
    for (const auto& line : lines_)
      if (line->checkpoint_wanted) line->checkpoint();
  }
}

void Projector::rest() {
  std::optional<steady_clock::time_point> until;
  for (const auto& line : lines_)
    if (const auto at = line->retry_at(); at && (!until || *at < *until)) until = at;
  std::unique_lock lock(mutex_);
  if (log_error_ && !until) until = steady_clock::now() + limits_.retry_pause;
  const auto due = [this] { return heard_ || stopping_; };
  if (until) {
    changed_.wait_until(lock, *until, due);
  } else {
    changed_.wait(lock, due);
  }
}

bool Projector::round() {
  const auto tail = log_.durable();
  for (const auto& line : lines_) line->mark_behind(tail);
  return live_round(tail) || rebuild_round(tail);
}

bool Projector::live_round(Offset tail) {
  auto from = tail;
  for (const auto& line : lines_)
    if (line->live_now()) from = std::min(from, line->live_offset());
  if (from >= tail) return false;
  // What nobody hears is stepped over in the log. `from + 1` is a lower bound: there may be no event at it.
  const auto max = limits_.transaction_events_max;
  auto events = types_ ? log_.read_types(from + 1, max, *types_) : log_.read(from + 1, max);
  {
    const std::lock_guard lock(mutex_);
    log_error_ = events ? std::nullopt : std::optional(events.error());
  }
  if (!events) return false;
  std::erase_if(*events, [&](const log::Stored& stored) { return stored.offset > tail; });
  deliver(*events, tail);
  return true;
}

void Projector::deliver(std::span<const log::Stored> events, Offset tail) {
  const auto reached = events.empty() ? tail : events.back().offset;
  for (const auto& line : lines_) {
    if (!line->live_now() || line->live_offset() >= reached) continue;
    if (events.empty()) {
      line->nothing_until(tail);
    } else {
      line->apply(events);
    }
    line->mark_behind(tail);
    if (line->interest > 0) moved_();
    if (line->checkpoint_wanted) ask_for_checkpoint();
  }
}

bool Projector::rebuild_round(Offset tail) {
  const auto line = std::ranges::find_if(lines_, [](const auto& any) { return any->rebuilding_now(); });
  if (line == lines_.end()) return false;
  const bool done = (*line)->rebuild_slice(log_, tail);
  (*line)->mark_behind(tail);
  if ((*line)->interest > 0) moved_();
  return done;
}

}  // namespace headrace::store
