// The face as clients meet it, good and hostile ones.
#include "services/artifact/face.h"

#include <gmock/gmock.h>

#include "net/url.h"
#include "services/artifact/block_list.h"
#include "services/artifact/testing/world.h"

namespace headrace::artifact {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::World;
using namespace std::chrono_literals;

TEST(RuntimeTokens, AreReadOnlyWholeUnchangedAndInTheirTime) {
  World world;
  auto holder = world.holder();
  holder.reads = {"refs/heads/main"};
  const auto& keys = world.artifacts->keys();
  auto now = world.clock.now();
  std::string token = keys.mint(holder, now);
  EXPECT_EQ(keys.read(token, now), holder);
  EXPECT_FALSE(keys.read(token, now + 40 * 24h));
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string wrong = token;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(keys.read(wrong, now)) << i;
  }
  EXPECT_FALSE(Keys(std::string(32, 'o')).read(token, now));
  for (const char* none : {"", ".", "..", "a.b.c", "hrj_x.y"}) EXPECT_FALSE(keys.read(none, now)) << none;
}

// @actions/artifact, getBackendIdsFromToken
TEST(RuntimeTokens, NameTheRunAndTheJobAsTheToolkitReadsThem) {
  World world;
  std::string token = world.artifacts->keys().mint(world.holder(), world.clock.now());
  auto first = token.find('.');
  auto claims = core::parse_json(*core::from_base64(token.substr(first + 1, token.rfind('.') - first - 1)));
  EXPECT_EQ(core::string_at(*claims, "scp"), "Actions.Results:run-1:job-1");
}

TEST(Face, AsksForATokenThatLives) {
  World world;
  std::string path = "/twirp/" + std::string(artifact_service) + "/ListArtifacts";
  EXPECT_EQ(world.ask("POST", path, "{}").status, net::Status::unauthorized);
  EXPECT_EQ(world.ask("POST", path, "{}", {{"Authorization", "Bearer nonsense"}}).status, net::Status::unauthorized);
  auto job = world.holder();
  world.leases.clear();
  auto dead = world.call(job, "ArtifactService", "ListArtifacts");
  EXPECT_EQ(dead.status, net::Status::unauthorized);
  EXPECT_THAT(World::text(dead, "msg"), HasSubstr("over"));
}

