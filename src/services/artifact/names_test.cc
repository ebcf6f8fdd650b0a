#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/artifact/block_list.h"
#include "services/artifact/pending.h"
#include "services/artifact/range.h"
#include "services/artifact/shelf.h"

namespace headrace::artifact {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ArtifactNames, HaveNothingThatLeadsElsewhereOrThatOtherSystemsCannotHave) {
  for (const char* good : {"a", "binaries-linux", "Übung 1", "a.b", "...", ".hidden"})
    EXPECT_TRUE(check_artifact_name(good)) << good;
  for (const char* bad :
       {"", ".", "..", "../a", "a/b", "a\\b", "a:b", "a*", "a?", "<a>", "a|b", "\"a\"", "a\nb", "a\x01"})
    EXPECT_FALSE(check_artifact_name(bad)) << bad;
  EXPECT_FALSE(check_artifact_name(std::string(name_bytes_max + 1, 'a')));
  EXPECT_FALSE(check_artifact_name("\xff"));
}

TEST(CacheKeys, AreShortAndWithoutCommas) {
  EXPECT_TRUE(check_cache_key("deps-linux-0123/x:y"));
  EXPECT_FALSE(check_cache_key(""));
  EXPECT_FALSE(check_cache_key("a,b"));
  EXPECT_FALSE(check_cache_key(std::string(key_bytes_max + 1, 'a')));
}

TEST(Purls, NameTheRepositoryTheRunAndTheDigest) {
  Artifact artifact;
  artifact.repository = "team/hello";
  artifact.name = "my files";
  artifact.run_id = 7;
  artifact.digest = "sha256:ab";
  EXPECT_EQ(purl_of(artifact), "pkg:generic/team/hello/my%20files@7?checksum=sha256:ab");
}

TEST(BlockLists, AreReadInOrder) {
  auto list = parse_block_list(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BlockList>\n <Latest>MDE=</Latest><Committed>MDI=</Committed>\n"
      "<Uncommitted>MDE=</Uncommitted></BlockList>");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_THAT(*list, ElementsAre("MDE=", "MDI=", "MDE="));
  EXPECT_THAT(*parse_block_list("<BlockList/>"), IsEmpty());
}

TEST(BlockLists, ThatAreWrongAreRefusedWithTheLine) {
  auto why = [](std::string_view xml) {
    auto list = parse_block_list(xml);
    return list ? std::string() : list.error().message;
  };
  EXPECT_THAT(why(""), HasSubstr("line 1"));
  EXPECT_THAT(why("<Other/>"), HasSubstr("<BlockList>"));
  EXPECT_THAT(why("<BlockList>\n<Newest>MDE=</Newest></BlockList>"), HasSubstr("line 2"));
  EXPECT_THAT(why("<BlockList><Latest>not base64!</Latest></BlockList>"), HasSubstr("base64"));
  EXPECT_THAT(why("<BlockList><Latest></Latest></BlockList>"), HasSubstr("base64"));
  EXPECT_THAT(why("<BlockList><Latest><a/></Latest></BlockList>"), HasSubstr("nothing within"));
  EXPECT_THAT(why("<BlockList a=\"1\"/>"), HasSubstr("attributes"));
  EXPECT_THAT(why("<!DOCTYPE a [<!ENTITY b \"c\">]><BlockList>&b;</BlockList>"), HasSubstr("document type"));
  std::string many = "<BlockList>";
  for (size_t i = 0; i <= blocks_max; ++i) many += "<Latest>MDE=</Latest>";
  EXPECT_THAT(why(many + "</BlockList>"), HasSubstr("at most 50000"));
}

TEST(Ranges, AreOnePartOrTheWhole) {
  const Asked all{RangeKind::whole, {0, 10}};
  EXPECT_EQ(range_of("", 10), all);
  EXPECT_EQ(range_of("bytes=0-0,5-6", 10), all);
  EXPECT_EQ(range_of("items=0-1", 10), all);
  EXPECT_EQ(range_of("bytes=5-2", 10), all);
  EXPECT_EQ(range_of("bytes=a-b", 10), all);
  EXPECT_EQ(range_of("bytes=2-4", 10), (Asked{RangeKind::part, {2, 3}}));
  EXPECT_EQ(range_of("bytes=2-", 10), (Asked{RangeKind::part, {2, 8}}));
  EXPECT_EQ(range_of("bytes=2-99", 10), (Asked{RangeKind::part, {2, 8}}));
  EXPECT_EQ(range_of("bytes=-3", 10), (Asked{RangeKind::part, {7, 3}}));
  EXPECT_EQ(range_of("bytes=-30", 10), (Asked{RangeKind::part, {0, 10}}));
  EXPECT_EQ(range_of("bytes=10-", 10).kind, RangeKind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=-0", 10).kind, RangeKind::unsatisfiable);
  EXPECT_EQ(range_of("bytes=0-0", 0).kind, RangeKind::unsatisfiable);
}

TEST(Uploads, AreWrittenDownWithAllThatIsKnownOfThem) {
  Pending pending;
  pending.kind = Pending::Kind::cache;
  pending.holder = {.lease = 4711,
                    .repository = "team/hello",
                    .run = "run-1",
                    .run_id = 9,
                    .job = "job-1",
                    .ref = "refs/heads/main",
                    .commit = "c1"};
  pending.name = "deps";
  pending.version = "v1";
  pending.media = "application/zip";
  pending.expires = *core::parse_time("2026-12-01T00:00:00Z");
  EXPECT_EQ(parse_pending(to_text(pending)), pending);
  EXPECT_FALSE(parse_pending("{}"));
  EXPECT_FALSE(parse_pending("nonsense"));
}

}  // namespace
}  // namespace headrace::artifact
