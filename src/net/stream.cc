#include "net/stream.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

namespace headrace::net {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

void Parts::drop(size_t bytes) {
  for (std::string_view* part : {&head, &body, &tail}) {
    const size_t taken = std::min(bytes, part->size());
    part->remove_prefix(taken);
    bytes -= taken;
  }
}

std::unexpected<core::Error> lost(const Step& step) {
  return core::fail(core::Code::unavailable, "The connection was lost.", step.reason);
}

namespace {

constexpr size_t tls_record = 16 * 1024;

Step step_of_errno(Step::Kind again) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {.kind = again};
  return {.kind = Step::Kind::failed, .reason = core::error_of_errno(errno, "the socket").message};
}

Step receive(int descriptor, std::span<std::byte> into) {
  const ssize_t got = ::recv(descriptor, into.data(), into.size(), 0);
  if (got < 0) return step_of_errno(Step::Kind::wants_read);
  if (got == 0) return {.kind = Step::Kind::ended};
  return {.kind = Step::Kind::moved, .bytes = static_cast<size_t>(got)};
}

Step send(int descriptor, const Parts& parts) {
  std::array<iovec, 3> pieces;
  size_t count = 0;
  for (std::string_view part : {parts.head, parts.body, parts.tail})
    if (!part.empty()) pieces[count++] = {const_cast<char*>(part.data()), part.size()};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
  if (sent < 0) return step_of_errno(Step::Kind::wants_write);
  return {.kind = Step::Kind::moved, .bytes = static_cast<size_t>(sent)};
}

// One record for what fits in one, however many pieces it comes in.
Step send(TlsSession& tls, const Parts& parts) {
  for (std::string_view part : {parts.head, parts.body, parts.tail})
    if (part.size() >= tls_record || part.size() == parts.size())
      return tls.write(part);
    else if (!part.empty())
      break;
  std::array<char, tls_record> record;
  size_t size = 0;
  for (std::string_view part : {parts.head, parts.body, parts.tail})
    size += part.copy(record.data() + size, record.size() - size);
  return tls.write({record.data(), size});
}

}  // namespace

struct Stream::Impl {
  // When it is due, all who wait look at `passed`.
  struct Limit final : Deadline {
    explicit Limit(Impl& of) : stream(of) {}
    void due() override {
      passed = true;
      ++stream.traffic->timeouts;
      stream.wake();
    }
    Impl& stream;
    bool passed = false;
  };

  Impl(core::Executor executor, int fd, Timers& wheel, std::shared_ptr<Traffic> counted,
       std::unique_ptr<TlsSession> session)
      : descriptor(executor, fd), timers(wheel), traffic(std::move(counted)), tls(std::move(session)) {
    ++traffic->open;
  }
  ~Impl() { --traffic->open; }

  void wake() {
    ++wakes;
    boost::system::error_code ignored;
    descriptor.cancel(ignored);
  }

  core::Task<core::Result<>> wait(Step::Kind wanted, Limit& limit);

  Descriptor descriptor;
  Timers& timers;
  std::shared_ptr<Traffic> traffic;  // shared with the owner and its other streams
  std::unique_ptr<TlsSession> tls;
  Limit reading{*this};
  Limit writing{*this};
  uint64_t wakes = 0;    // tells a wake() from the cancellation of a task
  bool drained = false;  // the last read took less than it could: there is nothing to fetch before the next wait
  bool cut = false;
};

// Returns to try again, or with the reason not to.
core::Task<core::Result<>> Stream::Impl::wait(Step::Kind wanted, Limit& limit) {
  if (cut) co_return core::fail(core::Code::unavailable, "The connection was closed here.");
  if (!limit.passed) {
    const auto direction = wanted == Step::Kind::wants_read ? Descriptor::wait_read : Descriptor::wait_write;
    const uint64_t wakes_before = wakes;
    auto [error] = co_await descriptor.async_wait(direction, asio::as_tuple(asio::use_awaitable));
    if (error && wakes == wakes_before) throw boost::system::system_error(error);
  }
  if (cut) co_return core::fail(core::Code::unavailable, "The connection was closed here.");
  if (limit.passed) co_return core::fail(core::Code::exhausted, "The other end of the connection took too long.");
  co_return core::Result<>();
}

