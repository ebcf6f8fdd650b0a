// Stream is the one kind of connection: TCP, TLS or Unix socket, read and written without blocking, each wait with a
// deadline. Internal to net; loop thread only.
//
// Errors: exhausted (the deadline passed), unavailable (the other end has gone, or cut() was called). A cancelled task
// is unwound by the exception of cancellation. One task at a time reads, one at a time writes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/task.h"
#include "net/timers.h"
#include "net/tls.h"

namespace headrace::net {

// Counted by every stream of one owner.
struct Traffic {
  uint64_t open = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t timeouts = 0;
};

// Up to three pieces written as one: the frame around a body and the body itself, uncopied.
struct Parts {
  std::string_view head;
  std::string_view body = {};
  std::string_view tail = {};
  size_t size() const { return head.size() + body.size() + tail.size(); }
  void drop(size_t bytes);  // off the front
};

class Stream {
 public:
  // Owns the descriptor of a connected, non-blocking socket. `timers` outlives it.
  Stream(core::Executor executor, int descriptor, Timers& timers, std::shared_ptr<Traffic> traffic,
         std::unique_ptr<TlsSession> tls);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // What can be done at once.
  Step try_read(std::span<std::byte> into);
  Step try_write(Parts parts);

  // Until there is something. 0 at the end of what the other end sends.
  core::Task<core::Result<size_t>> read(std::span<std::byte> into);
  // All of it; `stall` is the longest time without a byte taken.
  core::Task<core::Result<>> write(Parts parts, core::Duration stall);
  core::Task<core::Result<>> until_writable(core::Duration limit);  // once: that a connection has come about
  core::Task<core::Result<>> shake_hands();  // TLS; nothing to do without. Under the deadline of reading.

  // The deadline of all reads until it is set again.
  void read_within(core::Duration limit);
  void read_whenever();

  // Calls once when something may have changed: then try. Also called, or dropped, when the stream is cut. Not beside a
  // task that waits for the same.
  void when_readable(std::move_only_function<void()> then);
  void when_writable(std::move_only_function<void()> then);

  void finish_writing();  // the other end sees the end of the stream (with TLS's close_notify)
  void cut();             // no more of anything; wakes who waits
  bool is_cut() const;
  bool over_tls() const;
  int descriptor() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A failure of reading or writing as a Result's.
std::unexpected<core::Error> lost(const Step& step);

}  // namespace headrace::net
