#include "process/init_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <map>

#include "process/init_image.h"
#include "process/init_protocol.h"
#include "process/packet.h"

namespace headrace::process {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;
using init::Kind;
using init::Message;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr Exit lost{.code = 0, .signal = SIGKILL};

core::Error gone_error() {
  return {Code::unavailable, "The surroundings of the job have ended, and what ran in them with them.", {}};
}

core::Error start_error(const Message& answer, const InitClient::Run& wanted) {
  auto number = static_cast<int>(answer.number);
  auto stage = static_cast<init::Stage>(answer.value);
  auto detail = fmt::format("errno {} at stage {}", number, answer.value);
  const std::string& program = wanted.argv.front();
  if (stage == init::Stage::directory)
    return {Code::not_found,
            fmt::format("The working directory '{}' does not exist. Make it, or name another one.", wanted.directory),
            detail};
  if (number == ENOENT || number == ENOTDIR)
    return {Code::not_found,
            fmt::format("The program '{}' (or the interpreter its first line names) is not there, in the place where "
                        "the job runs.",
                        program),
            detail};
  if (number == EACCES || number == EPERM)
    return {Code::denied, fmt::format("'{}' may not be run: it is not executable.", program), detail};
  if (number == ENOEXEC)
    return {Code::invalid, fmt::format("'{}' is not a program for this machine, nor a script with a #! line.", program),
            detail};
  if (number == E2BIG || number == EINVAL)
    return {Code::invalid, "The command line and environment are too long. Use a file instead.", detail};
  return {Code::exhausted,
          "The job has no process or memory left to start a program with: it is at a limit, or the machine is.",
          detail};
}

}  // namespace

struct InitClient::Impl : std::enable_shared_from_this<InitClient::Impl> {
  struct Known {  // of one run, by its number
    std::optional<Message> answer;
    std::optional<Exit> exit;
    core::Signal changed;
    explicit Known(const core::Executor& loop) : changed(loop) {}
  };

  Impl(core::Executor on, Descriptor control, std::optional<uid_t> whose)
      : loop(std::move(on)), owner(whose), socket(loop, control.release()), changed(loop), reading(loop) {}

  static Task<> hear(std::shared_ptr<Impl> self);
  bool hear_one();
  void take(const Message& message, Descriptor descriptor);
  void lose();
  Result<> send(const Message& message, std::array<int, init::descriptors_max> descriptors, size_t count);
  Result<> send(const Message& message) { return send(message, {}, 0); }
  void signal(uint32_t id, Kind kind, int number);
  Task<bool> until_changed(std::chrono::steady_clock::time_point deadline);

  core::Executor loop;
  std::optional<uid_t> owner;
  asio::posix::stream_descriptor socket;
  core::Signal changed;
  core::Scope reading;
  bool open = true;
  bool is_ready = false;
  bool has_ended = false;
  uint32_t last_id = 0;
  std::map<uint32_t, std::shared_ptr<Known>> known;  // shared with the tasks and children that wait for it
  struct Listening {
    Listener listener;
    int error = 0;  // errno
  };
  std::map<uint32_t, Listening> listeners;  // answered, not taken
  Usage used;
  uint64_t exceeded = 0;
  Descriptor uplink;
  int no_uplink = 0;  // why, an errno
  pid_t outside_pid = 0;
  uint64_t outside_start = 0;
};

namespace {

// A process within: like a child of ours, but its end comes as a message.
template <class Impl>
class InitChild final : public Child {
 public:
  using Known = typename Impl::Known;
  InitChild(std::shared_ptr<Impl> init, uint32_t id, std::shared_ptr<Known> known, Descriptor in, Descriptor out)
      : init_(std::move(init)), id_(id), known_(std::move(known)), in_(init_->loop), out_(init_->loop) {
    if (in) in_.assign(in.release());
    out_.assign(out.release());
  }
  ~InitChild() override { signal_group(SIGKILL); }

