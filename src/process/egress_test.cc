// Real networks of real sandboxes, with the real slirp4netns.
#include "process/egress.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "process/launch.h"
#include "process/testing/sandbox_world.h"

namespace headrace::process {
namespace {

using ::testing::HasSubstr;

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

// Answers every datagram with itself, until it goes.
class Echo {
 public:
  explicit Echo(const std::string& address) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    ::inet_pton(AF_INET, address.c_str(), &own.sin_addr);
    socklen_t length = sizeof own;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &length), 0);
    port = ntohs(own.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Echo() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port = 0;

 private:
  void serve() {
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
  Descriptor socket_;
  std::thread thread_;
};

class EgressTest : public testing::SandboxWorld {
 protected:
  ~EgressTest() override {
    if (egress) loop.run(egress->end());
  }
  // False, with the reason said, where networks of jobs have no way out here.
  bool prepare() {
    if (!start()) return false;
    Spec spec;
    spec.argv = {"slirp4netns"};
    spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    if (!find_program(spec)) why = "slirp4netns is not installed";
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) why = "/dev/net/tun is closed to this user";
    if (!why.empty()) return false;
    auto made = loop.run(Egress::start(loop.executor(), "slirp4netns", sandbox->init().take_network()));
    EXPECT_TRUE(made) << made.error().message;
    if (made) egress = std::move(*made);
    return made.has_value();
  }
  // One datagram, sent once.
  std::string asked(const std::string& address, int port, const std::string& text) {
    return python("import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.settimeout(20)\ns.sendto(b'" +
                  text + "',('" + address + "'," + std::to_string(port) + "))\nprint(s.recv(100).decode())")
        .text;
  }

  std::unique_ptr<Egress> egress;
};

TEST_F(EgressTest, APacketOfAJobLeavesAndItsAnswerComes) {
  const std::string address = own_address();
  if (address.empty()) GTEST_SKIP() << "this host has its loopback alone";
  if (!prepare()) GTEST_SKIP() << why;
  Echo echo(address);
  EXPECT_EQ(asked(address, echo.port, "hello"), "hello\n");
  loop.run(egress->end());
  EXPECT_EQ(sh("cat /proc/net/route | wc -l").text, "1\n");
}

TEST_F(EgressTest, TheLoopbackOfTheHostIsNotReached) {
  if (!prepare()) GTEST_SKIP() << why;
  Echo echo("127.0.0.1");
  EXPECT_THAT(python("import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.settimeout(1)\n"
                     "s.sendto(b'x',('10.0.2.2'," +
                     std::to_string(echo.port) + "))\nprint(s.recv(100))")
                  .text,
              ::testing::AnyOf(HasSubstr("timeout"), HasSubstr("timed out"), HasSubstr("refused")));
}

}  // namespace
}  // namespace headrace::process
