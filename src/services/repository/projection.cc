#include "services/repository/projection.h"

#include <limits>

#include "core/json.h"
#include "events/vocabulary.h"

namespace headrace::repository {

using core::Result;

namespace {

const std::string select_push = "SELECT push, repository, actor, accepted, received, updates FROM push ";

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string updates_text(const std::vector<events::SettledUpdate>& updates) {
  core::json::array list;
  for (const auto& update : updates)
    list.push_back(core::json::array{update.ref, update.old_commit, update.new_commit, update.applied, update.forced});
  return core::to_text(list);
}

std::vector<events::SettledUpdate> updates_of(std::string_view text) {
  std::vector<events::SettledUpdate> updates;
  const auto list = core::parse_json(text);
  if (!list || !list->is_array()) return updates;
  for (const auto& value : list->get_array()) {
    const auto& fields = value.as_array();
    updates.push_back({std::string(fields.at(0).as_string()), std::string(fields.at(1).as_string()),
                       std::string(fields.at(2).as_string()), fields.at(3).as_bool(), fields.at(4).as_bool()});
  }
  return updates;
}

Repo read_repo(const sqlite::Row& row) {
  return {.id = row.integer(0),
          .full_name = row.text(1),
          .owner = row.text(2),
          .name = row.text(3),
          .default_branch = row.text(4),
          .created = row.offset(5)};
}

PushRow read_push(const sqlite::Row& row) {
  return {.push = row.text(0),
          .repository = row.integer(1),
          .actor = row.text(2),
          .accepted = row.offset(3),
          .received = row.offset(4),
          .updates = updates_of(row.view(5))};
}

// One overload an event. Events of a repository that is not known (any more) change nothing.
struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  static Result<> done(Result<int64_t> changed) {
    if (!changed) return std::unexpected(changed.error());
    return {};
  }
  int64_t offset() const { return static_cast<int64_t>(stored.offset); }

  Result<> operator()(const events::RepositoryCreated& it) const {
    return done(
        tables.execute("INSERT INTO repository (id, full_name, folded, owner, name, default_branch, created) VALUES "
                       "(?, ?, ?, ?, ?, ?, ?) "
                       "ON CONFLICT (id) DO NOTHING",
                       it.id, it.full_name, folded(it.full_name), it.owner, it.name, it.default_branch, offset()));
  }
  Result<> operator()(const events::RepositoryDeleted& it) const {
    for (const auto& gone : {tables.execute("DELETE FROM ref WHERE repository = ?", it.id),
                             tables.execute("DELETE FROM push WHERE repository = ?", it.id),
                             tables.execute("DELETE FROM repository WHERE id = ?", it.id)})
      if (!gone) return std::unexpected(gone.error());
    return done(tables.execute("INSERT INTO removed (id, full_name) VALUES (?, ?) ON CONFLICT (id) DO NOTHING", it.id,
                               it.full_name));
  }
  Result<> operator()(const events::PushAccepted& it) const {
    std::vector<events::SettledUpdate> updates;
    for (const auto& update : it.updates)
      updates.push_back({update.ref, update.old_commit, update.new_commit, false, false});
    return done(
        tables.execute("INSERT INTO push (push, repository, actor, accepted, received, updates) SELECT ?, id, ?, ?, 0, "
                       "? FROM repository "
                       "WHERE id = ? ON CONFLICT (push) DO NOTHING",
                       it.push, stored.event.actor(), offset(), updates_text(updates), it.repository_id));
  }
  Result<> operator()(const events::PushReceived& it) const {
    return done(tables.execute("UPDATE push SET received = ?, updates = ? WHERE push = ?", offset(),
                               updates_text(it.updates), it.push));
  }
  Result<> operator()(const events::RefUpdated& it) const {
    const auto repository = find_repository(tables, it.repository);
    if (!repository) return std::unexpected(repository.error());
    if (!*repository) return {};
    if (it.new_commit == events::no_commit)
      return done(tables.execute("DELETE FROM ref WHERE repository = ? AND name = ?", (*repository)->id, it.ref));
    return done(
        tables.execute("INSERT INTO ref (repository, name, commit_id) VALUES (?, ?, ?) "
                       "ON CONFLICT (repository, name) DO UPDATE SET commit_id = excluded.commit_id",
                       (*repository)->id, it.ref, it.new_commit));
  }
};

template <class T>
Result<bool> applied(const Apply& apply) {
  if (!events::is<T>(apply.stored.event)) return false;
  const auto said = events::decode<T>(apply.stored.event);
  if (!said) return std::unexpected(said.error());
  if (auto done = apply(*said); !done) return std::unexpected(done.error());
  return true;
}

template <class... T>
Result<> apply_one_of(const Apply& apply) {
  Result<> outcome;
  const auto attempt = [&outcome](Result<bool> fits) {
    if (!fits) outcome = std::unexpected(fits.error());
    return !fits || *fits;
  };
  static_cast<void>((attempt(applied<T>(apply)) || ...));
  return outcome;
}

}  // namespace

