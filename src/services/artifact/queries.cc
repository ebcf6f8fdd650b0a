#include "services/artifact/queries.h"

namespace headrace::artifact {

using core::Result;

namespace {

constexpr std::string_view artifact_columns =
    "SELECT id, seq, repository, name, run, run_id, job, ref, commit_id, digest, size, media, created, expires, "
    "expired FROM artifact ";
constexpr std::string_view cache_columns =
    "SELECT id, seq, repository, ref, key, version, digest, size, created, used FROM cache ";

core::Time time_of(int64_t nanoseconds) { return core::Time(core::Duration(nanoseconds)); }
int64_t nanoseconds(core::Time time) { return time.time_since_epoch().count(); }

StoredArtifact read_artifact(const sqlite::Row& row) {
  StoredArtifact it;
  it.seq = row.offset(1);
  it.artifact = {.id = row.integer(0),
                 .repository = row.text(2),
                 .name = row.text(3),
                 .run = row.text(4),
                 .run_id = row.integer(5),
                 .job = row.text(6),
                 .ref = row.text(7),
                 .commit = row.text(8),
                 .digest = row.text(9),
                 .size = row.offset(10),
                 .media = row.text(11),
                 .created = time_of(row.integer(12)),
                 .expires = time_of(row.integer(13)),
                 .expired = row.boolean(14)};
  return it;
}
Artifact artifact_alone(const sqlite::Row& row) { return read_artifact(row).artifact; }

StoredCache read_cache(const sqlite::Row& row) {
  StoredCache it;
  it.seq = row.offset(1);
  it.cache = {.id = row.integer(0),
              .repository = row.text(2),
              .ref = row.text(3),
              .key = row.text(4),
              .version = row.text(5),
              .digest = row.text(6),
              .size = row.offset(7),
              .created = time_of(row.integer(8)),
              .used = time_of(row.integer(9))};
  return it;
}
Cache cache_alone(const sqlite::Row& row) { return read_cache(row).cache; }

std::string sql(std::string_view columns, std::string_view rest) { return std::string(columns) + std::string(rest); }

// The end of what begins with `front`: no character of UTF-8 is greater.
std::string beyond(const std::string& front) { return front + "\xf4\x8f\xbf\xbf"; }

}  // namespace

// ---- Artifacts

Result<std::optional<StoredArtifact>> find_artifact(sqlite::Connection& tables, int64_t id) {
  return tables.first(sqlite::Sql::generated(sql(artifact_columns, "WHERE id = ?")), read_artifact, id);
}

Result<std::optional<Artifact>> find_artifact(sqlite::Connection& tables, const std::string& run,
                                              const std::string& name) {
  return tables.first(
      sqlite::Sql::generated(sql(artifact_columns, "WHERE run = ? AND name = ? AND expired = 0 ORDER BY id DESC")),
      artifact_alone, run, name);
}

Result<std::vector<Artifact>> artifacts_of_run(sqlite::Connection& tables, const std::string& run) {
  return tables.all(sqlite::Sql::generated(sql(artifact_columns, "WHERE run = ? AND expired = 0 ORDER BY id DESC")),
                    artifact_alone, run);
}

Result<ArtifactList> list_artifacts(sqlite::Connection& tables, const ArtifactQuery& query, const Page& page) {
  constexpr std::string_view which = "WHERE repository = ? AND (? OR run_id = ?) AND (? OR name = ?) ";
  bool any_run = !query.run_id, any_name = query.name.empty();
  int64_t run = query.run_id.value_or(0);
  auto total = tables.integer(sqlite::Sql::generated(sql("SELECT count(*) FROM artifact ", which)), query.repository,
                              any_run, run, any_name, query.name);
  if (!total) return std::unexpected(total.error());
  auto found = tables.all(
      sqlite::Sql::generated(sql(artifact_columns, std::string(which) + "ORDER BY id DESC LIMIT ? OFFSET ?")),
      artifact_alone, query.repository, any_run, run, any_name, query.name, static_cast<int64_t>(page.limit),
      static_cast<int64_t>((page.number - 1) * page.limit));
  if (!found) return std::unexpected(found.error());
  return ArtifactList{*total, std::move(*found)};
}

Result<uint64_t> artifact_bytes(sqlite::Connection& tables, const std::string& repository) {
  auto sum =
      tables.integer("SELECT coalesce(sum(size), 0) FROM artifact WHERE repository = ? AND expired = 0", repository);
  if (!sum) return std::unexpected(sum.error());
  return static_cast<uint64_t>(*sum);
}

Result<std::vector<int64_t>> artifacts_over(sqlite::Connection& tables, core::Time now, size_t max) {
  return tables.all(
      "SELECT id FROM artifact WHERE expired = 0 AND expires <= ? ORDER BY expires, id LIMIT ?",
      [](const sqlite::Row& row) { return row.integer(0); }, nanoseconds(now), static_cast<int64_t>(max));
}

// ---- Caches

Result<std::optional<StoredCache>> find_cache(sqlite::Connection& tables, int64_t id) {
  return tables.first(sqlite::Sql::generated(sql(cache_columns, "WHERE id = ?")), read_cache, id);
}

Result<std::optional<Cache>> find_cache(sqlite::Connection& tables, const std::string& repository,
                                        const std::string& ref, const std::string& version, const std::string& key,
                                        Match match) {
  if (match == Match::whole)
    return tables.first(
        sqlite::Sql::generated(sql(cache_columns, "WHERE repository = ? AND ref = ? AND version = ? AND key = ?")),
        cache_alone, repository, ref, version, key);
  return tables.first(sqlite::Sql::generated(sql(cache_columns,
                                                 "WHERE repository = ? AND ref = ? AND version = ? AND key >= ? AND "
                                                 "key < ? ORDER BY created DESC, id DESC LIMIT 1")),
                      cache_alone, repository, ref, version, key, beyond(key));
}

Result<std::vector<Cache>> caches_of_key(sqlite::Connection& tables, const std::string& repository,
                                         const std::string& key, const std::string& ref) {
  return tables.all(
      sqlite::Sql::generated(sql(cache_columns, "WHERE repository = ? AND key = ? AND (? OR ref = ?) ORDER BY id")),
      cache_alone, repository, key, ref.empty(), ref);
}

Result<CacheList> list_caches(sqlite::Connection& tables, const CacheQuery& query, const Page& page) {
  constexpr std::string_view which = "WHERE repository = ? AND (? OR ref = ?) AND (? OR (key >= ? AND key < ?)) ";
  std::string order = query.sort == CacheQuery::Sort::created_at      ? "created"
                      : query.sort == CacheQuery::Sort::size_in_bytes ? "size"
                                                                      : "used";
  order = "ORDER BY " + order + (query.ascending ? " ASC, id ASC" : " DESC, id DESC") + " LIMIT ? OFFSET ?";
  bool any_ref = query.ref.empty(), any_key = query.key.empty();
  auto total = tables.integer(sqlite::Sql::generated(sql("SELECT count(*) FROM cache ", which)), query.repository,
                              any_ref, query.ref, any_key, query.key, beyond(query.key));
  if (!total) return std::unexpected(total.error());
  auto found = tables.all(sqlite::Sql::generated(sql(cache_columns, std::string(which) + order)), cache_alone,
                          query.repository, any_ref, query.ref, any_key, query.key, beyond(query.key),
                          static_cast<int64_t>(page.limit), static_cast<int64_t>((page.number - 1) * page.limit));
  if (!found) return std::unexpected(found.error());
  return CacheList{*total, std::move(*found)};
}

Result<CacheUsage> cache_usage(sqlite::Connection& tables, const std::string& repository) {
  auto found = tables.first(
      "SELECT count(*), coalesce(sum(size), 0) FROM cache WHERE repository = ?",
      [](const sqlite::Row& row) { return CacheUsage{row.integer(0), row.offset(1)}; }, repository);
  if (!found) return std::unexpected(found.error());
  return found->value_or(CacheUsage{});
}

Result<std::vector<Cache>> caches_to_evict(sqlite::Connection& tables, const std::string& repository, uint64_t size,
                                           uint64_t bytes_max) {
  auto usage = cache_usage(tables, repository);
  if (!usage) return std::unexpected(usage.error());
  std::vector<Cache> evicted;
  if (usage->bytes + size <= bytes_max) return evicted;
  auto all = tables.all(sqlite::Sql::generated(sql(cache_columns, "WHERE repository = ? ORDER BY used, id")),
                        cache_alone, repository);
  if (!all) return std::unexpected(all.error());
  uint64_t left = usage->bytes;
  for (auto& cache : *all) {
    if (left + size <= bytes_max) break;
    left -= cache.size;
    evicted.push_back(std::move(cache));
  }
  return evicted;
}

Result<std::vector<int64_t>> caches_unused(sqlite::Connection& tables, core::Time since, size_t max) {
  return tables.all(
      "SELECT id FROM cache WHERE used <= ? ORDER BY used, id LIMIT ?",
      [](const sqlite::Row& row) { return row.integer(0); }, nanoseconds(since), static_cast<int64_t>(max));
}

// ---- Bytes

Result<bool> is_named(sqlite::Connection& tables, const std::string& digest) {
  auto count = tables.integer(
      "SELECT (SELECT count(*) FROM artifact WHERE digest = ? AND expired = 0) + (SELECT count(*) FROM cache WHERE "
      "digest = ?)",
      digest, digest);
  if (!count) return std::unexpected(count.error());
  return *count > 0;
}

Result<std::vector<std::string>> named_digests(sqlite::Connection& tables) {
  return tables.all("SELECT digest FROM artifact WHERE expired = 0 UNION SELECT digest FROM cache ORDER BY 1",
                    [](const sqlite::Row& row) { return row.text(0); });
}

}  // namespace headrace::artifact
