#include "services/secrets/projection.h"

#include <charconv>

#include "events/cloudevents.h"
#include "events/repository.h"
#include "events/settings.h"
#include "events/vocabulary.h"

namespace headrace::secrets {

using core::Result;

namespace {

std::string joined(const std::vector<int64_t>& numbers) {
  std::string text;
  for (int64_t number : numbers) text.append(text.empty() ? "" : " ").append(std::to_string(number));
  return text;
}

std::vector<int64_t> split(std::string_view text) {
  std::vector<int64_t> numbers;
  while (!text.empty()) {
    int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) break;
    numbers.push_back(number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (!text.empty()) text.remove_prefix(1);
  }
  return numbers;
}

Audience audience_of(std::string_view visibility, std::string_view repositories) {
  if (visibility == "selected") return {Visibility::selected, split(repositories)};
  return {visibility == "private" ? Visibility::only_private : Visibility::all, {}};
}

core::Time time_of(int64_t nanoseconds) { return core::Time(core::Duration(nanoseconds)); }

constexpr const char* secret_columns =
    "SELECT id, scope, environment, name, visibility, repositories, created, updated FROM secret ";
Secret read_secret(const sqlite::Row& row) {
  return {.id = row.text(0),
          .place = {row.text(1), row.text(2)},
          .name = row.text(3),
          .audience = audience_of(row.view(4), row.view(5)),
          .created_at = time_of(row.integer(6)),
          .updated_at = time_of(row.integer(7))};
}

constexpr const char* variable_columns =
    "SELECT value, scope, environment, name, visibility, repositories, created, updated FROM variable ";
Variable read_variable(const sqlite::Row& row) {
  return {.place = {row.text(1), row.text(2)},
          .name = row.text(3),
          .value = row.text(0),
          .audience = audience_of(row.view(4), row.view(5)),
          .created_at = time_of(row.integer(6)),
          .updated_at = time_of(row.integer(7))};
}

constexpr const char* environment_columns = "SELECT id, scope, name, created, updated FROM environment ";
Environment read_environment(const sqlite::Row& row) {
  return {.id = row.integer(0),
          .repository = row.text(1),
          .name = row.text(2),
          .created_at = time_of(row.integer(3)),
          .updated_at = time_of(row.integer(4))};
}

Repository read_repository(const sqlite::Row& row) { return {.id = row.integer(0), .full_name = row.text(1)}; }

// One overload an event; each is right when it is heard twice, or of what is not known.
struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  int64_t now() const { return stored.event.time.value_or(stored.time).time_since_epoch().count(); }

  template <class... Values>
  Result<> run(sqlite::Sql sql, const Values&... values) const {
    auto changed = tables.execute(sql, values...);
    if (!changed) return std::unexpected(changed.error());
    return {};
  }

  Result<> operator()(const events::RepositoryCreated& it) const {
    return run(
        "INSERT INTO repository (folded, id, full_name) VALUES (?, ?, ?) ON CONFLICT (folded) DO UPDATE SET "
        "id = excluded.id, full_name = excluded.full_name",
        folded(it.full_name), it.id, it.full_name);
  }
  // Another repository of the same name has nothing of it.
  Result<> operator()(const events::RepositoryDeleted& it) const {
    auto scope = folded(it.full_name);
    for (auto sql :
         {sqlite::Sql("DELETE FROM repository WHERE folded = ?"), sqlite::Sql("DELETE FROM secret WHERE at_scope = ?"),
          sqlite::Sql("DELETE FROM variable WHERE at_scope = ?"),
          sqlite::Sql("DELETE FROM environment WHERE at_scope = ?")})
      if (auto done = run(sql, scope); !done) return done;
    return {};
  }

