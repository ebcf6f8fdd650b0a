// Bytes as text and sums over them: hexadecimal, base64 (RFC 4648), SHA-256 (FIPS 180-4), CRC-32C (RFC 3720, B.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headrace::core {

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string to_hex(std::span<const std::byte> bytes);
std::string to_base64(std::span<const std::byte> bytes);        // with padding
std::string to_base64url(std::span<const std::byte> bytes);     // without padding
std::optional<std::string> from_base64(std::string_view text);  // standard or URL alphabet, padding optional
bool is_utf8(std::string_view text);
// The same text where it is UTF-8; otherwise each byte that belongs to no well-formed character becomes U+FFFD. For
// foreign bytes on their way into JSON. ASCII, line breaks among it, is never changed.
std::string to_valid_utf8(std::string text);

// Continues from `seed` (0 for a fresh sum): crc32c(b, crc32c(a)) == crc32c(a + b).
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t seed = 0);

std::array<std::byte, 32> sha256(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

// Takes the same time whatever the contents, for secrets.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace headrace::core
