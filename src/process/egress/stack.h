// libslirp, loaded while it runs: one TCP/IP stack that speaks for a tap device by ordinary sockets of this host.
//
// Its network is 10.0.2.0/24: the guest is 10.0.2.100, the gateway 10.0.2.2, the name server 10.0.2.3. IPv4 only; the
// host's loopback is not reachable; it serves no DHCP, no TFTP and no programs.
#pragma once

namespace headrace::process::egress {

constexpr int sockets_max = 2'048;  // of one guest at a time, its connections that just ended included

// False, with the reason said, where the library is not there or is not like the one that is known.
bool load_stack(char* reason, unsigned long reason_bytes);

// Made once, before the processes that serve: each inherits it as new.
bool make_stack();

// Serves the guest until the lifeline ends.
void serve(int tap, int lifeline);

}  // namespace headrace::process::egress
