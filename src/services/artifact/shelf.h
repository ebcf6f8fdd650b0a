// Shelf is what the HTTP face of artifacts and caches (face.h) stands on: what is kept, who may ask for it, and who is
// told. The server's is the service (artifact.h), which says events; `headrace exec` has one without a log
// (local_shelf.h). The bytes themselves are in a BlobStore.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/actor.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::artifact {

// Bounds, each of them told to who runs into it.
struct Bounds {
  uint64_t artifact_bytes_max = uint64_t{10} << 30;          // of one artifact
  uint64_t repository_bytes_max = uint64_t{50} << 30;        // of all artifacts of a repository
  size_t artifacts_a_run_max = 500;                          // GitHub's: of one job
  uint64_t cache_bytes_max = uint64_t{10} << 30;             // of one cache
  uint64_t repository_cache_bytes_max = uint64_t{10} << 30;  // of all; beyond it the ones not used for longest go
  uint64_t free_bytes_min = uint64_t{1} << 30;               // of the disk, which uploads leave to all else
  std::chrono::hours retention{90 * 24};                     // of an artifact that names none
  std::chrono::hours retention_max{400 * 24};                // GitHub's, of private repositories
  std::chrono::hours cache_unused_max{7 * 24};               // GitHub's
  std::chrono::hours cache_used_every{1};                    // how often a cache's last use is noted
};

struct Artifact {
  int64_t id = 0;
  std::string repository, name, run;
  int64_t run_id = 0;
  std::string job, ref, commit;
  std::string digest;  // "sha256:..."
  uint64_t size = 0;
  std::string media;
  core::Time created, expires;
  bool expired = false;  // its bytes are gone
  bool operator==(const Artifact&) const = default;
};

struct Cache {
  int64_t id = 0;
  std::string repository, ref, key, version, digest;
  uint64_t size = 0;
  core::Time created, used;
  bool operator==(const Cache&) const = default;
};

// The job that asks.
struct Holder {
  uint64_t lease = 0;
  std::string repository;  // "owner/name"
  std::string run;         // UUID
  int64_t run_id = 0;
  std::string job;  // UUID
  std::string ref = {}, commit = {};
  // Refs whose caches it may read besides those of its own: the base of a pull request, the default branch.
  std::vector<std::string> reads = {};
  bool operator==(const Holder&) const = default;
};

// Of a blob that is on disk, synced, and held until this has been said.
struct NewArtifact {
  std::string upload;  // what makes saying it twice once
  std::string name, digest;
  uint64_t size = 0;
  std::string media;
  std::optional<core::Time> expires;
};
struct NewCache {
  std::string upload;
  std::string key, version, digest;
  uint64_t size = 0;
};

class Shelf {
 public:
  virtual ~Shelf() = default;
  virtual const Bounds& bounds() const = 0;
  // Whether the job still has its lease: a token is dead when its job is.
  virtual bool alive(uint64_t lease) const = 0;

  // Of one run, newest first, those that have not expired.
  virtual core::Task<core::Result<std::vector<Artifact>>> of_run(std::string repository, std::string run) = 0;
  virtual core::Task<core::Result<Artifact>> artifact(int64_t id) = 0;  // not_found
  // May it be uploaded? conflict: the run has one of that name. exhausted: a bound, named.
  virtual core::Task<core::Result<>> may_publish(Holder by, std::string name, uint64_t size) = 0;
  virtual core::Task<core::Result<Artifact>> publish(Holder by, NewArtifact what) = 0;  // errors: as may_publish
  // With its bytes, where nothing else is the same. not_found: there is none, or it has expired.
  virtual core::Task<core::Result<Artifact>> remove(core::Actor by, int64_t id) = 0;
  virtual core::Task<core::Result<>> downloaded(core::Actor by, int64_t id, std::string once) = 0;

  // What a job with these keys gets: the first key exactly, then the newest whose key begins with it, then the same for
  // the next key; first of its own ref, then of each it may read. (GitHub Docs, "Dependency caching reference", "Cache
  // key matching".)
  virtual core::Task<core::Result<std::optional<Cache>>> find_cache(Holder by, std::vector<std::string> keys,
                                                                    std::string version) = 0;
  virtual core::Task<core::Result<Cache>> cache(int64_t id) = 0;  // not_found
  // conflict: there is one of this key, version and ref; it is never changed.
  virtual core::Task<core::Result<>> may_save(Holder by, std::string key, std::string version, uint64_t size) = 0;
  virtual core::Task<core::Result<Cache>> save(Holder by, NewCache what) = 0;
  virtual core::Task<core::Result<>> used(Holder by, Cache cache) = 0;
};

// GitHub's rules (@actions/artifact, path-and-artifact-name-validation): no quotes, colons, angle brackets, bars,
// stars, question marks, slashes of either kind, control characters; not "." or ".."; at most name_bytes_max.
inline constexpr size_t name_bytes_max = 255;
core::Result<> check_artifact_name(std::string_view name);
// @actions/cache: at most key_chars_max characters, no comma.
inline constexpr size_t key_bytes_max = 512;
inline constexpr size_t keys_max = 10;
core::Result<> check_cache_key(std::string_view key);

// "pkg:generic/owner/name/artifact@42?checksum=sha256:..." (package-url/purl-spec).
std::string purl_of(const Artifact& artifact);

}  // namespace headrace::artifact