  Result<> operator()(const events::SecretSet& it) const {
    return run(
        "INSERT INTO secret (at_scope, at_environment, name, id, scope, environment, visibility, repositories, "
        "created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at_scope, at_environment, name) DO "
        "UPDATE SET id = excluded.id, visibility = excluded.visibility, repositories = excluded.repositories, "
        "updated = excluded.updated",
        folded(it.scope), folded(it.environment), it.name, it.secret, it.scope, it.environment, it.visibility,
        joined(it.repositories), now(), now());
  }
  Result<> operator()(const events::SecretRemoved& it) const {
    return run("DELETE FROM secret WHERE at_scope = ? AND at_environment = ? AND name = ?", folded(it.scope),
               folded(it.environment), it.name);
  }
  Result<> operator()(const events::VariableSet& it) const {
    return run(
        "INSERT INTO variable (at_scope, at_environment, name, value, scope, environment, visibility, repositories, "
        "created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at_scope, at_environment, name) DO "
        "UPDATE SET value = excluded.value, visibility = excluded.visibility, repositories = excluded.repositories, "
        "updated = excluded.updated",
        folded(it.scope), folded(it.environment), it.name, it.value, it.scope, it.environment, it.visibility,
        joined(it.repositories), now(), now());
  }
  Result<> operator()(const events::VariableRemoved& it) const {
    return run("DELETE FROM variable WHERE at_scope = ? AND at_environment = ? AND name = ?", folded(it.scope),
               folded(it.environment), it.name);
  }

  Result<> operator()(const events::EnvironmentCreated& it) const {
    return run(
        "INSERT INTO environment (at_scope, at_environment, id, scope, name, created, updated) VALUES (?, ?, ?, ?, ?, "
        "?, ?) ON CONFLICT (at_scope, at_environment) DO NOTHING",
        folded(it.repository), folded(it.name), stored.offset, it.repository, it.name, now(), now());
  }
  Result<> operator()(const events::EnvironmentDeleted& it) const {
    auto scope = folded(it.repository), environment = folded(it.name);
    for (auto sql : {sqlite::Sql("DELETE FROM environment WHERE at_scope = ? AND at_environment = ?"),
                     sqlite::Sql("DELETE FROM secret WHERE at_scope = ? AND at_environment = ?"),
                     sqlite::Sql("DELETE FROM variable WHERE at_scope = ? AND at_environment = ?")})
      if (auto done = run(sql, scope, environment); !done) return done;
    return {};
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

sqlite::Sql sql(const std::string& text) { return sqlite::Sql::generated(text); }

}  // namespace

std::string Projection::schema() const {
  const std::string place = "at_scope TEXT NOT NULL, at_environment TEXT NOT NULL, ";
  const std::string shown =
      "scope TEXT NOT NULL, environment TEXT NOT NULL, visibility TEXT NOT NULL, repositories TEXT "
      "NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, "
      "PRIMARY KEY (at_scope, at_environment, name));";
  return "CREATE TABLE repository (folded TEXT PRIMARY KEY, id INTEGER NOT NULL, full_name TEXT NOT NULL);"
         "CREATE TABLE secret (" +
         place + "name TEXT NOT NULL, id TEXT NOT NULL, " + shown + "CREATE TABLE variable (" + place +
         "name TEXT NOT NULL, value TEXT NOT NULL, " + shown + "CREATE TABLE environment (" + place +
         "id INTEGER NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT "
         "NULL, PRIMARY KEY (at_scope, at_environment));";
}

std::vector<std::string> Projection::types() const {
  std::vector<std::string> types;
  for (auto today : {events::RepositoryCreated::type, events::RepositoryDeleted::type, events::SecretSet::type,
                     events::SecretRemoved::type, events::VariableSet::type, events::VariableRemoved::type,
                     events::EnvironmentCreated::type, events::EnvironmentDeleted::type})
    for (auto& type : events::all_types(today)) types.push_back(std::move(type));
  return types;
}

Result<> Projection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!events::is_reserved(stored.event.source)) return {};  // a foreign environment is none of a repository here
  return apply_one_of<events::RepositoryCreated, events::RepositoryDeleted, events::SecretSet, events::SecretRemoved,
                      events::VariableSet, events::VariableRemoved, events::EnvironmentCreated,
                      events::EnvironmentDeleted>(Apply{tables, stored});
}

