#include "server/pulse.h"

#include <utility>

namespace headrace::server {

Pulse::Pulse(core::Loop& loop, core::Clock& clock, std::function<uint64_t()> durable)
    : clock_(clock), durable_(std::move(durable)), tasks_(loop.executor()) {}

void Pulse::start() { tasks_.spawn("pulse of the log", count()); }

core::Task<> Pulse::stop() { return tasks_.close(); }

core::Task<> Pulse::count() {
  auto before = durable_();
  while (true) {
    co_await clock_.sleep_for(std::chrono::seconds(1));
    auto now = durable_();
    beats_.push_back({clock_.now(), now - before});
    if (beats_.size() > seconds_max) beats_.pop_front();
    before = now;
  }
}

}  // namespace headrace::server
