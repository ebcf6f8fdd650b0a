#include <utility>

#include "net/sse.h"

namespace headrace::net {

core::Task<core::Result<>> SseWriter::open(Headers extra) {
  extra.set("Content-Type", "text/event-stream");
  extra.set("Cache-Control", "no-store");
  extra.set("X-Accel-Buffering", "no");  // proxies: hand it on at once
  auto started = co_await exchange_.start(Status::ok, std::move(extra));
  if (!started) co_return started;
  co_return co_await heartbeat();
}

core::Task<core::Result<>> SseWriter::send(ServerSentEvent event) {
  const std::string bytes = encode(event);
  co_return co_await exchange_.write(bytes);
}

core::Task<core::Result<>> SseWriter::send_encoded(std::string_view bytes) { return exchange_.write(bytes); }

core::Task<core::Result<>> SseWriter::heartbeat() { return exchange_.write(":\n\n"); }

core::Task<core::Result<>> SseWriter::retry_after(std::chrono::milliseconds wait) {
  const std::string bytes = "retry: " + std::to_string(wait.count()) + "\n\n";
  co_return co_await exchange_.write(bytes);
}

core::Task<core::Result<>> SseWriter::close() { return exchange_.finish(); }

}  // namespace headrace::net
