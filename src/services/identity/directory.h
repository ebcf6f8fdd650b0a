// Who there is and what they may, in memory: what every request asks. Taken from the projection at the start and after
// each command; the only thing here that is nowhere else is when a token was last used. Loop only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "services/identity/door.h"
#include "services/identity/projection.h"

namespace headrace::identity {

struct Account {
  std::string name;
  bool disabled = false;
  std::map<std::string, Role, std::less<>> roles;  // by scope, folded
};

// What the projection holds of all this.
struct Snapshot {
  std::vector<User> users;
  std::vector<Token> tokens;
  std::vector<RoleRow> roles;
};
core::Result<Snapshot> snapshot_of(sqlite::Connection& tables);

class Directory {
 public:
  // Tokens without a hash and hashes without a token are left out: neither opens anything.
  void take(Snapshot snapshot);
  void set_hash(std::string token, std::string hash);  // 32 bytes
  void forget_token(const std::string& token);         // works no longer from now on

  const Token* by_hash(std::string_view hash) const;
  const Token* token(const std::string& id) const;
  const Account* account(std::string_view name) const;
  bool has_administrator() const;                         // that is not disabled
  std::vector<std::string> hashes_without_token() const;  // ids

  void used(const std::string& token, core::Time now) { last_used_[token] = now; }
  std::optional<core::Time> last_used(std::string_view token) const;

 private:
  std::unordered_map<std::string, Account> accounts_;     // by folded name
  std::unordered_map<std::string, Token> tokens_;         // by id
  std::unordered_map<std::string, std::string> hash_of_;  // by token
  std::unordered_map<std::string, std::string> token_by_hash_;
  std::map<std::string, core::Time, std::less<>> last_used_;
};

std::optional<Role> parse_role(std::string_view name);

}  // namespace headrace::identity
