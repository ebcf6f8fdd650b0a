// A network name space with a tap that leads out, as a job has it, for tests: its sockets are made within and used
// here.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>

#include "process/descriptor.h"
#include "process/packet.h"
#include "process/uplink.h"

namespace headrace::process::testing {

inline sockaddr_in address_of(const std::string& host, int port = 0) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(static_cast<uint16_t>(port));
  ::inet_pton(AF_INET, host.c_str(), &made.sin_addr);
  return made;
}

// A process in name spaces of its own that gives away what it makes there: 't' the tap, any other byte a socket of that
// type.
class GuestNetwork {
 public:
  GuestNetwork() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    asks_ = Descriptor(ends[0]);
    Descriptor theirs(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) live(theirs.get());
  }
  ~GuestNetwork() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  GuestNetwork(const GuestNetwork&) = delete;
  GuestNetwork& operator=(const GuestNetwork&) = delete;

  Descriptor tap() { return get('t'); }  // empty: this machine gives none
  Descriptor socket(int type) { return get(static_cast<char>(type)); }

  bool has_tap() {
    ifreq wanted{};
    std::strcpy(wanted.ifr_name, uplink::device);
    return ::ioctl(socket(SOCK_DGRAM).get(), SIOCGIFFLAGS, &wanted) == 0;
  }

 private:
  Descriptor get(char what) {
    EXPECT_EQ(::send(asks_.get(), &what, 1, MSG_NOSIGNAL), 1);
    char done = 0;
    int made = -1;
    size_t taken = 0;
    if (receive_packet(asks_.get(), &done, 1, &made, 1, taken, 0) != 1) made = -1;
    return Descriptor(made);
  }

  static void give(int asked, int made) {
    char done = 0;
    send_packet(asked, &done, 1, &made, made >= 0 ? 1 : 0, 0);
    if (made >= 0) ::close(made);
  }

  static void write_file(const char* path, const std::string& text) {
    Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
    [[maybe_unused]] auto written = ::write(file.get(), text.data(), text.size());
  }

  [[noreturn]] static void live(int asked) {
    const std::string ids = "0 " + std::to_string(::geteuid()) + " 1",
                      groups = "0 " + std::to_string(::getegid()) + " 1";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) ::_exit(1);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", ids);
    write_file("/proc/self/gid_map", groups);
    char what = 0;
    while (::recv(asked, &what, 1, 0) == 1)
      give(asked, what == 't' ? make_tap() : ::socket(AF_INET, what | SOCK_CLOEXEC, 0));
    ::_exit(0);
  }

  static sockaddr_in internet(uint32_t address) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(address);
    return made;
  }

  static int make_tap() {
    int tap = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    ifreq wanted{};
    std::strcpy(wanted.ifr_name, uplink::device);
    wanted.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (tap < 0 || ::ioctl(tap, TUNSETIFF, &wanted) != 0) return -1;
    Descriptor door(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    auto set = [&](unsigned long what, uint32_t address) {
      const sockaddr_in made = internet(address);
      std::memcpy(&wanted.ifr_addr, &made, sizeof made);
      return ::ioctl(door.get(), what, &wanted) == 0;
    };
    bool made = set(SIOCSIFADDR, uplink::guest) && set(SIOCSIFNETMASK, uplink::mask);
    wanted.ifr_mtu = uplink::mtu;
    made = made && ::ioctl(door.get(), SIOCSIFMTU, &wanted) == 0;
    wanted.ifr_flags = IFF_UP | IFF_RUNNING;
    made = made && ::ioctl(door.get(), SIOCSIFFLAGS, &wanted) == 0;
    rtentry route{};
    const sockaddr_in any = internet(0), gateway = internet(uplink::gateway);
    std::memcpy(&route.rt_dst, &any, sizeof any);
    std::memcpy(&route.rt_genmask, &any, sizeof any);
    std::memcpy(&route.rt_gateway, &gateway, sizeof gateway);
    route.rt_flags = RTF_UP | RTF_GATEWAY;
    return made && ::ioctl(door.get(), SIOCADDRT, &route) == 0 ? tap : -1;
  }

  Descriptor asks_;
  pid_t pid_ = -1;
};

}  // namespace headrace::process::testing
