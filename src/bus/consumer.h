// Consumer is one subscription at work: it reads what its filter matches, keeps ordering keys apart, hands events over,
// hears how each went, and knows at any moment what is settled. The room's own; loop only.
//
// An event that was read is an Item until it is settled. Items with an ordering key stand in that key's Line, and only
// the head of a line is handed over. A line whose head failed or is dead is blocked: what stands in it is let go from
// memory and read again when its turn comes, so a held key costs offsets, not events.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bus/bell.h"
#include "bus/cursor_store.h"
#include "bus/delivery.h"
#include "bus/feed.h"
#include "bus/matcher.h"
#include "bus/meter.h"
#include "bus/reader.h"
#include "bus/subscription.h"
#include "core/random.h"

namespace headrace::bus {

// What a consumer needs of the bus. All of it outlives every consumer that has not been stopped.
struct House {
  core::Loop& loop;
  core::Clock& clock;
  core::Random& random;
  log::EventLog& log;
  core::Pool* pool;
  Router& router;
  std::function<void(Consumer&, size_t acks)> changed;  // its cursor or troubles want to be written
  std::function<void()> settled;                        // a publisher that waits may look again
  std::function<core::Task<core::Result<>>(std::string name, Trouble dead, Shared original)> say_dead;
};

std::string what_of(const std::exception_ptr& exception);  // in words

inline constexpr size_t intake_events_max = 1'000;             // events in memory, a subscription
inline constexpr size_t intake_bytes_max = size_t{8} << 20;    // beyond either it reads no further
inline constexpr std::chrono::seconds handlers_end_within{5};  // when stopped, after they were cancelled

class Consumer : public std::enable_shared_from_this<Consumer> {
 public:
  Consumer(House& house, Remembered remembered, Matcher matcher);
  ~Consumer();

  // --- Life.
  void hand_to(Handler handler);
  void hand_to(AsyncHandler handler);
  bool present() const { return kind_ == Status::Kind::pull || handler_ || async_handler_; }
  void start();
  core::Task<> stop();  // cancels and waits; nothing is counted as failed; afterwards it is not touched any more
  void abandon();       // the same at once, for the end of the bus
  void pause(std::string reason);
  void resume();
  core::Task<core::Result<>> seek(Offset from);  // conflict: another is under way

  // --- Dead letters. not_found where there is none at the offset.
  core::Result<Trouble> dead_letter(Offset offset) const;
  std::vector<DeadLetter> dead_letters(Offset after, size_t max) const;
  core::Result<> replay(Offset offset);
  core::Result<> discard(Offset offset);

  // --- Pull.
  void attach(std::shared_ptr<Pull::Impl> connection);
  void detach(Pull::Impl& connection);
  std::vector<Handed> take(Pull::Impl& connection, size_t max);
  core::Result<> acknowledge(Pull::Impl& connection, Offset offset);
  core::Result<> refuse(Pull::Impl& connection, Offset offset, std::string why, bool for_good);
  core::Result<> extend(Pull::Impl& connection, Offset offset);
  void credit_changed();
  Bell& available() { return available_; }
  bool stopped() const { return stopped_; }
  core::Clock& clock() { return house_.clock; }

  // --- Memory.
  Remembered remember() const;
  Change take_change();
  bool as_stored() const { return written_ == restored_ && gone_troubles_.empty(); }  // before it is started
  bool lags() const;  // its written cursor is far behind although nothing was acknowledged

  // --- Questions.
  const std::string& name() const { return *name_; }
  Status::Kind kind() const { return kind_; }
  const Subscription& subscription() const { return subscription_; }
  bool settled(Offset offset) const;  // nothing to wait for: done, dead, or no event for this one
  Status status() const;
  uint64_t dead() const { return dead_; }
  bool paused() const { return paused_; }
  Measures measures() const;
  std::optional<Waiting> first_waiting() const;
  bool work_waits() const;
  Offset oldest_unsettled() const;  // 0: none
  Offset floor() const;
  core::Steady last_progress() const { return last_progress_; }
  core::Time last_progress_at() const { return last_progress_at_; }

  // Kept here by the watch for stalls.
  struct Stall {
    bool said = false;
    core::Steady since;
    Offset oldest = 0;
    std::optional<core::Steady> last_said;
  } stall;

