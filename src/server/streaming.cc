#include "server/streaming.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::server {

using core::Task;
namespace asio = boost::asio;

namespace {

struct Race {
  explicit Race(core::Executor executor) : ended(std::move(executor)) {}
  void end() {
    over = true;
    ended.notify_all();
  }
  bool over = false;
  core::Signal ended;
};

Task<> tell_end_of(Task<> work, Race& race) {
  co_await std::move(work);
  race.end();
}

Task<> until_over(Race& race) {
  while (!race.over) co_await race.ended.wait();
}

}  // namespace

Task<> let_others() {
  auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

Task<> then_close(Task<> work, core::Scope& tasks) {
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  // Who is cancelled waits all the same for what uses its locals.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await tasks.close();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (failure) std::rethrow_exception(failure);
}

Task<> until_one_ends(core::Loop& loop, Task<> one, Task<> other) {
  Race race(loop.executor());
  core::Scope tasks(loop.executor());
  std::exception_ptr failure;
  auto failed = [&race, &failure](std::exception_ptr exception) {
    failure = exception;
    race.end();
  };
  tasks.spawn("one of two", tell_end_of(std::move(one), race), failed);
  tasks.spawn("the other of two", tell_end_of(std::move(other), race), failed);
  co_await then_close(until_over(race), tasks);
  if (failure) std::rethrow_exception(failure);
}

Task<> stream_while_open(core::Loop& loop, net::Exchange& exchange, Task<> pump) {
  return until_one_ends(loop, std::move(pump), exchange.until_ending());
}

}  // namespace headrace::server
