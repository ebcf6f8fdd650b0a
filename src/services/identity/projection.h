// What the log says of accounts, tokens and roles. Projection "identity".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::identity {

inline constexpr std::string_view projection_name = "identity";

struct User {
  std::string name;  // as it was made; compares without case
  int64_t id = 0;
  bool disabled = false;
  bool administrator = false;  // has the role admin on "*"
  bool operator==(const User&) const = default;
};

struct Token {
  std::string id;
  std::string user;    // empty for a runner's
  std::string runner;  // empty for an account's
  std::string name;
  std::vector<std::string> scopes;
  std::optional<core::Time> expires_at;
  log::Offset created = 0;
  bool operator==(const Token&) const = default;
};

struct RoleRow {
  std::string user;
  std::string scope;
  std::string role;
  bool operator==(const RoleRow&) const = default;
};

class Projection final : public store::Projection {
 public:
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

std::string folded(std::string_view name);  // lower case, ASCII

// Look-ups, on a connection of the store's, now or in the past.
core::Result<std::optional<User>> find_user(sqlite::Connection& tables, std::string_view name);
core::Result<std::vector<User>> all_users(sqlite::Connection& tables);  // by name
core::Result<std::optional<Token>> find_token(sqlite::Connection& tables, std::string_view id);
core::Result<std::vector<Token>> tokens_of(sqlite::Connection& tables, std::string_view user);  // oldest first
core::Result<std::vector<Token>> tokens_of_runner(sqlite::Connection& tables, std::string_view runner);
core::Result<std::vector<Token>> all_tokens(sqlite::Connection& tables);
core::Result<std::vector<RoleRow>> roles_of(sqlite::Connection& tables, std::string_view user);  // by scope
core::Result<std::vector<RoleRow>> all_roles(sqlite::Connection& tables);
core::Result<int64_t> administrators(sqlite::Connection& tables);  // that are not disabled
core::Result<int64_t> last_user_id(sqlite::Connection& tables);

}  // namespace headrace::identity
