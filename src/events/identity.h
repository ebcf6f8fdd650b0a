// What the identity service says: accounts, tokens and roles. Never a secret, nor its hash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace headrace::events {

struct UserCreated {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-user.created.0.1.0";
  std::string user = {};  // account name
  int64_t id = 0;         // as GitHub's API needs it
  bool administrator = false;
  bool operator==(const UserCreated&) const = default;
};

struct UserDisabled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-user.disabled.0.1.0";
  std::string user = {};
  std::string reason = {};
  bool operator==(const UserDisabled&) const = default;
};

struct UserEnabled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-user.enabled.0.1.0";
  std::string user = {};
  bool operator==(const UserEnabled&) const = default;
};

struct TokenCreated {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-token.created.0.1.0";
  std::string token = {};   // id, not the secret
  std::string user = {};    // whom it acts for; empty for a runner's
  std::string runner = {};  // name of the runner it is for; empty for an account's
  std::string name = {};    // for people: "laptop"
  std::vector<std::string> scopes = {};
  std::optional<core::Time> expires_at = {};
  bool operator==(const TokenCreated&) const = default;
};

struct TokenRevoked {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-token.revoked.0.1.0";
  std::string token = {};
  std::string user = {};
  bool operator==(const TokenRevoked&) const = default;
};

struct RoleGranted {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-role.granted.0.1.0";
  std::string user = {};
  std::string role = {};   // "admin", "write", "read"
  std::string scope = {};  // "*", an owner, or "owner/name"
  bool operator==(const RoleGranted&) const = default;
};

struct RoleRevoked {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-role.revoked.0.1.0";
  std::string user = {};
  std::string role = {};
  std::string scope = {};
  bool operator==(const RoleRevoked&) const = default;
};

}  // namespace headrace::events
