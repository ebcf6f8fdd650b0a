#include "services/identity/projection.h"

#include <algorithm>
#include <string>

#include "events/identity.h"
#include "events/vocabulary.h"

namespace headrace::identity {

using core::Result;

namespace {

constexpr std::string_view everywhere = "*";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    auto word = text.substr(0, text.find(' '));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return words;
}

User read_user(const sqlite::Row& row) {
  return {.name = row.text(0), .id = row.integer(1), .disabled = row.boolean(2), .administrator = row.boolean(3)};
}

Token read_token(const sqlite::Row& row) {
  Token token{.id = row.text(0),
              .user = row.text(1),
              .runner = row.text(2),
              .name = row.text(3),
              .scopes = split(row.view(4)),
              .expires_at = {},
              .created = row.offset(6)};
  if (auto expires = row.maybe_integer(5)) token.expires_at = core::Time(core::Duration(*expires));
  return token;
}

RoleRow read_role(const sqlite::Row& row) { return {.user = row.text(0), .scope = row.text(1), .role = row.text(2)}; }

// One overload an event. What names an account that is not known changes nothing.
struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  static Result<> done(Result<int64_t> changed) {
    if (!changed) return std::unexpected(changed.error());
    return {};
  }
  int64_t offset() const { return static_cast<int64_t>(stored.offset); }

  Result<> operator()(const events::UserCreated& it) const {
    auto made = tables.execute(
        "INSERT INTO account (folded, name, id, disabled) VALUES (?, ?, ?, 0) ON CONFLICT (folded) DO NOTHING",
        folded(it.user), it.user, it.id);
    if (!made || !it.administrator) return done(std::move(made));
    return grant(it.user, "admin", everywhere);
  }
  Result<> operator()(const events::UserDisabled& it) const {
    return done(tables.execute("UPDATE account SET disabled = 1 WHERE folded = ?", folded(it.user)));
  }
  Result<> operator()(const events::UserEnabled& it) const {
    return done(tables.execute("UPDATE account SET disabled = 0 WHERE folded = ?", folded(it.user)));
  }
  Result<> operator()(const events::TokenCreated& it) const {
    std::optional<int64_t> expires;
    if (it.expires_at) expires = it.expires_at->time_since_epoch().count();
    return done(
        tables.execute("INSERT INTO token (id, account, runner, name, scopes, expires, created) VALUES (?, ?, ?, ?, ?, "
                       "?, ?) ON CONFLICT (id) DO NOTHING",
                       it.token, folded(it.user), it.runner, it.name, joined(it.scopes), expires, offset()));
  }
  Result<> operator()(const events::TokenRevoked& it) const {
    return done(tables.execute("DELETE FROM token WHERE id = ?", it.token));
  }
  Result<> operator()(const events::RoleGranted& it) const { return grant(it.user, it.role, it.scope); }
  Result<> operator()(const events::RoleRevoked& it) const {
    return done(tables.execute("DELETE FROM role WHERE account = ? AND scope = ? AND role = ?", folded(it.user),
                               folded(it.scope), it.role));
  }

 private:
  Result<> grant(std::string_view user, std::string_view role, std::string_view scope) const {
    return done(
        tables.execute("INSERT INTO role (account, scope, role) SELECT folded, ?, ? FROM account WHERE folded = ? "
                       "ON CONFLICT (account, scope) DO UPDATE SET role = excluded.role",
                       folded(scope), role, folded(user)));
  }
};

template <class T>
Result<bool> applied(const Apply& apply) {
  if (!events::is<T>(apply.stored.event)) return false;
  auto said = events::decode<T>(apply.stored.event);
  if (!said) return std::unexpected(said.error());
  if (auto done = apply(*said); !done) return std::unexpected(done.error());
  return true;
}

template <class... T>
Result<> apply_one_of(const Apply& apply) {
  Result<> outcome;
  auto fits = [&](Result<bool> one) {
    if (!one) outcome = std::unexpected(one.error());
    return !one || *one;
  };
  static_cast<void>((fits(applied<T>(apply)) || ...));
  return outcome;
}

