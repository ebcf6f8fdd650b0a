#include <utility>

#include "bus/reader.h"
#include "core/diagnostics.h"

namespace headrace::bus {

namespace {
constexpr size_t batch_events_max = 512;  // handed out in one turn of the loop; then others have theirs
}

struct Router::Wake {
  core::Loop& loop;
  Router* router;  // null once it is gone; loop only
  std::atomic<bool> posted = false;

  static void post(const std::shared_ptr<Wake>& wake) {
    if (wake->posted.exchange(true)) return;
    wake->loop.post([wake] {
      wake->posted = false;
      if (wake->router != nullptr) wake->router->follow();
    });
  }
};

Router::Router(core::Loop& loop, log::EventLog& log)
    : log_(log), wake_(std::make_shared<Wake>(loop, this)), tail_(log.durable()) {
  watch_ = log.watch([wake = wake_](Offset) { Wake::post(wake); });
  tail_ = log.durable();
}

Router::~Router() {
  watch_.reset();
  wake_->router = nullptr;
}

void Router::join(Reader& reader) {
  ++joined_;
  types_changed_ = true;
  if (!reader.matcher().types()) {
    any_type_.insert(&reader);
    return;
  }
  for (const auto& type : *reader.matcher().types()) by_type_[type].insert(&reader);
}

void Router::leave(Reader& reader) {
  --joined_;
  types_changed_ = true;
  any_type_.erase(&reader);
  if (!reader.matcher().types()) return;
  for (const auto& type : *reader.matcher().types()) {
    auto place = by_type_.find(type);
    if (place == by_type_.end()) continue;
    place->second.erase(&reader);
    if (place->second.empty()) by_type_.erase(place);
  }
}

void Router::follow() {
  const Offset durable = log_.durable();
  if (durable <= tail_) return;
  if (joined_ == 0) {
    tail_ = durable;
  } else {
    auto batch = any_type_.empty() ? log_.read_types(tail_ + 1, batch_events_max, types_heard())
                                   : log_.read(tail_ + 1, batch_events_max);
    if (!batch) {
      core::diagnose(core::Level::error, "bus", "reading the end of the log: " + batch.error().message);
      give_up();
      tail_ = durable;
    } else if (batch->empty()) {
      tail_ = durable;
    } else {
      tail_ = batch->back().offset;
      hand_out(std::move(*batch));
    }
  }
  if (tail_ < durable) Wake::post(wake_);
  if (progressed_) progressed_();
}

const std::vector<std::string>& Router::types_heard() {
  if (!std::exchange(types_changed_, false)) return types_heard_;
  types_heard_.clear();
  for (const auto& [type, readers] : by_type_) types_heard_.push_back(type);
  return types_heard_;
}

void Router::hand_out(std::vector<log::Stored> batch) {
  for (auto& read : batch) {
    auto stored = std::make_shared<const log::Stored>(std::move(read));
    if (auto place = by_type_.find(stored->event.type); place != by_type_.end()) offer(place->second, stored);
    offer(any_type_, stored);
  }
  for (Reader* reader : std::exchange(woken_, {})) reader->arrived_.notify_all();
  for (Reader* reader : std::exchange(too_slow_, {})) leave(*reader);
}

void Router::offer(const Readers& readers, const Shared& stored) {
  for (Reader* reader : readers) {
    const size_t before = reader->queue_.size();
    if (!reader->offer(stored)) too_slow_.insert(reader);
    if (before == 0 && reader->queue_.size() > 0) woken_.insert(reader);
  }
}

// Every reader reads for itself, and meets the log's error there.
void Router::give_up() {
  Readers all = any_type_;
  for (const auto& [type, readers] : by_type_) all.insert(readers.begin(), readers.end());
  for (Reader* reader : all) {
    reader->step_behind(tail_ + 1);
    leave(*reader);
    reader->arrived_.notify_all();
  }
}

}  // namespace headrace::bus
