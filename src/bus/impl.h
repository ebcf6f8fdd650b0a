// The bus from within: its consumers, what is to be written, who waits. The room's own; loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bus/bell.h"
#include "bus/bus.h"
#include "bus/cause_index.h"
#include "bus/consumer.h"
#include "bus/cursor_store.h"
#include "bus/reader.h"

namespace headrace::bus {

inline constexpr std::string_view bus_service = "bus";

// Whether one publish may hold these; invalid, with the reason, where it may not.
core::Result<> check_all(const std::vector<events::Event>& events);

struct Bus::Impl {
  Impl(Bus& bus, Parts with, Options how, std::unique_ptr<CursorStore> cursors, std::unique_ptr<CauseIndex> index);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // --- bus.cc: life, publishing
  core::Result<> load();
  void start();
  core::Task<> close();
  core::Task<bool> wait_until_handled(std::vector<Offset> offsets, Duration limit);
  bool handled(const std::vector<Offset>& offsets) const;

  // --- subscribing.cc
  core::Result<std::shared_ptr<Consumer>> make(Subscription subscription, Status::Kind kind, bool& is_new);
  template <class H>
  core::Result<> subscribe(Subscription subscription, H handler);
  bool is_stored(const Subscription& subscription) const;
  core::Result<Offset> resolve(const Start& start) const;  // the last offset not to be heard
  core::Result<std::shared_ptr<Consumer>> consumer(std::string_view name) const;
  core::Task<core::Result<>> remember(std::shared_ptr<Consumer> consumer);  // all of it, durable

  // --- writing.cc: cursors
  void changed(Consumer& consumer, size_t acks);
  core::Task<> flush_soon();
  core::Task<> flush();
  core::Task<core::Result<>> write(std::function<core::Result<>()> work);  // `work` runs on the pool, one at a time
  core::Task<> lock();
  void unlock();
  core::Task<> keep_index();
  core::Task<core::Result<bool>> index_some();

  // --- watch.cc: what the bus says
  core::Task<core::Result<>> say_dead(std::string name, Trouble dead, Shared original);
  core::Task<> watch_for_stalls();
  void look_for_stall(Consumer& consumer);
  void say_stalled(Consumer& consumer, const Waiting& why);
  void say_recovered(Consumer& consumer);
  template <class T>
  void say_aside(T said);  // not waited for; a failure goes to diagnostics
  template <class T>
  core::Task<> say_quietly(T said);
  template <class T>
  core::Task<core::Result<>> say(T said, core::Actor actor);

  Bus& self;
  Parts parts;
  Options options;
  std::unique_ptr<CursorStore> store;
  std::unique_ptr<CauseIndex> causes;
  Router router;
  House house;
  Channels channels;
  std::map<std::string, std::shared_ptr<Consumer>, std::less<>> consumers;
  std::map<std::string, std::set<std::string>> said_by;  // service -> types
  bool started = false, closing = false;

  std::set<std::string> dirty;    // consumers whose change is to be written
  std::set<std::string> unsaved;  // those of which a write failed: all of it is to be written
  size_t acks = 0;
  bool flushing = false, writing = false;
  Bell flush_now, written, settled, moved;
  core::Scope tasks;
};

template <class T>
core::Task<core::Result<>> Bus::Impl::say(T said, core::Actor actor) {
  auto published = co_await self.say(std::move(said), Origin::root(std::string(bus_service), std::move(actor)));
  if (!published) co_return std::unexpected(published.error());
  co_return core::Result<>{};
}

}  // namespace headrace::bus
