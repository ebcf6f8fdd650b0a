#include <fmt/format.h>

#include "core/diagnostics.h"
#include "store/projector.h"

namespace headrace::store {
namespace {

using core::Code;
using core::Result;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds swap_wait_max{100};  // for reads to end, while new ones wait
constexpr std::chrono::seconds behind_max{1};            // being behind for less is the ordinary course of things
constexpr int64_t since_ever = 1;

int64_t nanoseconds_now() { return steady_clock::now().time_since_epoch().count(); }

// Room on the disk comes back; a statement that is wrong stays wrong.
bool may_pass(const core::Error& error) { return error.code == Code::exhausted || error.code == Code::unavailable; }

}  // namespace

Line::Line(std::unique_ptr<Projection> projection, const std::string& directory, const Store::Limits& limits)
    : name(projection->name()),
      version(projection->version()),
      readers(std::make_shared<Readers>(fmt::format("{}/{}.db", directory, name), limits.read_threads)),
      projection_(std::move(projection)),
      path_(fmt::format("{}/{}.db", directory, name)),
      rebuild_path_(fmt::format("{}/{}.v{}.db.new", directory, name, version)),
      slice_(limits.rebuild_slice_events),
      retry_pause_(limits.retry_pause),
      behind_since_(since_ever) {}

Status::Phase Line::phase() const {
  const std::lock_guard lock(mutex_);
  return phase_;
}

std::optional<core::Error> Line::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

void Line::set(Status::Phase phase, std::optional<core::Error> why) {
  const std::lock_guard lock(mutex_);
  phase_ = phase;
  why_ = std::move(why);
}

bool Line::keeps_up(Offset tail) const {
  if (phase() != Status::Phase::live) return false;
  const auto since = behind_since_.load();
  if (since == since_ever) return false;
  return applied.load() >= tail || since == 0 ||
         nanoseconds_now() - since < std::chrono::nanoseconds(behind_max).count();
}

void Line::mark_behind(Offset tail) {
  const bool behind = file_ == nullptr || file_->applied() < tail;
  if (!behind) {
    behind_since_ = 0;
  } else if (behind_since_ == 0) {
    behind_since_ = nanoseconds_now();
  }
}

Result<> Line::open(log::EventLog& log) {
  auto opened = ProjectionFile::open(path_, *projection_, log);
  if (!opened) return std::unexpected(opened.error());
  if (auto* file = std::get_if<std::unique_ptr<ProjectionFile>>(&*opened)) {
    file_ = std::move(*file);
  } else if (log.durable() == 0) {
    auto made = ProjectionFile::create(path_, *projection_, ProjectionFile::Kind::live);
    if (!made) return std::unexpected(made.error());
    file_ = std::move(*made);
  } else {
    const auto unfit = std::get<ProjectionFile::Unfit>(*opened);
    if (unfit.why == ProjectionFile::Unfit::Why::other_version) {
      applied = unfit.applied;
      readers->open_gate();
    }
    return begin_rebuild();
  }
  applied = file_->applied();
  readers->open_gate();
  return {};
}

bool Line::live_now() const {
  return file_ != nullptr && !stopped_ && (!retry_at_ || steady_clock::now() >= *retry_at_);
}

// Once, however often it is tried again.
void Line::report(const core::Error& error) const {
  if (why() != error) core::diagnose(core::Level::error, "store", error.message + " " + error.detail);
}

void Line::hold(core::Error error) {
  report(error);
  if (may_pass(error)) {
    retry_at_ = steady_clock::now() + retry_pause_;
  } else {
    retry_at_.reset();
    stopped_ = true;
  }
  set(Status::Phase::stopped, std::move(error));
}

void Line::resume() {
  if (!retry_at_) return;
  retry_at_.reset();
  set(Status::Phase::live, std::nullopt);
}

void Line::apply(std::span<const log::Stored> events) {
  auto done = file_->apply(events);
  if (done) {
    resume();
  } else {
    hold(std::move(done.error()));
  }
  applied = file_->applied();
  if (file_->checkpoint_due()) checkpoint_wanted = true;
}

void Line::checkpoint() {
  const std::lock_guard lock(exchange_);
  if (!checkpoint_wanted.exchange(false)) return;
  if (auto done = checkpoint_beside(path_); !done && done.error().code != Code::unavailable)
    core::diagnose(core::Level::warning, "store", done.error().message + " " + done.error().detail);
}

void Line::nothing_until(Offset tail) {
  file_->skip_to(tail);
  apply({});
}

Result<> Line::begin_rebuild() {
  rebuild_wanted = false;
  rebuilt = 0;
  auto made = ProjectionFile::create(rebuild_path_, *projection_, ProjectionFile::Kind::scratch);
  if (!made) return std::unexpected(made.error());
  scratch_ = std::move(*made);
  if (file_ == nullptr || stopped_) set(Status::Phase::rebuilding, std::nullopt);
  return {};
}

bool Line::rebuilding_now() const {
  if (rebuild_retry_at_ && steady_clock::now() < *rebuild_retry_at_) return false;
  return scratch_ != nullptr || rebuild_wanted;
}

bool Line::rebuild_slice(log::EventLog& log, Offset tail) {
  Result<> done;
  if (scratch_ == nullptr) done = begin_rebuild();
  if (done && scratch_->applied() < tail) done = scratch_->advance(log, tail, slice_);
  if (done) rebuilt = scratch_->applied();
  if (done && scratch_->applied() >= tail) done = swap(log);
  if (!done) {
    rebuild_failed(std::move(done.error()));
    return false;
  }
  rebuild_retry_at_.reset();
  return true;
}

void Line::rebuild_failed(core::Error error) {
  report(error);
  const bool goes_on = file_ != nullptr && !stopped_;  // live, without the new file
  if (may_pass(error)) {
    rebuild_retry_at_ = steady_clock::now() + retry_pause_;
    rebuild_wanted = rebuild_wanted || scratch_ == nullptr;
    return set(goes_on ? Status::Phase::live : Status::Phase::rebuilding, std::move(error));
  }
  rebuild_retry_at_.reset();
  scratch_.reset();
  set(goes_on ? Status::Phase::live : Status::Phase::stopped, std::move(error));
}

// From here to the rename a crash leaves the old file as it was; after it, the new one.
Result<> Line::swap(log::EventLog& log) {
  if (!readers->close_gate(swap_wait_max))
    return core::fail(Code::unavailable,
                      fmt::format("The projection {} is rebuilt and waits for a long read to end.", name));
  const std::lock_guard lock(exchange_);
  checkpoint_wanted = false;
  auto closed = file_ != nullptr ? file_->close() : Result<>();
  file_.reset();
  if (closed) closed = scratch_->close();
  scratch_.reset();
  if (closed) closed = install(rebuild_path_, path_);
  auto opened = ProjectionFile::open(path_, *projection_, log);
  auto* file = opened ? std::get_if<std::unique_ptr<ProjectionFile>>(&*opened) : nullptr;
  if (file == nullptr) {
    readers->refuse();
    rebuild_wanted = true;
    return closed ? core::fail(Code::unavailable,
                               fmt::format("The projection {} could not be opened after its rebuild.", name))
                  : closed;
  }
  file_ = std::move(*file);
  applied = file_->applied();
  readers->open_gate();
  if (!closed) return closed;  // the old file serves on
  stopped_ = false;
  rebuilt = 0;
  retry_at_.reset();
  set(Status::Phase::live, std::nullopt);
  return {};
}

std::optional<steady_clock::time_point> Line::retry_at() const {
  if (retry_at_ && rebuild_retry_at_) return std::min(*retry_at_, *rebuild_retry_at_);
  return retry_at_ ? retry_at_ : rebuild_retry_at_;
}

void Line::close() {
  scratch_.reset();
  readers->close_gate(swap_wait_max);
  readers->refuse();
  if (!file_) return;
  if (auto kept = file_->persist(); !kept) core::diagnose(core::Level::warning, "store", kept.error().detail);
  file_.reset();
}

}  // namespace headrace::store
