// Handing over, and what comes of it: the one place where exceptions of handlers end.
#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "bus/consumer.h"

namespace headrace::bus {

namespace {

constexpr size_t turn_events_max = 64;  // handed over in one turn of the loop; then others have theirs

// 0.9 to 1.1 times the pause, so that what failed together does not come back together.
Duration with_jitter(Duration pause, core::Random& random) {
  const auto tenth = pause.count() / 10;
  if (tenth <= 0) return pause;
  return pause - Duration(tenth) + Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(2 * tenth))));
}

Duration pause_after(uint32_t failures, const std::vector<Duration>& back_off) {
  if (back_off.empty()) return std::chrono::seconds(1);
  return back_off[std::min<size_t>(failures, back_off.size()) - 1];
}

}  // namespace

std::string what_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

// --- What a handler sees

Delivery::Delivery(std::shared_ptr<State> state) : state_(std::move(state)) {}
const events::Event& Delivery::event() const { return state_->stored->event; }
Offset Delivery::offset() const { return state_->stored->offset; }
core::Time Delivery::time() const { return state_->stored->time; }
uint32_t Delivery::attempt() const { return state_->attempt; }
const std::string& Delivery::key() const { return state_->key; }
const std::string& Delivery::subscription() const { return *state_->subscription; }
const Shared& Delivery::stored() const { return state_->stored; }
void Delivery::extend() const { state_->deadline = state_->clock->steady() + state_->ack_wait; }

// --- Handing over

void Consumer::dispatch() {
  if (!started_ || paused_ || stopping_ || dispatching_) return;
  if (kind_ == Status::Kind::pull) {
    if (!ready_.empty()) available_.ring();
    return;
  }
  dispatching_ = true;
  for (size_t turn = 0; !ready_.empty() && working_.size() < subscription_.concurrency && !paused_; ++turn) {
    if (turn == turn_events_max) {
      dispatch_later();
      break;
    }
    const Offset offset = ready_.front();
    ready_.pop_front();
    Item& item = items_.at(offset);
    if (!load(offset, item)) continue;
    auto work = begin_work(offset, item);
    handler_ ? call(std::move(work)) : call_async(std::move(work));
  }
  dispatching_ = false;
}

void Consumer::dispatch_later() {
  if (std::exchange(dispatch_posted_, true)) return;
  house_.loop.post([weak = weak_from_this()] {
    auto self = weak.lock();
    if (!self || self->stopped_) return;
    self->dispatch_posted_ = false;
    self->dispatch();
  });
}

// One that was let go from memory is read again; one that cannot be read counts as failed.
bool Consumer::load(Offset offset, Item& item) {
  if (item.stored) return true;
  auto read = house_.log.read(offset, 1);
  if (read && !read->empty() && read->front().offset == offset) {
    item.stored = std::make_shared<const log::Stored>(std::move(read->front()));
    loaded_bytes_ += size_of(item.stored->event);
    return true;
  }
  const bool missing = read.has_value();
  failed(offset, missing ? "The event is not in the log any more." : read.error().message, missing);
  return false;
}

std::shared_ptr<Delivery::State> Consumer::begin_work(Offset offset, Item& item) {
  auto work = std::make_shared<Delivery::State>();
  auto trouble = troubles_.find(offset);
  work->stored = item.stored;
  work->key = item.key;
  work->subscription = name_;
  work->attempt = trouble == troubles_.end() ? 1 : trouble->second.attempts + 1;
  work->generation = generation_;
  work->clock = &house_.clock;
  work->ack_wait = subscription_.ack_wait;
  work->handed = house_.clock.steady();
  work->handed_at = house_.clock.now();
  work->deadline = work->handed + subscription_.ack_wait;
  item.state = State::working;
  item.work = work;
  working_.emplace(offset, work);
  ++meter_.attempts;
  meter_.attempt_rate.add(work->handed);
  return work;
}

void Consumer::call(std::shared_ptr<Delivery::State> work) {
  std::exception_ptr exception;
  core::Result<> result;
  try {
    result = handler_(Delivery(work));
  } catch (...) {
    exception = std::current_exception();
  }
  worked(work, std::move(exception), std::move(result));
}

void Consumer::call_async(std::shared_ptr<Delivery::State> work) {
  ++running_;
  auto ended = [self = shared_from_this(), work](std::exception_ptr exception, core::Result<> result) {
    --self->running_;
    self->worked(work, std::move(exception), std::move(result));
    if (self->running_ == 0) self->idle_.ring();
  };
  try {
    auto task = async_handler_(Delivery(work));
    boost::asio::co_spawn(house_.loop.executor(), std::move(task),
                          boost::asio::bind_cancellation_slot(work->cancel.slot(), std::move(ended)));
  } catch (...) {
    --running_;
    worked(work, std::current_exception(), {});
  }
  if (!std::exchange(watching_, true)) tasks_.spawn("ack waits of " + name(), watch_deadlines());
}

