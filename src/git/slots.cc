#include "git/slots.h"

namespace headrace::git {

// Counts itself among the waiting, however the waiting ends.
struct Slots::InLine {
  explicit InLine(Slots& slots) : waiting(slots.waiting_) { ++waiting; }
  ~InLine() { --waiting; }
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;
  size_t& waiting;
};

Slots::Slot::~Slot() {
  if (slots_ == nullptr) return;
  --slots_->taken_;
  slots_->given_back_.notify_all();
}

core::Task<core::Result<Slots::Slot>> Slots::take() {
  constexpr auto busy = "The server runs as many git processes as it may. Try again in a moment.";
  if (full() && waiting_ >= limits_.waiting_max) co_return core::fail(core::Code::exhausted, busy, "the line is full");
  const auto give_up = std::chrono::steady_clock::now() + limits_.wait_max;
  const InLine in_line(*this);
  while (full()) {
    const auto left = give_up - std::chrono::steady_clock::now();
    if (left.count() <= 0) co_return core::fail(core::Code::exhausted, busy, "waited in line for too long");
    co_await given_back_.wait_for(left);
  }
  ++taken_;
  co_return Slot(*this);
}

}  // namespace headrace::git
