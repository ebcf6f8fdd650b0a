// CacheService, as @actions/cache calls it (its generated/results/api/v1/cache.ts).
#include <fmt/format.h>

#include "services/artifact/face.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t version_bytes_max = 128;

struct CacheName {
  std::string key, version;
};

Result<CacheName> name_in(const json::value& asked) {
  CacheName name{member(asked, "key"), member(asked, "version")};
  if (auto checked = check_cache_key(name.key); !checked) return std::unexpected(checked.error());
  if (name.version.empty() || name.version.size() > version_bytes_max)
    return core::fail(Code::invalid, fmt::format("The version of a cache has 1 to {} characters.", version_bytes_max));
  return name;
}

// Whose the entry is: a cache belongs to a ref, which a run by hand of a deleted branch, say, may not have.
Pending pending_of(const Holder& by, const CacheName& name) {
  Pending pending;
  pending.kind = Pending::Kind::cache;
  pending.holder = by;
  pending.name = name.key;
  pending.version = name.version;
  pending.media = "application/octet-stream";
  return pending;
}

}  // namespace

Task<Face::Answer> Face::call_caches(std::string method, Holder by, json::value asked, std::string base) {
  if (method == "CreateCacheEntry") co_return co_await create_cache(std::move(by), std::move(asked), std::move(base));
  if (method == "FinalizeCacheEntryUpload") co_return co_await finalize_cache(std::move(by), std::move(asked));
  if (method == "GetCacheEntryDownloadURL")
    co_return co_await find_cache(std::move(by), std::move(asked), std::move(base));
  co_return core::fail(Code::not_found, "There is no method '" + method.substr(0, 100) + "'.");
}

Task<Face::Answer> Face::create_cache(Holder by, json::value asked, std::string base) {
  auto name = name_in(asked);
  if (!name) co_return std::unexpected(name.error());
  if (auto may = co_await parts_.shelf.may_save(by, name->key, name->version, 0); !may)
    co_return std::unexpected(may.error());
  for (const auto& [id, one] : pending_)
    if (one.kind == Pending::Kind::cache && one.name == name->key && one.version == name->version &&
        one.holder.repository == by.repository && one.holder.ref == by.ref && one.holder.lease != by.lease &&
        parts_.shelf.alive(one.holder.lease))
      co_return core::fail(Code::conflict, "Another job is saving a cache with the key '" + name->key + "' just now.");
  auto upload = co_await begin(pending_of(by, *name));
  if (!upload) co_return std::unexpected(upload.error());
  json::object answer;
  answer["ok"] = true;
  answer["signed_upload_url"] = address("/_blobs/upload/" + *upload + "/cache", by, base);
  answer["message"] = "";
  co_return answer;
}

Task<Face::Answer> Face::finalize_cache(Holder by, json::value asked) {
  auto name = name_in(asked);
  if (!name) co_return std::unexpected(name.error());
  std::string upload = upload_of(pending_of(by, *name));
  if (upload.empty()) co_return core::fail(Code::not_found, "No upload of a cache of this key has begun in this job.");
  auto blob = co_await whole(upload, member(asked, "size_bytes"), "");
  if (!blob) co_return std::unexpected(blob.error());
  if (auto may = co_await parts_.shelf.may_save(by, name->key, name->version, blob->size);
      !may && may.error().code != Code::conflict)
    co_return std::unexpected(may.error());
  auto hold = co_await parts_.blobs.keep(upload);
  if (!hold) co_return std::unexpected(hold.error());
  NewCache what{
      .upload = upload, .key = name->key, .version = name->version, .digest = blob->digest, .size = blob->size};
  auto cache = co_await parts_.shelf.save(by, std::move(what));
  if (!cache) co_return std::unexpected(cache.error());
  co_await end(upload);
  json::object answer;
  answer["ok"] = true;
  answer["entry_id"] = std::to_string(cache->id);
  answer["message"] = "";
  co_return answer;
}

Task<Face::Answer> Face::find_cache(Holder by, json::value asked, std::string base) {
  auto name = name_in(asked);
  if (!name) co_return std::unexpected(name.error());
  std::vector<std::string> keys{name->key};
  const auto* more = core::find(asked, "restore_keys");
  if (more == nullptr) more = core::find(asked, "restoreKeys");
  if (more != nullptr && more->is_array())
    for (const auto& key : more->get_array())
      if (key.is_string() && !key.get_string().empty()) keys.emplace_back(key.get_string());
  if (keys.size() > keys_max)
    co_return core::fail(Code::invalid, fmt::format("Keys are limited to a maximum of {}.", keys_max));
  for (const auto& key : keys)
    if (auto checked = check_cache_key(key); !checked) co_return std::unexpected(checked.error());
  auto found = co_await parts_.shelf.find_cache(by, std::move(keys), name->version);
  if (!found) co_return std::unexpected(found.error());
  json::object answer;
  answer["ok"] = found->has_value();
  if (!*found) co_return answer;
  if (auto noted = co_await parts_.shelf.used(by, **found); !noted) co_return std::unexpected(noted.error());
  answer["signed_download_url"] = address(fmt::format("/_blobs/cache/{}/cache", (*found)->id), by, base);
  answer["matched_key"] = (*found)->key;
  co_return answer;
}

}  // namespace headrace::artifact
