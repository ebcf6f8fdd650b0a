#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <list>

#include "core/diagnostics.h"
#include "core/task.h"

namespace headrace::core {

namespace asio = boost::asio;

struct Scope::Impl {
  explicit Impl(Executor on) : executor(std::move(on)), idle(executor) {}

  void cancel_all() {
    // A task may end, and leave the list, while it is cancelled: step on before the signal is given.
    for (auto next = running.begin(); next != running.end();) {
      auto signal = *next++;
      signal->emit(asio::cancellation_type::terminal);
      // Outside of the loop Asio only queues the cancellation, with a pointer into the signal's slot: keep it until
      // then.
      asio::post(executor, [signal] {});
    }
  }

  Executor executor;
  std::list<std::shared_ptr<asio::cancellation_signal>> running;
  Signal idle;
};

namespace {

void report(const std::string& name, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    diagnose(Level::error, "core", "the task '" + name + "' ended by an exception: " + error.what());
  } catch (...) {
    diagnose(Level::error, "core", "the task '" + name + "' ended by an unknown exception");
  }
}

// Asio throws out of the loop where a task that was cancelled ends without ever having waited: it makes such a task
// wait once more, outside of what it catches. So a task's last step is not cancelled.
Task<> whole(Task<> task) {
  std::exception_ptr thrown;
  try {
    co_await std::move(task);
  } catch (...) {
    thrown = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace

Scope::Scope(Executor executor) : impl_(std::make_shared<Impl>(std::move(executor))) {}

Scope::~Scope() { impl_->cancel_all(); }

void Scope::spawn(std::string name, Task<> task, std::function<void(std::exception_ptr)> escaped) {
  auto signal = std::make_shared<asio::cancellation_signal>();
  auto place = impl_->running.insert(impl_->running.end(), signal);
  auto ended = [scope = impl_, place, name = std::move(name), escaped = std::move(escaped),
                signal](std::exception_ptr exception) {
    scope->running.erase(place);
    if (exception && !is_cancellation(exception)) escaped ? escaped(exception) : report(name, exception);
    if (scope->running.empty()) scope->idle.notify_all();
  };
  asio::co_spawn(impl_->executor, whole(std::move(task)),
                 asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

void Scope::cancel() { impl_->cancel_all(); }

Task<> Scope::close() {
  cancel();
  co_await until_idle();
}

Task<> Scope::until_idle() {
  auto scope = impl_;
  while (!scope->running.empty()) co_await scope->idle.wait();
}

size_t Scope::size() const { return impl_->running.size(); }

}  // namespace headrace::core
