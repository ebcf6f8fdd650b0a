#include "services/secrets/sealed_box.h"

#include <sodium.h>

#include <array>

#include "core/bytes.h"

namespace headrace::secrets {

using core::Code;
using core::fail;
using core::Result;

namespace {

constexpr const char* key_kind = "key";
constexpr const char* key_id = "sealed boxes";

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// 18 digits of the key's SHA-256, as GitHub's ids are numbers.
std::string id_of(const std::string& public_key) {
  auto sum = core::sha256(core::as_bytes(public_key));
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof number; ++i) number = (number << 8U) | std::to_integer<uint64_t>(sum.at(i));
  auto digits = std::to_string(number % 1'000'000'000'000'000'000U);
  return digits.insert(0, 18 - digits.size(), '0');
}

std::string base64_of(std::string_view bytes) { return core::to_base64(core::as_bytes(bytes)); }

}  // namespace

Result<std::unique_ptr<SealedBoxes>> SealedBoxes::open(Safe& safe, core::Random& random) {
  if (sodium_init() < 0) return fail(Code::unavailable, "The cryptography library does not start.");
  auto kept = safe.get(key_kind, key_id);
  if (!kept) return std::unexpected(kept.error());
  if (*kept && (*kept)->size() != crypto_box_SEEDBYTES)
    return fail(Code::corrupt, "The key that secrets are sent with is damaged; restore the vault from a backup.");
  if (*kept) return std::unique_ptr<SealedBoxes>(new SealedBoxes(**kept));
  std::array<std::byte, crypto_box_SEEDBYTES> fresh{};
  random.fill(fresh);
  std::string seed(reinterpret_cast<const char*>(fresh.data()), fresh.size());
  if (auto put = safe.put(key_kind, key_id, seed); !put) return std::unexpected(put.error());
  return std::unique_ptr<SealedBoxes>(new SealedBoxes(seed));
}

SealedBoxes::SealedBoxes(std::string_view seed)
    : public_bytes_(crypto_box_PUBLICKEYBYTES, '\0'), secret_bytes_(crypto_box_SECRETKEYBYTES, '\0') {
  crypto_box_seed_keypair(bytes_of(public_bytes_), bytes_of(secret_bytes_), bytes_of(seed));
  public_key_ = {id_of(public_bytes_), base64_of(public_bytes_)};
}

SealedBoxes::~SealedBoxes() { sodium_memzero(secret_bytes_.data(), secret_bytes_.size()); }

Result<std::string> SealedBoxes::unseal(std::string_view wanted, std::string_view box_base64) const {
  if (wanted != public_key_.id)
    return fail(Code::invalid, "The value was sealed with another key than " + public_key_.id +
                                   "; fetch the public key again and seal it with that.");
  auto box = core::from_base64(box_base64);
  auto refused = fail(Code::invalid,
                      "encrypted_value is not the value sealed with the public key (libsodium's crypto_box_seal) and "
                      "written in base64.");
  if (!box || box->size() < crypto_box_SEALBYTES) return refused;
  std::string value(box->size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(bytes_of(value), bytes_of(std::string_view(*box)), box->size(),
                           bytes_of(std::string_view(public_bytes_)), bytes_of(std::string_view(secret_bytes_))) != 0)
    return refused;
  return value;
}

Result<std::string> seal(std::string_view key_base64, std::string_view value) {
  if (sodium_init() < 0) return fail(Code::unavailable, "The cryptography library does not start.");
  auto key = core::from_base64(key_base64);
  if (!key || key->size() != crypto_box_PUBLICKEYBYTES)
    return fail(Code::invalid, "The server's public key cannot be read; is the server of this version?");
  std::string box(value.size() + crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(bytes_of(box), bytes_of(value), value.size(), bytes_of(std::string_view(*key))) != 0)
    return fail(Code::invalid, "The server's public key cannot be used.");
  return base64_of(box);
}

}  // namespace headrace::secrets
