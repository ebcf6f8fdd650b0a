// Local is the bus as a library: a durable log in a folder, subscriptions with filters, and a thread that runs them.
//
//   #include <bus/bus.h>
//   int main() {
//     headrace::bus::Local bus{"./events"};
//     auto heard = bus.subscribe("type LIKE 'com.example.%'", [](const headrace::events::Event& event) { ... });
//     bus.publish({.type = "com.example.greeted", .data = R"({"hello":"world"})"});  // durable, and heard
//   }
//
// Any thread may call it, but for publish() within a handler: that would wait for itself, and is refused. The folder is
// this process's alone while it is open (Code::conflict for another).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bus/publish.h"
#include "bus/subscription.h"
#include "bus/topic.h"
#include "core/result.h"
#include "events/event.h"

namespace headrace::bus {

class Bus;

// What the caller must give of an event; the rest is filled in: a new id, now, and application/json where data is
// given.
struct Draft {
  std::string type;
  std::string data = {};
  std::string subject = {};
  std::string source = "/local";
  std::string id = {};
  std::map<std::string, events::Attribute, std::less<>> extensions = {};
};
events::Event to_event(Draft draft, std::string id, core::Time now);

class Local {
 public:
  using Hear = std::function<void(const events::Event&)>;
  using HearTask = std::function<core::Task<core::Result<>>(Delivery)>;
  using Done = std::function<void(core::Result<Published>)>;

  // Opens the folder, making what is missing. Throws std::runtime_error with a sentence where that cannot be; open()
  // answers with an Error instead.
  explicit Local(std::string folder);
  static core::Result<std::unique_ptr<Local>> open(std::string folder);
  ~Local();  // ends handlers that are waiting, writes cursors, closes the log
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;

  // Hears what is published from now on, in order, until the answer is destroyed. `filter` is CloudEvents SQL; empty:
  // everything. Throws std::runtime_error where it is none. The handler runs on the bus's thread; an exception of it
  // leads to redelivery. Destroying the answer waits until the handler is not running, except within the handler.
  Held subscribe(std::string_view filter, Hear handler);
  // Durable under its name: after a restart it goes on where it was. As Bus::subscribe.
  core::Result<Held> subscribe(Subscription subscription, Hear handler);
  core::Result<Held> subscribe(Subscription subscription, HearTask handler);

  // Returns when the event is durable, and (for at most 5 s; see Published::handled) its handlers have run.
  core::Result<Published> publish(Draft draft, Sync sync = Sync::before_return);
  core::Result<Published> publish(std::vector<events::Event> events, Publish options);
  // Returns at once; `done` is called on the bus's thread.
  void publish_async(Draft draft, Done done = {});
  void publish_async(std::vector<events::Event> events, Publish options, Done done);
  // co_await from a task of any loop; goes on there.
  core::Task<core::Result<Published>> publish_task(Draft draft, Sync sync = Sync::no);

  // The whole bus, for `work` on its thread (loop only, see bus/bus.h); returns when it has run.
  void with(std::function<void(Bus&)> work);

 private:
  struct Impl;
  explicit Local(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::bus
