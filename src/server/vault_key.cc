#include "server/vault_key.h"

#include <array>

namespace headrace::server {

core::Result<std::string> key_of(identity::Vault& vault, core::Random& random, std::string_view name) {
  constexpr std::string_view kind = "key";
  auto kept = vault.get(kind, name);
  if (!kept) return std::unexpected(kept.error());
  if (*kept && (*kept)->size() == vault_key_bytes) return std::move(**kept);
  std::array<std::byte, vault_key_bytes> fresh{};
  random.fill(fresh);
  std::string key(reinterpret_cast<const char*>(fresh.data()), fresh.size());
  if (auto put = vault.put(kind, name, key); !put) return std::unexpected(put.error());
  return key;
}

}  // namespace headrace::server