Result<std::optional<Repository>> find_repository(sqlite::Connection& tables, std::string_view full_name) {
  return tables.first("SELECT id, full_name FROM repository WHERE folded = ?", read_repository, folded(full_name));
}

Result<std::vector<Repository>> repositories_of(sqlite::Connection& tables, std::string_view owner) {
  auto from = folded(owner) + "/", to = folded(owner) + "0";  // '0' follows '/'
  return tables.all("SELECT id, full_name FROM repository WHERE folded >= ? AND folded < ? ORDER BY folded",
                    read_repository, from, to);
}

Result<std::optional<Secret>> find_secret(sqlite::Connection& tables, const Place& place, std::string_view name) {
  auto text = std::string(secret_columns) + "WHERE at_scope = ? AND at_environment = ? AND name = ?";
  return tables.first(sql(text), read_secret, folded(place.scope), folded(place.environment), upper(name));
}

Result<std::vector<Secret>> secrets_at(sqlite::Connection& tables, const Place& place) {
  auto text = std::string(secret_columns) + "WHERE at_scope = ? AND at_environment = ? ORDER BY name";
  return tables.all(sql(text), read_secret, folded(place.scope), folded(place.environment));
}

Result<std::vector<std::string>> all_secret_ids(sqlite::Connection& tables) {
  return tables.all("SELECT id FROM secret ORDER BY id", [](const sqlite::Row& row) { return row.text(0); });
}

Result<std::optional<Variable>> find_variable(sqlite::Connection& tables, const Place& place, std::string_view name) {
  auto text = std::string(variable_columns) + "WHERE at_scope = ? AND at_environment = ? AND name = ?";
  return tables.first(sql(text), read_variable, folded(place.scope), folded(place.environment), upper(name));
}

Result<std::vector<Variable>> variables_at(sqlite::Connection& tables, const Place& place) {
  auto text = std::string(variable_columns) + "WHERE at_scope = ? AND at_environment = ? ORDER BY name";
  return tables.all(sql(text), read_variable, folded(place.scope), folded(place.environment));
}

Result<std::vector<Variable>> environment_variables(sqlite::Connection& tables, std::string_view repository) {
  auto text =
      std::string(variable_columns) + "WHERE at_scope = ? AND at_environment <> '' ORDER BY at_environment, name";
  return tables.all(sql(text), read_variable, folded(repository));
}

Result<std::optional<Environment>> find_environment(sqlite::Connection& tables, std::string_view repository,
                                                    std::string_view name) {
  auto text = std::string(environment_columns) + "WHERE at_scope = ? AND at_environment = ?";
  return tables.first(sql(text), read_environment, folded(repository), folded(name));
}

Result<std::vector<Environment>> environments_of(sqlite::Connection& tables, std::string_view repository) {
  auto text = std::string(environment_columns) + "WHERE at_scope = ? ORDER BY at_environment";
  return tables.all(sql(text), read_environment, folded(repository));
}

Result<int64_t> count_of(sqlite::Connection& tables, Kind kind, const Place& place) {
  auto text = "SELECT count(*) FROM " + std::string(name_of(kind)) + " WHERE at_scope = ? AND at_environment = ?";
  return tables.integer(sql(text), folded(place.scope), folded(place.environment));
}

Result<int64_t> variable_bytes(sqlite::Connection& tables, const Place& place) {
  return tables.integer(
      "SELECT coalesce(sum(length(name) + length(CAST(value AS BLOB))), 0) FROM variable WHERE at_scope = ? AND "
      "at_environment = ?",
      folded(place.scope), folded(place.environment));
}

}  // namespace headrace::secrets
