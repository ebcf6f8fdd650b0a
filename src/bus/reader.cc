#include "bus/reader.h"

#include <algorithm>

namespace headrace::bus {

size_t size_of(const events::Event& event) {
  return sizeof(log::Stored) + event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
         event.data.size() + event.extensions.size() * 96;
}

namespace {

constexpr size_t read_events_max = 256;       // of a read while catching up
constexpr Offset read_on_the_loop_max = 512;  // so near the tail the log answers from memory

core::Result<std::vector<log::Stored>> read_from(log::EventLog& log, const Matcher& matcher, Offset from) {
  return matcher.types() ? log.read_types(from, read_events_max, *matcher.types()) : log.read(from, read_events_max);
}

}  // namespace

Reader::Reader(Router& router, log::EventLog& log, core::Pool* pool, core::Executor executor, Matcher matcher,
               Offset from, Limits limits)
    : router_(router),
      log_(log),
      pool_(pool),
      matcher_(std::move(matcher)),
      limits_(limits),
      arrived_(std::move(executor)),
      next_(from) {}

Reader::~Reader() {
  if (live_) router_.leave(*this);
}

core::Task<core::Result<>> Reader::ready() {
  while (queue_.empty()) {
    if (live_) {
      co_await arrived_.wait();
    } else if (auto read = co_await read_on(); !read) {
      co_return std::unexpected(read.error());
    }
  }
  co_return core::Result<>{};
}

std::vector<Shared> Reader::take(size_t max) {
  std::vector<Shared> taken;
  while (!queue_.empty() && taken.size() < max) {
    queued_bytes_ -= size_of(queue_.front()->event);
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

Offset Reader::position() const {
  if (!queue_.empty()) return queue_.front()->offset - 1;
  return live_ ? std::max(router_.tail(), next_ - 1) : next_ - 1;
}

core::Task<core::Result<>> Reader::read_on() {
  const Offset durable = log_.durable();  // before the read: what it does not return up to here does not match
  if (next_ > router_.tail()) {
    router_.join(*this);
    live_ = true;
    co_return core::Result<>{};
  }
  core::Result<std::vector<log::Stored>> read;
  if (pool_ != nullptr && durable - next_ > read_on_the_loop_max) {
    auto work = [log = &log_, matcher = matcher_, from = next_] { return read_from(*log, matcher, from); };
    read = co_await core::blocking(*pool_, std::move(work));
  } else {
    read = read_from(log_, matcher_, next_);
  }
  if (!read) co_return core::pass_on(read.error(), "reading events from offset " + std::to_string(next_));
  take_in(std::move(*read), durable);
  co_return core::Result<>{};
}

void Reader::take_in(std::vector<log::Stored> read, Offset durable) {
  next_ = read.empty() ? std::max(next_, durable + 1) : read.back().offset + 1;
  for (auto& stored : read)
    if (matcher_.matches(stored.event)) push(std::make_shared<const log::Stored>(std::move(stored)));
}

void Reader::push(Shared stored) {
  queued_bytes_ += size_of(stored->event);
  queue_.push_back(std::move(stored));
}

bool Reader::offer(const Shared& stored) {
  if (!live_ || stored->offset < next_ || !matcher_.matches(stored->event)) return true;
  if (queue_.size() >= limits_.events || queued_bytes_ >= limits_.bytes) {
    step_behind(stored->offset);
    return false;
  }
  push(stored);
  return true;
}

void Reader::step_behind(Offset next) {
  live_ = false;
  next_ = std::max(next_, next);
}

}  // namespace headrace::bus
