// The vault keeps what must never be in an event, a log line or a backup in the clear: hashes of tokens and links,
// later secrets, mail addresses and keys. One SQLite file; every row is sealed with XSalsa20-Poly1305 (libsodium
// secretbox) under the key in a file of its own, and knows its kind and id, so that rows cannot be swapped.
//
// What put() and remove() did is on the disk when they return. Both files are readable by their owner only.
// Errors: invalid (the key file is malformed, or it is not the key of this vault), not_found (the vault is there but
// its key is not), corrupt (a row does not open), and those of SQLite. No error holds a secret. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/disk.h"
#include "core/random.h"
#include "core/result.h"

namespace headrace::identity {

inline constexpr size_t vault_secret_bytes_max = 64 * 1024;

class Vault {
 public:
  // `disk` and `random` outlive it. Both files are made where neither is there. The key file holds 32 bytes as 64
  // hexadecimal digits.
  static core::Result<std::unique_ptr<Vault>> open(core::Disk& disk, core::Random& random, std::string database,
                                                   std::string key_file);
  ~Vault();  // wipes the key from memory
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  core::Result<> put(std::string_view kind, std::string_view id, std::string_view secret);  // replaces
  core::Result<std::optional<std::string>> get(std::string_view kind, std::string_view id);
  core::Result<> remove(std::string_view kind, std::string_view id);  // what is not there is no error
  core::Result<std::vector<std::string>> ids(std::string_view kind);  // sorted; nothing is opened
  core::Result<std::vector<std::pair<std::string, std::string>>> all(std::string_view kind);  // id and secret, by id

 private:
  struct Impl;
  explicit Vault(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::identity
