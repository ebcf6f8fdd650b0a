#include "services/runner/download_wish.h"

#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

TEST(DownloadWish, OneArtifactAloneHasAFolderOfItsOwnUntilVersionFour) {
  for (const char* old : {"@v4", "@v4.3.0", "@v3", "@v1.0", "@v3-node20", "@v3.1.0-node20"})
    EXPECT_TRUE(folder_for_one(std::string("actions/download-artifact") + old)) << old;
  for (const char* newer : {"@v5", "@v5.0.0", "@v10", "@main", "@v4x", "@", ""})
    EXPECT_FALSE(folder_for_one(std::string("actions/download-artifact") + newer)) << newer;
}

TEST(DownloadWish, APinnedCommitCountsAsTheVersionThatItIs) {
  for (const char* old : {"fa0a91b85d4f404e444e00e005971372dc801d16", "d3f86a106a0bac45b974a628896c90dbdf5c8093",
                          "9BC31D5CCC31DF68ECC42CCF4149144866C47D8A"})  // v4.1.8, v4.3.0, v3.0.2
    EXPECT_TRUE(folder_for_one(std::string("actions/download-artifact@") + old)) << old;
  for (const char* newer : {"634f93cb2916e3fdff6788551b99b062d0335ce0", "018cc2cf5baa6db3ef3c5f8a56943fffe632ef53",
                            "0000000000000000000000000000000000000000"})  // v5.0.0, v6.0.0, one that nobody knows
    EXPECT_FALSE(folder_for_one(std::string("actions/download-artifact@") + newer)) << newer;
}

}  // namespace
}  // namespace headrace::runner
