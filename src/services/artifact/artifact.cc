#include "services/artifact/artifact.h"

#include "services/artifact/service.h"

namespace headrace::artifact {

using core::Result;
using core::Task;

Artifacts::Artifacts(Parts parts, Bounds bounds) : impl_(std::make_unique<Impl>(std::move(parts), bounds)) {
  impl_->parts.store.add(std::make_unique<ShelfProjection>());
}
Artifacts::~Artifacts() = default;

Task<Result<>> Artifacts::start() { return impl_->start(); }
Task<> Artifacts::stop() { return impl_->stop(); }
Task<Result<>> Artifacts::tick() { return impl_->tick(); }
Face& Artifacts::face() { return impl_->face; }
const Keys& Artifacts::keys() const { return impl_->keys; }
const Bounds& Artifacts::bounds() const { return impl_->limits; }

Task<Result<ArtifactList>> Artifacts::list(ArtifactQuery query, Page page, At at) {
  auto look = [query = std::move(query), page](sqlite::Connection& tables) {
    return list_artifacts(tables, query, page);
  };
  co_return co_await impl_->parts.store.read(projection_name, at, std::move(look));
}

Task<Result<Artifact>> Artifacts::view(std::string repository, int64_t id, At at) {
  auto look = [id](sqlite::Connection& tables) { return find_artifact(tables, id); };
  auto found = co_await impl_->parts.store.read(projection_name, at, std::move(look));
  if (!found) co_return std::unexpected(found.error());
  if (!*found || (*found)->artifact.repository != repository) co_return no_artifact(id);
  co_return (*found)->artifact;
}

Task<Result<CacheList>> Artifacts::caches(CacheQuery query, Page page, At at) {
  auto look = [query = std::move(query), page](sqlite::Connection& tables) { return list_caches(tables, query, page); };
  co_return co_await impl_->parts.store.read(projection_name, at, std::move(look));
}

Task<Result<CacheUsage>> Artifacts::cache_usage(std::string repository, At at) {
  auto look = [repository = std::move(repository)](sqlite::Connection& tables) {
    return artifact::cache_usage(tables, repository);
  };
  co_return co_await impl_->parts.store.read(projection_name, at, std::move(look));
}

Task<Result<>> Artifacts::remove(core::Actor actor, std::string repository, int64_t id) {
  auto there = co_await view(std::move(repository), id);
  if (!there) co_return std::unexpected(there.error());
  auto removed = co_await impl_->remove(std::move(actor), id);
  if (!removed) co_return std::unexpected(removed.error());
  co_return Result<>{};
}

Task<Result<>> Artifacts::remove_cache(core::Actor actor, std::string repository, int64_t id) {
  auto choose = [repository, id](sqlite::Connection& tables) -> Result<std::vector<Cache>> {
    auto found = find_cache(tables, id);
    if (!found) return std::unexpected(found.error());
    if (!*found || (*found)->cache.repository != repository) return no_cache(id);
    return std::vector<Cache>{(*found)->cache};
  };
  auto removed = co_await impl_->remove_caches(std::move(actor), std::move(choose));
  if (!removed) co_return std::unexpected(removed.error());
  co_return Result<>{};
}

Task<Result<std::vector<Cache>>> Artifacts::remove_caches(core::Actor actor, std::string repository, std::string key,
                                                          std::string ref) {
  auto choose = [repository, key, ref](sqlite::Connection& tables) -> Result<std::vector<Cache>> {
    auto found = caches_of_key(tables, repository, key, ref);
    if (found && found->empty())
      return core::fail(core::Code::not_found, "There is no cache with the key '" + key.substr(0, key_bytes_max) +
                                                   "' in " + repository + (ref.empty() ? "." : " of " + ref + "."));
    return found;
  };
  co_return co_await impl_->remove_caches(std::move(actor), std::move(choose));
}

}  // namespace headrace::artifact
