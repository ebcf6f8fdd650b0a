#include "process/signals.h"

#include <signal.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::process {

namespace asio = boost::asio;

struct SignalWatch::Impl {
  explicit Impl(const core::Executor& executor) : set(executor) {}
  asio::signal_set set;
};

SignalWatch::SignalWatch(core::Executor executor, std::initializer_list<int> numbers)
    : impl_(std::make_unique<Impl>(executor)) {
  for (int number : numbers) impl_->set.add(number);
}

SignalWatch::~SignalWatch() = default;

core::Task<int> SignalWatch::next() { co_return co_await impl_->set.async_wait(asio::use_awaitable); }

void ignore_broken_pipes() { ::signal(SIGPIPE, SIG_IGN); }

}  // namespace headrace::process
