#include <fmt/format.h>

#include "services/artifact/service.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;

namespace {

std::string cache_name(const std::string& repository, int64_t id) { return repository + "/" + std::to_string(id); }

std::unexpected<core::Error> name_taken(const std::string& name) {
  return core::fail(Code::conflict, "an artifact with this name already exists on the workflow run: '" + name +
                                        "'. Choose another name, or set overwrite.");
}

std::string in_words(uint64_t bytes) {
  return bytes >= (1U << 30) ? fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1U << 30))
                             : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1U << 20));
}

}  // namespace

std::unexpected<core::Error> no_artifact(int64_t id) {
  return core::fail(Code::not_found, fmt::format("There is no artifact {}, or it has been deleted.", id));
}
std::unexpected<core::Error> no_cache(int64_t id) {
  return core::fail(Code::not_found, fmt::format("There is no cache {}, or it has been deleted.", id));
}

events::Header Artifacts::Impl::header(log::Offset offset, core::Actor actor) const {
  auto origin = bus::Origin::root(std::string(service_name), actor);
  auto cause = offset == 0 ? Result<std::vector<log::Stored>>() : parts.log.read(offset, 1);
  if (cause && !cause->empty() && cause->front().offset == offset)
    origin = bus::Origin::because_of(cause->front().event, std::string(service_name), std::move(actor));
  return parts.bus.header(origin);
}

// ---- Artifacts

Task<Result<std::vector<Artifact>>> Artifacts::Impl::of_run(std::string repository, std::string run) {
  auto look = [run = std::move(run)](sqlite::Connection& tables) { return artifacts_of_run(tables, run); };
  auto found = co_await parts.store.read(projection_name, std::nullopt, std::move(look));
  if (found) std::erase_if(*found, [&](const Artifact& one) { return one.repository != repository; });
  co_return found;
}

Task<Result<Artifact>> Artifacts::Impl::artifact(int64_t id) {
  auto look = [id](sqlite::Connection& tables) { return find_artifact(tables, id); };
  auto found = co_await parts.store.read(projection_name, std::nullopt, std::move(look));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return no_artifact(id);
  co_return (*found)->artifact;
}

Result<> Artifacts::Impl::check_publication(sqlite::Connection& tables, const Holder& by, const std::string& name,
                                            uint64_t size) const {
  auto taken = find_artifact(tables, by.run, name);
  if (!taken) return std::unexpected(taken.error());
  if (*taken) return name_taken(name);
  auto of_run = artifacts_of_run(tables, by.run);
  if (!of_run) return std::unexpected(of_run.error());
  if (of_run->size() >= limits.artifacts_a_run_max)
    return core::fail(Code::exhausted, fmt::format("A run has at most {} artifacts; put what belongs together in one.",
                                                   limits.artifacts_a_run_max));
  auto bytes = artifact_bytes(tables, by.repository);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes + size > limits.repository_bytes_max)
    return core::fail(Code::exhausted,
                      fmt::format("The artifacts of {} have {}, and may have {}: delete some (headrace artifact "
                                  "delete), or keep them for fewer days (retention-days).",
                                  by.repository, in_words(*bytes), in_words(limits.repository_bytes_max)));
  return {};
}

Task<Result<>> Artifacts::Impl::may_publish(Holder by, std::string name, uint64_t size) {
  co_return parts.store.read_here(projection_name, std::nullopt, [&](sqlite::Connection& tables) {
    return check_publication(tables, by, name, size);
  });
}

