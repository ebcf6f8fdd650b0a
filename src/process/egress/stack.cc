#include "process/egress/stack.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <initializer_list>

#include "process/uplink.h"

namespace headrace::process::egress {
namespace {

constexpr size_t frame_bytes_max = 65'536;
constexpr int frames_a_round = 64;  // of the guest, before its sockets are looked at again
constexpr int timers_max = 8;
constexpr int tap_slot = 0, lifeline_slot = 1, first_slot = 2;

struct {
  decltype(&slirp_new) make;
  decltype(&slirp_pollfds_fill) fill;
  decltype(&slirp_pollfds_poll) poll;
  decltype(&slirp_input) input;
} library;

struct Timer {
  SlirpTimerCb call = nullptr;
  void* with = nullptr;
  int64_t at = -1;  // milliseconds of the monotonic clock; -1: not set
};

Slirp* slirp = nullptr;
SlirpCb calls;  // the library keeps its address
int tap = -1;
Timer timers[timers_max];
pollfd waits[first_slot + sockets_max];
int waits_count = 0;
uint8_t frame[frame_bytes_max];

// ---- What the library calls

int64_t now_nanoseconds(void*) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// A frame for which the guest has no room is dropped, as a network would; so is one after the tap has gone.
ssize_t send_frame(const void* bytes, size_t count, void*) {
  const ssize_t written = write(tap, bytes, count);
  return written < 0 ? static_cast<ssize_t>(count) : written;
}

void* new_timer(SlirpTimerCb call, void* with, void*) {
  for (Timer& timer : timers)
    if (timer.call == nullptr) {
      timer = {call, with, -1};
      return &timer;
    }
  return nullptr;
}
void free_timer(void* timer, void*) {
  if (timer != nullptr) *static_cast<Timer*>(timer) = Timer();
}
void set_timer(void* timer, int64_t at, void*) {
  if (timer != nullptr) static_cast<Timer*>(timer)->at = at;
}

void guest_erred(const char*, void*) {}
void watch_socket(int, void*) {}  // asked for anew each round
void wake(void*) {}               // there is one thread

// The words of poll(2) have other numbers than the library's.
short to_poll(int events) {
  short mask = 0;
  if ((events & SLIRP_POLL_IN) != 0) mask |= POLLIN;
  if ((events & SLIRP_POLL_OUT) != 0) mask |= POLLOUT;
  if ((events & SLIRP_POLL_PRI) != 0) mask |= POLLPRI;
  return mask;
}
int from_poll(short mask) {
  int events = 0;
  if ((mask & POLLIN) != 0) events |= SLIRP_POLL_IN;
  if ((mask & POLLOUT) != 0) events |= SLIRP_POLL_OUT;
  if ((mask & POLLPRI) != 0) events |= SLIRP_POLL_PRI;
  if ((mask & POLLERR) != 0) events |= SLIRP_POLL_ERR;
  if ((mask & POLLHUP) != 0) events |= SLIRP_POLL_HUP;
  return events;
}
int add_wait(int socket, int events, void*) {
  if (waits_count == first_slot + sockets_max) return -1;
  waits[waits_count] = {socket, to_poll(events), 0};
  return waits_count++;
}
int seen(int slot, void*) { return slot < first_slot || slot >= waits_count ? 0 : from_poll(waits[slot].revents); }

SlirpCb callbacks() {
  SlirpCb own{};
  own.send_packet = send_frame;
  own.guest_error = guest_erred;
  own.clock_get_ns = now_nanoseconds;
  own.timer_new = new_timer;
  own.timer_free = free_timer;
  own.timer_mod = set_timer;
  own.register_poll_fd = watch_socket;
  own.unregister_poll_fd = watch_socket;
  own.notify = wake;
  return own;
}

SlirpConfig configuration() {
  SlirpConfig wanted{};
  wanted.disable_dhcp = true;  // of version 4
  wanted.in_enabled = true;
  wanted.vnetwork.s_addr = htonl(uplink::network);
  wanted.vnetmask.s_addr = htonl(uplink::mask);
  wanted.vhost.s_addr = htonl(uplink::gateway);
  wanted.vnameserver.s_addr = htonl(uplink::name_server);
  wanted.vdhcp_start.s_addr = htonl(uplink::guest);
  wanted.if_mtu = uplink::mtu;
  wanted.if_mru = uplink::mtu;
  wanted.disable_host_loopback = true;
  return wanted;
}

// ---- What of the guest is let through

constexpr size_t ethernet_bytes = 14, ip_bytes = 20, arp_bytes = 28;

size_t word(size_t at) { return static_cast<size_t>(frame[at]) << 8 | frame[at + 1]; }

// ARP, and plain IPv4 of ICMP, TCP and UDP that is as long as it says. No fragments: with this MTU nobody makes any,
// and what puts them together is where the library breaks (4.7.0, ip_reass). No options: nobody sends them.
bool is_let_through(size_t bytes) {
  if (bytes < ethernet_bytes + ip_bytes) return false;
  const size_t kind = word(12);
  if (kind == 0x0806) return bytes >= ethernet_bytes + arp_bytes;
  const size_t length = word(ethernet_bytes + 2), fragment = word(ethernet_bytes + 6) & 0x3fff;
  const int protocol = frame[ethernet_bytes + 9];
  return kind == 0x0800 && frame[ethernet_bytes] == 0x45 && length >= ip_bytes && length <= bytes - ethernet_bytes &&
         fragment == 0 && (protocol == IPPROTO_ICMP || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
}

// ---- The round

int patience(uint32_t wanted) {
  int64_t limit = wanted == UINT32_MAX ? -1 : static_cast<int64_t>(wanted);
  const int64_t now = now_nanoseconds(nullptr) / 1'000'000;
  for (const Timer& timer : timers) {
    if (timer.at < 0) continue;
    const int64_t left = timer.at > now ? timer.at - now : 0;
    if (limit < 0 || left < limit) limit = left;
  }
  return static_cast<int>(limit);
}

void call_timers() {
  const int64_t now = now_nanoseconds(nullptr) / 1'000'000;
  for (Timer& timer : timers) {
    if (timer.at < 0 || timer.at > now) continue;
    timer.at = -1;
    timer.call(timer.with);
  }
}

// False when the tap is gone for good.
bool take_frames() {
  for (int count = 0; count < frames_a_round; ++count) {
    const ssize_t bytes = read(tap, frame, sizeof frame);
    if (bytes <= 0) return bytes < 0 && (errno == EAGAIN || errno == EINTR);
    if (is_let_through(static_cast<size_t>(bytes))) library.input(slirp, frame, static_cast<int>(bytes));
  }
  return true;
}

}  // namespace

bool load_stack(char* reason, unsigned long reason_bytes) {
  void* opened = dlopen("libslirp.so.0", RTLD_NOW);
  if (opened == nullptr) {
    snprintf(reason, reason_bytes, "%s", dlerror());
    return false;
  }
  auto find = [opened](auto& function, const char* name) {
    void* found = dlsym(opened, name);
    memcpy(&function, &found, sizeof found);
    return found != nullptr;
  };
  if (find(library.make, "slirp_new") && find(library.fill, "slirp_pollfds_fill") &&
      find(library.poll, "slirp_pollfds_poll") && find(library.input, "slirp_input"))
    return true;
  snprintf(reason, reason_bytes, "libslirp.so.0 is too old");
  return false;
}

bool make_stack() {
  calls = callbacks();
  SlirpConfig wanted = configuration();
  for (uint32_t version : {4U, 1U}) {  // the newest that we know, and what every libslirp.so.0 takes
    wanted.version = version;
    slirp = library.make(&wanted, &calls, nullptr);
    if (slirp != nullptr) return true;
  }
  return false;
}

void serve(int guest, int lifeline) {
  tap = guest;
  waits[tap_slot] = {tap, POLLIN, 0};
  waits[lifeline_slot] = {lifeline, POLLIN, 0};
  for (;;) {
    uint32_t timeout = UINT32_MAX;
    waits_count = first_slot;
    library.fill(slirp, &timeout, add_wait, nullptr);
    const int ready = ::poll(waits, static_cast<nfds_t>(waits_count), patience(timeout));
    if (ready < 0 && errno != EINTR) return;
    if (waits[lifeline_slot].revents != 0) return;
    // This first: it is where the library looks at the clock. A datagram taken by yesterday's time has expired already.
    library.poll(slirp, ready < 0, seen, nullptr);
    if (waits[tap_slot].revents != 0 && !take_frames()) waits[tap_slot].fd = -1;
    call_timers();
  }
}

}  // namespace headrace::process::egress