std::string Projection::schema() const {
  return "CREATE TABLE repository (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, folded TEXT NOT NULL, owner TEXT "
         "NOT NULL, "
         "name TEXT NOT NULL, default_branch TEXT NOT NULL, created INTEGER NOT NULL);"
         "CREATE UNIQUE INDEX repository_by_name ON repository (folded);"
         "CREATE TABLE removed (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL);"
         "CREATE TABLE ref (repository INTEGER NOT NULL, name TEXT NOT NULL, commit_id TEXT NOT NULL, PRIMARY KEY "
         "(repository, name));"
         "CREATE TABLE push (push TEXT PRIMARY KEY, repository INTEGER NOT NULL, actor TEXT NOT NULL, accepted INTEGER "
         "NOT NULL, "
         "received INTEGER NOT NULL, updates TEXT NOT NULL);"
         "CREATE INDEX push_by_repository ON push (repository, accepted);"
         "CREATE INDEX push_open ON push (repository, received, accepted);";
}

std::vector<std::string> Projection::types() const {
  std::vector<std::string> types;
  for (const auto today : {events::RepositoryCreated::type, events::RepositoryDeleted::type, events::PushAccepted::type,
                           events::PushReceived::type, events::RefUpdated::type})
    for (auto& type : events::all_types(today)) types.push_back(std::move(type));
  return types;
}

Result<> Projection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!stored.event.source.starts_with(events::reserved_source))
    return {};  // another tool's word of its own repositories
  return apply_one_of<events::RefUpdated, events::PushAccepted, events::PushReceived, events::RepositoryCreated,
                      events::RepositoryDeleted>(Apply{tables, stored});
}

Result<std::optional<Repo>> find_repository(sqlite::Connection& tables, std::string_view full_name) {
  return tables.first("SELECT id, full_name, owner, name, default_branch, created FROM repository WHERE folded = ?",
                      read_repo, folded(full_name));
}

Result<std::optional<Repo>> find_repository(sqlite::Connection& tables, int64_t id) {
  return tables.first("SELECT id, full_name, owner, name, default_branch, created FROM repository WHERE id = ?",
                      read_repo, id);
}

Result<std::vector<Repo>> list_repositories(sqlite::Connection& tables, std::string_view after, size_t max) {
  return tables.all(
      "SELECT id, full_name, owner, name, default_branch, created FROM repository WHERE folded > ? ORDER BY folded "
      "LIMIT ?",
      read_repo, folded(after), static_cast<int64_t>(max));
}

Result<std::vector<std::pair<int64_t, std::string>>> removed_repositories(sqlite::Connection& tables) {
  return tables.all("SELECT id, full_name FROM removed ORDER BY id",
                    [](const sqlite::Row& row) { return std::pair(row.integer(0), row.text(1)); });
}

Result<std::vector<RefRow>> refs_of(sqlite::Connection& tables, int64_t repository) {
  return tables.all(
      "SELECT name, commit_id, since FROM ref WHERE repository = ? ORDER BY name",
      [](const sqlite::Row& row) { return RefRow{row.text(0), row.text(1), row.offset(2)}; }, repository);
}

Result<std::optional<PushRow>> find_push(sqlite::Connection& tables, std::string_view push) {
  return tables.first(sqlite::Sql::generated(select_push + "WHERE push = ?"), read_push, push);
}

Result<std::vector<PushRow>> pushes_of(sqlite::Connection& tables, int64_t repository, log::Offset before, size_t max) {
  const int64_t bound = before == 0 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(before);
  return tables.all(
      sqlite::Sql::generated(select_push + "WHERE repository = ? AND accepted < ? ORDER BY accepted DESC LIMIT ?"),
      read_push, repository, bound, static_cast<int64_t>(max));
}

Result<std::vector<PushRow>> open_pushes(sqlite::Connection& tables, int64_t repository) {
  return tables.all(sqlite::Sql::generated(select_push + "WHERE repository = ? AND received = 0 ORDER BY accepted"),
                    read_push, repository);
}

}  // namespace headrace::repository
