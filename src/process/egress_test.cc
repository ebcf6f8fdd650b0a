// The egress program with real taps in real networks, and with sockets in the place of taps where any frame will do.
#include "process/egress.h"

#include <gmock/gmock.h>
#include <ifaddrs.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "process/testing/guest_network.h"
#include "process/testing/replaced_file.h"
#include "process/testing/sandbox_world.h"

namespace headrace::process {
namespace {

using testing::address_of;
using testing::GuestNetwork;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr uid_t job_user = 1'900'004'000;

// An address of this host that is not of its loopback; empty: it has none.
std::string own_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string found;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text.data(), text.size());
    found = text.data();
  }
  ::freeifaddrs(all);
  return found;
}

// Answers every datagram, or the first connection, with what it was sent, until it goes.
class Echo {
 public:
  explicit Echo(const std::string& address, int type = SOCK_DGRAM, int at = 0)
      : socket_(::socket(AF_INET, type | SOCK_CLOEXEC, 0)) {
    sockaddr_in own = address_of(address, at);
    socklen_t length = sizeof own;
    bound = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
            ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
            (type == SOCK_DGRAM || ::listen(socket_.get(), 4) == 0);
    port = ntohs(own.sin_port);
    thread_ = std::thread([this, type] { type == SOCK_DGRAM ? serve_datagrams() : serve_connection(); });
  }
  ~Echo() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  bool bound = false;
  int port = 0;

