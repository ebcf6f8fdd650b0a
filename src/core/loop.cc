#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "core/diagnostics.h"
#include "core/task.h"

namespace headrace::core {

namespace asio = boost::asio;

bool is_cancellation(const std::exception_ptr& exception) {
  if (!exception) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (const asio::multiple_exceptions& several) {  // of a cancelled `a || b`
    return is_cancellation(several.first_exception());
  } catch (...) {
    return false;
  }
}

struct Loop::Impl {
  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard;
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  impl_->context.restart();
  impl_->context.run();
}

void Loop::stop() { impl_->context.stop(); }

void Loop::keep_running() { impl_->guard.emplace(asio::make_work_guard(impl_->context)); }

size_t Loop::poll() {
  impl_->context.restart();
  return impl_->context.poll();
}

void Loop::post(std::move_only_function<void()> work) { asio::post(impl_->context, std::move(work)); }

void Loop::spawn(Task<> task, std::function<void(std::exception_ptr)> escaped) {
  asio::co_spawn(impl_->context, std::move(task), [escaped = std::move(escaped)](std::exception_ptr exception) {
    if (!exception || is_cancellation(exception)) return;
    if (escaped) return escaped(exception);
    std::rethrow_exception(exception);  // out of run(), to whoever owns the loop
  });
}

Executor Loop::executor() const { return impl_->context.get_executor(); }

void Loop::run_to_end(Task<> task) {
  bool ended = false;
  std::exception_ptr failure;
  asio::co_spawn(impl_->context, std::move(task), [&](std::exception_ptr exception) {
    ended = true;
    failure = std::move(exception);
    impl_->context.stop();
  });
  impl_->context.restart();
  impl_->context.run();
  if (failure) std::rethrow_exception(failure);
  require(ended, "the loop ran out of work before its task had ended");
}

}  // namespace headrace::core
