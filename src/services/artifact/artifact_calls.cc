// ArtifactService, as @actions/artifact calls it (its generated/results/api/v1/artifact.ts).
#include <fmt/format.h>

#include <algorithm>

#include "net/url.h"
#include "services/artifact/face.h"

namespace headrace::artifact {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr std::string_view zip_media = "application/zip";
constexpr size_t media_bytes_max = 100;

// A job speaks for its own run, and where it makes something, for itself.
Result<> check_backend(const Holder& by, const json::value& asked, bool own) {
  std::string run = member(asked, "workflow_run_backend_id"), job = member(asked, "workflow_job_run_backend_id");
  if (run == by.run && (!own || job == by.job)) return {};
  return core::fail(Code::denied,
                    "The token of a job reaches the artifacts of its own run, no others: the run or the job in this "
                    "call is another.");
}

bool is_media(std::string_view text) {
  return !text.empty() && text.size() <= media_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

json::object shown(const Artifact& artifact) {
  return {{"workflow_run_backend_id", artifact.run},
          {"workflow_job_run_backend_id", artifact.job},
          {"database_id", std::to_string(artifact.id)},
          {"name", artifact.name},
          {"size", std::to_string(artifact.size)},
          {"created_at", core::format_time(artifact.created)},
          {"digest", artifact.digest}};
}

Pending pending_of(const Holder& by, const std::string& name) {
  Pending pending;
  pending.kind = Pending::Kind::artifact;
  pending.holder = by;
  pending.name = name;
  return pending;
}

}  // namespace

Task<Face::Answer> Face::call_artifacts(std::string method, Holder by, json::value asked, std::string base) {
  bool makes = method == "CreateArtifact" || method == "FinalizeArtifact";
  if (auto checked = check_backend(by, asked, makes); !checked) co_return std::unexpected(checked.error());
  if (method == "CreateArtifact") co_return co_await create_artifact(std::move(by), std::move(asked), std::move(base));
  if (method == "FinalizeArtifact") co_return co_await finalize_artifact(std::move(by), std::move(asked));
  if (method == "ListArtifacts") co_return co_await list_artifacts(std::move(by), std::move(asked));
  if (method == "GetSignedArtifactURL")
    co_return co_await signed_artifact(std::move(by), std::move(asked), std::move(base));
  if (method == "DeleteArtifact") co_return co_await delete_artifact(std::move(by), std::move(asked));
  co_return core::fail(Code::not_found, "There is no method '" + method.substr(0, 100) + "'.");
}

Task<Face::Answer> Face::create_artifact(Holder by, json::value asked, std::string base) {
  std::string name = member(asked, "name");
  if (auto checked = check_artifact_name(name); !checked) co_return std::unexpected(checked.error());
  if (auto may = co_await parts_.shelf.may_publish(by, name, 0); !may) co_return std::unexpected(may.error());
  Pending pending = pending_of(by, name);
  pending.media = member(asked, "mime_type");
  if (!is_media(pending.media)) pending.media = zip_media;
  if (std::string expires = member(asked, "expires_at"); !expires.empty()) {
    auto time = core::parse_time(expires);
    if (!time || *time <= parts_.clock.now())
      co_return core::fail(Code::invalid, "expires_at is a time in the future (RFC 3339).");
    pending.expires = std::min(*time, parts_.clock.now() + parts_.shelf.bounds().retention_max);
  }
  auto upload = co_await begin(std::move(pending));
  if (!upload) co_return std::unexpected(upload.error());
  json::object answer;
  answer["ok"] = true;
  answer["signed_upload_url"] = address("/_blobs/upload/" + *upload + "/" + net::percent_encode(name), by, base);
  co_return answer;
}

Task<Face::Answer> Face::finalize_artifact(Holder by, json::value asked) {
  std::string name = member(asked, "name");
  std::string upload = upload_of(pending_of(by, name));
  if (upload.empty())
    co_return core::fail(Code::not_found, "No upload of an artifact of this name has begun in this job.");
  auto blob = co_await whole(upload, member(asked, "size"), member(asked, "hash"));
  if (!blob) co_return std::unexpected(blob.error());
  if (auto may = co_await parts_.shelf.may_publish(by, name, blob->size); !may && may.error().code != Code::conflict)
    co_return std::unexpected(may.error());
  auto hold = co_await parts_.blobs.keep(upload);
  if (!hold) co_return std::unexpected(hold.error());
  auto found = pending_.find(upload);
  if (found == pending_.end()) co_return core::fail(Code::not_found, "The upload has ended meanwhile.");
  NewArtifact what{.upload = upload,
                   .name = name,
                   .digest = blob->digest,
                   .size = blob->size,
                   .media = found->second.media,
                   .expires = found->second.expires};
  auto artifact = co_await parts_.shelf.publish(by, std::move(what));
  if (!artifact) co_return std::unexpected(artifact.error());
  co_await end(upload);
  json::object answer;
  answer["ok"] = true;
  answer["artifact_id"] = std::to_string(artifact->id);
  co_return answer;
}

Task<Face::Answer> Face::list_artifacts(Holder by, json::value asked) {
  auto all = co_await parts_.shelf.of_run(by.repository, by.run);
  if (!all) co_return std::unexpected(all.error());
  std::string name = member(asked, "name_filter"), id = member(asked, "id_filter");
  json::array list;
  for (const auto& one : *all)
    if ((name.empty() || one.name == name) && (id.empty() || std::to_string(one.id) == id)) list.push_back(shown(one));
  json::object answer;
  answer["artifacts"] = std::move(list);
  co_return answer;
}

Task<Result<Artifact>> Face::artifact_named(Holder by, std::string name) {
  auto all = co_await parts_.shelf.of_run(by.repository, by.run);
  if (!all) co_return std::unexpected(all.error());
  auto found = std::ranges::find(*all, name, &Artifact::name);
  if (found == all->end())
    co_return core::fail(Code::not_found, "This run has no artifact '" + name.substr(0, name_bytes_max) + "'.");
  co_return *found;
}

Task<Face::Answer> Face::signed_artifact(Holder by, json::value asked, std::string base) {
  auto artifact = co_await artifact_named(by, member(asked, "name"));
  if (!artifact) co_return std::unexpected(artifact.error());
  std::string suffix = artifact->media == zip_media && !artifact->name.ends_with(".zip") ? ".zip" : "";
  std::string path = fmt::format("/_blobs/artifact/{}/{}", artifact->id, net::percent_encode(artifact->name + suffix));
  json::object answer;
  answer["signed_url"] = address(std::move(path), by, base);
  co_return answer;
}

Task<Face::Answer> Face::delete_artifact(Holder by, json::value asked) {
  auto artifact = co_await artifact_named(by, member(asked, "name"));
  if (!artifact) co_return std::unexpected(artifact.error());
  auto removed = co_await parts_.shelf.remove(core::Actor::job(by.repository), artifact->id);
  if (!removed) co_return std::unexpected(removed.error());
  json::object answer;
  answer["ok"] = true;
  answer["artifact_id"] = std::to_string(removed->id);
  co_return answer;
}

}  // namespace headrace::artifact