constexpr const char* user_columns =
    "SELECT name, id, disabled, EXISTS (SELECT 1 FROM role WHERE account = folded AND scope = '*' AND role = 'admin') "
    "FROM account ";
constexpr const char* token_columns =
    "SELECT token.id, coalesce(account.name, ''), runner, token.name, scopes, expires, created FROM token LEFT JOIN "
    "account ON folded = account ";
constexpr const char* role_columns = "SELECT account.name, scope, role FROM role JOIN account ON folded = account ";

sqlite::Sql sql(const std::string& text) { return sqlite::Sql::generated(text); }

}  // namespace

std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string Projection::schema() const {
  return "CREATE TABLE account (folded TEXT PRIMARY KEY, name TEXT NOT NULL, id INTEGER NOT NULL, disabled INTEGER NOT "
         "NULL);"
         "CREATE TABLE role (account TEXT NOT NULL, scope TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (account, "
         "scope));"
         "CREATE TABLE token (id TEXT PRIMARY KEY, account TEXT NOT NULL, runner TEXT NOT NULL, name TEXT NOT NULL, "
         "scopes TEXT NOT NULL, expires INTEGER, created INTEGER NOT NULL);"
         "CREATE INDEX token_by_account ON token (account, created);";
}

std::vector<std::string> Projection::types() const {
  std::vector<std::string> types;
  for (auto today :
       {events::UserCreated::type, events::UserDisabled::type, events::UserEnabled::type, events::TokenCreated::type,
        events::TokenRevoked::type, events::RoleGranted::type, events::RoleRevoked::type})
    for (auto& type : events::all_types(today)) types.push_back(std::move(type));
  return types;
}

Result<> Projection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!stored.event.source.starts_with(events::reserved_source)) return {};  // nobody else decides who there is
  return apply_one_of<events::UserCreated, events::UserDisabled, events::UserEnabled, events::TokenCreated,
                      events::TokenRevoked, events::RoleGranted, events::RoleRevoked>(Apply{tables, stored});
}

Result<std::optional<User>> find_user(sqlite::Connection& tables, std::string_view name) {
  auto text = std::string(user_columns) + "WHERE folded = ?";
  return tables.first(sql(text), read_user, folded(name));
}

Result<std::vector<User>> all_users(sqlite::Connection& tables) {
  auto text = std::string(user_columns) + "ORDER BY folded";
  return tables.all(sql(text), read_user);
}

Result<std::optional<Token>> find_token(sqlite::Connection& tables, std::string_view id) {
  auto text = std::string(token_columns) + "WHERE token.id = ?";
  return tables.first(sql(text), read_token, id);
}

Result<std::vector<Token>> tokens_of(sqlite::Connection& tables, std::string_view user) {
  auto text = std::string(token_columns) + "WHERE account = ? AND runner = '' ORDER BY created, token.id";
  return tables.all(sql(text), read_token, folded(user));
}

Result<std::vector<Token>> tokens_of_runner(sqlite::Connection& tables, std::string_view runner) {
  auto text = std::string(token_columns) + "WHERE account = '' AND runner = ? ORDER BY created, token.id";
  return tables.all(sql(text), read_token, runner);
}

Result<std::vector<Token>> all_tokens(sqlite::Connection& tables) {
  auto text = std::string(token_columns) + "ORDER BY token.id";
  return tables.all(sql(text), read_token);
}

Result<std::vector<RoleRow>> roles_of(sqlite::Connection& tables, std::string_view user) {
  auto text = std::string(role_columns) + "WHERE account = ? ORDER BY scope";
  return tables.all(sql(text), read_role, folded(user));
}

Result<std::vector<RoleRow>> all_roles(sqlite::Connection& tables) {
  auto text = std::string(role_columns) + "ORDER BY account, scope";
  return tables.all(sql(text), read_role);
}

Result<int64_t> administrators(sqlite::Connection& tables) {
  return tables.integer(
      "SELECT count(*) FROM account JOIN role ON role.account = folded WHERE scope = '*' AND role = 'admin' AND "
      "disabled = 0");
}

Result<int64_t> last_user_id(sqlite::Connection& tables) {
  return tables.integer("SELECT coalesce(max(id), 0) FROM account");
}

}  // namespace headrace::identity
