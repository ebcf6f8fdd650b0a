// The network between a sandbox and its way out: addresses of the two ends, as slirp networks have had them from the
// beginning (libslirp, "slirp.h"). IPv4 alone. Plain numbers: the init and the egress program know nothing of C++.
#pragma once

#include <cstdint>

namespace headrace::process::uplink {

inline constexpr const char* device = "tap0";
inline constexpr uint32_t network = 0x0a000200;  // 10.0.2.0
inline constexpr uint32_t mask = 0xffffff00;
inline constexpr uint32_t gateway = 0x0a000202;      // 10.0.2.2
inline constexpr uint32_t name_server = 0x0a000203;  // 10.0.2.3
inline constexpr uint32_t guest = 0x0a000264;        // 10.0.2.100
inline constexpr int mtu = 65'520;

}  // namespace headrace::process::uplink
