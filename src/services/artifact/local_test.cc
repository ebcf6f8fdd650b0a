// Artifacts and caches without a server.
#include "services/artifact/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/json.h"
#include "net/client.h"
#include "store/testing/folder.h"

namespace headrace::artifact {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace json = core::json;

struct World {
  World() { open(); }
  ~World() { loop.run(local->stop()); }
  void open() {
    local = std::make_unique<LocalArtifacts>(loop, clock, disk, ids, random, folder.path());
    core::require(loop.run(local->start()).has_value(), "it starts");
  }
  void restart() {
    loop.run(local->stop());
    open();
  }
  Holder holder() {
    return {
        .lease = local->lease(), .repository = "team/hello", .run = "run-1", .job = "job-1", .ref = "refs/heads/main"};
  }

  net::Response ask(const std::string& method, const std::string& url, std::string body,
                    const std::string& token = {}) {
    net::ClientOptions options;
    options.unix_socket = local->socket();
    net::Client client(loop.executor(), clock, options);
    net::ClientRequest request;
    request.url = url.starts_with("http") ? url : "http://localhost" + url;
    request.method = method;
    request.body = std::move(body);
    if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
    return *loop.run(client.send(std::move(request)));
  }
  std::string call(const std::string& token, const std::string& name, json::object asked, std::string_view wanted) {
    asked["workflow_run_backend_id"] = "run-1";
    asked["workflow_job_run_backend_id"] = "job-1";
    auto answer = ask("POST", "/twirp/github.actions.results.api.v1." + name, core::to_text(asked), token);
    auto body = core::parse_json(answer.body);
    return body ? core::string_at(*body, wanted).value_or("") : "";
  }

  core::Loop loop;
  core::SystemClock clock;
  core::SystemRandom random;
  core::IdSource ids{clock, random};
  core::SystemDisk disk;
  store::testing::Folder folder;
  std::unique_ptr<LocalArtifacts> local;
};

TEST(LocalArtifacts, AreKeptOverARestartAndCachesToo) {
  World world;
  auto holder = world.holder();
  std::string token = world.local->token(holder);
  auto url = world.call(token, "ArtifactService/CreateArtifact", {{"name", "a"}, {"version", 4}}, "signed_upload_url");
  EXPECT_EQ(world.ask("PUT", url, "bytes").status, net::Status::created);
  EXPECT_EQ(world.call(token, "ArtifactService/FinalizeArtifact", {{"name", "a"}, {"size", "5"}}, "artifact_id"), "1");
  url = world.call(token, "CacheService/CreateCacheEntry", {{"key", "k"}, {"version", "v"}}, "signed_upload_url");
  EXPECT_EQ(world.ask("PUT", url, "cached").status, net::Status::created);
  EXPECT_EQ(world.call(token, "CacheService/FinalizeCacheEntryUpload",
                       {{"key", "k"}, {"version", "v"}, {"size_bytes", "6"}}, "entry_id"),
            "2");
  world.restart();
  ASSERT_THAT(world.local->artifacts(), SizeIs(1));
  EXPECT_EQ(*core::read_file(world.disk, world.local->blob(world.local->artifacts()[0])), "bytes");
  holder = world.holder();
  token = world.local->token(holder);
  url = world.call(token, "CacheService/GetCacheEntryDownloadURL", {{"key", "k"}, {"version", "v"}},
                   "signed_download_url");
  EXPECT_EQ(world.ask("GET", url, "").body, "cached");
}

TEST(LocalArtifacts, AreOutOfReachOnceTheJobIsOver) {
  World world;
  auto holder = world.holder();
  std::string token = world.local->token(holder);
  world.local->end(holder.lease);
  EXPECT_EQ(world.call(token, "ArtifactService/ListArtifacts", {}, "code"), "unauthenticated");
  EXPECT_THAT(world.local->artifacts(), IsEmpty());
  EXPECT_EQ(world.ask("GET", "/team/hello/info/refs", "").status, net::Status::not_found);
}

}  // namespace
}  // namespace headrace::artifact
