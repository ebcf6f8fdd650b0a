// A packet on a Unix socket with descriptors in it: unix(7), "SCM_RIGHTS". Of the C library alone, for the runner and
// for the small programs that it carries.
#pragma once

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace headrace::process {

inline constexpr size_t packet_descriptors_max = 4;

// As sendmsg(2), without SIGPIPE. The descriptors, at most packet_descriptors_max, stay the caller's.
inline ssize_t send_packet(int socket, const void* bytes, size_t size, const int* given, size_t count, int flags) {
  iovec part{const_cast<void*>(bytes), size};
  alignas(cmsghdr) char space[CMSG_SPACE(packet_descriptors_max * sizeof(int))] = {};
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  if (count > 0) {
    packet.msg_control = space;
    packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), given, count * sizeof(int));
  }
  return sendmsg(socket, &packet, flags | MSG_NOSIGNAL);
}

// As recvmsg(2): `taken` has room for `most` descriptors, and has `count` of them, which are the caller's to close. -1
// with EBADMSG where the packet was larger than the room for it, in bytes or descriptors; none of those is kept then.
inline ssize_t receive_packet(int socket, void* bytes, size_t size, int* taken, size_t most, size_t& count, int flags) {
  iovec part{bytes, size};
  alignas(cmsghdr) char space[CMSG_SPACE(packet_descriptors_max * sizeof(int))] = {};
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  packet.msg_control = space;
  packet.msg_controllen = CMSG_LEN(most * sizeof(int));
  count = 0;
  const ssize_t received = recvmsg(socket, &packet, flags | MSG_CMSG_CLOEXEC);
  if (received < 0) return received;
  const cmsghdr* header = CMSG_FIRSTHDR(&packet);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
    count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(taken, CMSG_DATA(header), count * sizeof(int));
  }
  if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) return received;
  for (size_t i = 0; i < count; ++i) close(taken[i]);
  count = 0;
  errno = EBADMSG;
  return -1;
}

}  // namespace headrace::process
