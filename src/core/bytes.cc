#include "core/bytes.h"

#include <openssl/evp.h>

#include <cstring>

#include "core/result.h"

namespace headrace::core {

namespace {

constexpr std::string_view hexadecimal = "0123456789abcdef";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encode_base64(std::span<const std::byte> bytes, std::string_view alphabet, bool padding) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < have ? static_cast<uint32_t>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) {
      if (j <= have) {
        out.push_back(alphabet[group >> (18 - 6 * j) & 63]);
      } else if (padding) {
        out.push_back('=');
      }
    }
  }
  return out;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

std::string to_hex(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::byte b : bytes) {
    out.push_back(hexadecimal[static_cast<size_t>(b) >> 4]);
    out.push_back(hexadecimal[static_cast<size_t>(b) & 15]);
  }
  return out;
}

std::string to_base64(std::span<const std::byte> bytes) { return encode_base64(bytes, base64_alphabet, true); }

std::string to_base64url(std::span<const std::byte> bytes) { return encode_base64(bytes, base64url_alphabet, false); }

std::optional<std::string> from_base64(std::string_view text) {
  size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.size() % 4 == 1 || (padding && (text.size() + padding) % 4 != 0)) return std::nullopt;
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (char c : text) {
    int value = base64_value(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held & 0xff));
    }
  }
  return out;
}

// Length of the well-formed character that begins at `i`, or 0. Unicode 15, table 3-7, "Well-Formed UTF-8 Byte
// Sequences".
static size_t character_at(std::string_view text, size_t i) {
  auto at = [&](size_t j) { return static_cast<unsigned char>(text[j]); };
  unsigned char lead = at(i);
  size_t length = lead < 0x80                   ? 1
                  : lead >= 0xc2 && lead < 0xe0 ? 2
                  : lead >= 0xe0 && lead < 0xf0 ? 3
                  : lead >= 0xf0 && lead < 0xf5 ? 4
                                                : 0;
  if (length == 0 || i + length > text.size()) return 0;
  for (size_t j = 1; j < length; ++j)
    if ((at(i + j) & 0xc0) != 0x80) return 0;
  if (lead == 0xe0 && at(i + 1) < 0xa0) return 0;   // overlong
  if (lead == 0xed && at(i + 1) >= 0xa0) return 0;  // surrogates
  if (lead == 0xf0 && at(i + 1) < 0x90) return 0;   // overlong
  if (lead == 0xf4 && at(i + 1) >= 0x90) return 0;  // beyond U+10FFFF
  return length;
}

// Of the ASCII characters that stand at `i`, whole words at a time.
static size_t ascii_from(std::string_view text, size_t i) {
  constexpr uint64_t high_bits = 0x8080808080808080;
  size_t begin = i;
  for (uint64_t word = 0; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  return i - begin;
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (size_t plain = ascii_from(text, i); plain > 0) {
      i += plain;
      continue;
    }
    size_t length = character_at(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string to_valid_utf8(std::string text) {
  if (is_utf8(text)) return text;
  std::string valid;
  valid.reserve(text.size() + 16);
  for (size_t i = 0; i < text.size();) {
    size_t length = character_at(text, i);
    valid.append(length == 0 ? std::string_view("\xef\xbf\xbd") : std::string_view(text).substr(i, length));
    i += length == 0 ? 1 : length;
  }
  return valid;
}

std::array<std::byte, 32> sha256(std::span<const std::byte> bytes) {
  // Looked up once: OpenSSL's SHA256() looks the algorithm up in each call, which takes longer than a short sum.
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<std::byte, 32> digest{};
  const bool done =
      method != nullptr && EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                                      nullptr, method, nullptr) == 1;
  require(done, "OpenSSL has SHA-256");
  return digest;
}

std::string sha256_hex(std::string_view text) { return to_hex(sha256(as_bytes(text))); }

bool equal_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]) & 0xffU;
  return difference == 0;
}

}  // namespace headrace::core
