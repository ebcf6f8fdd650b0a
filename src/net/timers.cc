#include "net/timers.h"

#include <algorithm>
#include <utility>

namespace headrace::net {

void Link::leave() {
  before->after = after;
  after->before = before;
  before = after = this;
}

void Link::join(Link& ring) {
  before = ring.before;
  after = &ring;
  before->after = this;
  ring.before = this;
}

Timers::Timers(core::Executor executor, core::Clock& clock, core::Duration tick)
    : clock_(clock), tick_(tick), now_(now_ticks()), face_(std::make_shared<Face>(this, executor)), ticking_(executor) {
  ticking_.spawn("the timers of net", tick_on(face_));
}

Timers::~Timers() { face_->timers = nullptr; }

void Timers::arm(Deadline& deadline, core::Duration from_now) {
  if (resting_) {
    resting_ = false;
    now_ = now_ticks();
    face_->armed.notify_all();
  }
  deadline.when_ = now_ + static_cast<uint64_t>((from_now + tick_ - core::Duration(1)) / tick_) + 1;
  if (!deadline.alone() && deadline.slot_ <= deadline.when_) return;
  deadline.leave();
  link(deadline);
}

void Timers::link(Deadline& deadline) {
  deadline.slot_ = std::min(deadline.when_, now_ + slots - 1);
  deadline.join(wheel_[deadline.slot_ % slots]);
}

core::Task<> Timers::tick_on(std::shared_ptr<Face> face) {
  while (face->timers != nullptr) {
    Timers& timers = *face->timers;
    if (timers.resting_) {
      co_await face->armed.wait();
    } else {
      co_await timers.clock_.sleep_for(timers.tick_);
      if (face->timers != nullptr) timers.resting_ = !timers.advance();
    }
  }
}

bool Timers::advance() {
  const uint64_t now = now_ticks();
  if (now >= now_ + slots) now_ = now - slots;  // a long sleep: every slot once
  while (now_ < now) run_slot(wheel_[++now_ % slots]);
  return std::ranges::any_of(wheel_, [](const Link& slot) { return !slot.alone(); });
}

void Timers::run_slot(Link& slot) {
  Link looked_at;  // a ring of its own: what is due may leave it or join the slot again
  if (slot.alone()) return;
  looked_at.join(slot);
  slot.leave();
  while (!looked_at.alone()) {
    auto& deadline = static_cast<Deadline&>(*looked_at.after);
    deadline.leave();
    if (deadline.when_ == Deadline::never) continue;
    if (deadline.when_ > now_) {
      link(deadline);
      continue;
    }
    deadline.when_ = Deadline::never;
    deadline.due();
  }
}

}  // namespace headrace::net
