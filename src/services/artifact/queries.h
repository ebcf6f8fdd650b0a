// What is asked of the projection's tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/artifact/artifact.h"
#include "sqlite/connection.h"

namespace headrace::artifact {

struct StoredArtifact {
  Artifact artifact;
  log::Offset seq = 0;  // of the event that said it
};
struct StoredCache {
  Cache cache;
  log::Offset seq = 0;
};

core::Result<std::optional<StoredArtifact>> find_artifact(sqlite::Connection& tables, int64_t id);
core::Result<std::optional<Artifact>> find_artifact(sqlite::Connection& tables, const std::string& run,
                                                    const std::string& name);  // not an expired one
core::Result<std::vector<Artifact>> artifacts_of_run(sqlite::Connection& tables, const std::string& run);
core::Result<ArtifactList> list_artifacts(sqlite::Connection& tables, const ArtifactQuery& query, const Page& page);
core::Result<uint64_t> artifact_bytes(sqlite::Connection& tables, const std::string& repository);
core::Result<std::vector<int64_t>> artifacts_over(sqlite::Connection& tables, core::Time now, size_t max);

core::Result<std::optional<StoredCache>> find_cache(sqlite::Connection& tables, int64_t id);
// Of exactly that key, or the newest that begins with it.
enum class Match { whole, front };
core::Result<std::optional<Cache>> find_cache(sqlite::Connection& tables, const std::string& repository,
                                              const std::string& ref, const std::string& version,
                                              const std::string& key, Match match);
core::Result<std::vector<Cache>> caches_of_key(sqlite::Connection& tables, const std::string& repository,
                                               const std::string& key, const std::string& ref);
core::Result<CacheList> list_caches(sqlite::Connection& tables, const CacheQuery& query, const Page& page);
core::Result<CacheUsage> cache_usage(sqlite::Connection& tables, const std::string& repository);
// Those not used for longest, until what is left with `size` more fits in `bytes_max`.
core::Result<std::vector<Cache>> caches_to_evict(sqlite::Connection& tables, const std::string& repository,
                                                 uint64_t size, uint64_t bytes_max);
core::Result<std::vector<int64_t>> caches_unused(sqlite::Connection& tables, core::Time since, size_t max);

core::Result<bool> is_named(sqlite::Connection& tables, const std::string& digest);
core::Result<std::vector<std::string>> named_digests(sqlite::Connection& tables);

}  // namespace headrace::artifact
