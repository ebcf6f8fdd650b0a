#include "store/commands.h"

#include <algorithm>
#include <list>
#include <variant>

namespace headrace::store {

using core::Code;
using core::Result;
using core::Task;
using std::chrono::steady_clock;

namespace {

struct Turn {
  explicit Turn(const core::Executor& executor) : called(executor) {}
  core::Signal called;
  bool granted = false;
};

}  // namespace

struct CommandStrand::Impl {
  const core::Executor executor;
  Store& store;
  log::EventLog& log;
  const std::string projection;
  const Limits limits;
  bool busy = false;
  std::list<Turn*> queue = {};  // first come, first served; the turns live in the frames of those who wait

  void pass_on() {
    if (queue.empty()) {
      busy = false;
      return;
    }
    auto* next = queue.front();
    queue.pop_front();
    next->granted = true;
    next->called.notify_all();
  }
};

namespace {

using Impl = CommandStrand::Impl;

// The strand, once taken; passed on when the command ends, however it ends.
class Held {
 public:
  explicit Held(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  Held(Held&& other) noexcept = default;
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (impl_) impl_->pass_on();
  }

 private:
  std::shared_ptr<Impl> impl_;
};

Task<Result<Held>> take(std::shared_ptr<Impl> impl) {
  if (!std::exchange(impl->busy, true)) co_return Held(impl);
  if (impl->queue.size() >= impl->limits.waiters_max)
    co_return core::fail(Code::exhausted, "Too many commands are waiting. Try again in a moment.", impl->projection);
  Turn turn(impl->executor);
  impl->queue.push_back(&turn);
  struct Leave {  // a cancelled wait gives up its place, or the turn it has just been given
    Impl& impl;
    Turn& turn;
    bool taken = false;
    ~Leave() {
      if (!turn.granted) {
        std::erase(impl.queue, &turn);
      } else if (!taken) {
        impl.pass_on();
      }
    }
  } leave{*impl, turn};
  const auto deadline = steady_clock::now() + impl->limits.wait_max;
  while (!turn.granted) {
    const bool called = co_await turn.called.wait_for(deadline - steady_clock::now());
    if (!called && !turn.granted)
      co_return core::fail(Code::exhausted, "The command waited too long for those before it. Try again.",
                           impl->projection);
  }
  leave.taken = true;
  co_return Held(impl);
}

using AnyCheck = std::variant<CommandStrand::Check, CommandStrand::WaitingCheck>;

// To the newest event there is, also one that is still on its way to the disk and made an Expected fail.
Task<Result<>> catch_up(std::shared_ptr<Impl> impl, Offset known) {
  const auto tail = std::max(known, impl->log.durable());
  if (impl->store.applied(impl->projection) >= tail) co_return Result<>();
  co_return co_await impl->store.caught_up(impl->projection, tail, impl->limits.behind_max);
}

Task<Result<log::Batch>> decide(std::shared_ptr<Impl> impl, const AnyCheck& check) {
  if (const auto* waiting = std::get_if<CommandStrand::WaitingCheck>(&check)) co_return co_await (*waiting)();
  const auto& here = std::get<CommandStrand::Check>(check);
  co_return impl->store.read_here(impl->projection, std::nullopt,
                                  [&here](sqlite::Connection& tables) { return here(tables); });
}

Task<Result<Outcome>> shown(std::shared_ptr<Impl> impl, log::Appended appended) {
  Outcome outcome{.offsets = std::move(appended.offsets), .duplicate = appended.duplicate, .applied = true};
  const auto last = std::ranges::max(outcome.offsets);
  auto applied = co_await impl->store.caught_up(impl->projection, last, impl->limits.applied_max);
  outcome.applied = applied.has_value();
  co_return outcome;
}

Offset newest_of(log::EventLog& log, const std::vector<log::Expected>& expected) {
  Offset newest = 0;
  for (const auto& one : expected) newest = std::max(newest, log.last_of(one.key).value_or(0));
  return newest;
}

Task<Result<Outcome>> command(std::shared_ptr<Impl> impl, AnyCheck check) {
  const auto held = co_await take(impl);
  if (!held) co_return std::unexpected(held.error());
  Offset known = 0;
  for (int attempt = 1;; ++attempt) {
    if (auto ready = co_await catch_up(impl, known); !ready) co_return std::unexpected(ready.error());
    auto batch = co_await decide(impl, check);
    if (!batch) co_return std::unexpected(batch.error());
    if (batch->events.empty()) co_return Outcome();
    const auto expected = batch->expected;
    auto appended = co_await impl->log.append(std::move(*batch));
    if (appended) co_return co_await shown(impl, std::move(*appended));
    const bool moved = appended.error().code == Code::conflict && !expected.empty();
    if (!moved || attempt >= impl->limits.attempts_max) co_return std::unexpected(appended.error());
    known = newest_of(impl->log, expected);
  }
}

}  // namespace

CommandStrand::CommandStrand(core::Executor executor, Store& store, log::EventLog& log, std::string projection,
                             Limits limits)
    : impl_(std::make_shared<Impl>(Impl{std::move(executor), store, log, std::move(projection), limits})) {}
CommandStrand::~CommandStrand() = default;

Task<Result<Outcome>> CommandStrand::run(Check check) {
  return command(impl_, AnyCheck(std::in_place_type<Check>, std::move(check)));
}

Task<Result<Outcome>> CommandStrand::run_waiting(WaitingCheck check) {
  return command(impl_, AnyCheck(std::in_place_type<WaitingCheck>, std::move(check)));
}

size_t CommandStrand::waiting() const { return impl_->queue.size(); }

}  // namespace headrace::store
