// Task is how work that waits is written; Loop runs it; Scope owns it; Signal wakes it; Pool takes what would block.
//
// Rules (STYLE, "Concurrency"): a coroutine is a named function with parameters by value; whoever starts a task awaits
// it or holds it in a Scope; every wait has an end; nothing held across co_await is trusted to be still there.
//
// g++ 12 destroys twice, in a statement that holds co_await: a lambda with captures that have destructors, a braced
// aggregate, a ?: of class type, and an aggregate's default argument `= {}` (write `= Options()`). Name such a thing
// before the statement and move it in. tests/coroutine_rules finds them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/result.h"

namespace headrace::core {

template <class T = void>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

// True for the exception that unwinds a cancelled task; a catch-all lets it pass on.
bool is_cancellation(const std::exception_ptr& exception);

// One thread's event loop. Everything but post() and stop() is for the thread that runs it.
class Loop {
 public:
  Loop();
  ~Loop();  // destroys tasks that have not finished
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();           // until stop(), or until nothing is left to do
  void stop();          // any thread
  void keep_running();  // run() does not end for lack of work, only by stop()
  size_t poll();        // runs what is ready, without waiting; returns how many handlers ran. For tests.

  void post(std::move_only_function<void()> work);  // any thread
  // Starts a task nobody awaits; for the roots of the tree of work only. An exception that escapes is handed to
  // `escaped`, or ends the process with its message where there is none.
  void spawn(Task<> task, std::function<void(std::exception_ptr)> escaped = {});
  Executor executor() const;

  // Runs the loop until the task has ended and returns its value; what it throws is thrown here.
  template <class T>
  T run(Task<T> task);

 private:
  struct Impl;
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& into) {
    into.emplace(co_await std::move(task));
  }
  void run_to_end(Task<> task);
  std::unique_ptr<Impl> impl_;
};

template <class T>
T Loop::run(Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    run_to_end(std::move(task));
  } else {
    std::optional<T> value;
    run_to_end(keep(std::move(task), value));
    return std::move(*value);
  }
}

// The tasks of one owner. close() cancels and waits for them; an owner closes its scope before it goes.
class Scope {
 public:
  explicit Scope(Executor executor);
  ~Scope();  // cancels what is left, without waiting: what those tasks refer to must then outlive them
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // `escaped` hears an exception other than cancellation; without it, it is reported to diagnostics under `name`.
  void spawn(std::string name, Task<> task, std::function<void(std::exception_ptr)> escaped = {});
  void cancel();
  Task<> close();       // cancel, then wait until none is left. Not from within one of its own tasks.
  Task<> until_idle();  // wait until none is left, without cancelling
  size_t size() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the tasks still running, which leave it as they end
};

class Clock;

// Wakes tasks of one loop. Loop thread only. A wake that nobody waits for is not remembered: check, then wait.
class Signal {
 public:
  explicit Signal(Executor executor);
  ~Signal();  // wakes all
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void notify_all();
  Task<> wait();
  // False when `limit` passed first (measured by the system's steady clock).
  Task<bool> wait_for(std::chrono::nanoseconds limit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the waiters, so that a wake during destruction is safe
};

// A bounded set of threads for work that blocks. Work that does not fit in the queue, or has waited past its deadline,
// is refused with Code::exhausted (HTTP 503).
class Pool {
 public:
  struct Limits {
    size_t threads = 1;
    size_t queue_max = 1024;
    std::chrono::milliseconds wait_max{10'000};  // longest time in the queue
  };
  Pool(std::string name, Limits limits);
  ~Pool();  // finishes what runs, drops what is queued
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Called on a loop; resumes there. An exception of `work` is thrown to the caller. When the task is cancelled, work
  // that has not begun never will, and what has begun is waited for: it may use what the caller owns.
  Task<Result<>> run(std::move_only_function<void()> work);
  size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Runs `work` on the pool and returns what it returned; a Result is not wrapped twice.
template <class Work, class T = std::invoke_result_t<Work>>
Task<Result<T>> blocking(Pool& pool, Work work)
  requires(!requires { typename T::error_type; })
{
  if constexpr (std::is_void_v<T>) {
    co_return co_await pool.run(std::move(work));
  } else {
    auto value = std::make_shared<std::optional<T>>();
    auto call = [value, held = std::move(work)]() mutable { value->emplace(held()); };
    auto done = co_await pool.run(std::move(call));
    if (!done) co_return std::unexpected(done.error());
    co_return std::move(**value);
  }
}

template <class Work, class T = std::invoke_result_t<Work>>
Task<T> blocking(Pool& pool, Work work)
  requires requires { typename T::error_type; }
{
  auto value = std::make_shared<std::optional<T>>();
  auto call = [value, held = std::move(work)]() mutable { value->emplace(held()); };
  auto done = co_await pool.run(std::move(call));
  if (!done) co_return std::unexpected(done.error());
  co_return std::move(**value);
}

}  // namespace headrace::core
