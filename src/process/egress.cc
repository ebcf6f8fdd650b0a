#include "process/egress.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <deque>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "process/child.h"
#include "process/egress_frames.h"
#include "process/init_image.h"
#include "process/init_protocol.h"

namespace headrace::process {

using core::Code;
using core::Result;
using core::Task;

namespace {

namespace asio = boost::asio;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds start_limit{10'000};
constexpr size_t words_bytes_max = 4'096;
constexpr size_t held_bytes_max = 1 << 20;      // of packets that wait for slirp4netns; further ones are lost
constexpr const char* interface_name = "tap0";  // of slirp4netns
constexpr int exit_file = 3, network_file = 4, users_file = 5;  // descriptors of slirp4netns

std::vector<std::string> command(const std::string& program, bool own_users) {
  auto file = [](int number) { return "/proc/self/fd/" + std::to_string(number); };
  std::vector<std::string> words{program,
                                 "--configure",
                                 "--mtu=65520",
                                 "--disable-host-loopback",
                                 "--enable-seccomp",
                                 "--ready-fd=1",
                                 "--exit-fd=" + std::to_string(exit_file),
                                 "--netns-type=path"};
  if (own_users)
    words.push_back("--userns-path=" + file(users_file));
  else
    words.push_back("--enable-sandbox");
  words.insert(words.end(), {file(network_file), interface_name});
  return words;
}

// It writes "1" when the interface is up, and nothing where it fails.
Task<bool> says_ready(Child& child) {
  std::array<std::byte, 8> word;
  auto count = co_await child.read(Stream::out, word);
  co_return count && *count > 0;
}

// A program may go on to write there while it runs: a file in memory neither blocks it nor breaks.
std::string last_words(int file) {
  std::string text(words_bytes_max, '\0');
  ssize_t count = ::pread(file, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? "it said nothing" : text;
}

// The descriptor of one packet of the init; none where it has ended.
Descriptor take_descriptor(int socket) {
  init::Message message;
  iovec part{&message, sizeof message};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  packet.msg_control = space;
  packet.msg_controllen = sizeof space;
  if (::recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) <= 0) return {};
  const cmsghdr* header = CMSG_FIRSTHDR(&packet);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return Descriptor(descriptor);
}

// What waits for slirp4netns.
struct Held {
  // What has come to the interface so far is answered or held.
  void take(int interface) {
    std::string frame(frame_bytes_max, '\0');
    for (;;) {
      ssize_t count = ::read(interface, frame.data(), frame.size());
      if (count <= 0) return;
      std::string_view taken(frame.data(), static_cast<size_t>(count));
      if (auto answer = answer_to(core::as_bytes(taken))) {
        // Where there is no room, it is asked again.
        [[maybe_unused]] ssize_t written = ::write(interface, answer->data(), answer->size());
      } else if (is_internet(core::as_bytes(taken)) && bytes + taken.size() <= held_bytes_max) {
        bytes += taken.size();
        frames.emplace_back(taken);
      }
    }
  }

  std::deque<std::string> frames;
  size_t bytes = 0;
};

// The kernel takes some milliseconds to take an interface down; what is sent until then is held too.
Task<Result<>> close_on(core::Pool& pool, int interface, std::shared_ptr<Held> held) {
  return core::blocking(pool, [interface, held]() -> Result<> {
    held->take(interface);
    ::close(interface);
    return {};
  });
}

}  // namespace

struct Egress::Impl : std::enable_shared_from_this<Impl> {
  enum class State { waiting, opening, open, closed };

  Impl(core::Executor on, core::Pool& threads, std::string path, Descriptor space, Descriptor owner)
      : loop(std::move(on)),
        pool(threads),
        program(std::move(path)),
        network(std::move(space)),
        users(std::move(owner)) {}

  // As root the name space is entered as it is; another user enters the user name space that owns it first.
  static bool own_users() { return ::geteuid() != 0; }

  Task<Result<>> make_interface();
  Task<Result<>> start_program();
  static Task<> watch(std::shared_ptr<Impl> self);
  static Task<> open_by_itself(std::shared_ptr<Impl> self);
  static Task<Result<>> open(std::shared_ptr<Impl> self);
  static Task<> end(std::shared_ptr<Impl> self);
  void send_held();
  Task<> close_interface();