// An upload is published once: said again, nothing is said, and what is there is the answer.
Result<log::Batch> Artifacts::Impl::publication(sqlite::Connection& tables, const Holder& by,
                                                const NewArtifact& what) const {
  auto there = find_artifact(tables, by.run, what.name);
  if (!there) return std::unexpected(there.error());
  if (*there && (*there)->job == by.job && (*there)->digest == what.digest) return log::Batch{};
  if (auto may = check_publication(tables, by, what.name, what.size); !may) return std::unexpected(may.error());
  auto last = parts.log.last_of(ids_key);
  if (!last) return std::unexpected(last.error());
  Artifact artifact{.id = static_cast<int64_t>(*last) + 1,
                    .repository = by.repository,
                    .name = what.name,
                    .run = by.run,
                    .run_id = by.run_id,
                    .job = by.job,
                    .ref = by.ref,
                    .commit = by.commit,
                    .digest = what.digest,
                    .size = what.size,
                    .media = what.media,
                    .created = {},
                    .expires = what.expires.value_or(parts.clock.now() + limits.retention)};
  std::string purl = purl_of(artifact);
  events::ArtifactPackaged packaged{.artifact = purl,
                                    .commit = by.commit,
                                    .id = artifact.id,
                                    .repository = by.repository,
                                    .name = what.name,
                                    .run = by.run,
                                    .run_id = by.run_id,
                                    .job = by.job,
                                    .ref = by.ref,
                                    .digest = what.digest,
                                    .size = static_cast<int64_t>(what.size),
                                    .media = what.media,
                                    .expires = artifact.expires};
  events::ArtifactPublished published{
      .artifact = purl, .id = artifact.id, .repository = by.repository, .name = what.name, .run = by.run};
  log::Batch batch;
  batch.events.push_back(events::encode(packaged, header(by.lease, core::Actor::job(by.repository))));
  auto because =
      bus::Origin::because_of(batch.events.front(), std::string(service_name), core::Actor::service("artifact"));
  batch.events.push_back(events::encode(published, parts.bus.header(because)));
  batch.key = "artifact/" + what.upload;
  batch.expected.push_back({std::string(ids_key), *last});
  return batch;
}

Task<Result<Artifact>> Artifacts::Impl::publish(Holder by, NewArtifact what) {
  store::CommandStrand::Check check = [this, by, what](sqlite::Connection& tables) {
    return publication(tables, by, what);
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  auto found = parts.store.read_here(projection_name, std::nullopt, [&](sqlite::Connection& tables) {
    return find_artifact(tables, by.run, what.name);
  });
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::unavailable, "It is kept, and will be shown in a moment.");
  co_return **found;
}

Task<Result<>> Artifacts::Impl::downloaded(core::Actor by, int64_t id, std::string once) {
  auto found = co_await artifact(id);
  if (!found) co_return std::unexpected(found.error());
  events::ArtifactDownloaded said{
      .artifact = purl_of(*found), .id = id, .repository = found->repository, .name = found->name};
  bus::Publish options;
  options.key = std::move(once);
  auto origin = bus::Origin::root(std::string(service_name), std::move(by));
  auto published = co_await parts.bus.publish(events::encode(said, parts.bus.header(origin)), std::move(options));
  if (!published) co_return std::unexpected(published.error());
  co_return Result<>{};
}

// ---- Caches

Task<Result<std::optional<Cache>>> Artifacts::Impl::find_cache(Holder by, std::vector<std::string> wanted,
                                                               std::string version) {
  std::vector<std::string> refs{by.ref};
  for (const auto& ref : by.reads)
    if (std::ranges::find(refs, ref) == refs.end()) refs.push_back(ref);
  auto look = [repository = by.repository, refs, wanted = std::move(wanted),
               version = std::move(version)](sqlite::Connection& tables) -> Result<std::optional<Cache>> {
    for (const auto& ref : refs)
      for (const auto& key : wanted)
        for (Match match : {Match::whole, Match::front}) {
          auto found = artifact::find_cache(tables, repository, ref, version, key, match);
          if (!found || *found) return found;
        }
    return std::optional<Cache>();
  };
  co_return co_await parts.store.read(projection_name, std::nullopt, std::move(look));
}

Task<Result<Cache>> Artifacts::Impl::cache(int64_t id) {
  auto look = [id](sqlite::Connection& tables) { return artifact::find_cache(tables, id); };
  auto found = co_await parts.store.read(projection_name, std::nullopt, std::move(look));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return no_cache(id);
  co_return (*found)->cache;
}

namespace {

Result<> check_saving(sqlite::Connection& tables, const Holder& by, const std::string& key, const std::string& version,
                      uint64_t size, const Bounds& limits) {
  if (by.ref.empty()) return core::fail(Code::invalid, "This run is of no ref, and a cache belongs to one.");
  auto there = artifact::find_cache(tables, by.repository, by.ref, version, key, Match::whole);
  if (!there) return std::unexpected(there.error());
  if (*there)
    return core::fail(Code::conflict, "cache entry with the same key, version, and scope already exists: '" + key +
                                          "'. A cache is never changed; save it under another key.");
  if (size > limits.repository_cache_bytes_max)
    return core::fail(Code::exhausted, fmt::format("The cache has {}, more than all caches of a repository may have "
                                                   "({}).",
                                                   in_words(size), in_words(limits.repository_cache_bytes_max)));
  return {};
}

}  // namespace

