// Publisher is for who sends many events and answers each: no task waits for every one of them. The answers to one
// batch of the log come in one turn of the loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bus/publish.h"
#include "core/task.h"
#include "events/event.h"

namespace headrace::bus {

class Bus;

// Loop only.
class Publisher {
 public:
  using Done = std::move_only_function<void(core::Result<Published>)>;

  Publisher(Bus& bus, core::Loop& loop);  // both outlive this
  ~Publisher();                           // what is under way is published all the same, and nobody hears of it
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // As Bus::publish, which waits where this returns; but for `sync`, which is ignored. `done` is called once, from the
  // loop, never within this call. It may publish again; it must not destroy this.
  void publish(std::vector<events::Event> events, Publish how, Done done);

 private:
  struct Answers;
  log::EventLog& log_;
  std::shared_ptr<Answers> answers_;  // shared with what the log has not answered yet
};

}  // namespace headrace::bus
