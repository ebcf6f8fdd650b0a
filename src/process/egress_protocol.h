// What a runner and its egress program (egress/main.cc) say to each other. Both are of one build, on one machine, so
// numbers are the processor's own.
//
// The runner asks for a way out by one packet on the control socket (SOCK_SEQPACKET, descriptor 3 of the program): a
// Request with two descriptors, the tap and one end of a lifeline (SOCK_SEQPACKET as well). The lifeline brings one
// Answer; after that it is silent, and its end is the end of the way out, whichever side closes it. An end without an
// answer: the program ended meanwhile, and nobody looked at the request.
#pragma once

#include <stdint.h>

namespace headrace::process::egress {

constexpr int control = 3;
constexpr uint32_t magic = 0x68726567;
constexpr uint32_t same_user = UINT32_MAX;

struct Request {
  uint32_t magic = egress::magic;
  uint32_t user = same_user;  // whom the process that serves it becomes, where the program is root
};
enum Given { tap, lifeline, descriptors };

struct Answer {
  int32_t pid = 0;        // of the process that serves it; 0: there is none, and
  char reason[124] = {};  // why, ended by a NUL
};

}  // namespace headrace::process::egress
