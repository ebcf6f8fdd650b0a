// What can be asked of a subscription: how far it is, what it waits for, and its measures.
#include <algorithm>

#include "bus/consumer.h"
#include "core/clock.h"

namespace headrace::bus {

namespace {

constexpr size_t examples_max = 10;  // of one reason
constexpr Duration running_worth_saying = std::chrono::seconds(1);

Waiting because(Waiting::Reason reason, core::Time since, std::string detail, Offset offset = 0, std::string key = {}) {
  return {.reason = reason, .since = since, .offset = offset, .key = std::move(key), .detail = std::move(detail)};
}

}  // namespace

std::string_view name_of(Waiting::Reason reason) {
  switch (reason) {
    case Waiting::Reason::paused: return "paused";
    case Waiting::Reason::gate: return "gate";
    case Waiting::Reason::handler: return "handler";
    case Waiting::Reason::back_off: return "back-off";
    case Waiting::Reason::held_key: return "held-key";
    case Waiting::Reason::no_credit: return "no-credit";
    case Waiting::Reason::concurrency: return "concurrency";
    case Waiting::Reason::catching_up: return "catching-up";
    case Waiting::Reason::not_started: return "not-started";
    case Waiting::Reason::absent: return "absent";
    case Waiting::Reason::log_unreadable: return "log-unreadable";
  }
  return "unknown";
}

std::vector<Waiting> Consumer::waiting() const {
  using enum Waiting::Reason;
  std::vector<Waiting> all;
  if (!present()) all.push_back(because(absent, last_progress_at_, "No handler of this program has this name."));
  if (present() && !started_)
    all.push_back(because(not_started, last_progress_at_, "The bus has not started to deliver."));
  if (paused_)
    all.push_back(because(paused, paused_since_, pause_reason_.empty() ? "It is paused." : "Paused: " + pause_reason_));
  if (read_error_) all.push_back(because(log_unreadable, last_progress_at_, read_error_->message, considered_to() + 1));
  if (gate_since_ && !arriving_.empty())
    all.push_back(
        because(gate, *gate_since_,
                "Its projection has not applied offset " + std::to_string(arriving_.front()->offset) + " yet.",
                arriving_.front()->offset));
  waiting_items(all);
  if (started_ && reader_ && !reader_->live() && considered_to() < house_.log.durable())
    all.push_back(because(catching_up, last_progress_at_,
                          "It reads older events: up to offset " + std::to_string(considered_to()) + " of " +
                              std::to_string(house_.log.durable()) + ".",
                          considered_to() + 1));
  return all;
}

void Consumer::waiting_items(std::vector<Waiting>& into) const {
  using enum Waiting::Reason;
  size_t handlers = 0, pauses = 0, holds = 0;
  for (const auto& [offset, work] : working_) {
    if (house_.clock.steady() - work->handed < running_worth_saying || handlers++ == examples_max) continue;
    const char* who = kind_ == Status::Kind::pull ? "Handed to a connection" : "Its handler has been running";
    into.push_back(because(handler, work->handed_at,
                           std::string(who) + " since " + core::format_time(work->handed_at) + ".", offset, work->key));
  }
  for (const auto& [offset, trouble] : troubles_) {
    auto item = items_.find(offset);
    if (item == items_.end()) continue;
    if (item->second.state == State::back_off && pauses++ < examples_max)
      into.push_back(because(back_off, trouble.first_failed,
                             "Failed " + std::to_string(trouble.attempts) + " times, next at " +
                                 core::format_time(trouble.due) + ": " + trouble.error,
                             offset, trouble.key));
    if (item->second.state == State::dead && holds++ < examples_max)
      into.push_back(because(held_key, trouble.due,
                             "The dead letter at offset " + std::to_string(offset) + " holds its key: " + trouble.error,
                             offset, trouble.key));
  }
  if (ready_.empty() || paused_ || !started_) return;
  if (kind_ == Status::Kind::pull) {
    into.push_back(because(no_credit, last_progress_at_,
                           connections_.empty()
                               ? "Nobody is connected."
                               : "Those connected have not acknowledged what they hold, or ask for nothing.",
                           ready_.front(), items_.at(ready_.front()).key));
  } else if (working_.size() >= subscription_.concurrency) {
    into.push_back(because(concurrency, last_progress_at_,
                           std::to_string(working_.size()) + " deliveries are at work, as many as it allows.",
                           ready_.front(), items_.at(ready_.front()).key));
  }
}

std::optional<Waiting> Consumer::first_waiting() const {
  auto all = waiting();
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

bool Consumer::work_waits() const { return !items_.empty() || !arriving_.empty() || read_error_.has_value(); }

Offset Consumer::oldest_unsettled() const {
  auto first = std::ranges::find_if(items_, [](const auto& entry) { return !entry.second.extra; });
  if (first != items_.end()) return first->first;
  return arriving_.empty() ? 0 : arriving_.front()->offset;
}

std::vector<HeldKey> Consumer::held_keys() const {
  std::vector<HeldKey> held;
  for (const auto& [offset, trouble] : troubles_) {
    if (trouble.state != Trouble::State::dead || !trouble.holds || held.size() == list_max) continue;
    auto line = lines_.find(trouble.key);
    held.push_back(
        {.key = trouble.key, .dead = offset, .waiting = line == lines_.end() ? 0 : line->second.offsets.size() - 1});
  }
  return held;
}

Status Consumer::status() const {
  Status status;
  status.subscription = subscription_;
  status.subscription.gate = nullptr;
  status.subscription.key = nullptr;
  status.kind = kind_;
  status.present = present();
  status.paused = paused_;
  status.stalled = stall.said;
  status.acknowledged = floor();
  status.read_to = considered_to();
  status.connections = connections_.size();
  status.waiting = waiting();
  status.held = held_keys();
  status.measures = measures();
  return status;
}

Measures Consumer::measures() const {
  Measures m;
  const auto now = house_.clock.steady();
  m.name = name();
  const Offset durable = house_.log.durable();
  const Offset seen = considered_to();
  const uint64_t unread = durable > seen ? durable - seen : 0;
  m.queue_length = items_.size() + unread;
  m.queue_exact = unread == 0;
  m.oldest_unacknowledged = age_of_oldest();
  m.delivered = meter_.delivered;
  m.delivered_per_second = meter_.delivered_rate.per_second(now);
  m.attempts = meter_.attempts;
  m.failed = meter_.failed;
  m.dead = dead_;
  for (const auto& [offset, trouble] : troubles_) m.held_keys += trouble.state == Trouble::State::dead && trouble.holds;
  if (m.held_keys > 0)
    for (const auto& held : held_keys()) m.held_events += held.waiting;
  m.in_flight = working_.size();
  const double attempts = meter_.attempt_rate.per_second(now);
  m.error_rate = attempts > 0 ? std::min(1.0, meter_.failure_rate.per_second(now) / attempts) : 0;
  m.handler_p50 = meter_.handler.quantile(0.5);
  m.handler_p99 = meter_.handler.quantile(0.99);
  m.response_p50 = meter_.response.quantile(0.5);
  m.response_p99 = meter_.response.quantile(0.99);
  return m;
}

Duration Consumer::age_of_oldest() const {
  const Offset oldest = oldest_unsettled();
  if (oldest == 0) return {};
  auto item = items_.find(oldest);
  Shared stored = item != items_.end() ? item->second.stored : arriving_.front();
  core::Time time;
  if (stored) {
    time = stored->time;
  } else if (auto read = house_.log.read(oldest, 1); read && !read->empty()) {
    time = read->front().time;
  } else {
    return {};
  }
  return std::max(Duration::zero(), house_.clock.now() - time);
}

}  // namespace headrace::bus
