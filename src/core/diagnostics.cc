#include "core/diagnostics.h"

#include <unistd.h>

#include <atomic>
#include <string>

#include "core/clock.h"

namespace headrace::core {

namespace {

std::atomic<Level> least_level{Level::info};

std::string_view word(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "?";
}

}  // namespace

void diagnose(Level level, std::string_view room, std::string_view text) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::string line = format_time(now);
  line.append(" ").append(word(level)).append(" ").append(room).append(": ");
  for (char c : text) line.push_back(c == '\n' || c == '\r' ? ' ' : c);  // one line each, whatever the text holds
  line.push_back('\n');
  // Nowhere is left to report that the standard error is gone.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void set_diagnostics_level(Level least) { least_level.store(least, std::memory_order_relaxed); }

}  // namespace headrace::core
