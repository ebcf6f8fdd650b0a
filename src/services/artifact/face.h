// Face speaks the HTTP interfaces that GitHub's toolkit knows, so that @actions/artifact (version 2 and newer) and
// @actions/cache (version 4 and newer) work against it unmodified:
//
//   POST /twirp/github.actions.results.api.v1.ArtifactService/<method>   (Twirp version 7, JSON)
//        CreateArtifact, FinalizeArtifact, ListArtifacts, GetSignedArtifactURL, DeleteArtifact
//   POST /twirp/github.actions.results.api.v1.CacheService/<method>
//        CreateCacheEntry, FinalizeCacheEntryUpload, GetCacheEntryDownloadURL
//   PUT, GET, HEAD /_blobs/<kind>/<id>/<name>?<signature>   as much of Azure Blob Storage as its SDK asks for: Put
//   Blob,
//        Put Block, Put Block List, Get Blob (with ranges), Get Blob Properties
//
// Calls carry a runtime token (keys.h), blobs a signed address. The server joins it to its routes, `headrace exec`
// gives it a listener of its own; what it stands on is a Shelf. docs/artifacts.md tells the protocol. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/id.h"
#include "core/json.h"
#include "net/server.h"
#include "services/artifact/blob_store.h"
#include "services/artifact/keys.h"
#include "services/artifact/pending.h"
#include "services/artifact/shelf.h"

namespace headrace::artifact {

inline constexpr size_t uploads_a_job_max = 64;           // at once
inline constexpr std::chrono::minutes address_lives{60};  // of a job's signed address, while its lease lives
inline constexpr std::chrono::minutes address_of_a_user_lives{10};
inline constexpr std::string_view artifact_service = "github.actions.results.api.v1.ArtifactService";
inline constexpr std::string_view cache_service = "github.actions.results.api.v1.CacheService";
// Sent by who lends a job an address of the face: that address ("http://127.0.0.1:4000"), for the addresses in answers.
inline constexpr std::string_view door_header = "X-Headrace-Door";

struct FaceParts {  // all of it outlives the face
  core::Clock& clock;
  core::IdSource& ids;
  core::Pool& files;  // where reading blocks
  BlobStore& blobs;
  Shelf& shelf;
  const Keys& keys;
  std::function<uint64_t()> free_bytes;  // of the disk
};

class Face {
 public:
  explicit Face(FaceParts parts);
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  // Reads what was being uploaded before (BlobStore::open() is over).
  void recall();
  static bool serves(const net::Request& request);
  // Answers, whatever it is. Nothing is left to say where it returns an error: the client has gone.
  core::Task<core::Result<>> answer(net::Exchange& exchange);
  // Uploads of jobs that have ended go. On a slow tick.
  core::Task<> tidy();

  // Where an artifact may be had for a while, for who asked for it and was allowed to. `base`: "http://host".
  std::string address_of(const Artifact& artifact, const core::Actor& by, const std::string& base) const;
  // How the client of this request reaches us.
  static std::string base_of(const net::Request& request);

 private:
  using Answer = core::Result<core::json::object>;  // of a call
  core::Task<core::Result<>> answer_call(net::Exchange& exchange);
  core::Task<Answer> call(net::Exchange& exchange, std::string service, std::string method);

  // artifact_calls.cc
  core::Task<Answer> call_artifacts(std::string method, Holder by, core::json::value asked, std::string base);
  core::Task<Answer> create_artifact(Holder by, core::json::value asked, std::string base);
  core::Task<Answer> finalize_artifact(Holder by, core::json::value asked);
  core::Task<Answer> list_artifacts(Holder by, core::json::value asked);
  core::Task<Answer> signed_artifact(Holder by, core::json::value asked, std::string base);
  core::Task<Answer> delete_artifact(Holder by, core::json::value asked);
  core::Task<core::Result<Artifact>> artifact_named(Holder by, std::string name);

  // cache_calls.cc
  core::Task<Answer> call_caches(std::string method, Holder by, core::json::value asked, std::string base);
  core::Task<Answer> create_cache(Holder by, core::json::value asked, std::string base);
  core::Task<Answer> finalize_cache(Holder by, core::json::value asked);
  core::Task<Answer> find_cache(Holder by, core::json::value asked, std::string base);

  // uploads: one of each name and job
  core::Task<core::Result<std::string>> begin(Pending pending);  // the upload's id
  std::string upload_of(const Pending& like) const;              // "" where there is none
  core::Task<core::Result<Blob>> whole(std::string upload, std::string size, std::string digest);
  core::Task<> end(std::string upload);
  std::string address(std::string path, const Holder& by, const std::string& base) const;

  // blob_traffic.cc
  core::Task<core::Result<>> answer_blob(net::Exchange& exchange);
  core::Task<core::Result<>> put(net::Exchange& exchange, Signed by);
  core::Task<core::Result<>> take_in(net::Exchange& exchange, std::string upload, std::string block);
  core::Task<core::Result<>> join(net::Exchange& exchange, std::string upload);
  core::Task<core::Result<>> get(net::Exchange& exchange, Signed by);

  FaceParts parts_;
  std::map<std::string, Pending> pending_;  // by upload
};

// Of calls: members as protobuf's JSON names them, in either spelling ("workflow_run_backend_id",
// "workflowRunBackendId"); "" where absent. 64-bit numbers come as text or as numbers.
std::string member(const core::json::value& asked, std::string_view snake);

}  // namespace headrace::artifact
