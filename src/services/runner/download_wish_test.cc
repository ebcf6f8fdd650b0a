#include "services/runner/download_wish.h"

#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

TEST(DownloadWish, OneArtifactAloneHasAFolderOfItsOwnUntilVersionFour) {
  for (const char* old : {"@v4", "@v4.3.0", "@v3", "@v1.0"})
    EXPECT_TRUE(folder_for_one(std::string("actions/download-artifact") + old)) << old;
  for (const char* newer : {"@v5", "@v5.0.0", "@v10", "@main", "@d3f86a106a0bac45b974a628896c90dbdf5c8093", "@v4x", ""})
    EXPECT_FALSE(folder_for_one(std::string("actions/download-artifact") + newer)) << newer;
}

}  // namespace
}  // namespace headrace::runner
