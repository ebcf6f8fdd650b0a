#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/run.h"

namespace headrace::cli {
namespace {

TEST(Table, HasColumnsAsWideAsTheirWidestCellAndNoSpacesAtTheEnd) {
  EXPECT_EQ(table({{"NAME", "STATE"}, {"a", "running"}, {"longer", "x"}}),
            "NAME    STATE\na       running\nlonger  x\n");
}

TEST(Table, CountsCharactersAndNotBytes) {
  EXPECT_EQ(table({{"\xc3\xa9\xc3\xa9", "x"}, {"ab", "y"}}), "\xc3\xa9\xc3\xa9  x\nab  y\n");
}

TEST(Table, OfNothingIsEmpty) { EXPECT_EQ(table({}), ""); }

TEST(ExitCodes, TellWhatFailedFromWhatCouldNotBeAsked) {
  using core::Code;
  for (auto code : {Code::invalid, Code::not_found, Code::conflict})
    EXPECT_EQ(exit_code_of(code), 1) << core::name_of(code);
  for (auto code : {Code::unauthenticated, Code::denied, Code::exhausted, Code::unavailable, Code::corrupt})
    EXPECT_EQ(exit_code_of(code), 3) << core::name_of(code);
}

TEST(RemoteUrl, NamesTheRepository) {
  EXPECT_EQ(full_name_in("http://127.0.0.1:8080/team/hello.git\n"), "team/hello");
  EXPECT_EQ(full_name_in("https://user@forge.example/team/hello"), "team/hello");
  EXPECT_EQ(full_name_in("https://forge.example/headrace/team/hello.git/"), "team/hello");
}

TEST(RemoteUrl, OfAnotherFormNamesNone) {
  for (const char* url : {"", "\n", "hello.git", "/srv/git/team/hello.git", "git@forge.example:team/hello.git",
                          "https://forge.example", "https://forge.example/hello.git", "https://forge.example//hello"})
    EXPECT_EQ(full_name_in(url), "") << url;
}

}  // namespace
}  // namespace headrace::cli
