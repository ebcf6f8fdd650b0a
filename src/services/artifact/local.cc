#include "services/artifact/local.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/diagnostics.h"
#include "core/json.h"
#include "net/server.h"
#include "services/artifact/face.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr std::chrono::seconds shutdown_limit{2};
constexpr size_t shelf_bytes_max = size_t{16} << 20;

std::string random_key(core::Random& random) {
  std::array<std::byte, 32> key{};
  random.fill(key);
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

json::object of(const Artifact& it) {
  return {{"id", it.id},
          {"repository", it.repository},
          {"name", it.name},
          {"run", it.run},
          {"run_id", it.run_id},
          {"job", it.job},
          {"ref", it.ref},
          {"commit", it.commit},
          {"digest", it.digest},
          {"size", it.size},
          {"media", it.media},
          {"created", core::format_time(it.created)},
          {"expires", core::format_time(it.expires)}};
}

json::object of(const Cache& it) {
  return {{"id", it.id},
          {"repository", it.repository},
          {"ref", it.ref},
          {"key", it.key},
          {"version", it.version},
          {"digest", it.digest},
          {"size", it.size},
          {"created", core::format_time(it.created)},
          {"used", core::format_time(it.used)}};
}

std::string text(const json::value& from, std::string_view name) { return core::string_at(from, name).value_or(""); }
int64_t number(const json::value& from, std::string_view name) { return core::integer_at(from, name).value_or(0); }
core::Time time(const json::value& from, std::string_view name) {
  auto time = core::parse_time(text(from, name));
  return time ? *time : core::Time();
}

Artifact artifact_of(const json::value& from) {
  return {.id = number(from, "id"),
          .repository = text(from, "repository"),
          .name = text(from, "name"),
          .run = text(from, "run"),
          .run_id = number(from, "run_id"),
          .job = text(from, "job"),
          .ref = text(from, "ref"),
          .commit = text(from, "commit"),
          .digest = text(from, "digest"),
          .size = static_cast<uint64_t>(number(from, "size")),
          .media = text(from, "media"),
          .created = time(from, "created"),
          .expires = time(from, "expires")};
}

Cache cache_of(const json::value& from) {
  return {.id = number(from, "id"),
          .repository = text(from, "repository"),
          .ref = text(from, "ref"),
          .key = text(from, "key"),
          .version = text(from, "version"),
          .digest = text(from, "digest"),
          .size = static_cast<uint64_t>(number(from, "size")),
          .created = time(from, "created"),
          .used = time(from, "used")};
}

// One that begins with `key` and is the newest, or is `key`.
const Cache* best_of(const std::vector<Cache>& caches, const Cache& like, bool whole) {
  const Cache* best = nullptr;
  for (const auto& one : caches) {
    bool fits = one.repository == like.repository && one.ref == like.ref && one.version == like.version &&
                (whole ? one.key == like.key : one.key.starts_with(like.key));
    if (fits && (best == nullptr || one.created >= best->created)) best = &one;
  }
  return best;
}

}  // namespace

struct LocalArtifacts::Impl final : Shelf {
  Impl(core::Loop& on, core::Clock& time, core::Disk& files_of, core::IdSource& names, core::Random& random,
       std::string in, Bounds by)
      : clock(time),
        disk(files_of),
        folder(std::move(in)),
        limits(by),
        keys(random_key(random)),
        blobs(on.executor(), disk, files, folder),
        face({.clock = clock,
              .ids = names,
              .files = files,
              .blobs = blobs,
              .shelf = *this,
              .keys = keys,
              .free_bytes = [this] { return free_bytes(); }}),
        http(on.executor(), clock, [this](net::Exchange& exchange) { return answer(exchange); }) {}