  pid_t pid() const override { return init_->outside_pid; }
  uint64_t start_time() const override { return init_->outside_start; }
  bool ended() const override { return known_->exit.has_value(); }

  Task<Result<size_t>> read(Stream, std::span<std::byte> bytes) override {
    auto [error, count] = co_await out_.async_read_some(asio::buffer(bytes.data(), bytes.size()), as_value);
    if (error == asio::error::eof) co_return size_t{0};
    if (error)
      co_return core::fail(Code::unavailable,
                           "The connection to a process of the job ended while reading what it prints.",
                           error.message());
    co_return count;
  }
  Task<Result<>> write(std::span<const std::byte> bytes) override {
    auto [error, count] = co_await asio::async_write(in_, asio::buffer(bytes.data(), bytes.size()), as_value);
    if (error)
      co_return core::fail(Code::unavailable, "The connection to a process of the job ended while writing its input.",
                           error.message());
    co_return Result<>{};
  }
  void close_in() override { shut(in_); }
  void close(Stream) override { shut(out_); }

  Task<Result<Exit>> wait() override {
    while (!known_->exit) co_await known_->changed.wait();
    co_return *known_->exit;
  }
  void signal(int number) override {
    if (!known_->exit) init_->signal(id_, Kind::signal, number);
  }
  void signal_group(int number) override {
    if (!known_->exit) init_->signal(id_, Kind::signal_group, number);
  }
  Task<Result<Exit>> end(std::chrono::milliseconds grace) override {
    auto deadline = std::chrono::steady_clock::now() + grace;
    if (grace.count() > 0) signal_group(SIGTERM);
    while (!known_->exit && std::chrono::steady_clock::now() < deadline) {
      auto waited = co_await known_->changed.wait_for(deadline - std::chrono::steady_clock::now());
      if (!waited) break;
    }
    signal_group(SIGKILL);
    co_return co_await wait();
  }

 private:
  static void shut(asio::posix::stream_descriptor& pipe) {
    boost::system::error_code ignored;  // the descriptor is closed whatever close(2) says
    pipe.close(ignored);
  }

  std::shared_ptr<Impl> init_;
  uint32_t id_;
  std::shared_ptr<Known> known_;
  asio::posix::stream_descriptor in_, out_;
};

// The words of a run, as init_protocol.h has them.
Result<Descriptor> payload_of(const InitClient::Run& wanted) {
  if (wanted.argv.empty() || wanted.argv.size() + wanted.environment.size() > init::words_max)
    return core::fail(Code::invalid, "A command of a job has no program, or too many arguments.");
  init::Payload counts{static_cast<uint32_t>(wanted.argv.size()), static_cast<uint32_t>(wanted.environment.size())};
  std::string bytes(reinterpret_cast<const char*>(&counts), sizeof counts);
  auto add = [&bytes](const std::string& word) {
    bool whole = word.find('\0') == std::string::npos;
    bytes.append(word).push_back('\0');
    return whole;
  };
  bool good = add(wanted.directory);
  for (const auto& word : wanted.argv) good = add(word) && good;
  for (const auto& word : wanted.environment) good = add(word) && good;
  if (!good) return core::fail(Code::invalid, "An argument or a variable of a command holds a NUL byte.");
  if (bytes.size() > init::payload_bytes_max)
    return core::fail(Code::invalid, "The command line and environment are too long. Use a file instead.");
  return memory_file("headrace-run", bytes);
}

struct Pipe {
  Descriptor reads, writes;
};

// The job's end of it belongs to the job: /dev/stdout is opened by its name as well.
Result<Pipe> make_pipe(std::optional<uid_t> owner) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(core::error_of_errno(errno, "making a pipe for a job"));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  if (owner && ::fchown(ends[1], *owner, *owner) != 0)
    return std::unexpected(core::error_of_errno(errno, "giving a pipe to a job"));
  return pipe;
}

}  // namespace

