#include "server/streaming.h"

namespace headrace::server {

using core::Task;

namespace {

Task<> tell_end_of(Task<> work, bool& over, core::Signal& ended) {
  co_await std::move(work);
  over = true;
  ended.notify_all();
}

}  // namespace

Task<> stream_while_open(core::Loop& loop, net::Exchange& exchange, Task<> pump) {
  core::Signal ended(loop.executor());
  core::Scope tasks(loop.executor());
  bool over = false;
  auto failed = [&](std::exception_ptr) {
    over = true;
    ended.notify_all();
  };
  tasks.spawn("stream", tell_end_of(std::move(pump), over, ended), failed);
  tasks.spawn("end of a client", tell_end_of(exchange.until_ending(), over, ended), failed);
  while (!over) co_await ended.wait();
  co_await tasks.close();
}

}  // namespace headrace::server