  Task<> answer(net::Exchange& exchange) {
    if (Face::serves(exchange.request())) {
      if (auto answered = co_await face.answer(exchange); !answered) co_return;
      co_return;
    }
    auto nothing = net::make_response(net::Status::not_found, "There is no server here, only artifacts and caches.\n");
    if (auto answered = co_await exchange.respond(std::move(nothing)); !answered) co_return;
  }

  uint64_t free_bytes() const {
    std::error_code error;
    auto space = std::filesystem::space(folder, error);
    return error ? UINT64_MAX : space.available;
  }

  Result<> load();
  Result<> store();
  Task<> forget_old();
  Task<Result<>> drop(std::vector<std::string> digests);
  bool is_named(const std::string& digest) const {
    return std::ranges::any_of(kept, [&](const auto& one) { return one.digest == digest; }) ||
           std::ranges::any_of(cached, [&](const auto& one) { return one.digest == digest; });
  }

  // ---- Shelf
  const Bounds& bounds() const override { return limits; }
  bool alive(uint64_t lease) const override { return leases.contains(lease); }
  Task<Result<std::vector<Artifact>>> of_run(std::string repository, std::string run) override;
  Task<Result<Artifact>> artifact(int64_t id) override;
  Task<Result<>> may_publish(Holder by, std::string name, uint64_t size) override;
  Task<Result<Artifact>> publish(Holder by, NewArtifact what) override;
  Task<Result<Artifact>> remove(core::Actor by, int64_t id) override;
  Task<Result<>> downloaded(core::Actor, int64_t, std::string) override { co_return Result<>{}; }
  Task<Result<std::optional<Cache>>> find_cache(Holder by, std::vector<std::string> keys, std::string version) override;
  Task<Result<Cache>> cache(int64_t id) override;
  Task<Result<>> may_save(Holder by, std::string key, std::string version, uint64_t size) override;
  Task<Result<Cache>> save(Holder by, NewCache what) override;
  Task<Result<>> used(Holder by, Cache cache) override;

  core::Clock& clock;
  core::Disk& disk;
  std::string folder;
  Bounds limits;
  core::Pool files{"artifact files", {.threads = 2}};
  Keys keys;
  BlobStore blobs;
  Face face;
  net::Server http;
  std::set<uint64_t> leases;
  std::vector<Artifact> kept;
  std::vector<Cache> cached;
  int64_t last_id = 0;
  uint64_t last_lease = 0;
};

LocalArtifacts::LocalArtifacts(core::Loop& loop, core::Clock& clock, core::Disk& disk, core::IdSource& ids,
                               core::Random& random, std::string folder, Bounds bounds)
    : impl_(std::make_unique<Impl>(loop, clock, disk, ids, random, std::move(folder), bounds)) {}
LocalArtifacts::~LocalArtifacts() = default;

std::string LocalArtifacts::socket() const { return impl_->folder + "/socket"; }
const std::vector<Artifact>& LocalArtifacts::artifacts() const { return impl_->kept; }
const std::vector<Cache>& LocalArtifacts::caches() const { return impl_->cached; }
void LocalArtifacts::end(uint64_t lease) { impl_->leases.erase(lease); }

uint64_t LocalArtifacts::lease() { return *impl_->leases.insert(++impl_->last_lease).first; }

std::string LocalArtifacts::token(const Holder& holder) { return impl_->keys.mint(holder, impl_->clock.now()); }

std::string LocalArtifacts::blob(const Artifact& artifact) const {
  std::string hex = artifact.digest.substr(artifact.digest.find(':') + 1);
  return impl_->folder + "/blobs/" + hex.substr(0, 2) + "/" + hex;
}

Task<Result<>> LocalArtifacts::start() {
  if (auto opened = co_await impl_->blobs.open(); !opened) co_return opened;
  if (auto loaded = impl_->load(); !loaded) co_return loaded;
  co_await impl_->face.tidy();  // uploads of runs before
  co_await impl_->forget_old();
  auto listening = impl_->http.listen("unix:" + socket());
  if (!listening) co_return std::unexpected(listening.error());
  co_return Result<>{};
}

