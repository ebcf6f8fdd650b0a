#include "bus/publisher.h"

#include <mutex>
#include <utility>

#include "bus/impl.h"

namespace headrace::bus {

struct Publisher::Answers : std::enable_shared_from_this<Publisher::Answers> {
  struct Answer {
    Done done;
    core::Result<log::Appended> appended;
  };

  explicit Answers(core::Loop& on) : loop(on) {}

  // Any thread.
  void add(Done done, core::Result<log::Appended> appended) {
    {
      std::lock_guard lock(mutex);
      waiting.push_back({std::move(done), std::move(appended)});
      if (waiting.size() > 1) return;  // the first has asked for the loop
    }
    loop.post([here = shared_from_this()] { here->tell(); });
  }

  void tell() {
    std::vector<Answer> answers;
    {
      std::lock_guard lock(mutex);
      answers.swap(waiting);
    }
    for (auto& [done, appended] : answers) {
      if (gone) return;
      done(appended ? core::Result<Published>(Published{std::move(*appended)}) : std::unexpected(appended.error()));
    }
  }

  core::Loop& loop;
  bool gone = false;  // loop only
  std::mutex mutex;
  std::vector<Answer> waiting;  // for the loop
};

Publisher::Publisher(Bus& bus, core::Loop& loop) : log_(bus.log()), answers_(std::make_shared<Answers>(loop)) {}

Publisher::~Publisher() { answers_->gone = true; }

void Publisher::publish(std::vector<events::Event> events, Publish how, Done done) {
  if (auto good = check_all(events); !good) return answers_->add(std::move(done), std::unexpected(good.error()));
  log::Batch batch{std::move(events), std::move(how.key), std::move(how.expected), how.durability};
  log_.submit(std::move(batch),
              [answers = answers_, told = std::move(done)](core::Result<log::Appended> appended) mutable {
                answers->add(std::move(told), std::move(appended));
              });
}

}  // namespace headrace::bus
