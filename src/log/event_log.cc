#include "log/event_log.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log/completions.h"

namespace headrace::log {

std::string_view name_of(Durability durability) { return durability == Durability::disk ? "disk" : "memory"; }

namespace {

using Answer = core::Result<Appended>;

// Hands the waiting task to the log; the loop is kept alive until the answer is there.
struct Submit {
  EventLog* log;

  template <class Handler>
  void operator()(Handler handler, Batch batch) const {
    core::Executor executor = boost::asio::get_associated_executor(handler);
    auto work = boost::asio::make_work_guard(executor);
    auto done = [executor, held = std::move(handler), guard = std::move(work)](Answer answer) mutable {
      AnswerRound::post(executor,
                        [resume = std::move(held), answer = std::move(answer), guard = std::move(guard)]() mutable {
                          guard.reset();
                          std::move(resume)(std::move(answer));
                        });
    };
    log->submit(std::move(batch), std::move(done));
  }
};

}  // namespace

core::Task<Answer> EventLog::append(Batch batch) {
  Submit submit{this};
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Answer)>(
      submit, boost::asio::use_awaitable, std::move(batch));
}

}  // namespace headrace::log