Stream::Stream(core::Executor executor, int descriptor, Timers& timers, std::shared_ptr<Traffic> traffic,
               std::unique_ptr<TlsSession> tls)
    : impl_(std::make_unique<Impl>(std::move(executor), descriptor, timers, std::move(traffic), std::move(tls))) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Step Stream::try_read(std::span<std::byte> into) {
  if (impl_->cut) return {.kind = Step::Kind::failed, .reason = "closed here"};
  Step step = impl_->tls ? impl_->tls->read(into) : receive(impl_->descriptor.native_handle(), into);
  impl_->traffic->received += step.bytes;
  impl_->drained = !impl_->tls && step.kind == Step::Kind::moved && step.bytes < into.size();
  return step;
}

Step Stream::try_write(Parts parts) {
  if (impl_->cut) return {.kind = Step::Kind::failed, .reason = "closed here"};
  Step step = impl_->tls ? send(*impl_->tls, parts) : send(impl_->descriptor.native_handle(), parts);
  impl_->traffic->sent += step.bytes;
  return step;
}

core::Task<core::Result<size_t>> Stream::read(std::span<std::byte> into) {
  while (true) {
    auto wanted = Step::Kind::wants_read;
    if (!std::exchange(impl_->drained, false)) {
      Step step = try_read(into);
      if (step.kind == Step::Kind::moved) co_return step.bytes;
      if (step.kind == Step::Kind::ended) co_return size_t{0};
      if (step.kind == Step::Kind::failed) co_return lost(step);
      wanted = step.kind;
    }
    auto ready = co_await impl_->wait(wanted, impl_->reading);
    if (!ready) co_return std::unexpected(std::move(ready.error()));
  }
}

core::Task<core::Result<>> Stream::write(Parts parts, core::Duration stall) {
  while (parts.size() > 0) {
    Step step = try_write(parts);
    parts.drop(step.bytes);
    if (step.kind == Step::Kind::moved) continue;
    if (step.kind == Step::Kind::ended || step.kind == Step::Kind::failed) co_return lost(step);
    impl_->timers.arm(impl_->writing, stall);
    auto ready = co_await impl_->wait(step.kind, impl_->writing);
    impl_->timers.disarm(impl_->writing);
    if (!ready) co_return std::unexpected(std::move(ready.error()));
  }
  co_return core::Result<>();
}

core::Task<core::Result<>> Stream::until_writable(core::Duration limit) {
  impl_->timers.arm(impl_->writing, limit);
  auto ready = co_await impl_->wait(Step::Kind::wants_write, impl_->writing);
  impl_->timers.disarm(impl_->writing);
  co_return ready;
}

core::Task<core::Result<>> Stream::shake_hands() {
  if (!impl_->tls) co_return core::Result<>();
  while (true) {
    Step step = impl_->tls->shake_hands();
    if (step.kind == Step::Kind::moved) co_return core::Result<>();
    if (step.kind == Step::Kind::ended || step.kind == Step::Kind::failed) co_return lost(step);
    auto ready = co_await impl_->wait(step.kind, impl_->reading);
    if (!ready) co_return std::unexpected(std::move(ready.error()));
  }
}

void Stream::read_within(core::Duration limit) {
  impl_->reading.passed = false;
  impl_->timers.arm(impl_->reading, limit);
}

void Stream::read_whenever() {
  impl_->reading.passed = false;
  impl_->timers.disarm(impl_->reading);
}

void Stream::when_readable(std::move_only_function<void()> then) {
  impl_->descriptor.async_wait(Descriptor::wait_read,
                               [then = std::move(then)](boost::system::error_code) mutable { then(); });
}

void Stream::when_writable(std::move_only_function<void()> then) {
  impl_->descriptor.async_wait(Descriptor::wait_write,
                               [then = std::move(then)](boost::system::error_code) mutable { then(); });
}

void Stream::finish_writing() {
  if (impl_->cut) return;
  if (impl_->tls) impl_->tls->finish();
  ::shutdown(impl_->descriptor.native_handle(), SHUT_WR);
}

void Stream::cut() {
  if (impl_->cut) return;
  impl_->cut = true;
  impl_->timers.disarm(impl_->reading);
  impl_->timers.disarm(impl_->writing);
  ::shutdown(impl_->descriptor.native_handle(), SHUT_RDWR);
  impl_->wake();
}

bool Stream::is_cut() const { return impl_->cut; }
bool Stream::over_tls() const { return impl_->tls != nullptr; }
int Stream::descriptor() const { return impl_->descriptor.native_handle(); }

}  // namespace headrace::net