Result<> InitClient::Impl::send(const Message& message, std::array<int, init::descriptors_max> descriptors,
                                size_t count) {
  if (!open) return std::unexpected(gone_error());
  if (send_packet(socket.native_handle(), &message, sizeof message, descriptors.data(), count, MSG_DONTWAIT) >= 0)
    return {};
  int number = errno;
  // An init that does not listen any more cannot be told to end anything: losing it does.
  lose();
  return core::fail(Code::unavailable, gone_error().message, fmt::format("sendmsg: errno {}", number));
}

void InitClient::Impl::signal(uint32_t id, Kind kind, int number) {
  Message message;
  message.kind = kind;
  message.id = id;
  message.number = static_cast<uint32_t>(number);
  auto sent = send(message);
  static_cast<void>(sent);  // where it cannot be, the init is gone, and its processes are
}

void InitClient::Impl::lose() {
  if (!open) return;
  open = false;
  boost::system::error_code ignored;
  socket.close(ignored);
  for (auto& [id, run] : known) {
    if (!run->exit) run->exit = lost;
    run->changed.notify_all();
  }
  known.clear();
  changed.notify_all();
}

Task<> InitClient::Impl::hear(std::shared_ptr<Impl> self) {
  while (self->open) {
    auto [error] = co_await self->socket.async_wait(asio::posix::stream_descriptor::wait_read, as_value);
    if (error) break;
    while (self->open && self->hear_one()) {
    }
  }
  self->lose();
}

// One message that is there; false where there is none for now.
bool InitClient::Impl::hear_one() {
  Message message;
  int number = -1;
  size_t taken = 0;
  ssize_t count = receive_packet(socket.native_handle(), &message, sizeof message, &number, 1, taken, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  Descriptor descriptor(taken > 0 ? number : -1);
  if (count != static_cast<ssize_t>(sizeof message) || message.magic != init::magic) {
    lose();
    return false;
  }
  take(message, std::move(descriptor));
  return true;
}

void InitClient::Impl::take(const Message& message, Descriptor descriptor) {
  auto run = known.find(message.id);
  switch (message.kind) {
    case Kind::ready:
      is_ready = true;
      uplink = std::move(descriptor);
      no_uplink = static_cast<int>(message.value);
      break;
    case Kind::started:
    case Kind::failed:
      if (run == known.end()) return;
      run->second->answer = message;
      return run->second->changed.notify_all();
    case Kind::exited: {
      used.processor += std::chrono::microseconds(message.processor);
      used.memory_peak_bytes = std::max(used.memory_peak_bytes, message.memory);
      if (run == known.end()) return;
      auto ended = std::move(run->second);
      known.erase(run);
      ended->exit = Exit{.code = static_cast<int>(message.number), .signal = static_cast<int>(message.value)};
      return ended->changed.notify_all();
    }
    case Kind::listening:
      listeners[message.id] = {{std::move(descriptor), static_cast<uint16_t>(message.number)},
                               static_cast<int>(message.value)};
      break;
    case Kind::memory_exceeded: exceeded = message.memory; break;
    case Kind::ended: has_ended = true; break;
    default: return lose();
  }
  changed.notify_all();
}

// False where the deadline is here or the init is gone.
Task<bool> InitClient::Impl::until_changed(std::chrono::steady_clock::time_point deadline) {
  auto left = deadline - std::chrono::steady_clock::now();
  if (!open || left <= left.zero()) co_return false;
  co_return co_await changed.wait_for(left);
}

InitClient::InitClient(core::Executor loop, Descriptor control, std::optional<uid_t> owner)
    : impl_(std::make_shared<Impl>(std::move(loop), std::move(control), owner)) {
  impl_->reading.spawn("hear an init", Impl::hear(impl_));
}

InitClient::~InitClient() { impl_->lose(); }

bool InitClient::alive() const { return impl_->open && !impl_->has_ended; }
bool InitClient::ended() const { return impl_->has_ended; }
void InitClient::outside(pid_t pid, uint64_t start_time) {
  impl_->outside_pid = pid;
  impl_->outside_start = start_time;
}
InitClient::Usage InitClient::usage() const { return impl_->used; }
uint64_t InitClient::memory_exceeded() const { return impl_->exceeded; }
core::Result<Descriptor> InitClient::take_uplink() {
  if (impl_->uplink) return std::move(impl_->uplink);
  return core::fail(Code::unavailable, "This host gave no device for a network, by /dev/net/tun: " +
                                           std::string(::strerror(impl_->no_uplink == 0 ? ENODEV : impl_->no_uplink)) +
                                           ". The runner's user must be able to open it (0666 on most systems).");
}

Task<Result<>> InitClient::ready(std::chrono::milliseconds limit) {
  auto impl = impl_;
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!impl->is_ready) {
    auto more = co_await impl->until_changed(deadline);
    if (!more && !impl->is_ready) co_return std::unexpected(gone_error());
  }
  co_return Result<>{};
}

