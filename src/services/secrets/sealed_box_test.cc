#include "services/secrets/sealed_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/bytes.h"
#include "services/secrets/testing/safe.h"

namespace headrace::secrets {
namespace {

using core::Code;

class SealedBoxTest : public ::testing::Test {
 protected:
  std::unique_ptr<SealedBoxes> boxes() { return std::move(*SealedBoxes::open(safe, random)); }
  testing::MemorySafe safe;
  core::SeededRandom random{3};
};

TEST_F(SealedBoxTest, ComesOutAsItWentInAlsoWithTheNextServer) {
  auto before = boxes();
  auto box = seal(before->public_key().key, "a value\nof two lines").value();
  EXPECT_EQ(before->unseal(before->public_key().id, box), "a value\nof two lines");
  auto after = boxes();
  EXPECT_EQ(after->public_key().id, before->public_key().id);
  EXPECT_EQ(after->unseal(before->public_key().id, box), "a value\nof two lines");
  EXPECT_EQ(core::from_base64(after->public_key().key)->size(), 32u);
  EXPECT_EQ(after->public_key().id.size(), 18u);
  EXPECT_TRUE(std::ranges::all_of(after->public_key().id, [](char c) { return c >= '0' && c <= '9'; }));
}

TEST_F(SealedBoxTest, OfAnotherKeyOrChangedOnTheWayIsRefused) {
  auto ours = boxes();
  testing::MemorySafe elsewhere;
  auto theirs = std::move(*SealedBoxes::open(elsewhere, random));
  auto box = seal(theirs->public_key().key, "value").value();
  EXPECT_EQ(ours->unseal(ours->public_key().id, box).error().code, Code::invalid);
  EXPECT_THAT(ours->unseal(theirs->public_key().id, box).error().message, ::testing::HasSubstr("another key"));
  auto good = seal(ours->public_key().key, "value").value();
  for (size_t place = 0; place < good.size(); place += 7) {
    std::string changed = good;
    changed[place] = changed[place] == 'A' ? 'B' : 'A';
    auto opened = ours->unseal(ours->public_key().id, changed);
    EXPECT_TRUE(!opened || *opened == "value") << "the last character holds bits that do not count: " << place;
  }
  for (auto text : {"", "AAAA", "%%%", "plain text"}) EXPECT_FALSE(ours->unseal(ours->public_key().id, text)) << text;
}

TEST_F(SealedBoxTest, NeedsAKeyOf32Bytes) {
  EXPECT_FALSE(seal("AAAA", "value"));
  EXPECT_FALSE(seal("", "value"));
}

TEST_F(SealedBoxTest, KeyThatIsDamagedIsNotReplacedInSilence) {
  boxes();
  safe.values.begin()->second = "short";
  auto opened = SealedBoxes::open(safe, random);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::corrupt);
}

}  // namespace
}  // namespace headrace::secrets
