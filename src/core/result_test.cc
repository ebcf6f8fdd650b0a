#include "core/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace headrace::core {
namespace {

TEST(Result, KeepsWhatTheUserReadsApartFromTheDetail) {
  Result<int> result = fail(Code::exhausted, "The queue is full.", "queue 7");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error(), (Error{Code::exhausted, "The queue is full.", "queue 7"}));
}

TEST(Result, PassesAFailureOnWithWhatWasBeingDone) {
  Result<> result = pass_on(Error{Code::corrupt, "The record is damaged.", "offset 9"}, "appending an event");
  EXPECT_EQ(result.error().code, Code::corrupt);
  EXPECT_EQ(result.error().message, "The record is damaged.");
  EXPECT_EQ(result.error().detail, "offset 9; while appending an event");
  EXPECT_EQ(pass_on(Error{Code::corrupt, "x", ""}, "reading").error().detail, "while reading");
}

TEST(Result, TellsWhatACallerCanDoAboutAnErrno) {
  EXPECT_EQ(error_of_errno(ENOSPC, "Writing").code, Code::exhausted);
  EXPECT_EQ(error_of_errno(EMFILE, "Opening").code, Code::exhausted);
  EXPECT_EQ(error_of_errno(ENOENT, "Opening").code, Code::not_found);
  EXPECT_EQ(error_of_errno(EACCES, "Opening").code, Code::denied);
  EXPECT_EQ(error_of_errno(EEXIST, "Making").code, Code::conflict);
  EXPECT_EQ(error_of_errno(EIO, "Reading").code, Code::unavailable);
}

TEST(Result, NamesThePlaceAndTheReasonOfAnErrno) {
  const auto error = error_of_errno(ENOENT, "Opening", "a/b.txt");
  EXPECT_EQ(error.message, "Opening failed for a/b.txt: No such file or directory.");
}

TEST(Result, HasANameForEveryCode) {
  EXPECT_EQ(name_of(Code::invalid), "invalid");
  EXPECT_EQ(name_of(Code::unauthenticated), "unauthenticated");
  EXPECT_EQ(name_of(Code::denied), "denied");
  EXPECT_EQ(name_of(Code::not_found), "not_found");
  EXPECT_EQ(name_of(Code::conflict), "conflict");
  EXPECT_EQ(name_of(Code::exhausted), "exhausted");
  EXPECT_EQ(name_of(Code::unavailable), "unavailable");
  EXPECT_EQ(name_of(Code::corrupt), "corrupt");
}

TEST(Require, ThrowsWhatDidNotHold) {
  EXPECT_NO_THROW(require(true, "never said"));
  try {
    require(false, "offsets increase");
    FAIL() << "a broken invariant went unnoticed";
  } catch (const BrokenInvariant& broken) {
    EXPECT_STREQ(broken.what(), "offsets increase");
  }
}

}  // namespace
}  // namespace headrace::core
