#include "services/identity/directory.h"

#include <algorithm>

namespace headrace::identity {

std::string_view name_of(Role role) {
  constexpr std::string_view names[] = {"read", "write", "admin"};
  return names[static_cast<size_t>(role)];
}

std::optional<Role> parse_role(std::string_view name) {
  for (auto role : {Role::read, Role::write, Role::admin})
    if (name_of(role) == name) return role;
  return std::nullopt;
}

core::Result<Snapshot> snapshot_of(sqlite::Connection& tables) {
  auto users = all_users(tables);
  if (!users) return std::unexpected(users.error());
  auto tokens = all_tokens(tables);
  if (!tokens) return std::unexpected(tokens.error());
  auto roles = all_roles(tables);
  if (!roles) return std::unexpected(roles.error());
  return Snapshot{std::move(*users), std::move(*tokens), std::move(*roles)};
}

void Directory::take(Snapshot snapshot) {
  accounts_.clear();
  tokens_.clear();
  for (auto& user : snapshot.users)
    accounts_[folded(user.name)] = {.name = user.name, .disabled = user.disabled, .roles = {}};
  for (const auto& row : snapshot.roles) {
    if (auto role = parse_role(row.role)) accounts_[folded(row.user)].roles[row.scope] = *role;
  }
  for (auto& token : snapshot.tokens) tokens_.insert_or_assign(token.id, std::move(token));
  std::erase_if(last_used_, [&](const auto& entry) { return !tokens_.contains(entry.first); });
}

void Directory::set_hash(std::string token, std::string hash) {
  token_by_hash_[hash] = token;
  hash_of_[std::move(token)] = std::move(hash);
}

void Directory::forget_token(const std::string& token) {
  tokens_.erase(token);
  auto hash = hash_of_.find(token);
  if (hash == hash_of_.end()) return;
  token_by_hash_.erase(hash->second);
  hash_of_.erase(hash);
}

const Token* Directory::by_hash(std::string_view hash) const {
  auto id = token_by_hash_.find(std::string(hash));
  if (id == token_by_hash_.end()) return nullptr;
  return token(id->second);
}

const Token* Directory::token(const std::string& id) const {
  auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

const Account* Directory::account(std::string_view name) const {
  auto found = accounts_.find(folded(name));
  return found == accounts_.end() ? nullptr : &found->second;
}

bool Directory::has_administrator() const {
  return std::ranges::any_of(accounts_, [](const auto& entry) {
    auto everywhere = entry.second.roles.find("*");
    return !entry.second.disabled && everywhere != entry.second.roles.end() && everywhere->second == Role::admin;
  });
}

std::vector<std::string> Directory::hashes_without_token() const {
  std::vector<std::string> ids;
  for (const auto& [id, hash] : hash_of_)
    if (!tokens_.contains(id)) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

std::optional<core::Time> Directory::last_used(std::string_view token) const {
  auto found = last_used_.find(token);
  if (found == last_used_.end()) return std::nullopt;
  return found->second;
}

}  // namespace headrace::identity
