// Sealed boxes: how a client sends the value of a secret so that nobody on the way reads it, nor changes it unseen.
// X25519 and XSalsa20-Poly1305, libsodium's crypto_box_seal; GitHub's API takes secrets the same way ("Encrypting
// secrets for the REST API").
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "services/secrets/safe.h"

namespace headrace::secrets {

struct PublicKey {
  std::string id;   // decimal digits, by which a client says what it sealed with
  std::string key;  // base64 of 32 bytes
};

class SealedBoxes {
 public:
  // Takes the key pair from the safe, or makes one. Errors: the safe's; corrupt: what lies there is no key.
  static core::Result<std::unique_ptr<SealedBoxes>> open(Safe& safe, core::Random& random);
  ~SealedBoxes();  // wipes the key from memory
  SealedBoxes(const SealedBoxes&) = delete;
  SealedBoxes& operator=(const SealedBoxes&) = delete;

  const PublicKey& public_key() const { return public_key_; }
  // invalid: sealed with another key, no base64, or no box of ours.
  core::Result<std::string> unseal(std::string_view key_id, std::string_view box_base64) const;

 private:
  explicit SealedBoxes(std::string_view seed);
  PublicKey public_key_;
  std::string public_bytes_, secret_bytes_;
};

// What a client does: the box for the key, in base64. invalid: the key is none.
core::Result<std::string> seal(std::string_view key_base64, std::string_view value);

}  // namespace headrace::secrets