Task<Result<>> Artifacts::Impl::may_save(Holder by, std::string key, std::string version, uint64_t size) {
  co_return parts.store.read_here(projection_name, std::nullopt, [&](sqlite::Connection& tables) {
    return check_saving(tables, by, key, version, size, limits);
  });
}

events::CacheDeleted deletion_of(const Cache& cache, std::string reason) {
  return {.cache = cache_name(cache.repository, cache.id),
          .id = cache.id,
          .repository = cache.repository,
          .key = cache.key,
          .reason = std::move(reason)};
}

Result<log::Batch> Artifacts::Impl::saving(sqlite::Connection& tables, const Holder& by, const NewCache& what,
                                           std::vector<Cache>& evicted) const {
  evicted.clear();
  auto there = artifact::find_cache(tables, by.repository, by.ref, what.version, what.key, Match::whole);
  if (!there) return std::unexpected(there.error());
  if (*there && (*there)->digest == what.digest) return log::Batch{};
  if (auto may = check_saving(tables, by, what.key, what.version, what.size, limits); !may)
    return std::unexpected(may.error());
  auto over = caches_to_evict(tables, by.repository, what.size, limits.repository_cache_bytes_max);
  if (!over) return std::unexpected(over.error());
  auto last = parts.log.last_of(ids_key);
  if (!last) return std::unexpected(last.error());
  int64_t id = static_cast<int64_t>(*last) + 1;
  events::CacheSaved saved{.cache = cache_name(by.repository, id),
                           .id = id,
                           .repository = by.repository,
                           .ref = by.ref,
                           .key = what.key,
                           .version = what.version,
                           .digest = what.digest,
                           .size = static_cast<int64_t>(what.size),
                           .run = by.run,
                           .job = by.job};
  log::Batch batch;
  batch.events.push_back(events::encode(saved, header(by.lease, core::Actor::job(by.repository))));
  auto because =
      bus::Origin::because_of(batch.events.front(), std::string(service_name), core::Actor::service("artifact"));
  for (const auto& cache : *over)
    if (evicted.size() < gone_a_batch) {
      batch.events.push_back(events::encode(deletion_of(cache, "room"), parts.bus.header(because)));
      evicted.push_back(cache);
    }
  batch.key = "cache/" + what.upload;
  batch.expected.push_back({std::string(ids_key), *last});
  return batch;
}

Task<Result<Cache>> Artifacts::Impl::save(Holder by, NewCache what) {
  auto evicted = std::make_shared<std::vector<Cache>>();
  store::CommandStrand::Check check = [this, by, what, evicted](sqlite::Connection& tables) {
    return saving(tables, by, what, *evicted);
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  std::vector<std::string> digests;
  for (const auto& cache : *evicted) digests.push_back(cache.digest);
  if (auto gone = co_await release(std::move(digests)); !gone) co_return std::unexpected(gone.error());
  auto found = parts.store.read_here(projection_name, std::nullopt, [&](sqlite::Connection& tables) {
    return artifact::find_cache(tables, by.repository, by.ref, what.version, what.key, Match::whole);
  });
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::unavailable, "It is kept, and will be shown in a moment.");
  co_return **found;
}

Task<Result<>> Artifacts::Impl::used(Holder by, Cache cache) {
  if (parts.clock.now() - cache.used < limits.cache_used_every) co_return Result<>{};
  events::CacheUsed said{
      .cache = cache_name(cache.repository, cache.id), .id = cache.id, .repository = cache.repository};
  bus::Publish options;  // jobs that find it at the same time say it once
  options.key = fmt::format("cache.used/{}/{}", cache.id, cache.used.time_since_epoch().count());
  auto event = events::encode(said, header(by.lease, core::Actor::job(by.repository)));
  auto published = co_await parts.bus.publish(std::move(event), std::move(options));
  if (!published) co_return std::unexpected(published.error());
  co_return Result<>{};
}

}  // namespace headrace::artifact