TEST(Face, AnswersWhatIsNoCallWithTheReason) {
  World world;
  auto job = world.holder();
  EXPECT_EQ(world.call(job, "ArtifactService", "Nonsense").status, net::Status::not_found);
  EXPECT_EQ(world.call(job, "OtherService", "ListArtifacts").status, net::Status::not_found);
  net::Headers headers{{"Authorization", "Bearer " + world.artifacts->keys().mint(job, world.clock.now())}};
  std::string path = "/twirp/" + std::string(artifact_service) + "/ListArtifacts";
  EXPECT_EQ(world.ask("POST", path, "[]", headers).status, net::Status::bad_request);
  EXPECT_EQ(world.ask("POST", path, "{", headers).status, net::Status::bad_request);
  EXPECT_EQ(world.ask("POST", path, std::string(100'000, ' '), headers).status, net::Status::bad_request);
  EXPECT_EQ(world.ask("GET", path, "", headers).status, net::Status::not_found);
}

TEST(Face, KeepsOtherRunsAndJobsOut) {
  World world;
  auto mine = world.holder(1, "run-1"), theirs = world.holder(2, "run-2"), beside = world.holder(3, "run-1");
  ASSERT_NE(world.upload(theirs, "secret", "x"), "");
  EXPECT_EQ(world.call(mine, "ArtifactService", "ListArtifacts", {{"workflow_run_backend_id", "run-2"}}).status,
            net::Status::forbidden);
  EXPECT_EQ(world.call(mine, "ArtifactService", "GetSignedArtifactURL", {{"name", "secret"}}).status,
            net::Status::not_found);
  EXPECT_EQ(world.call(mine, "ArtifactService", "DeleteArtifact", {{"name", "secret"}}).status, net::Status::not_found);
  EXPECT_EQ(
      world.call(mine, "ArtifactService", "CreateArtifact", {{"name", "a"}, {"workflow_job_run_backend_id", "job-2"}})
          .status,
      net::Status::forbidden);
  // Jobs of one run share what it has, but not each other's uploads.
  ASSERT_NE(world.create(mine, "half"), "");
  EXPECT_EQ(world.finalize(beside, "half", "").status, net::Status::not_found);
  ASSERT_NE(world.upload(mine, "shared", "y"), "");
  EXPECT_EQ(world.download(beside, "shared"), "y");
}

TEST(Face, RefusesNamesThatLeadElsewhere) {
  World world;
  auto job = world.holder();
  for (const char* name : {"", "..", "../../etc/passwd", "a/b", "a\\b", "a\nb"}) {
    auto answer = world.call(job, "ArtifactService", "CreateArtifact", {{"name", name}});
    EXPECT_EQ(answer.status, net::Status::bad_request) << name;
  }
  for (const char* key : {"", "a,b"})
    EXPECT_EQ(world.call(job, "CacheService", "CreateCacheEntry", {{"key", key}, {"version", "v"}}).status,
              net::Status::bad_request);
}

TEST(Face, ANameIsOnceInARun) {
  World world;
  auto job = world.holder(), beside = world.holder(2);
  ASSERT_NE(world.upload(job, "a", "x"), "");
  auto again = world.call(beside, "ArtifactService", "CreateArtifact", {{"name", "a"}});
  EXPECT_EQ(again.status, net::Status::conflict);
  EXPECT_THAT(World::text(again, "msg"), HasSubstr("already exists"));
  EXPECT_EQ(world.call(job, "ArtifactService", "DeleteArtifact", {{"name", "a"}}).status, net::Status::ok);
  EXPECT_NE(world.upload(beside, "a", "y"), "");
}

// ---- Blobs

TEST(Blobs, AreReachedBySignedAddressesAlone) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  std::string path = url.substr(url.find('/', 8));
  auto wrong = [&](std::string other) { return world.ask("PUT", other, "x").status; };
  EXPECT_EQ(wrong(path.substr(0, path.find('?'))), net::Status::forbidden);
  std::string renamed = path;
  renamed.insert(path.find('?'), "x");
  EXPECT_EQ(wrong(renamed), net::Status::forbidden);
  std::string later = path;
  later.replace(later.find("se=") + 3, 1, "9");
  EXPECT_EQ(wrong(later), net::Status::forbidden);
  std::string lease = path;
  lease.replace(lease.find("le=") + 3, 1, "0");
  EXPECT_EQ(wrong(lease), net::Status::forbidden);
  EXPECT_EQ(world.ask("GET", path).status, net::Status::method_not_allowed);
  EXPECT_EQ(world.ask("DELETE", path).status, net::Status::method_not_allowed);
  world.clock.advance(61min);
  EXPECT_EQ(wrong(path), net::Status::forbidden);
}

TEST(Blobs, AreServedInRangesAsTheAzureSdkAsksForThem) {
  World world;
  auto job = world.holder();
  world.upload(job, "a", "0123456789");
  auto url = World::text(world.call(job, "ArtifactService", "GetSignedArtifactURL", {{"name", "a"}}), "signed_url");
  auto head = world.ask("HEAD", url);
  EXPECT_EQ(head.headers.get("Content-Length"), "10");
  EXPECT_EQ(head.headers.get("Content-Type"), "application/zip");
  EXPECT_NE(head.headers.get("ETag"), "");
  auto part = world.ask("GET", url, "", {{"x-ms-range", "bytes=2-4"}});
  EXPECT_EQ(part.status, net::Status{206});
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part.headers.get("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(world.ask("GET", url, "", {{"Range", "bytes=10-"}}).status, net::Status::range_not_satisfiable);
  EXPECT_EQ(world.ask("GET", url, "", {{"If-Match", "\"other\""}}).status, net::Status::precondition_failed);
  EXPECT_THAT(std::string(head.headers.get("Content-Disposition")), HasSubstr("a.zip"));
}

TEST(Blobs, ArePutTogetherFromBlocksInTheOrderOfTheList) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  for (const auto& [id, text] : {std::pair{"MDI=", "world"}, {"MDE=", "hello "}, {"MDM=", "never named"}})
    EXPECT_EQ(world.ask("PUT", url + "&comp=block&blockid=" + net::percent_encode(id), text).status,
              net::Status::created);
  EXPECT_EQ(world.ask("PUT", url + "&comp=blocklist", "<BlockList><Latest>MDQ=</Latest></BlockList>").status,
            net::Status::bad_request);
  std::string list = "<BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(world.ask("PUT", url + "&comp=blocklist", list).status, net::Status::created);
  EXPECT_EQ(world.finalize(job, "a", "hello world").status, net::Status::ok);
  EXPECT_EQ(world.download(job, "a"), "hello world");
}

TEST(Blobs, ThatAreNotWhatWasAnnouncedAreNotPublished) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  EXPECT_EQ(world.finalize(job, "a", "x").status, net::Status::bad_request) << "nothing has come";
  world.ask("PUT", url, "other");
  EXPECT_EQ(world.finalize(job, "a", "x").status, net::Status::bad_request);
  EXPECT_EQ(world.finalize(job, "a", "OTHER").status, net::Status::bad_request) << "the digest differs";
  EXPECT_EQ(world.finalize(job, "a", "other").status, net::Status::ok);
}

TEST(Blobs, HaveBoundsThatAreTold) {
  Bounds bounds;
  bounds.artifact_bytes_max = 100;
  bounds.repository_bytes_max = 150;
  World world(bounds);
  auto job = world.holder();
  std::string url = world.create(job, "a");
  auto large = world.ask("PUT", url, std::string(101, 'x'));
  EXPECT_EQ(large.status, net::Status::content_too_large);
  EXPECT_THAT(large.body, HasSubstr("100 bytes"));
  EXPECT_EQ(world.ask("PUT", url + "&comp=block&blockid=MDE%3D", std::string(60, 'x')).status, net::Status::created);
  EXPECT_EQ(world.ask("PUT", url + "&comp=block&blockid=MDI%3D", std::string(60, 'x')).status,
            net::Status::content_too_large);
  // The same block named again and again.
  std::string list = "<BlockList>";
  for (int i = 0; i < 3; ++i) list += "<Latest>MDE=</Latest>";
  EXPECT_EQ(world.ask("PUT", url + "&comp=blocklist", list + "</BlockList>").status, net::Status::content_too_large);
  ASSERT_NE(world.upload(job, "b", std::string(100, 'b')), "");
  std::string second = world.create(job, "c");
  EXPECT_EQ(world.ask("PUT", second, std::string(90, 'c')).status, net::Status::created);
  auto full = world.finalize(job, "c", std::string(90, 'c'));
  EXPECT_EQ(full.status, net::Status::insufficient_storage);
  EXPECT_THAT(World::text(full, "msg"), HasSubstr("headrace artifact delete"));
}

TEST(Blobs, LeaveRoomOnTheDisk) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  world.free_bytes = world.bounds.free_bytes_min + 10;
  EXPECT_EQ(world.ask("PUT", url, std::string(11, 'x')).status, net::Status::insufficient_storage);
  world.free_bytes = 0;
  EXPECT_EQ(world.call(job, "ArtifactService", "CreateArtifact", {{"name", "b"}}).status,
            net::Status::insufficient_storage);
}

