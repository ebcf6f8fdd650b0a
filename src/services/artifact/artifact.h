// Artifacts keeps what jobs keep: artifacts, for people and the jobs after them, and caches, for jobs like them.
//
//   hears  repository.deleted       what it had goes
//   says   artifact.packaged        a job uploaded one; its bytes are on disk
//          artifact.published       it may be had; in the same batch
//          artifact.downloaded      somebody was sent it
//          artifact.deleted         somebody asked for it, or its retention is over
//          cache.saved              a job saved one; it is never changed
//          cache.used               a job was given one; at most once an hour each
//          cache.deleted            asked for, unused for too long, or room was needed
//
// The bytes are an outside truth of which it is the owner (blob_store.h): synced before what names them is said, and
// removed after. What a crash left in between is found at start and on a slow tick. Jobs come by the face (face.h), by
// which @actions/artifact and @actions/cache speak; docs/artifacts.md and docs/caches.md tell what they see. Loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "services/artifact/face.h"
#include "services/artifact/shelf.h"
#include "store/store.h"

namespace headrace::artifact {

inline constexpr size_t list_max = 100;  // of one page

struct Parts {  // all of it outlives the service
  core::Loop& loop;
  core::Clock& clock;
  core::IdSource& ids;
  core::Disk& disk;
  core::Pool& files;  // where reading and writing bytes blocks
  log::EventLog& log;
  store::Store& store;
  bus::Bus& bus;
  std::string folder;                      // of the bytes: DATA/artifacts
  std::string key;                         // 32 bytes, for tokens and addresses; of the vault
  std::function<bool(uint64_t)> alive;     // whether a lease is in force
  std::function<uint64_t()> free_bytes{};  // of the disk; empty: asked of the file system of `folder`
};

struct Page {
  size_t limit = 30;
  size_t number = 1;  // from 1
};

struct ArtifactQuery {
  std::string repository;
  std::optional<int64_t> run_id = {};
  std::string name = {};  // empty: any
};
struct ArtifactList {
  int64_t total = 0;
  std::vector<Artifact> artifacts;  // newest first, expired ones too
};

struct CacheQuery {
  enum class Sort { created_at, last_accessed_at, size_in_bytes };
  std::string repository;
  std::string ref;  // empty: any
  std::string key;  // the front of it; empty: any
  Sort sort = Sort::last_accessed_at;
  bool ascending = false;
};
struct CacheList {
  int64_t total = 0;
  std::vector<Cache> caches;
};
struct CacheUsage {
  int64_t count = 0;
  uint64_t bytes = 0;
};

class Artifacts {
 public:
  Artifacts(Parts parts, Bounds bounds);  // adds its projection to the store: before Store::start
  ~Artifacts();
  Artifacts(const Artifacts&) = delete;
  Artifacts& operator=(const Artifacts&) = delete;

  core::Task<core::Result<>> start();  // after Store::start
  core::Task<> stop();

  Face& face();
  const Keys& keys() const;  // mints runtime tokens
  const Bounds& bounds() const;

  // Queries, now or as it was after the event at offset `at`. Rights are the caller's to check.
  using At = std::optional<log::Offset>;
  core::Task<core::Result<ArtifactList>> list(ArtifactQuery query, Page page, At at = At());
  core::Task<core::Result<Artifact>> view(std::string repository, int64_t id, At at = At());  // not_found
  core::Task<core::Result<CacheList>> caches(CacheQuery query, Page page, At at = At());
  core::Task<core::Result<CacheUsage>> cache_usage(std::string repository, At at = At());

  // Commands. Rights are the caller's to check. not_found: there is none (any more).
  core::Task<core::Result<>> remove(core::Actor actor, std::string repository, int64_t id);
  core::Task<core::Result<>> remove_cache(core::Actor actor, std::string repository, int64_t id);
  // All of this key, of one ref where that is not empty; answers with what is gone.
  core::Task<core::Result<std::vector<Cache>>> remove_caches(core::Actor actor, std::string repository, std::string key,
                                                             std::string ref);

  // What the slow tick does: what is over goes, and bytes that no event names. For tests.
  core::Task<core::Result<>> tick();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::artifact
