// Tokens of jobs: what `github.token` is. A token says which lease it was made for, which repository it reaches and
// what it may do there, signed with a key that the vault keeps: nothing is stored for each, and a server that was
// started again knows them. Whether the lease is still in force is the caller's to ask: a token is dead when its job
// is.
//
//   hrj_<base64url of "LEASE CONTENTS ACTIONS OWNER/NAME">.<base64url of its HMAC-SHA256>
//   hrj_<base64url of "LEASE nn OWNER/NAME ACCOUNT">.<...>
//
// CONTENTS and ACTIONS are n (nothing), r or w, without a space between them. A token of before there were two has one
// letter, for contents, and reads runs. One with an ACCOUNT is for the runner alone, which fetches with it the actions
// that the job uses: it reads the repositories that the account may read, and no job ever sees it.
//
// Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "services/identity/door.h"
#include "services/identity/vault.h"

namespace headrace::identity {

// How far `permissions:` of the workflow let it.
enum class Level { none, read, write };

struct JobReach {
  uint64_t lease = 0;            // the fencing token of the job's lease
  std::string repository;        // "owner/name": of no other
  Level contents = Level::none;  // its files and history
  Level actions = Level::none;   // its runs
  std::string reads_for = {};    // the account; empty: it is of the first form
  bool operator==(const JobReach&) const = default;
};

class JobTokens {
 public:
  // Takes the key from the vault, or makes it. Errors: the vault's.
  static core::Result<std::unique_ptr<JobTokens>> open(Vault& vault, core::Random& random);
  ~JobTokens();  // wipes the key from memory
  JobTokens(const JobTokens&) = delete;
  JobTokens& operator=(const JobTokens&) = delete;

  std::string mint(const JobReach& reach) const;
  // Nothing: it is not one of ours, whole and unchanged.
  std::optional<JobReach> read(std::string_view secret) const;

 private:
  explicit JobTokens(std::string key) : key_(std::move(key)) {}
  std::string signature_of(std::string_view claims) const;
  std::string key_;  // 32 bytes
};

// Whom such a token stands for: a job of the repository, with the scopes that follow.
Caller caller_of(const JobReach& reach);

}  // namespace headrace::identity
