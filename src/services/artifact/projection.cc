#include "services/artifact/projection.h"

#include "events/artifact.h"
#include "events/cloudevents.h"
#include "events/repository.h"
#include "events/vocabulary.h"
#include "sqlite/connection.h"

namespace headrace::artifact {

using core::Result;

namespace {

int64_t nanoseconds(core::Time time) { return time.time_since_epoch().count(); }

Result<> done(Result<int64_t> changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  Result<> operator()(const events::ArtifactPackaged& it) const {
    return done(tables.execute(
        "INSERT INTO artifact (id, seq, repository, name, run, run_id, job, ref, commit_id, digest, size, media, "
        "created, expires, expired) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO NOTHING",
        it.id, stored.offset, it.repository, it.name, it.run, it.run_id, it.job, it.ref, it.commit, it.digest, it.size,
        it.media, nanoseconds(stored.time), nanoseconds(it.expires)));
  }
  Result<> operator()(const events::ArtifactDeleted& it) const {
    if (it.reason == "expired") return done(tables.execute("UPDATE artifact SET expired = 1 WHERE id = ?", it.id));
    return done(tables.execute("DELETE FROM artifact WHERE id = ?", it.id));
  }
  Result<> operator()(const events::CacheSaved& it) const {
    return done(tables.execute(
        "INSERT INTO cache (id, seq, repository, ref, key, version, digest, size, created, used) VALUES (?, ?, ?, ?, "
        "?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        it.id, stored.offset, it.repository, it.ref, it.key, it.version, it.digest, it.size, nanoseconds(stored.time),
        nanoseconds(stored.time)));
  }
  Result<> operator()(const events::CacheUsed& it) const {
    return done(tables.execute("UPDATE cache SET used = ? WHERE id = ?", nanoseconds(stored.time), it.id));
  }
  Result<> operator()(const events::CacheDeleted& it) const {
    return done(tables.execute("DELETE FROM cache WHERE id = ?", it.id));
  }
  Result<> operator()(const events::RepositoryDeleted& it) const {
    if (auto gone = done(tables.execute("DELETE FROM artifact WHERE repository = ?", it.full_name)); !gone) return gone;
    return done(tables.execute("DELETE FROM cache WHERE repository = ?", it.full_name));
  }
};

template <class T>
Result<> apply_as(const Apply& apply) {
  auto said = events::decode<T>(apply.stored.event);
  if (!said) return std::unexpected(said.error());
  return apply(*said);
}

template <class... Types>
Result<> apply_one_of(const Apply& apply) {
  Result<> applied;
  bool found = ((events::is<Types>(apply.stored.event) ? (applied = apply_as<Types>(apply), true) : false) || ...);
  core::require(found, "it hears what it asked for");
  return applied;
}

}  // namespace

std::string ShelfProjection::schema() const {
  return "CREATE TABLE artifact (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, repository TEXT NOT NULL, name TEXT NOT "
         "NULL, run TEXT NOT NULL, run_id INTEGER NOT NULL, job TEXT NOT NULL, ref TEXT NOT NULL, commit_id TEXT NOT "
         "NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, media TEXT NOT NULL, created INTEGER NOT NULL, expires "
         "INTEGER NOT NULL, expired INTEGER NOT NULL);"
         "CREATE INDEX artifact_by_repository ON artifact (repository, id);"
         "CREATE INDEX artifact_by_run ON artifact (run, name);"
         "CREATE INDEX artifact_by_run_id ON artifact (repository, run_id, id);"
         "CREATE INDEX artifact_by_digest ON artifact (digest, expired);"
         "CREATE INDEX artifact_by_end ON artifact (expired, expires);"
         "CREATE TABLE cache (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, repository TEXT NOT NULL, ref TEXT NOT "
         "NULL, key TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, created INTEGER "
         "NOT NULL, used INTEGER NOT NULL);"
         "CREATE UNIQUE INDEX cache_by_key ON cache (repository, ref, version, key);"
         "CREATE INDEX cache_by_use ON cache (repository, used, id);"
         "CREATE INDEX cache_by_digest ON cache (digest);"
         "CREATE INDEX cache_by_time ON cache (used);";
}

std::vector<std::string> ShelfProjection::types() const {
  std::vector<std::string> names;
  for (auto type : {events::ArtifactPackaged::type, events::ArtifactDeleted::type, events::CacheSaved::type,
                    events::CacheUsed::type, events::CacheDeleted::type, events::RepositoryDeleted::type})
    for (auto& name : events::all_types(type)) names.push_back(std::move(name));
  return names;
}

// Artifacts of other tools, which the log may hold as well, are not kept here.
Result<> ShelfProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!events::is_reserved(stored.event.source)) return {};
  const Apply apply{tables, stored};
  return apply_one_of<events::ArtifactPackaged, events::ArtifactDeleted, events::CacheSaved, events::CacheUsed,
                      events::CacheDeleted, events::RepositoryDeleted>(apply);
}

}  // namespace headrace::artifact