TEST(Blobs, OfListsThatAreNoneAreRefused) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  auto put = [&](std::string list) { return world.ask("PUT", url + "&comp=blocklist", std::move(list)).status; };
  EXPECT_EQ(put("<BlockList>"), net::Status::bad_request);
  EXPECT_EQ(world.ask("PUT", url + "&comp=block&blockid=..%2F..%2Fx", "x").status, net::Status::bad_request);
  EXPECT_EQ(world.ask("PUT", url + "&comp=block", "x").status, net::Status::bad_request);
  EXPECT_EQ(world.ask("PUT", url + "&comp=lease", "x").status, net::Status::bad_request);
}

TEST(Uploads, OfOneJobAreBounded) {
  World world;
  auto job = world.holder();
  for (size_t i = 0; i < uploads_a_job_max; ++i) ASSERT_NE(world.create(job, "a" + std::to_string(i)), "");
  EXPECT_EQ(world.call(job, "ArtifactService", "CreateArtifact", {{"name", "one more"}}).status,
            net::Status::insufficient_storage);
  EXPECT_NE(world.create(job, "a0"), "") << "begun again it takes the place of the one before";
}

TEST(Face, NamesItselfAsTheClientReachedIt) {
  World world;
  auto job = world.holder();
  EXPECT_THAT(world.create(job, "a"), ::testing::StartsWith("http://" + world.address + "/_blobs/upload/"));
  net::Headers headers{{"Authorization", "Bearer " + world.artifacts->keys().mint(job, world.clock.now())},
                       {std::string(door_header), "http://127.0.0.1:4000"}};
  core::json::object asked{
      {"workflow_run_backend_id", job.run}, {"workflow_job_run_backend_id", job.job}, {"name", "b"}};
  auto answer = world.ask("POST", "/twirp/" + std::string(artifact_service) + "/CreateArtifact", core::to_text(asked),
                          std::move(headers));
  EXPECT_THAT(World::text(answer, "signed_upload_url"), ::testing::StartsWith("http://127.0.0.1:4000/_blobs/"));
}

}  // namespace
}  // namespace headrace::artifact
