// Identity knows who there is and what they may: accounts, tokens, roles, and the one door of rights.
//
//   hears  commands
//   says   user.created, .disabled, .enabled
//          token.created, .revoked            never the secret, nor its hash: that is in the vault
//          role.granted, .revoked             admin, write or read on *, an owner, or a repository
//
// The first administrator comes by a one-time link: a random secret, kept as its SHA-256 in the vault, good once and
// for 24 hours; or by --bootstrap-token-file. A token is "hr_" and 43 characters of base64url (256 random bits), shown
// once, kept as its SHA-256. Looking one up costs one SHA-256 and one hash table. An expired or revoked token, and one
// of a disabled account, works no longer at once. When it was last used is kept in memory only.
//
// Rights are checked in every command, at the door (door.h). There is always an enabled administrator: the last one can
// be neither disabled nor lose the role. Loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/random.h"
#include "core/result.h"
#include "core/task.h"
#include "services/identity/door.h"
#include "services/identity/projection.h"
#include "services/identity/vault.h"
#include "store/store.h"

namespace headrace::identity {

inline constexpr size_t tokens_an_account_max = 100;  // that work
inline constexpr size_t list_max = 1'000;

struct Policy {
  std::chrono::hours link_lasts{24};
  // Of one peer address: so many bad credentials in the window, and the next are answered `exhausted`. A good one
  // always passes.
  size_t failures_max = 20;
  std::chrono::seconds failures_window{60};
};

// What the service is built on; all of it outlives the service.
struct Parts {
  core::Loop& loop;
  core::Clock& clock;
  core::Random& random;  // fit for secrets
  core::IdSource& ids;
  core::Disk& disk;
  store::Store& store;
  bus::Bus& bus;
  Vault& vault;
  core::Pool* pool = nullptr;  // where the vault blocks; null: on the loop
};

// The one moment in which a secret is known.
struct NewToken {
  std::string secret;  // "hr_..."
  std::string id;
  std::string user;    // empty for a runner's
  std::string runner;  // empty for an account's
};

struct TokenWish {
  std::string user;       // whom it acts for
  std::string name = {};  // for people, at most 100 bytes
  std::vector<std::string> scopes = {};
  std::optional<core::Time> expires_at = {};
};

class Identity {
 public:
  Identity(Parts parts, Policy policy);  // adds its projection to the store: before the store starts
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  // Once the store runs: waits for the projection, takes accounts and tokens into memory.
  core::Task<core::Result<>> start();

  const Door& door() const;

  // --- Signing in.
  // Who the secret belongs to. unauthenticated: none, or it works no longer (which of both is not told); exhausted: too
  // many bad ones from this peer. `peer` is an address.
  core::Result<Caller> authenticate(std::string_view secret, std::string_view peer);

  // The secret for a one-time link, replacing the one before; nothing once there is an administrator.
  core::Task<core::Result<std::optional<std::string>>> first_link();
  // Makes the first administrator, and a token for that account. unauthenticated: used, expired or wrong.
  core::Task<core::Result<NewToken>> redeem(std::string link_secret, std::string user, std::string peer);
  // Writes an administrator's token to the file, mode 0600, unless it holds one that works: then nothing.
  core::Task<core::Result<>> bootstrap(std::string file);
  // The same for the runner of this machine, by its name.
  core::Task<core::Result<>> runner_token_file(std::string runner, std::string file);

  // --- Commands. Errors: those of the door, invalid (a malformed name), not_found, conflict, exhausted (a bound).
  core::Task<core::Result<User>> create_user(Caller by, std::string name, bool administrator);
  core::Task<core::Result<>> disable_user(Caller by, std::string name, std::string reason);
  core::Task<core::Result<>> enable_user(Caller by, std::string name);
  // For oneself, with no more scopes than one came with; for others as an administrator.
  core::Task<core::Result<NewToken>> create_token(Caller by, TokenWish wish);
  core::Task<core::Result<NewToken>> create_runner_token(Caller by, std::string runner);
  core::Task<core::Result<>> revoke_token(Caller by, std::string id);
  // By who is admin there. One role a scope: a grant replaces the one before.
  core::Task<core::Result<>> grant(Caller by, std::string user, Role role, std::string scope);
  core::Task<core::Result<>> revoke_role(Caller by, std::string user, std::string scope);

  // --- Queries, now or as it was after the event at offset `at`. Rights are the caller's to check (Action::operate).
  core::Task<core::Result<std::vector<User>>> users(std::optional<log::Offset> at = {});
  core::Task<core::Result<std::vector<Token>>> tokens(std::string user,
                                                      std::optional<log::Offset> at = {});  // not revoked
  core::Task<core::Result<std::vector<RoleRow>>> roles(std::string user, std::optional<log::Offset> at = {});
  std::optional<core::Time> last_used(std::string_view token) const;  // since this process started

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "hr_" and 43 characters; what a secret in a header must look like to be worth looking up.
bool is_token_secret(std::string_view text);
// 1 to 39 letters, digits and single hyphens, none first or last.
core::Result<> check_account_name(std::string_view name);

}  // namespace headrace::identity
