// The inside of Artifacts: the shelf that its face stands on, as a service of the platform.
//
//   shelf.cc     what jobs ask for: publish, save, find
//   keeping.cc   what goes: deleted, expired, unused, evicted; bytes that nobody names
#pragma once

#include "bus/said.h"
#include "events/artifact.h"
#include "services/artifact/artifact.h"
#include "services/artifact/projection.h"
#include "services/artifact/queries.h"
#include "store/commands.h"

namespace headrace::artifact {

inline constexpr std::string_view service_name = "artifact";
inline const std::string projection_name{ShelfProjection::projection_name};
inline constexpr size_t gone_a_batch = 100;  // in one append
inline constexpr std::chrono::minutes tick_every{10};
inline constexpr std::string_view ids_key = "ids";  // one counter for all that has a 64-bit id

std::unexpected<core::Error> no_artifact(int64_t id);
std::unexpected<core::Error> no_cache(int64_t id);

struct Artifacts::Impl final : Shelf {
  Impl(Parts on, Bounds by);

  core::Task<core::Result<>> start();
  core::Task<> stop();

  // ---- shelf.cc
  const Bounds& bounds() const override { return limits; }
  bool alive(uint64_t lease) const override { return parts.alive(lease); }
  core::Task<core::Result<std::vector<Artifact>>> of_run(std::string repository, std::string run) override;
  core::Task<core::Result<Artifact>> artifact(int64_t id) override;
  core::Task<core::Result<>> may_publish(Holder by, std::string name, uint64_t size) override;
  core::Task<core::Result<Artifact>> publish(Holder by, NewArtifact what) override;
  core::Task<core::Result<>> downloaded(core::Actor by, int64_t id, std::string once) override;
  core::Task<core::Result<std::optional<Cache>>> find_cache(Holder by, std::vector<std::string> keys,
                                                            std::string version) override;
  core::Task<core::Result<Cache>> cache(int64_t id) override;
  core::Task<core::Result<>> may_save(Holder by, std::string key, std::string version, uint64_t size) override;
  core::Task<core::Result<Cache>> save(Holder by, NewCache what) override;
  core::Task<core::Result<>> used(Holder by, Cache cache) override;
  core::Result<log::Batch> publication(sqlite::Connection& tables, const Holder& by, const NewArtifact& what) const;
  core::Result<log::Batch> saving(sqlite::Connection& tables, const Holder& by, const NewCache& what,
                                  std::vector<Cache>& evicted) const;
  core::Result<> check_publication(sqlite::Connection& tables, const Holder& by, const std::string& name,
                                   uint64_t size) const;
  // Because of the event at `offset` (the lease of a job, the word that an artifact is there), or of nothing.
  events::Header header(log::Offset offset, core::Actor actor) const;

  // ---- keeping.cc
  core::Task<core::Result<Artifact>> remove(core::Actor by, int64_t id) override;
  using Choose = std::function<core::Result<std::vector<Cache>>(sqlite::Connection&)>;
  core::Task<core::Result<std::vector<Cache>>> remove_caches(core::Actor by, Choose choose);
  core::Task<core::Result<>> release(std::vector<std::string> digests);
  core::Task<core::Result<>> tick();
  core::Task<core::Result<>> expire();
  core::Task<core::Result<>> drop_unused();
  core::Task<core::Result<>> sweep();
  core::Task<> keep_house();  // for ever
  uint64_t free_bytes() const;

  Parts parts;
  Bounds limits;
  Keys keys;
  BlobStore blobs;
  store::CommandStrand strand;
  Face face;
  core::Scope tasks;
};

events::CacheDeleted deletion_of(const Cache& cache, std::string reason);

}  // namespace headrace::artifact
