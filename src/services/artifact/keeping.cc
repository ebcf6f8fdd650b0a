#include <algorithm>
#include <filesystem>

#include "core/diagnostics.h"
#include "services/artifact/service.h"

namespace headrace::artifact {

using core::Result;
using core::Task;

namespace {

events::ArtifactDeleted deletion_of(const Artifact& artifact, std::string reason) {
  return {.artifact = purl_of(artifact),
          .id = artifact.id,
          .repository = artifact.repository,
          .name = artifact.name,
          .reason = std::move(reason)};
}

}  // namespace

Artifacts::Impl::Impl(Parts on, Bounds by)
    : parts(std::move(on)),
      limits(by),
      keys(parts.key),
      blobs(parts.loop.executor(), parts.disk, parts.files, parts.folder),
      strand(parts.loop.executor(), parts.store, parts.log, projection_name),
      face({.clock = parts.clock,
            .ids = parts.ids,
            .files = parts.files,
            .blobs = blobs,
            .shelf = *this,
            .keys = keys,
            .free_bytes = [this] { return free_bytes(); }}),
      tasks(parts.loop.executor()) {}

uint64_t Artifacts::Impl::free_bytes() const {
  if (parts.free_bytes) return parts.free_bytes();
  std::error_code error;
  auto space = std::filesystem::space(parts.folder, error);
  return error ? UINT64_MAX : space.available;  // what cannot be asked refuses nothing
}

Task<Result<>> Artifacts::Impl::start() {
  parts.bus.says(std::string(service_name),
                 {std::string(events::ArtifactPackaged::type), std::string(events::ArtifactPublished::type),
                  std::string(events::ArtifactDownloaded::type), std::string(events::ArtifactDeleted::type),
                  std::string(events::CacheSaved::type), std::string(events::CacheUsed::type),
                  std::string(events::CacheDeleted::type)});
  if (auto opened = co_await blobs.open(); !opened) co_return opened;
  face.recall();
  if (auto swept = co_await sweep(); !swept) co_return swept;
  tasks.spawn("keeping artifacts", keep_house());
  co_return Result<>{};
}

Task<> Artifacts::Impl::stop() {
  co_await tasks.close();
  co_await blobs.close();
}

Task<> Artifacts::Impl::keep_house() {
  while (true) {
    co_await parts.clock.sleep_for(tick_every);
    auto done = co_await tick();
    if (!done)
      core::diagnose(core::Level::error, "artifact",
                     "keeping house: " + done.error().message + " " + done.error().detail);
  }
}

Task<Result<>> Artifacts::Impl::tick() {
  co_await face.tidy();
  if (auto done = co_await expire(); !done) co_return done;
  if (auto done = co_await drop_unused(); !done) co_return done;
  co_return co_await sweep();
}

// ---- Artifacts

Task<Result<Artifact>> Artifacts::Impl::remove(core::Actor by, int64_t id) {
  auto removed = std::make_shared<Artifact>();
  store::CommandStrand::Check check = [this, by, id, removed](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = find_artifact(tables, id);
    if (!found) return std::unexpected(found.error());
    if (!*found) return no_artifact(id);
    *removed = (*found)->artifact;
    log::Batch batch;
    batch.events.push_back(events::encode(deletion_of(*removed, "requested"), header(0, by)));
    return batch;
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  std::vector<std::string> digests{removed->digest};
  if (auto gone = co_await release(std::move(digests)); !gone) co_return std::unexpected(gone.error());
  co_return *removed;
}

// Those whose time is over, because of the word that they are there.
Task<Result<>> Artifacts::Impl::expire() {
  for (;;) {
    auto digests = std::make_shared<std::vector<std::string>>();
    store::CommandStrand::Check check = [this, digests](sqlite::Connection& tables) -> Result<log::Batch> {
      digests->clear();
      auto over = artifacts_over(tables, parts.clock.now(), gone_a_batch);
      if (!over) return std::unexpected(over.error());
      log::Batch batch;
      for (int64_t id : *over) {
        auto found = find_artifact(tables, id);
        if (!found) return std::unexpected(found.error());
        digests->push_back((*found)->artifact.digest);
        batch.events.push_back(events::encode(deletion_of((*found)->artifact, "expired"),
                                              header((*found)->seq, core::Actor::service("artifact"))));
      }
      return batch;
    };
    auto said = co_await strand.run(std::move(check));
    if (!said) co_return std::unexpected(said.error());
    size_t count = digests->size();
    if (auto gone = co_await release(std::move(*digests)); !gone) co_return gone;
    if (count < gone_a_batch) co_return Result<>{};
  }
}

// ---- Caches

Task<Result<std::vector<Cache>>> Artifacts::Impl::remove_caches(core::Actor by, Choose choose) {
  auto removed = std::make_shared<std::vector<Cache>>();
  store::CommandStrand::Check check = [this, by, choose, removed](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = choose(tables);
    if (!found) return std::unexpected(found.error());
    *removed = std::move(*found);
    if (removed->size() > gone_a_batch) removed->resize(gone_a_batch);
    log::Batch batch;
    for (const auto& cache : *removed)
      batch.events.push_back(events::encode(artifact::deletion_of(cache, "requested"), header(0, by)));
    return batch;
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  std::vector<std::string> digests;
  for (const auto& cache : *removed) digests.push_back(cache.digest);
  if (auto gone = co_await release(std::move(digests)); !gone) co_return std::unexpected(gone.error());
  co_return std::move(*removed);
}

Task<Result<>> Artifacts::Impl::drop_unused() {
  for (;;) {
    auto digests = std::make_shared<std::vector<std::string>>();
    store::CommandStrand::Check check = [this, digests](sqlite::Connection& tables) -> Result<log::Batch> {
      digests->clear();
      auto unused = caches_unused(tables, parts.clock.now() - limits.cache_unused_max, gone_a_batch);
      if (!unused) return std::unexpected(unused.error());
      log::Batch batch;
      for (int64_t id : *unused) {
        auto found = artifact::find_cache(tables, id);
        if (!found) return std::unexpected(found.error());
        digests->push_back((*found)->cache.digest);
        batch.events.push_back(events::encode(artifact::deletion_of((*found)->cache, "unused"),
                                              header((*found)->seq, core::Actor::service("artifact"))));
      }
      return batch;
    };
    auto said = co_await strand.run(std::move(check));
    if (!said) co_return std::unexpected(said.error());
    size_t count = digests->size();
    if (auto gone = co_await release(std::move(*digests)); !gone) co_return gone;
    if (count < gone_a_batch) co_return Result<>{};
  }
}

// ---- Bytes

// Those that nobody names any more go. Asked at the moment of removing: another may have come to be named meanwhile.
Task<Result<>> Artifacts::Impl::release(std::vector<std::string> digests) {
  for (auto& digest : digests) {
    auto named = parts.store.read_here(projection_name, std::nullopt,
                                       [&](sqlite::Connection& tables) { return is_named(tables, digest); });
    if (!named) co_return std::unexpected(named.error());
    if (*named) continue;
    auto removed = co_await blobs.remove(digest);
    if (!removed) co_return std::unexpected(removed.error());
  }
  co_return Result<>{};
}

Task<Result<>> Artifacts::Impl::sweep() {
  auto there = co_await blobs.digests();
  if (!there) co_return std::unexpected(there.error());
  auto look = [](sqlite::Connection& tables) { return named_digests(tables); };
  auto named = co_await parts.store.read(projection_name, std::nullopt, std::move(look));
  if (!named) co_return std::unexpected(named.error());
  std::vector<std::string> orphans;
  std::ranges::set_difference(*there, *named, std::back_inserter(orphans));
  co_return co_await release(std::move(orphans));
}

}  // namespace headrace::artifact