void Consumer::worked(const std::shared_ptr<Delivery::State>& work, std::exception_ptr exception,
                      core::Result<> result) {
  const Offset offset = work->stored->offset;
  if (work->generation != generation_ || stopped_ || working_.erase(offset) == 0) return;
  const bool cancelled = core::is_cancellation(exception);
  if (cancelled && stopping_) return;  // a shutdown is no failure
  if (cancelled && work->expired) {
    failed(offset, "The handler was not done within its acknowledgement wait of " +
                       std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(work->ack_wait).count()) +
                       " ms, and was cancelled.");
  } else if (cancelled) {
    failed(offset, "The handler was cancelled from within.");
  } else if (exception) {
    failed(offset, "The handler threw: " + what_of(exception));
  } else if (!result) {
    failed(offset, result.error().detail.empty() ? result.error().message
                                                 : result.error().message + " (" + result.error().detail + ")");
  } else {
    done(offset);
  }
  dispatch();
}

// --- Outcomes

void Consumer::done(Offset offset) {
  Item& item = items_.at(offset);
  const auto now = house_.clock.steady();
  meter_.handler.add(now - item.work->handed);
  meter_.response.add(house_.clock.now() - item.stored->time);
  ++meter_.delivered;
  meter_.delivered_rate.add(now);
  forget_trouble(offset);
  leave(offset);
  progress();
  house_.changed(*this, 1);
  house_.settled();
}

void Consumer::failed(Offset offset, std::string error, bool for_good) {
  Trouble& trouble = trouble_at(offset);
  const core::Time now = house_.clock.now();
  if (trouble.attempts++ == 0) trouble.first_failed = now;
  trouble.state = Trouble::State::retry;
  trouble.error = std::move(error);
  ++meter_.failed;
  meter_.failure_rate.add(house_.clock.steady());
  items_.at(offset).work.reset();
  if (for_good || trouble.attempts >= subscription_.deliveries_max) {
    die(offset);
  } else {
    trouble.due = now + with_jitter(pause_after(trouble.attempts, subscription_.back_off), house_.random);
    retry_at(offset, trouble.due);
  }
  house_.changed(*this, 1);
}

void Consumer::retry_at(Offset offset, core::Time due) {
  items_.at(offset).state = State::back_off;
  block(offset);
  tasks_.spawn("back-off of " + name(), wake_at(offset, generation_, due));
}

core::Task<> Consumer::wake_at(Offset offset, uint64_t generation, core::Time due) {
  const Duration longest = *std::ranges::max_element(subscription_.back_off);  // also when the wall clock was set back
  co_await house_.clock.sleep_for(std::min<Duration>(due - house_.clock.now(), longest + longest / 10));
  auto item = items_.find(offset);
  if (generation != generation_ || item == items_.end() || item->second.state != State::back_off) co_return;
  unblock(offset);
  make_ready(offset);
  dispatch();
}

// Not counted: nobody failed.
void Consumer::back_to_line(Offset offset) {
  working_.erase(offset);
  Item& item = items_.at(offset);
  item.work.reset();
  item.state = State::ready;
  ready_.push_front(offset);
}

// --- Ack waits

// One sleeper for all of them: a deadline only ever moves away, so none is missed by sleeping to the next.
core::Task<> Consumer::watch_deadlines() {
  while (!working_.empty()) {
    co_await house_.clock.sleep_for(next_deadline_in());
    std::vector<Offset> late;
    for (const auto& [offset, work] : working_)
      if (!work->expired && work->deadline <= house_.clock.steady()) late.push_back(offset);
    for (Offset offset : late) expire(offset);
  }
  watching_ = false;
}

Duration Consumer::next_deadline_in() const {
  Duration next = subscription_.ack_wait;
  for (const auto& [offset, work] : working_)
    if (!work->expired) next = std::min<Duration>(next, work->deadline - house_.clock.steady());
  return std::max<Duration>(next, std::chrono::milliseconds(1));
}

void Consumer::expire(Offset offset) {
  auto place = working_.find(offset);
  if (place == working_.end()) return;
  auto work = place->second;
  work->expired = true;
  if (kind_ == Status::Kind::handler) {
    work->cancel.emit(boost::asio::cancellation_type::terminal);  // worked() hears how it ended
    return;
  }
  working_.erase(place);
  for (auto& connection : connections_) connection->in_hand.erase(offset);
  failed(offset, "It was not acknowledged within " +
                     std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(work->ack_wait).count()) +
                     " ms.");
  available_.ring();
}

core::Task<> Consumer::end_handlers() {
  std::vector<std::shared_ptr<Delivery::State>> running;
  for (const auto& [offset, work] : working_) running.push_back(work);
  for (const auto& work : running) work->cancel.emit(boost::asio::cancellation_type::terminal);
  const auto give_up = house_.clock.steady() + handlers_end_within;
  while (running_ > 0 && house_.clock.steady() < give_up)
    co_await idle_.wait_for(idle_.rung(), house_.clock, give_up - house_.clock.steady());
}

}  // namespace headrace::bus
