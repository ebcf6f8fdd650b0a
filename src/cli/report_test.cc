#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "cli/commands.h"
#include "core/json.h"

namespace headrace::cli {
namespace {

class ReportCheck : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "report-check-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  int check(std::vector<std::string> files, bool json) {
    testing::internal::CaptureStdout();
    int code = report_check(files, json);
    said_ = testing::internal::GetCapturedStdout();
    return code;
  }
  core::json::value json() { return core::parse_json(said_)->at("files"); }

  std::string folder_, said_;
};

constexpr std::string_view mixed =
    "<testsuites><testsuite name='s'><testcase name='a'/><testcase classname='C' name='b'><failure message='1 is not "
    "2'/>"
    "</testcase><testcase name='c'><skipped/></testcase><testcase name='d' status='disabled'/><testcase name='e'>"
    "<error/></testcase></testsuite></testsuites>";

TEST_F(ReportCheck, CountsCasesAndIsDoneThoughTestsFailed) {
  EXPECT_EQ(check({file("junit.xml", mixed)}, true), 0);
  EXPECT_EQ(core::to_text(json().at(0)),
            "{\"file\":\"" + folder_ +
                "/junit.xml\",\"suites\":1,\"cases\":5,\"passed\":1,\"failed\":1,\"errored\":1,"
                "\"skipped\":1,\"not_run\":1,\"error\":null}");
}

TEST_F(ReportCheck, TellsPeopleWhatFailedAndWhy) {
  EXPECT_EQ(check({file("junit.xml", mixed)}, false), 0);
  EXPECT_EQ(said_, folder_ +
                       "/junit.xml: 5 cases, 1 passed, 1 failed, 1 errored, 1 skipped, 1 not run\n"
                       "  failed  C b: 1 is not 2\n  errored  e\n");
}

TEST_F(ReportCheck, NamesThePlaceOfWhatIsNoReportAndReadsTheOthers) {
  auto bad = file("bad.xml", "<testsuite>\n<testcase></testsuite>");
  auto good = file("good.xml", "<testsuite/>");
  EXPECT_EQ(check({bad, folder_ + "/absent.xml", good}, true), 1);
  EXPECT_EQ(json().at(0).at("error").at("line").as_int64(), 2);
  EXPECT_EQ(json().at(1).at("error").at("line").as_int64(), 0);
  EXPECT_TRUE(json().at(2).at("error").is_null());
  EXPECT_EQ(check({bad}, false), 1);
  EXPECT_TRUE(said_.starts_with(bad + ":2:")) << said_;
}

}  // namespace
}  // namespace headrace::cli