 private:
  void serve_datagrams() {
    std::array<char, 65536> text;
    for (;;) {
      sockaddr_in from{};
      socklen_t length = sizeof from;
      ssize_t count =
          ::recvfrom(socket_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (count <= 0) return;
      ::sendto(socket_.get(), text.data(), static_cast<size_t>(count), 0, reinterpret_cast<const sockaddr*>(&from),
               length);
    }
  }
  void serve_connection() {
    Descriptor peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 65536> text;
    for (;;) {
      ssize_t count = peer ? ::recv(peer.get(), text.data(), text.size(), 0) : 0;
      if (count <= 0) return;
      for (ssize_t done = 0; done < count;) {
        ssize_t sent = ::send(peer.get(), text.data() + done, static_cast<size_t>(count - done), MSG_NOSIGNAL);
        if (sent <= 0) return;
        done += sent;
      }
    }
  }
  Descriptor socket_;
  std::thread thread_;
};

bool connect_to(const Descriptor& socket, const std::string& host, int port) {
  const sockaddr_in to = address_of(host, port);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

void set_patience(const Descriptor& socket, std::chrono::milliseconds limit) {
  timeval time{.tv_sec = limit / 1s, .tv_usec = (limit % 1s) / 1us};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

// What came back for one datagram; empty: nothing within the limit.
std::string asked(GuestNetwork& guest, const std::string& host, int port, std::chrono::milliseconds limit = 20s) {
  Descriptor socket = guest.socket(SOCK_DGRAM);
  set_patience(socket, limit);
  if (!connect_to(socket, host, port) || ::send(socket.get(), "hello", 5, 0) != 5) return {};
  std::array<char, 100> text;
  ssize_t count = ::recv(socket.get(), text.data(), text.size(), 0);
  return {text.data(), static_cast<size_t>(count > 0 ? count : 0)};
}

std::string status_of(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return {};
}

bool comes_true(const std::function<bool()>& check) {
  for (int round = 0; round < 1'000; ++round) {
    if (check()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}
bool goes(pid_t pid) {
  return comes_true([pid] { return ::kill(pid, 0) != 0 || status_of(pid, "State").starts_with('Z'); });
}

size_t descriptors_of(const std::string& process) {
  std::error_code error;
  auto list = std::filesystem::directory_iterator("/proc/" + process + "/fd", error);
  return error ? 0 : static_cast<size_t>(std::distance(begin(list), end(list)));
}

class EgressTest : public ::testing::Test {
 protected:
  core::Result<std::unique_ptr<Egress>> open_way(Descriptor tap) {
    std::optional<uid_t> user;
    if (::geteuid() == 0) user = job_user;
    return loop.run(Egress::start(loop.executor(), server, std::move(tap), user));
  }
  // Null where this machine has no taps.
  std::unique_ptr<Egress> begin(GuestNetwork& guest) {
    Descriptor tap = guest.tap();
    if (!tap) return nullptr;
    auto made = open_way(std::move(tap));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }
  // A way out whose frames come from here.
  std::unique_ptr<Egress> begin_wired(Descriptor& wire) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    wire = Descriptor(ends[0]);
    auto made = open_way(Descriptor(ends[1]));
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
  }

  const std::string host = own_address();
  core::Loop loop;
  EgressServer server{loop.executor()};
};

#define HEADRACE_WAY_OR_SKIP(way, guest)                                \
  if (host.empty()) GTEST_SKIP() << "this host has its loopback alone"; \
  auto way = begin(guest);                                              \
  if (!way) GTEST_SKIP() << "no tap is to be had here (/dev/net/tun, or no name spaces)"

TEST_F(EgressTest, ADatagramLeavesAndItsAnswerComes) {
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  Echo echo(host);
  EXPECT_EQ(asked(guest, host, echo.port), "hello");
}

TEST_F(EgressTest, AConnectionCarriesMegabytesBothWays) {
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  Echo echo(host, SOCK_STREAM);
  Descriptor socket = guest.socket(SOCK_STREAM);
  set_patience(socket, 20s);
  ASSERT_TRUE(connect_to(socket, host, echo.port));
  std::string sent(8'000'000, '\0'), got;
  for (size_t at = 0; at < sent.size(); ++at) sent[at] = static_cast<char>(at * 2'654'435'761U >> 13);
  std::thread writer([&] {
    for (size_t at = 0; at < sent.size();) {
      ssize_t count = ::send(socket.get(), sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
      if (count <= 0) break;
      at += static_cast<size_t>(count);
    }
    ::shutdown(socket.get(), SHUT_WR);
  });
  std::vector<char> part(65'536);
  for (ssize_t count = 0; (count = ::recv(socket.get(), part.data(), part.size(), 0)) > 0;)
    got.append(part.data(), static_cast<size_t>(count));
  writer.join();
  EXPECT_TRUE(got == sent) << got.size() << " bytes came back";
}

TEST_F(EgressTest, TheLoopbackOfTheHostIsNotReached) {
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  Echo datagrams("127.0.0.1");
  Echo connections("127.0.0.1", SOCK_STREAM);
  EXPECT_EQ(asked(guest, "10.0.2.2", datagrams.port, 300ms), "");
  Descriptor socket = guest.socket(SOCK_STREAM);
  set_patience(socket, 500ms);
  EXPECT_FALSE(connect_to(socket, "10.0.2.2", connections.port));
}

TEST_F(EgressTest, TheEndTakesTheProcessAndTheInterface) {
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  EXPECT_TRUE(guest.has_tap());
  loop.run(way->end());
  EXPECT_FALSE(guest.has_tap());
  EXPECT_TRUE(goes(way->pid()));
  auto next = begin(guest);
  ASSERT_TRUE(next);
  next.reset();  // without waiting
  EXPECT_TRUE(comes_true([&] { return !guest.has_tap(); }));
}

TEST_F(EgressTest, WhoServesHasNoRightsAndIsTheUserOfTheJob) {
  Descriptor wire;
  auto way = begin_wired(wire);
  ASSERT_TRUE(way);
  const std::string user = std::to_string(::geteuid() == 0 ? job_user : ::geteuid());
  EXPECT_EQ(status_of(way->pid(), "Uid"), user + "\t" + user + "\t" + user + "\t" + user);
  EXPECT_EQ(status_of(way->pid(), "Seccomp"), "2");
  EXPECT_EQ(status_of(way->pid(), "NoNewPrivs"), "1");
  for (const char* rights : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(status_of(way->pid(), rights), "0000000000000000") << rights;
  EXPECT_EQ(status_of(server.pid(), "Seccomp"), "2");
  if (::geteuid() != 0) return;
  EXPECT_EQ(status_of(way->pid(), "Groups"), " ");
  std::vector<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(way->pid()) + "/root"))
    seen.push_back(entry.path().filename());
  EXPECT_THAT(seen, ::testing::Each(::testing::AnyOf("etc", "run")));
  EXPECT_EQ(descriptors_of(std::to_string(way->pid())), 5u);  // standard ones, the tap, the lifeline
}

TEST_F(EgressTest, RootIsNobodysUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root has users to give";
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
  Descriptor wire(ends[0]);
  auto made = loop.run(Egress::start(loop.executor(), server, Descriptor(ends[1]), uid_t{0}));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("not permitted"));
}

TEST_F(EgressTest, AProgramThatIsKilledTakesAllWithItAndIsStartedAgain) {
  Descriptor wire;
  auto way = begin_wired(wire);
  ASSERT_TRUE(way);
  const pid_t program = server.pid(), served = way->pid();
  ::kill(program, SIGKILL);
  EXPECT_TRUE(goes(served));
  Descriptor second;
  auto next = begin_wired(second);
  ASSERT_TRUE(next);
  EXPECT_NE(server.pid(), program);
  loop.run(way->end());
}

// All that serve are laid out alike in memory: what broke one by luck must not find the next as it was.
TEST_F(EgressTest, AfterOneBrokeTheNextIsServedByAnotherProgramAndTheOthersStay) {
  Descriptor first, second;
  auto broken = begin_wired(first), other = begin_wired(second);
  ASSERT_TRUE(broken && other);
  const pid_t program = server.pid();
  ::kill(broken->pid(), SIGSEGV);
  EXPECT_TRUE(goes(broken->pid()));
  Descriptor third;
  std::unique_ptr<Egress> next;
  EXPECT_TRUE(comes_true([&] {
    next = begin_wired(third);
    return server.pid() != program;
  }));
  EXPECT_EQ(::kill(other->pid(), 0), 0);
  EXPECT_EQ(::kill(program, 0), 0);
  loop.run(other->end());
  EXPECT_TRUE(goes(program));
}

// Frames of a guest: noise, ARP, and IP to the gateway whose header and what follows are bent. It goes no further than
// that: the gateway is the host's loopback, which is closed.
class Noise {
 public:
  explicit Noise(unsigned seed) : random_(seed) {}

  std::string frame() {
    std::string made = ethernet_;
    made += below(4) == 0 ? '\x06' : '\x00';
    if (below(8) != 0) made += ip_header();
    append_noise(made, below(16) == 0 ? 2'000 : 40);
    if (made.size() >= 34) seal(made);
    if (below(8) == 0) made.resize(1 + below(made.size()));
    return made;
  }

 private:
  size_t below(size_t bound) { return random_() % bound; }
  char byte() { return static_cast<char>(random_()); }
  std::string ip_header() {
    std::string made("\x45\x00\x00\x1c\x00\x01\x00\x00\x40\x11\x00\x00\x0a\x00\x02\x64\x0a\x00\x02\x02", 20);
    made[9] = std::array<char, 4>{1, 2, 6, 17}[below(4)];
    for (size_t bends = below(3); bends > 0; --bends) made[below(16)] = byte();
    return made;
  }
  void append_noise(std::string& made, size_t bound) {
    for (size_t more = below(bound); more > 0; --more) made.push_back(byte());
  }
  // Lengths and sums that are right are what leads further in.
  void seal(std::string& made) {
    if (below(4) != 0) put(made, 16, made.size() - 14);
    if (below(4) != 0 && made.size() >= 42 && made[23] == 17) {
      if (below(2) == 0) put(made, 36, std::array<size_t, 3>{67, 69, 80}[below(3)]);
      put(made, 38, made.size() - 34);
      put(made, 40, 0);
    }
    if (below(4) == 0) return;
    put(made, 24, 0);
    size_t sum = 0;
    for (size_t at = 14; at < 34; at += 2)
      sum += static_cast<unsigned char>(made[at]) * 256U + static_cast<unsigned char>(made[at + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    put(made, 24, ~sum);
  }
  static void put(std::string& made, size_t at, size_t number) {
    made[at] = static_cast<char>(number >> 8);
    made[at + 1] = static_cast<char>(number);
  }

  const std::string ethernet_{"\xff\xff\xff\xff\xff\xff\x52\x54\x00\x12\x34\x56\x08", 13};
  std::mt19937 random_;
};

TEST_F(EgressTest, GarbageOfAGuestBreaksNobodyElse) {
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  Echo echo(host);
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Noise noise(seed);
  Descriptor wire;
  auto rough = begin_wired(wire);
  ASSERT_TRUE(rough);
  std::array<char, 65'536> ignored;
  for (int count = 0; count < 20'000; ++count) {
    const std::string frame = noise.frame();
    while (::send(wire.get(), frame.data(), frame.size(), MSG_NOSIGNAL) < 0 && errno == EAGAIN)
      std::this_thread::yield();
    while (::recv(wire.get(), ignored.data(), ignored.size(), 0) > 0) {
    }
  }
  EXPECT_EQ(asked(guest, host, echo.port), "hello");
  Descriptor other;
  EXPECT_TRUE(begin_wired(other));
  EXPECT_EQ(::kill(rough->pid(), 0), 0) << "its own way out broke";
}

TEST_F(EgressTest, ThousandStartsLeaveNoDescriptor) {
  size_t ours = 0, theirs = 0;
  for (int count = 0; count < 1'001; ++count) {
    Descriptor wire;
    auto way = begin_wired(wire);
    ASSERT_TRUE(way);
    loop.run(way->end());
    way.reset();
    wire.reset();
    if (count == 0) ours = descriptors_of("self"), theirs = descriptors_of(std::to_string(server.pid()));
  }
  EXPECT_EQ(descriptors_of("self"), ours);
  EXPECT_EQ(descriptors_of(std::to_string(server.pid())), theirs);
}

// The first packet of all, above all: the program may have waited for it for hours.
TEST_F(EgressTest, NamesAreAskedForWhereTheHostAsks) {
  testing::ReplacedFile file("/etc/resolv.conf", "nameserver 127.0.0.77\n");
  if (!file) GTEST_SKIP() << "this user may not mount";
  Echo names("127.0.0.77", SOCK_DGRAM, 53);
  if (!names.bound) GTEST_SKIP() << "port 53 is not to be had";
  GuestNetwork guest;
  HEADRACE_WAY_OR_SKIP(way, guest);
  EXPECT_EQ(asked(guest, Egress::resolver, 53), "hello");
}

TEST_F(EgressTest, SaysSoWhereLibslirpIsMissing) {
  testing::ReplacedFile file(testing::libslirp_file(), "");
  if (!file) GTEST_SKIP() << "this user may not mount";
  int ends[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
  Descriptor wire(ends[0]);
  auto made = open_way(Descriptor(ends[1]));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("apt-get install libslirp0"));
  EXPECT_EQ(server.pid(), 0);
}

class SandboxEgressTest : public testing::SandboxWorld {};

TEST_F(SandboxEgressTest, ADatagramOfAJobLeavesAndItsAnswerComes) {
  const std::string host = own_address();
  if (host.empty()) GTEST_SKIP() << "this host has its loopback alone";
  auto wanted = options();
  wanted.uplink = true;
  if (!start(wanted)) GTEST_SKIP() << "no sandbox on this machine: " << why;
  auto tap = sandbox->init().take_uplink();
  if (!tap) GTEST_SKIP() << tap.error().message;
  EgressServer server(loop.executor());
  std::optional<uid_t> whose;
  if (user) whose = user->id();
  auto egress = loop.run(Egress::start(loop.executor(), server, std::move(*tap), whose));
  ASSERT_TRUE(egress) << egress.error().message;
  Echo echo(host);
  EXPECT_EQ(python("import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.settimeout(20)\n"
                   "s.sendto(b'hello',('" +
                   host + "'," + std::to_string(echo.port) + "))\nprint(s.recv(100).decode())")
                .text,
            "hello\n");
  loop.run((*egress)->end());
  EXPECT_EQ(sh("cat /proc/net/route | wc -l").text, "1\n");
}

}  // namespace
}  // namespace headrace::process
