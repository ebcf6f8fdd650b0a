#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>

#include "core/task.h"

namespace headrace::core {

namespace asio = boost::asio;

namespace {

struct Waiter {
  explicit Waiter(const Executor& executor) : timer(executor) {}
  asio::steady_timer timer;
  bool woken = false;
};

}  // namespace

// Waiters are timers that notify_all() ends early: so a cancelled wait and a time-out come from Asio itself.
struct Signal::Impl {
  explicit Impl(Executor on) : executor(std::move(on)) {}

  void wake_all() {
    for (Waiter* waiter : waiting) {
      waiter->woken = true;
      waiter->timer.cancel();
    }
    waiting.clear();
  }

  Executor executor;
  std::list<Waiter*> waiting;
};

Signal::Signal(Executor executor) : impl_(std::make_shared<Impl>(std::move(executor))) {}

Signal::~Signal() { impl_->wake_all(); }

void Signal::notify_all() { impl_->wake_all(); }

Task<> Signal::wait() { co_await wait_for(std::chrono::nanoseconds::max()); }

Task<bool> Signal::wait_for(std::chrono::nanoseconds limit) {
  auto state = impl_;
  Waiter waiter(state->executor);
  if (limit == std::chrono::nanoseconds::max()) {
    waiter.timer.expires_at(asio::steady_timer::time_point::max());
  } else {
    waiter.timer.expires_after(limit);
  }
  auto place = state->waiting.insert(state->waiting.end(), &waiter);
  struct Leave {
    Impl& state;
    Waiter& waiter;
    std::list<Waiter*>::iterator place;
    ~Leave() {
      if (!waiter.woken) state.waiting.erase(place);
    }
  } leave{*state, waiter, place};
  auto [error] = co_await waiter.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  // Cancelled and woken at once: cancelled, for what it would go on with may be gone.
  auto cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  if (waiter.woken) co_return true;
  if (error) throw boost::system::system_error(error);  // cancelled
  co_return false;
}

}  // namespace headrace::core
