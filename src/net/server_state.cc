#include "net/server_state.h"

#include <ctime>
#include <utility>

#include "core/random.h"

namespace headrace::net {

ServerState::ServerState(core::Executor on, core::Clock& time, Handler answers, Limits bounds)
    : executor(on),
      clock(time),
      handler(std::move(answers)),
      limits(bounds),
      timers(on, time, bounds.tick),
      traffic(std::make_shared<Traffic>()) {
  core::SystemRandom random;
  id_prefix_ = core::random_hex(random, 4) + "-";  // only to tell one run of the server from the next in diagnostics
}

const std::string& ServerState::date() {
  const int64_t second = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
  if (second == date_second_) return date_;
  date_second_ = second;
  const std::time_t time = second;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  date_.assign(text, strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));  // the locale is always "C"
  return date_;
}

std::string ServerState::next_request_id() { return id_prefix_ + std::to_string(++ids_); }

}  // namespace headrace::net
