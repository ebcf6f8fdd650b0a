// Router is the live end of the log: it reads every batch once and hands each event to those readers whose types can
// match, waking each once a batch. Reader is one cursor: it catches up from the log in bounded reads, then joins the
// router, with nothing missed or doubled where they meet; one that does not keep up goes back to reading. Loop only.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bus/matcher.h"
#include "bus/subscription.h"
#include "core/task.h"
#include "log/event_log.h"

namespace headrace::bus {

class Reader;

size_t size_of(const events::Event& event);  // bytes it takes in memory, about

class Router {
 public:
  Router(core::Loop& loop, log::EventLog& log);  // both outlive this
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  Offset tail() const { return tail_; }  // everything up to here was handed to the readers that have joined
  void join(Reader& reader);
  void leave(Reader& reader);
  // Called on the loop each time the tail has moved.
  void on_progress(std::function<void()> heard) { progressed_ = std::move(heard); }
  size_t readers() const { return joined_; }

 private:
  struct Wake;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Readers = std::unordered_set<Reader*>;

  void follow();
  const std::vector<std::string>& types_heard();  // where nobody hears any type: others need not be read
  void hand_out(std::vector<log::Stored> batch);
  void offer(const Readers& readers, const Shared& stored);
  void give_up();

  log::EventLog& log_;
  std::shared_ptr<Wake> wake_;  // shared with the log's watch and with what it posted
  log::EventLog::Watch watch_;
  Offset tail_ = 0;
  std::unordered_map<std::string, Readers, Hash, std::equal_to<>> by_type_;
  Readers any_type_;
  std::vector<std::string> types_heard_;
  bool types_changed_ = true;
  size_t joined_ = 0;
  Readers woken_;     // in the batch at hand
  Readers too_slow_;  // in the batch at hand
  std::function<void()> progressed_;
};

class Reader {
 public:
  struct Limits {
    size_t events = 256;
    size_t bytes = 512 * 1024;
  };
  // All outlive this, but for a null pool. `from` is the first offset to consider.
  Reader(Router& router, log::EventLog& log, core::Pool* pool, core::Executor executor, Matcher matcher, Offset from,
         Limits limits);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Waits until take() has something. One caller at a time; to cancel it loses nothing.
  core::Task<core::Result<>> ready();
  std::vector<Shared> take(size_t max);  // what has arrived and matches, in order
  // Everything up to here was taken or does not match.
  Offset position() const;
  bool live() const { return live_; }
  size_t queued() const { return queue_.size(); }
  const Matcher& matcher() const { return matcher_; }

 private:
  friend class Router;
  bool offer(const Shared& stored);  // false: no room; reads by itself from there on
  void push(Shared stored);
  core::Task<core::Result<>> read_on();
  void take_in(std::vector<log::Stored> read, Offset durable);
  void step_behind(Offset next);

  Router& router_;
  log::EventLog& log_;
  core::Pool* pool_;
  Matcher matcher_;
  Limits limits_;
  core::Signal arrived_;
  Offset next_;  // the first offset not yet looked at, while not live
  bool live_ = false;
  std::deque<Shared> queue_;
  size_t queued_bytes_ = 0;
};

}  // namespace headrace::bus