  core::Executor loop;
  core::Pool& pool;
  std::string program;
  Descriptor network;
  Descriptor users;
  State state = State::waiting;
  Result<> opened;
  core::Signal changed{loop};
  std::optional<asio::posix::stream_descriptor> interface;  // ours, until slirp4netns has its own
  Descriptor packets;                                       // a packet socket of the network
  std::shared_ptr<Held> held = std::make_shared<Held>();    // shared with the pool that closes
  Descriptor lifeline;                                      // --exit-fd: closed, slirp4netns ends
  std::unique_ptr<Child> child;
  core::Scope tasks{loop};
};

Task<Result<>> Egress::Impl::make_interface() {
  auto image = InitFile::get();
  if (!image) co_return std::unexpected(image.error());
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    co_return std::unexpected(core::error_of_errno(errno, "making a socket for a network"));
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  auto said = memory_file("headrace-tap", std::string_view());
  if (!said) co_return std::unexpected(said.error());
  Spec spec;
  spec.argv = {(*image)->path(), "tap", own_users() ? "own" : "host"};
  spec.extra = {theirs.get(), network.get(), users.get()};
  spec.directory = "/";
  spec.err = Redirect::of(said->get());
  auto maker = spawn(loop, std::move(spec));
  if (!maker) co_return std::unexpected(maker.error());
  auto ended = co_await (*maker)->wait();
  Descriptor frames = take_descriptor(ours.get());
  packets = take_descriptor(ours.get());
  if (!ended || !ended->succeeded() || !frames || !packets)
    co_return core::fail(Code::unavailable,
                         "The network of a job could not be given an interface: " + last_words(said->get()) + ".");
  interface.emplace(loop, frames.release());
  co_return Result<>{};
}

Task<Result<>> Egress::Impl::start_program() {
  using namespace asio::experimental::awaitable_operators;
  int line[2] = {-1, -1};
  if (::pipe2(line, O_CLOEXEC) != 0)
    co_return std::unexpected(core::error_of_errno(errno, "making a pipe for slirp4netns"));
  Descriptor theirs(line[0]);
  Descriptor ours(line[1]);
  auto said = memory_file("slirp4netns", std::string_view());
  if (!said) co_return std::unexpected(said.error());
  Spec spec;
  spec.argv = command(program, own_users());
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  spec.extra = {theirs.get(), network.get(), users.get()};
  spec.directory = "/";
  spec.out = Redirect::pipe();
  spec.err = Redirect::of(said->get());
  auto started = spawn(loop, std::move(spec));
  if (!started) co_return std::unexpected(started.error());
  asio::steady_timer patience(loop, start_limit);
  auto first = co_await (says_ready(**started) || patience.async_wait(as_value));
  if (first.index() == 0 && std::get<0>(first)) {
    (*started)->close(Stream::out);
    child = std::move(*started);
    lifeline = std::move(ours);
    co_return Result<>{};
  }
  auto ended = co_await (*started)->end(std::chrono::milliseconds(0));
  co_return core::fail(Code::unavailable,
                       "slirp4netns could not give the job a way out: " + last_words(said->get()) + ".",
                       ended ? to_string(*ended) : std::string());
}

Task<> Egress::Impl::watch(std::shared_ptr<Impl> self) {
  while (self->interface) {
    auto [error] = co_await self->interface->async_wait(asio::posix::stream_descriptor::wait_read, as_value);
    if (error) co_return;
    if (self->interface) self->held->take(self->interface->native_handle());
    if (!self->held->frames.empty() && self->state == State::waiting)
      self->tasks.spawn("a way out of a job", open_by_itself(self));
  }
}

Task<> Egress::Impl::open_by_itself(std::shared_ptr<Impl> self) {
  auto opened = co_await open(std::move(self));
  if (!opened) core::diagnose(core::Level::warning, "runner", opened.error().message + " " + opened.error().detail);
}

Task<Result<>> Egress::Impl::open(std::shared_ptr<Impl> self) {
  while (self->state == State::opening) co_await self->changed.wait();
  if (self->state != State::waiting) co_return self->opened;
  self->state = State::opening;
  self->opened = co_await self->start_program();
  co_await self->close_interface();  // now the routes lead through slirp4netns
  if (self->opened) self->send_held();
  self->held->frames.clear();
  self->state = self->opened ? State::open : State::closed;
  self->changed.notify_all();
  co_return self->opened;
}

// As if they were sent now: from within, out of the new interface.
void Egress::Impl::send_held() {
  ifreq request{};
  std::memcpy(request.ifr_name, interface_name, std::strlen(interface_name));
  if (::ioctl(packets.get(), SIOCGIFINDEX, &request) != 0) return;  // they are sent again by who sent them
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = request.ifr_ifindex;
  for (const auto& frame : held->frames)
    ::sendto(packets.get(), frame.data(), frame.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to),
             sizeof to);
}

Task<> Egress::Impl::close_interface() {
  if (!interface) co_return;
  int descriptor = interface->release();
  interface.reset();
  auto closed = co_await close_on(pool, descriptor, held);
  if (!closed) ::close(descriptor);  // too much to do there
}

Task<> Egress::Impl::end(std::shared_ptr<Impl> self) {
  while (self->state == State::opening) co_await self->changed.wait();
  self->state = State::closed;
  self->opened = core::fail(Code::unavailable, "The network has ended.");
  co_await self->close_interface();
  self->lifeline.reset();
  if (!self->child) co_return;
  auto ended = co_await self->child->end(std::chrono::milliseconds(0));
  static_cast<void>(ended);  // it has, or the kernel keeps it from us
  self->child = nullptr;
}

Task<Result<std::unique_ptr<Egress>>> Egress::prepare(core::Executor loop, core::Pool& pool, std::string program,
                                                      Descriptor network) {
  if (!network) co_return core::fail(Code::unavailable, "The network name space of the sandbox is not known.");
  Descriptor users(Impl::own_users() ? ::ioctl(network.get(), NS_GET_USERNS)
                                     : ::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!users) co_return std::unexpected(core::error_of_errno(errno, "looking for the owner of a network"));
  auto impl = std::make_shared<Impl>(loop, pool, std::move(program), std::move(network), std::move(users));
  if (auto made = co_await impl->make_interface(); !made) co_return std::unexpected(made.error());
  impl->tasks.spawn("the packets of a job", Impl::watch(impl));
  co_return std::unique_ptr<Egress>(new Egress(impl));
}

Egress::~Egress() { impl_->tasks.cancel(); }

Task<Result<>> Egress::open() { return Impl::open(impl_); }
bool Egress::is_open() const { return impl_->state == Impl::State::open; }
Task<> Egress::end() { return Impl::end(impl_); }

}  // namespace headrace::process