Task<Result<std::unique_ptr<Child>>> InitClient::run(Run wanted) {
  auto impl = impl_;
  auto payload = payload_of(wanted);
  if (!payload) co_return std::unexpected(payload.error());
  auto out = make_pipe(impl->owner);
  if (!out) co_return std::unexpected(out.error());
  widen_pipe(out->reads.get(), output_pipe_bytes);
  Pipe in;
  if (wanted.input) {
    auto made = make_pipe(impl->owner);
    if (!made) co_return std::unexpected(made.error());
    in = std::move(*made);
  } else {
    in.reads = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  Message message;
  message.kind = Kind::run;
  message.id = ++impl->last_id;
  message.flags = wanted.leftovers == Spec::Leftovers::keep ? init::keep_leftovers : 0;
  auto known = std::make_shared<Impl::Known>(impl->loop);
  impl->known.emplace(message.id, known);
  std::array<int, init::descriptors_max> descriptors{payload->get(), in.reads.get(), out->writes.get(),
                                                     out->writes.get()};
  if (auto sent = impl->send(message, descriptors, descriptors.size()); !sent) co_return std::unexpected(sent.error());
  out->writes.reset();
  in.reads.reset();
  auto child = std::make_unique<InitChild<Impl>>(impl, message.id, known, std::move(in.writes), std::move(out->reads));
  while (!known->answer && !known->exit) co_await known->changed.wait();
  if (!known->answer) co_return std::unexpected(gone_error());
  if (known->answer->kind == Kind::started) co_return std::unique_ptr<Child>(std::move(child));
  known->exit = lost;  // there is nothing to end
  impl->known.erase(message.id);
  co_return std::unexpected(start_error(*known->answer, wanted));
}

Task<Result<InitClient::Listener>> InitClient::listen(uint16_t port) {
  auto impl = impl_;
  Message message;
  message.kind = Kind::listen;
  message.id = ++impl->last_id;
  message.number = port;
  if (auto sent = impl->send(message); !sent) co_return std::unexpected(sent.error());
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!impl->listeners.contains(message.id)) {
    auto more = co_await impl->until_changed(deadline);
    if (!more && !impl->listeners.contains(message.id)) co_return std::unexpected(gone_error());
  }
  auto answered = std::move(impl->listeners[message.id]);
  impl->listeners.erase(message.id);
  if (answered.listener.socket) co_return std::move(answered.listener);
  if (answered.error == EADDRINUSE)
    co_return core::fail(Code::conflict, fmt::format("Port {} is taken where the job runs.", port));
  co_return core::fail(Code::unavailable, "The job's surroundings have no network to listen in.",
                       fmt::format("errno {}", answered.error));
}

Task<> InitClient::end(std::chrono::milliseconds limit) {
  auto impl = impl_;
  auto sent = impl->send(Message{});
  auto deadline = std::chrono::steady_clock::now() + limit;
  bool waiting = sent.has_value();
  while (waiting && !impl->has_ended) waiting = co_await impl->until_changed(deadline);
  impl->lose();
}

}  // namespace headrace::process