Task<> LocalArtifacts::stop() {
  co_await impl_->http.shutdown(shutdown_limit);
  co_await impl_->blobs.close();
}

// ---- The file

Result<> LocalArtifacts::Impl::load() {
  auto shelf = core::read_file(disk, folder + "/shelf.json", shelf_bytes_max);
  if (!shelf && shelf.error().code == Code::not_found) return {};
  if (!shelf) return std::unexpected(shelf.error());
  auto read = core::parse_json(*shelf);
  if (!read) return core::fail(Code::corrupt, folder + "/shelf.json: " + read.error().message + " Remove the folder.");
  last_id = number(*read, "last_id");
  if (const auto* list = core::find(*read, "artifacts"); list != nullptr && list->is_array())
    for (const auto& one : list->get_array()) kept.push_back(artifact_of(one));
  if (const auto* list = core::find(*read, "caches"); list != nullptr && list->is_array())
    for (const auto& one : list->get_array()) cached.push_back(cache_of(one));
  return {};
}

Result<> LocalArtifacts::Impl::store() {
  json::array artifacts, caches;
  for (const auto& one : kept) artifacts.push_back(of(one));
  for (const auto& one : cached) caches.push_back(of(one));
  json::object shelf{{"last_id", last_id}, {"artifacts", std::move(artifacts)}, {"caches", std::move(caches)}};
  return core::write_file(disk, folder + "/shelf.json", core::to_text(shelf));
}

Task<Result<>> LocalArtifacts::Impl::drop(std::vector<std::string> digests) {
  if (auto stored = store(); !stored) co_return stored;
  for (auto& digest : digests)
    if (!is_named(digest))
      if (auto removed = co_await blobs.remove(digest); !removed) co_return std::unexpected(removed.error());
  co_return Result<>{};
}

Task<> LocalArtifacts::Impl::forget_old() {
  auto now = clock.now();
  std::erase_if(kept, [&](const Artifact& one) { return one.expires <= now; });
  std::erase_if(cached, [&](const Cache& one) { return one.used <= now - limits.cache_unused_max; });
  auto there = co_await blobs.digests();
  auto dropped = co_await drop(there.value_or(std::vector<std::string>()));
  if (!dropped) core::diagnose(core::Level::warning, "artifact", dropped.error().message);
}

// ---- Artifacts

Task<Result<std::vector<Artifact>>> LocalArtifacts::Impl::of_run(std::string repository, std::string run) {
  std::vector<Artifact> found;
  for (const auto& one : kept)
    if (one.run == run && one.repository == repository) found.push_back(one);
  std::ranges::reverse(found);
  co_return found;
}

Task<Result<Artifact>> LocalArtifacts::Impl::artifact(int64_t id) {
  auto found = std::ranges::find(kept, id, &Artifact::id);
  if (found == kept.end()) co_return core::fail(Code::not_found, "There is no such artifact.");
  co_return *found;
}

Task<Result<>> LocalArtifacts::Impl::may_publish(Holder by, std::string name, uint64_t size) {
  uint64_t bytes = size;
  size_t of_this_run = 0;
  for (const auto& one : kept) {
    bytes += one.repository == by.repository ? one.size : 0;
    of_this_run += one.run == by.run ? 1U : 0U;
    if (one.run == by.run && one.name == name)
      co_return core::fail(Code::conflict,
                           "an artifact with this name already exists on the workflow run: '" + name + "'.");
  }
  if (bytes > limits.repository_bytes_max || of_this_run >= limits.artifacts_a_run_max)
    co_return core::fail(Code::exhausted, "There are too many artifacts here; remove " + folder + ".");
  co_return Result<>{};
}

