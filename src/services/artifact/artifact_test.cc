#include "services/artifact/artifact.h"

#include <gmock/gmock.h>

#include <fstream>

#include "events/artifact.h"
#include "events/repository.h"
#include "services/artifact/projection.h"
#include "services/artifact/testing/world.h"
#include "store/rebuild.h"

namespace headrace::artifact {
namespace {

using core::Actor;
using core::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;
using namespace std::chrono_literals;

TEST(Artifacts, WhatAJobUploadsIsSaidKeptAndHadAgain) {
  World world;
  auto job = world.holder();
  std::string id = world.upload(job, "binaries", "the bytes");
  ASSERT_NE(id, "");
  auto packaged = world.said<events::ArtifactPackaged>();
  ASSERT_THAT(packaged, SizeIs(1));
  EXPECT_EQ(std::to_string(packaged[0].id), id);
  EXPECT_EQ(packaged[0].digest, "sha256:" + core::sha256_hex("the bytes"));
  EXPECT_EQ(packaged[0].commit, job.commit);
  EXPECT_EQ(packaged[0].expires, world.clock.now() + 90 * 24h);
  EXPECT_THAT(world.said<events::ArtifactPublished>(), SizeIs(1));
  EXPECT_EQ(world.download(job, "binaries"), "the bytes");
  auto downloaded = world.said<events::ArtifactDownloaded>();
  ASSERT_THAT(downloaded, SizeIs(1));
  EXPECT_EQ(downloaded[0].artifact, packaged[0].artifact);
  EXPECT_EQ(world.upload_files(), 0u);
}

TEST(Artifacts, AnAddressThatIsAskedTwiceIsOneDownload) {
  World world;
  auto job = world.holder();
  world.upload(job, "a", "x");
  auto url = World::text(world.call(job, "ArtifactService", "GetSignedArtifactURL", {{"name", "a"}}), "signed_url");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(world.ask("GET", url).body, "x");
  EXPECT_THAT(world.said<events::ArtifactDownloaded>(), SizeIs(1));
}

TEST(Artifacts, TheSameBytesAreKeptOnceAndGoWithTheLastThatNamesThem) {
  World world;
  auto job = world.holder();
  auto first = world.upload(job, "a", "same"), second = world.upload(job, "b", "same");
  EXPECT_EQ(world.blobs(), 1u);
  EXPECT_TRUE(world.loop.run(world.artifacts->remove(Actor::user("alice"), "team/hello", std::stoll(first))));
  EXPECT_EQ(world.blobs(), 1u);
  EXPECT_EQ(world.download(job, "b"), "same");
  EXPECT_TRUE(world.loop.run(world.artifacts->remove(Actor::user("alice"), "team/hello", std::stoll(second))));
  EXPECT_EQ(world.blobs(), 0u);
  auto deleted = world.said<events::ArtifactDeleted>();
  ASSERT_THAT(deleted, SizeIs(2));
  EXPECT_EQ(deleted[0].reason, "requested");
  auto again = world.loop.run(world.artifacts->remove(Actor::user("alice"), "team/hello", std::stoll(second)));
  EXPECT_EQ(again.error().code, Code::not_found);
}

TEST(Artifacts, ExpireWhenTheirTimeIsOverAndSayBecauseOfWhat) {
  World world;
  auto job = world.holder();
  world.upload(job, "a", "x");
  world.clock.advance(89 * 24h);
  ASSERT_TRUE(world.tick());
  EXPECT_EQ(world.blobs(), 1u);
  world.clock.advance(2 * 24h);
  ASSERT_TRUE(world.tick());
  EXPECT_EQ(world.blobs(), 0u);
  auto deleted = world.said<events::ArtifactDeleted>();
  ASSERT_THAT(deleted, SizeIs(1));
  EXPECT_EQ(deleted[0].reason, "expired");
  const auto all = *world.log.read(1, 1'000);
  std::string packaged, cause;
  for (const auto& stored : all) {
    if (events::is<events::ArtifactPackaged>(stored.event)) packaged = stored.event.id;
    if (events::is<events::ArtifactDeleted>(stored.event)) cause = stored.event.causation_id();
  }
  EXPECT_EQ(cause, packaged);
  auto list = *world.loop.run(world.artifacts->list({.repository = "team/hello"}, {}));
  ASSERT_THAT(list.artifacts, SizeIs(1));
  EXPECT_TRUE(list.artifacts[0].expired);
  EXPECT_THAT(world.call(job, "ArtifactService", "ListArtifacts").body, HasSubstr("[]"));
}

TEST(Artifacts, OfARepositoryThatIsDeletedGo) {
  World world;
  auto job = world.holder();
  world.upload(job, "a", "x");
  world.save_cache(job, "k", "y");
  auto said = world.loop.run(
      world.bus->say(events::RepositoryDeleted{.full_name = "team/hello", .id = 1, .owner = "team", .name = "hello"},
                     bus::Origin::root("repository", Actor::system())));
  ASSERT_TRUE(said);
  ASSERT_TRUE(world.loop.run(world.store->all_caught_up(testing::patience)));
  ASSERT_TRUE(world.tick());
  EXPECT_EQ(world.blobs(), 0u);
  EXPECT_EQ(world.loop.run(world.artifacts->list({.repository = "team/hello"}, {}))->total, 0);
}

// The order of a crash: bytes, then the event, then the upload is forgotten. Whatever is between is settled.
TEST(ArtifactCrash, BytesThatNoEventNamesAreRemovedAtStart) {
  World world;
  std::string orphan = world.folder.file("artifacts/blobs/ab");
  std::filesystem::create_directories(orphan);
  std::ofstream(orphan + "/ab" + std::string(62, '0')) << "left behind";
  std::ofstream(world.folder.file("artifacts/uploads/0000.1.new")) << "a piece of nothing";
  std::ofstream(world.folder.file("artifacts/uploads/broken.json")) << "{";
  ASSERT_EQ(world.blobs(), 1u);
  world.restart();
  EXPECT_EQ(world.blobs(), 0u);
  EXPECT_EQ(world.upload_files(), 0u);
}

TEST(ArtifactCrash, AnUploadGoesOnAfterARestart) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  EXPECT_EQ(world.ask("PUT", url + "&comp=block&blockid=MDE%3D", "one ").status, net::Status::created);
  world.restart();
  std::string target = url.substr(url.find('/', 8));
  EXPECT_EQ(world.ask("PUT", target + "&comp=block&blockid=MDI%3D", "two").status, net::Status::created);
  std::string list = "<BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>";
  EXPECT_EQ(world.ask("PUT", target + "&comp=blocklist", list).status, net::Status::created);
  world.restart();
  EXPECT_EQ(world.finalize(job, "a", "one two").status, net::Status::ok);
  EXPECT_EQ(world.download(job, "a"), "one two");
}

TEST(ArtifactCrash, WhatWasPublishedBeforeTheAnswerGotLostIsPublishedOnce) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  world.ask("PUT", url, "x");
  auto record = world.folder.file("artifacts/uploads");
  std::filesystem::copy(record, world.folder.file("kept"));
  std::string first = World::text(world.finalize(job, "a", "x"), "artifact_id");
  world.close();
  std::filesystem::copy(world.folder.file("kept"), record,
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  world.open();
  EXPECT_EQ(World::text(world.finalize(job, "a", "x"), "artifact_id"), first);
  EXPECT_THAT(world.said<events::ArtifactPackaged>(), SizeIs(1));
  EXPECT_EQ(world.blobs(), 1u);
}

TEST(ArtifactCrash, UploadsOfJobsThatAreOverGo) {
  World world;
  auto job = world.holder();
  std::string url = world.create(job, "a");
  world.ask("PUT", url + "&comp=block&blockid=MDE%3D", "one");
  world.leases.clear();
  ASSERT_TRUE(world.tick());
  EXPECT_EQ(world.upload_files(), 0u);
  EXPECT_EQ(world.ask("PUT", url, "x").status, net::Status::forbidden);
}

TEST(Artifacts, TheProjectionRebuiltFromTheLogIsTheOneKeptLive) {
  World world;
  auto job = world.holder();
  auto first = world.upload(job, "a", "x");
  world.upload(job, "b", "y");
  world.save_cache(job, "k1", "1");
  world.save_cache(job, "k2", "2");
  world.clock.advance(2h);
  world.find_cache(job, "k1");
  ASSERT_TRUE(world.loop.run(world.artifacts->remove(Actor::user("alice"), "team/hello", std::stoll(first))));
  ASSERT_TRUE(world.loop.run(world.artifacts->remove_caches(Actor::user("alice"), "team/hello", "k2", "")));
  world.clock.advance(100 * 24h);
  ASSERT_TRUE(world.tick());
  ASSERT_TRUE(world.loop.run(world.store->all_caught_up(testing::patience)));
  world.store->stop();
  ShelfProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.file("projections"), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  ASSERT_THAT(*rebuilt, SizeIs(1));
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
  EXPECT_EQ(rebuilt->front().digest, rebuilt->front().digest_before);
}

// ---- Caches

TEST(Caches, AreFoundByTheirKeyThenByTheNewestThatBeginsWithIt) {
  World world;
  auto job = world.holder();
  for (const char* key : {"deps-1", "deps-2", "other"}) {
    EXPECT_EQ(world.save_cache(job, key, key).status, net::Status::ok);
    world.clock.advance(1s);
  }
  auto matched = [&](const std::string& key, core::json::array more = {}) {
    return World::text(world.find_cache(job, key, std::move(more)), "matched_key");
  };
  EXPECT_EQ(matched("deps-1"), "deps-1");
  EXPECT_EQ(matched("deps-"), "deps-2");
  EXPECT_EQ(matched("deps-3"), "");
  EXPECT_EQ(matched("deps-3", {"nothing", "deps-"}), "deps-2");
  EXPECT_EQ(matched("deps-3", {"oth", "deps-"}), "other");
  EXPECT_EQ(World::text(world.find_cache(job, "deps-1", {}, "v2"), "matched_key"), "");
  auto found = world.find_cache(job, "deps-1");
  EXPECT_EQ(world.ask("GET", World::text(found, "signed_download_url")).body, "deps-1");
}

TEST(Caches, OfOtherBranchesAreNotSeenButThoseOfTheDefaultBranchAre) {
  World world;
  auto main = world.holder(1);
  auto topic = world.holder(2), other = world.holder(3);
  topic.ref = "refs/heads/topic";
  other.ref = "refs/heads/other";
  topic.reads = other.reads = {"refs/heads/main"};
  world.save_cache(main, "k", "main");
  world.clock.advance(1s);
  EXPECT_EQ(World::text(world.find_cache(topic, "k"), "matched_key"), "k");
  EXPECT_EQ(world.save_cache(topic, "k", "topic").status, net::Status::ok);
  auto bytes = [&](const Holder& by) {
    return world.ask("GET", World::text(world.find_cache(by, "k"), "signed_download_url")).body;
  };
  EXPECT_EQ(bytes(topic), "topic");
  EXPECT_EQ(bytes(other), "main");
  EXPECT_EQ(bytes(main), "main");
  auto elsewhere = world.holder(4);
  elsewhere.repository = "team/other";
  EXPECT_EQ(World::text(world.find_cache(elsewhere, "k"), "matched_key"), "");
}

TEST(Caches, AreNeverChanged) {
  World world;
  auto job = world.holder();
  world.save_cache(job, "k", "one");
  auto again = world.save_cache(job, "k", "two");
  EXPECT_EQ(again.status, net::Status::conflict);
  EXPECT_THAT(World::text(again, "msg"), HasSubstr("already exists"));
}

TEST(Caches, MakeRoomForOthersByLeavingOutTheOnesNotUsedForLongest) {
  Bounds bounds;
  bounds.repository_cache_bytes_max = 30;
  World world(bounds);
  auto job = world.holder();
  for (const char* key : {"a", "b", "c"}) {
    world.save_cache(job, key, std::string(9, key[0]));
    world.clock.advance(2h);
  }
  world.find_cache(job, "a");
  world.clock.advance(2h);
  EXPECT_EQ(world.save_cache(job, "d", std::string(12, 'd')).status, net::Status::ok);
  auto deleted = world.said<events::CacheDeleted>();
  ASSERT_THAT(deleted, SizeIs(1));
  EXPECT_EQ(deleted[0].key, "b");
  EXPECT_EQ(deleted[0].reason, "room");
  EXPECT_EQ(world.blobs(), 3u);
  EXPECT_EQ(world.save_cache(job, "e", std::string(31, 'e')).status, net::Status::insufficient_storage);
  EXPECT_EQ(world.loop.run(world.artifacts->cache_usage("team/hello"))->bytes, 30u);
}

TEST(Caches, ThatNobodyUsesForAWeekGo) {
  World world;
  auto job = world.holder();
  world.save_cache(job, "a", "1");
  world.save_cache(job, "b", "2");
  world.clock.advance(6 * 24h);
  world.find_cache(job, "a");
  world.clock.advance(2 * 24h);
  ASSERT_TRUE(world.tick());
  auto deleted = world.said<events::CacheDeleted>();
  ASSERT_THAT(deleted, SizeIs(1));
  EXPECT_EQ(deleted[0].key, "b");
  EXPECT_EQ(deleted[0].reason, "unused");
}

TEST(Caches, AreSaidToBeUsedOnceAnHour) {
  World world;
  auto job = world.holder();
  world.save_cache(job, "a", "1");
  for (int i = 0; i < 5; ++i) world.find_cache(job, "a");
  EXPECT_THAT(world.said<events::CacheUsed>(), IsEmpty());
  world.clock.advance(61min);
  for (int i = 0; i < 5; ++i) world.find_cache(job, "a");
  EXPECT_THAT(world.said<events::CacheUsed>(), SizeIs(1));
}

}  // namespace
}  // namespace headrace::artifact
