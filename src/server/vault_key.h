// Keys of the platform's own, by which it signs: made once, kept in the vault.
#pragma once

#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "services/identity/vault.h"

namespace headrace::server {

inline constexpr size_t vault_key_bytes = 32;
// The key of this name; made by chance where there is none yet. Errors: the vault's.
core::Result<std::string> key_of(identity::Vault& vault, core::Random& random, std::string_view name);

}  // namespace headrace::server
