#include "services/artifact/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "core/bytes.h"
#include "core/result.h"

namespace headrace::artifact {

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  core::require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "a sum can be begun");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::span<const std::byte> bytes) {
  core::require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "a sum takes bytes");
}

std::string Sha256::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  core::require(EVP_DigestFinal_ex(context_.get(), sum.data(), &size) == 1, "a sum ends");
  return "sha256:" + core::to_hex(std::as_bytes(std::span(sum).first(size)));
}

}  // namespace headrace::artifact