Task<Result<Artifact>> LocalArtifacts::Impl::publish(Holder by, NewArtifact what) {
  if (auto may = co_await may_publish(by, what.name, what.size); !may) co_return std::unexpected(may.error());
  kept.push_back({.id = ++last_id,
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
                  .created = clock.now(),
                  .expires = what.expires.value_or(clock.now() + limits.retention)});
  Artifact artifact = kept.back();
  if (auto stored = store(); !stored) co_return std::unexpected(stored.error());
  co_return artifact;
}

Task<Result<Artifact>> LocalArtifacts::Impl::remove(core::Actor, int64_t id) {
  auto found = std::ranges::find(kept, id, &Artifact::id);
  if (found == kept.end()) co_return core::fail(Code::not_found, "There is no such artifact.");
  Artifact removed = *found;
  kept.erase(found);
  std::vector<std::string> digests{removed.digest};
  if (auto gone = co_await drop(std::move(digests)); !gone) co_return std::unexpected(gone.error());
  co_return removed;
}

// ---- Caches

Task<Result<std::optional<Cache>>> LocalArtifacts::Impl::find_cache(Holder by, std::vector<std::string> wanted,
                                                                    std::string version) {
  std::vector<std::string> refs{by.ref};
  refs.insert(refs.end(), by.reads.begin(), by.reads.end());
  Cache like;
  like.repository = by.repository;
  like.version = version;
  for (const auto& ref : refs)
    for (const auto& key : wanted)
      for (bool whole : {true, false}) {
        like.ref = ref;
        like.key = key;
        if (const auto* found = best_of(cached, like, whole)) co_return *found;
      }
  co_return std::optional<Cache>();
}

Task<Result<Cache>> LocalArtifacts::Impl::cache(int64_t id) {
  auto found = std::ranges::find(cached, id, &Cache::id);
  if (found == cached.end()) co_return core::fail(Code::not_found, "There is no such cache.");
  co_return *found;
}

Task<Result<>> LocalArtifacts::Impl::may_save(Holder by, std::string key, std::string version, uint64_t size) {
  Cache like;
  like.repository = by.repository;
  like.ref = by.ref;
  like.version = version;
  like.key = key;
  if (best_of(cached, like, true) != nullptr)
    co_return core::fail(Code::conflict, "cache entry with the same key, version, and scope already exists: '" + key +
                                             "'. A cache is never changed.");
  if (size > limits.repository_cache_bytes_max)
    co_return core::fail(Code::exhausted, "The cache is larger than all caches may be together.");
  co_return Result<>{};
}

Task<Result<Cache>> LocalArtifacts::Impl::save(Holder by, NewCache what) {
  if (auto may = co_await may_save(by, what.key, what.version, what.size); !may) co_return std::unexpected(may.error());
  std::vector<std::string> evicted;
  auto total = [&] {
    uint64_t bytes = what.size;
    for (const auto& one : cached) bytes += one.repository == by.repository ? one.size : 0;
    return bytes;
  };
  while (total() > limits.repository_cache_bytes_max) {
    auto oldest = cached.end();
    for (auto one = cached.begin(); one != cached.end(); ++one)
      if (one->repository == by.repository && (oldest == cached.end() || one->used < oldest->used)) oldest = one;
    evicted.push_back(oldest->digest);
    cached.erase(oldest);
  }
  cached.push_back({.id = ++last_id,
                    .repository = by.repository,
                    .ref = by.ref,
                    .key = what.key,
                    .version = what.version,
                    .digest = what.digest,
                    .size = what.size,
                    .created = clock.now(),
                    .used = clock.now()});
  Cache saved = cached.back();
  if (auto dropped = co_await drop(std::move(evicted)); !dropped) co_return std::unexpected(dropped.error());
  co_return saved;
}

Task<Result<>> LocalArtifacts::Impl::used(Holder, Cache cache) {
  auto found = std::ranges::find(cached, cache.id, &Cache::id);
  if (found == cached.end()) co_return Result<>{};
  found->used = clock.now();
  co_return store();
}

}  // namespace headrace::artifact
