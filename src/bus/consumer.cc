#include "bus/consumer.h"

#include <algorithm>

#include "core/diagnostics.h"
#include "events/event.h"

namespace headrace::bus {

namespace {

constexpr Duration unreadable_pause = std::chrono::seconds(1);
constexpr size_t take_events_max = 256;

void clamp(Cursor& cursor, Offset durable) {
  cursor.floor = std::min(cursor.floor, durable);
  cursor.seen = std::min(cursor.seen, durable);
  std::erase_if(cursor.unsettled, [durable](Offset offset) { return offset > durable; });
}

}  // namespace

Consumer::Consumer(House& house, Remembered remembered, Matcher matcher)
    : house_(house),
      kind_(remembered.kind),
      matcher_(std::move(matcher)),
      available_(house.loop.executor()),
      room_(house.loop.executor()),
      idle_(house.loop.executor()),
      tasks_(house.loop.executor()) {
  restore(std::move(remembered));
  last_progress_ = house_.clock.steady();
  last_progress_at_ = house_.clock.now();
}

Consumer::~Consumer() = default;

// The cursor is never ahead of the log: a log that lost its end with the power wins (EVENT-LOG.md, section 2).
void Consumer::restore(Remembered remembered) {
  subscription_ = std::move(remembered.subscription);
  name_ = std::make_shared<const std::string>(subscription_.name);
  paused_ = remembered.paused;
  pause_reason_ = std::move(remembered.pause_reason);
  paused_since_ = remembered.paused_since;
  const Offset durable = house_.log.durable();
  written_ = remembered.cursor;
  restored_ = std::move(remembered.cursor);
  clamp(restored_, durable);
  for (auto& trouble : remembered.troubles) {
    if (trouble.offset > durable) {
      gone_troubles_.insert(trouble.offset);
      continue;
    }
    dead_ += trouble.state == Trouble::State::dead;
    if (trouble.state == Trouble::State::dead && !trouble.said) unsaid_.insert(trouble.offset);
    troubles_.emplace(trouble.offset, std::move(trouble));
  }
}

void Consumer::hand_to(Handler handler) { handler_ = std::move(handler); }
void Consumer::hand_to(AsyncHandler handler) { async_handler_ = std::move(handler); }

void Consumer::start() {
  if (started_ || !present()) return;
  started_ = true;
  begin_reading();
}

void Consumer::begin_reading() {
  const Reader::Limits limits{.events = intake_events_max, .bytes = size_t{1} << 20};
  reader_ = std::make_unique<Reader>(house_.router, house_.log, house_.pool, house_.loop.executor(), matcher_,
                                     restored_.floor + 1, limits);
  for (auto& [offset, trouble] : troubles_) {
    if (trouble.state != Trouble::State::replay || wanted(offset)) continue;
    enter(offset, {.stored = nullptr, .key = trouble.key, .extra = true, .work = nullptr});
    ++extras_;
  }
  tasks_.spawn("subscription " + name(), pump(), [this](std::exception_ptr exception) { pump_failed(exception); });
  say_unsaid();
  dispatch();
}

core::Task<> Consumer::stop() {
  stopping_ = true;
  co_await tasks_.close();
  co_await end_handlers();
  abandon();
  available_.ring();
}

void Consumer::abandon() {
  restored_ = cursor();
  stopping_ = stopped_ = true;
  ++generation_;
  reader_.reset();
}

void Consumer::pause(std::string reason) {
  if (!paused_) paused_since_ = house_.clock.now();
  paused_ = true;
  pause_reason_ = std::move(reason);
}

void Consumer::resume() {
  paused_ = false;
  pause_reason_.clear();
  dispatch();
}

core::Task<core::Result<>> Consumer::seek(Offset from) {
  if (std::exchange(seeking_, true))
    co_return core::fail(core::Code::conflict,
                         "The subscription '" + name() + "' is being moved already. Look again in a moment.");
  struct Moving {
    bool& flag;
    ~Moving() { flag = false; }
  } moving{seeking_};
  co_await move_to(from);
  co_return core::Result<>{};
}

core::Task<> Consumer::move_to(Offset from) {
  ++generation_;
  if (started_) {
    co_await tasks_.close();
    co_await end_handlers();
  }
  forget_work();
  std::vector<Offset> tried;
  for (auto& [offset, trouble] : troubles_) {
    if (trouble.state != Trouble::State::dead) tried.push_back(offset);
    if (trouble.holds && offset < from) trouble_at(offset).holds = false;
  }
  for (Offset offset : tried) forget_trouble(offset);
  restored_ = {.floor = from - 1, .seen = from - 1, .unsettled = {}};
  if (started_ && !stopping_) begin_reading();
}

void Consumer::forget_work() {
  reader_.reset();
  arriving_.clear();
  items_.clear();
  lines_.clear();
  ready_.clear();
  working_.clear();
  stuck_ = loaded_bytes_ = extras_ = 0;
  watching_ = saying_ = false;
  gate_since_.reset();
  for (auto& connection : connections_) connection->in_hand.clear();
}

// --- Reading

core::Task<> Consumer::pump() {
  while (true) {
    co_await take_arrivals();
    dispatch();
    house_.settled();
    if (const auto rung = room_.rung(); !has_room()) {
      co_await room_.wait(rung);
      continue;
    }
    auto ready = co_await reader_->ready();
    if (!ready) {
      read_error_ = ready.error();
      co_await house_.clock.sleep_for(unreadable_pause);
      continue;
    }
    read_error_.reset();
    if (!work_waits()) progress();  // it was idle: a stall is counted from here
    for (auto& stored : reader_->take(take_events_max)) arriving_.push_back(std::move(stored));
  }
}

// A gate or a key function threw: the event stays where it is, and is tried again.
void Consumer::pump_failed(std::exception_ptr exception) {
  gate_since_.reset();
  read_error_ = core::Error{core::Code::unavailable, "The gate or the ordering key failed: " + what_of(exception), {}};
  if (!stopping_)
    tasks_.spawn("subscription " + name(), pump_again(), [this](std::exception_ptr again) { pump_failed(again); });
}

core::Task<> Consumer::pump_again() {
  co_await house_.clock.sleep_for(unreadable_pause);
  read_error_.reset();
  co_await pump();
}

core::Task<> Consumer::take_arrivals() {
  while (!arriving_.empty()) {
    const Offset offset = arriving_.front()->offset;
    if (subscription_.gate && wanted(offset)) co_await pass_gate(offset);
    intake(arriving_.front());
    arriving_.pop_front();
  }
}

core::Task<> Consumer::pass_gate(Offset offset) {
  if (!ready_.empty()) dispatch();  // what is through already does not wait for this one
  gate_since_ = house_.clock.now();
  co_await subscription_.gate(offset);
  gate_since_.reset();
}

size_t Consumer::intake_limit() const {
  if (kind_ == Status::Kind::handler) return intake_events_max;
  size_t credit = 8;
  for (const auto& connection : connections_) credit += connection->credit;
  return std::min(credit * 2, pull_credit_max);
}

bool Consumer::has_room() const {
  return items_.size() - stuck_ < intake_limit() && loaded_bytes_ < intake_bytes_max && items_.size() < unsettled_max;
}

bool Consumer::wanted(Offset offset) const {
  return offset > restored_.seen || std::ranges::binary_search(restored_.unsettled, offset);
}

void Consumer::intake(Shared stored) {
  const Offset offset = stored->offset;
  if (!wanted(offset) || items_.contains(offset)) return;
  auto trouble = troubles_.find(offset);
  if (trouble != troubles_.end() && trouble->second.state == Trouble::State::dead && !trouble->second.holds) return;
  std::string key = key_of(stored->event);
  loaded_bytes_ += size_of(stored->event);
  enter(offset, {.stored = std::move(stored), .key = std::move(key), .work = nullptr});
}

std::string Consumer::key_of(const events::Event& event) const {
  std::string key;
  if (subscription_.key) {
    key = subscription_.key(event);
  } else if (subscription_.order_by == "*") {
    key = "*";
  } else if (!subscription_.order_by.empty()) {
    const auto value = events::attribute(event, subscription_.order_by);
    if (value && std::holds_alternative<std::string>(*value)) key = std::get<std::string>(*value);
    if (value && std::holds_alternative<int32_t>(*value)) key = std::to_string(std::get<int32_t>(*value));
  }
  if (key.size() > ordering_key_max) key.resize(ordering_key_max);
  return key;
}

// --- Lines

void Consumer::enter(Offset offset, Item item) {
  Item& placed = items_.emplace(offset, std::move(item)).first->second;
  if (placed.key.empty()) return become_head(offset);
  Line& line = lines_[placed.key];
  line.offsets.push_back(offset);
  if (line.offsets.size() == 1) return become_head(offset);
  if (line.blocked) set_stuck(placed, true);
}

void Consumer::become_head(Offset offset) {
  auto trouble = troubles_.find(offset);
  if (trouble == troubles_.end()) return make_ready(offset);
  switch (trouble->second.state) {
    case Trouble::State::replay: return make_ready(offset);
    case Trouble::State::retry: return retry_at(offset, trouble->second.due);
    case Trouble::State::dead: break;
  }
  items_.at(offset).state = State::dead;
  block(offset);
}

void Consumer::make_ready(Offset offset) {
  items_.at(offset).state = State::ready;
  ready_.push_back(offset);
}

void Consumer::leave(Offset offset) {
  auto place = items_.find(offset);
  unblock(offset);
  let_go(place->second);
  extras_ -= place->second.extra;
  const std::string key = std::move(place->second.key);
  items_.erase(place);
  if (!key.empty()) {
    auto line = lines_.find(key);
    line->second.offsets.pop_front();
    if (line->second.offsets.empty()) {
      lines_.erase(line);
    } else {
      become_head(line->second.offsets.front());
    }
  }
  room_.ring();
}

void Consumer::block(Offset offset) {
  Item& item = items_.at(offset);
  set_stuck(item, true);
  if (item.key.empty()) return;
  Line& line = lines_.at(item.key);
  line.blocked = true;
  for (Offset behind : line.offsets) set_stuck(items_.at(behind), true);
  room_.ring();
}

void Consumer::unblock(Offset offset) {
  Item& item = items_.at(offset);
  set_stuck(item, false);
  if (item.key.empty()) return;
  Line& line = lines_.at(item.key);
  if (!std::exchange(line.blocked, false)) return;
  for (Offset behind : line.offsets) set_stuck(items_.at(behind), false);
}

void Consumer::set_stuck(Item& item, bool stuck) {
  if (stuck) let_go(item);
  if (item.stuck == stuck) return;
  item.stuck = stuck;
  stuck ? ++stuck_ : --stuck_;
}

void Consumer::let_go(Item& item) {
  if (!item.stored) return;
  loaded_bytes_ -= size_of(item.stored->event);
  item.stored.reset();
}

// --- What is settled

Offset Consumer::considered_to() const {
  if (!arriving_.empty()) return arriving_.front()->offset - 1;
  return std::max(reader_ ? reader_->position() : restored_.floor, restored_.floor);
}

Offset Consumer::floor() const {
  if (!reader_) return restored_.floor;
  auto first = std::ranges::find_if(items_, [](const auto& entry) { return !entry.second.extra; });
  return first == items_.end() ? considered_to() : std::min(first->first - 1, considered_to());
}

bool Consumer::settled(Offset offset) const {
  if (!started_ || stopped_) return true;
  if (considered_to() < offset) return false;
  auto item = items_.find(offset);
  return item == items_.end() || item->second.state == State::dead;
}

void Consumer::progress() {
  last_progress_ = house_.clock.steady();
  last_progress_at_ = house_.clock.now();
}

Cursor Consumer::cursor() const {
  if (!reader_) return restored_;
  Cursor cursor{.floor = floor(), .seen = std::max(considered_to(), restored_.seen), .unsettled = {}};
  for (const auto& [offset, item] : items_)
    if (!item.extra) cursor.unsettled.push_back(offset);
  for (Offset offset : restored_.unsettled)  // remembered from before, and not read again yet
    if (offset > considered_to()) cursor.unsettled.push_back(offset);
  return cursor;
}

Remembered Consumer::remember() const {
  Remembered remembered;
  remembered.subscription = subscription_;
  remembered.kind = kind_;
  remembered.paused = paused_;
  remembered.pause_reason = pause_reason_;
  remembered.paused_since = paused_since_;
  remembered.cursor = cursor();
  for (const auto& [offset, trouble] : troubles_) remembered.troubles.push_back(trouble);
  return remembered;
}

Change Consumer::take_change() {
  Change change{.name = name(), .cursor = {}, .troubles = {}, .gone = {}};
  if (auto now = cursor(); now != written_) {
    written_ = now;
    change.cursor = std::move(now);
  }
  for (Offset offset : changed_troubles_)
    if (auto trouble = troubles_.find(offset); trouble != troubles_.end()) change.troubles.push_back(trouble->second);
  change.gone.assign(gone_troubles_.begin(), gone_troubles_.end());
  changed_troubles_.clear();
  gone_troubles_.clear();
  return change;
}

bool Consumer::lags() const {
  constexpr Offset far = 1'000;
  return started_ && !stopped_ && floor() > written_.floor + far;
}

}  // namespace headrace::bus
