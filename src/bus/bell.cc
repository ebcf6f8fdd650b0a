#include "bus/bell.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

namespace headrace::bus {

core::Task<> Bell::wait(uint64_t looked_at) {
  while (rung_ == looked_at) co_await signal_.wait();
}

core::Task<bool> Bell::wait_for(uint64_t looked_at, core::Clock& clock, core::Duration limit) {
  if (rung_ != looked_at) co_return true;
  if (limit <= core::Duration::zero()) co_return false;
  co_await within(wait(looked_at), clock, limit);
  co_return rung_ != looked_at;
}

core::Task<bool> within(core::Task<> task, core::Clock& clock, core::Duration limit) {
  using namespace boost::asio::experimental::awaitable_operators;
  try {
    auto first = co_await (std::move(task) || clock.sleep_for(limit));
    co_return first.index() == 0;
  } catch (const boost::asio::multiple_exceptions& both) {  // cancelled from outside: as one cancellation
    std::rethrow_exception(both.first_exception());
  }
}

}  // namespace headrace::bus