 private:
  enum class State { queued, ready, working, back_off, dead };
  struct Item {
    Shared stored;  // null: let go, read again when handed over
    std::string key;
    State state = State::queued;
    bool extra = false;  // a replayed dead letter, no part of the cursor
    bool stuck = false;  // counted in stuck_
    std::shared_ptr<Delivery::State> work;
  };
  struct Line {
    std::deque<Offset> offsets;
    bool blocked = false;
  };
  using Items = std::map<Offset, Item>;

  // consumer.cc: reading, lines
  void restore(Remembered remembered);
  void begin_reading();
  core::Task<> move_to(Offset from);
  core::Task<> pump();
  core::Task<> pump_again();
  void pump_failed(std::exception_ptr exception);
  core::Task<> take_arrivals();
  core::Task<> pass_gate(Offset offset);
  bool has_room() const;
  size_t intake_limit() const;
  bool wanted(Offset offset) const;
  void intake(Shared stored);
  void enter(Offset offset, Item item);
  void become_head(Offset offset);
  void leave(Offset offset);
  void make_ready(Offset offset);
  void block(Offset offset);
  void unblock(Offset offset);
  void set_stuck(Item& item, bool stuck);
  void let_go(Item& item);
  std::string key_of(const events::Event& event) const;
  Offset considered_to() const;
  Cursor cursor() const;
  void progress();
  void forget_work();

  // consumer_delivery.cc: handing over, outcomes
  void dispatch();
  void dispatch_later();
  bool load(Offset offset, Item& item);
  std::shared_ptr<Delivery::State> begin_work(Offset offset, Item& item);
  void call(std::shared_ptr<Delivery::State> work);
  void call_async(std::shared_ptr<Delivery::State> work);
  void worked(const std::shared_ptr<Delivery::State>& work, std::exception_ptr exception, core::Result<> result);
  core::Task<> watch_deadlines();
  Duration next_deadline_in() const;
  void expire(Offset offset);
  void done(Offset offset);
  void failed(Offset offset, std::string error, bool for_good = false);
  void retry_at(Offset offset, core::Time due);
  core::Task<> wake_at(Offset offset, uint64_t generation, core::Time due);
  void back_to_line(Offset offset);
  core::Task<> end_handlers();

  // consumer_dead.cc
  void die(Offset offset);
  core::Task<> say_letters();
  core::Task<core::Result<>> say_dead(Offset offset);
  void say_unsaid();
  Trouble& trouble_at(Offset offset);  // made where there is none; to be written
  void forget_trouble(Offset offset);

  // consumer_status.cc
  std::vector<Waiting> waiting() const;
  void waiting_items(std::vector<Waiting>& into) const;
  std::vector<HeldKey> held_keys() const;
  Duration age_of_oldest() const;

  House& house_;
  Subscription subscription_;
  std::shared_ptr<const std::string> name_;  // shared with deliveries, which may be kept
  Status::Kind kind_;
  Matcher matcher_;
  Handler handler_;
  AsyncHandler async_handler_;

  bool started_ = false, paused_ = false, stopping_ = false, stopped_ = false, seeking_ = false;
  std::string pause_reason_;
  core::Time paused_since_;

  Cursor restored_;  // what of it was unsettled is delivered, the rest up to `seen` is not
  std::unique_ptr<Reader> reader_;
  std::deque<Shared> arriving_;  // read, and not yet through the gate
  std::optional<core::Time> gate_since_;
  std::optional<core::Error> read_error_;

  Items items_;
  std::unordered_map<std::string, Line> lines_;
  std::deque<Offset> ready_;
  std::map<Offset, std::shared_ptr<Delivery::State>> working_;
  size_t stuck_ = 0;
  size_t loaded_bytes_ = 0;
  size_t extras_ = 0;
  size_t running_ = 0;  // handlers that have not returned, those from before a seek too
  uint64_t generation_ = 1;
  bool dispatching_ = false, dispatch_posted_ = false, watching_ = false;

  std::map<Offset, Trouble> troubles_;
  std::set<Offset> changed_troubles_, gone_troubles_;
  std::set<Offset> unsaid_;  // dead letters that are not on the log yet
  bool saying_ = false;
  size_t dead_ = 0;
  Cursor written_;

  std::vector<std::shared_ptr<Pull::Impl>> connections_;
  Bell available_, room_, idle_;
  core::Scope tasks_;  // pump, deadlines, back-offs, what is said of dead letters
  Meter meter_;
  core::Steady last_progress_;
  core::Time last_progress_at_;
};

struct Pull::Impl {
  std::shared_ptr<Consumer> consumer;
  size_t credit = 1;
  std::set<Offset> in_hand;
};

}  // namespace headrace::bus
