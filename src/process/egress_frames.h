// Ethernet frames that leave a job before slirp4netns reads them (RFC 894), and the one answer they need: where the
// machines of its network are (RFC 826). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace headrace::process {

inline constexpr size_t frame_bytes_max = 14 + 65'520;
inline constexpr size_t arp_frame_bytes = 14 + 28;

// Of version 4 of the Internet protocol. Nothing else goes out: slirp4netns is not asked to speak version 6.
bool is_internet(std::span<const std::byte> frame);

// Where the frame asks for 10.0.2.2 (the gateway) or 10.0.2.3 (the name server): as slirp4netns answers, so that it is
// no news when it comes. Its machines are at 52:55 and their address (libslirp, special_ethaddr).
std::optional<std::array<std::byte, arp_frame_bytes>> answer_to(std::span<const std::byte> frame);

}  // namespace headrace::process
