#include "services/runner/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <utime.h>

#include <filesystem>
#include <fstream>

#include "core/bytes.h"
#include "report/pack.h"

namespace headrace::runner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view green = "<testsuite><testcase name='a'/></testsuite>";
constexpr std::string_view red = "<testsuite><testcase name='a'><failure/></testcase></testsuite>";

class Reports : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "reports-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    std::filesystem::create_directories(workspace());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string workspace() const { return root_ + "/work"; }
  std::string folder() const { return root_ + "/reports"; }
  void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  std::vector<FoundReport> found(ReportFinder& finder, const Masks& masks = Masks()) {
    std::vector<FoundReport> all;
    auto looked = finder.after_step();
    if (!looked) ADD_FAILURE() << looked.error().message;
    while (auto one = finder.next(masks)) all.push_back(std::move(*one));
    return all;
  }
  // The names it found, of a finder whose walk saw everything.
  std::vector<std::string> names(ReportFinder& finder) {
    std::vector<std::string> files;
    for (const auto& one : found(finder)) files.push_back(one.file);
    EXPECT_EQ(finder.incomplete(), "");
    return files;
  }
  std::string root_;
};

TEST_F(Reports, OfTheWorkspaceHaveTheNameOfOne) {
  for (const char* name : {"junit.xml", "junit-unit.xml", "TEST-org.Foo.xml"})
    EXPECT_TRUE(has_the_name_of_a_report(name)) << name;
  for (const char* name : {"report.xml", "junit.txt", "test-x.xml", "myjunit.xml"})
    EXPECT_FALSE(has_the_name_of_a_report(name)) << name;
}

TEST_F(Reports, AreReadOnceAfterTheStepThatWroteThem) {
  ReportFinder finder(workspace(), folder());
  EXPECT_THAT(names(finder), IsEmpty());
  write(workspace() + "/build/deep/TEST-a.xml", green);
  write(workspace() + "/other.xml", green);
  write(folder() + "/sub/anything", green);
  EXPECT_THAT(names(finder), ElementsAre("$HEADRACE_REPORTS/sub/anything", "build/deep/TEST-a.xml"));
  EXPECT_THAT(names(finder), IsEmpty());
}

TEST_F(Reports, ThatWereThereBeforeTheJobAreNoneOfIt) {
  write(workspace() + "/fixtures/junit.xml", green);
  ReportFinder finder(workspace(), "");
  write(workspace() + "/junit.xml", green);
  EXPECT_THAT(names(finder), ElementsAre("junit.xml"));
}

TEST_F(Reports, ThatChangeAreReadAgain) {
  write(workspace() + "/junit.xml", green);
  ReportFinder finder(workspace(), "");
  write(workspace() + "/junit.xml", red);
  auto all = found(finder);
  ASSERT_TRUE(all.size() == 1 && all[0].reading);
  EXPECT_EQ(all[0].reading->counted.failed, 1);
  const utimbuf later{2'000'000'000, 2'000'000'000};  // the same size, the same inode
  ASSERT_EQ(utime((workspace() + "/junit.xml").c_str(), &later), 0);
  EXPECT_THAT(names(finder), ElementsAre("junit.xml"));
}

TEST_F(Reports, OfAReportsFolderWithinTheWorkspaceAreReadOnce) {
  ReportFinder finder(workspace(), workspace() + "/out");
  write(workspace() + "/out/junit.xml", green);
  EXPECT_THAT(names(finder), ElementsAre("$HEADRACE_REPORTS/junit.xml"));
}

TEST_F(Reports, OfGitAndOfPackagesAreNotLookedFor) {
  ReportFinder finder(workspace(), "");
  write(workspace() + "/.git/junit.xml", green);
  write(workspace() + "/a/node_modules/b/junit.xml", green);
  EXPECT_THAT(names(finder), IsEmpty());
}

TEST_F(Reports, NeverLeadOutOfTheWorkspace) {
  write(root_ + "/secret/junit.xml", green);
  ReportFinder finder(workspace(), folder());
  std::filesystem::create_symlink(root_ + "/secret/junit.xml", workspace() + "/junit.xml");
  std::filesystem::create_directory_symlink(root_ + "/secret", workspace() + "/secret");
  std::filesystem::create_directory_symlink(root_ + "/secret", folder());
  EXPECT_THAT(names(finder), IsEmpty());
}

TEST_F(Reports, ArePlainFilesOnly) {
  ReportFinder finder(workspace(), "");
  ASSERT_EQ(mkfifo((workspace() + "/junit.xml").c_str(), 0600), 0);
  std::filesystem::create_directory(workspace() + "/TEST-folder.xml");
  EXPECT_THAT(names(finder), IsEmpty());
}

TEST_F(Reports, ThatAreNoneAreTold) {
  ReportFinder finder(workspace(), "");
  write(workspace() + "/junit.xml", "<suites/>");
  auto all = found(finder);
  ASSERT_TRUE(all.size() == 1 && !all[0].reading);
  EXPECT_THAT(all[0].reading.error().message, HasSubstr("The root element is <suites>"));
  EXPECT_EQ(all[0].reading.error().line, 1);
}

TEST_F(Reports, OfOneStepAreBounded) {
  ReportFinder finder(workspace(), "");
  for (size_t i = 0; i <= reports_a_step_max; ++i) write(workspace() + "/TEST-" + std::to_string(i) + ".xml", green);
  EXPECT_EQ(found(finder).size(), reports_a_step_max);
  EXPECT_THAT(finder.incomplete(), HasSubstr("more reports than are read"));
}

TEST_F(Reports, ThatTakeTooLongAreLeftAndThatIsSaid) {
  ReportFinder finder(workspace(), "", "", std::chrono::seconds(0));
  write(workspace() + "/junit.xml", green);
  EXPECT_EQ(found(finder).size(), 0U);
  EXPECT_FALSE(finder.has_next());
  EXPECT_THAT(finder.incomplete(), HasSubstr("took more than 0 s; 1 were left unread"));
}

TEST_F(Reports, TooDeepInFoldersAreSaidToBeLeftOut) {
  ReportFinder finder(workspace(), "");
  std::string path = workspace();
  for (size_t i = 0; i < walk_depth_max + 2; ++i) path += "/d";
  write(path + "/junit.xml", green);
  write(workspace() + "/junit.xml", green);
  EXPECT_EQ(found(finder).size(), 1U);
  EXPECT_THAT(finder.incomplete(), HasSubstr("more than 32 deep"));
}

TEST_F(Reports, OfALargeFileAreRefusedUnread) {
  ReportFinder finder(workspace(), "");
  write(workspace() + "/junit.xml", green);
  std::filesystem::resize_file(workspace() + "/junit.xml", report::file_bytes_max + 1);
  auto all = found(finder);
  ASSERT_TRUE(all.size() == 1 && !all[0].reading);
  EXPECT_THAT(all[0].reading.error().message, HasSubstr("larger than 64 MiB"));
}

TEST_F(Reports, ThatWereBroughtFromElsewhereAreNoneOfTheJob) {
  ReportFinder finder(workspace(), "");
  write(workspace() + "/fixtures/junit.xml", green);
  ASSERT_TRUE(finder.after_step());
  EXPECT_TRUE(finder.has_next());
  finder.pass_over();
  EXPECT_THAT(names(finder), IsEmpty());
  write(workspace() + "/junit.xml", green);
  EXPECT_THAT(names(finder), ElementsAre("junit.xml"));
}

TEST_F(Reports, NameFilesOfTheWorkspaceAsTheRepositoryDoes) {
  ReportFinder finder(workspace(), "", "/builds/hello");
  write(workspace() + "/junit.xml",
        "<testsuite><testcase name='a' file='/builds/hello/src/a.cc' line='3'><failure/></testcase>"
        "<testcase name='b' file='/builds/hello2/b.cc' line='3'><failure/></testcase></testsuite>");
  auto all = found(finder);
  ASSERT_TRUE(all.size() == 1 && all[0].reading);
  EXPECT_EQ(all[0].reading->cases.at(0).file, "src/a.cc");
  EXPECT_EQ(all[0].reading->cases.at(1).file, "/builds/hello2/b.cc");
}

TEST_F(Reports, HoldNoSecret) {
  ReportFinder finder(workspace(), "");
  Masks masks;
  ASSERT_TRUE(masks.add("hunter2-hunter2"));
  write(workspace() + "/junit.xml",
        "<testsuite name='hunter2-hunter2'><testcase name='a hunter2-hunter2' classname='hunter2-hunter2'>"
        "<failure message='not hunter2-hunter2'>at hunter2-hunter2</failure></testcase></testsuite>");
  auto all = found(finder, masks);
  ASSERT_TRUE(all.size() == 1 && all[0].reading);
  const auto& one = all[0].reading->cases.at(0);
  EXPECT_EQ(one.name, "a ***");
  EXPECT_EQ(one.message, "not ***");
  auto told = report::unpack(*core::from_base64(all[0].told.parts.at(0)));
  ASSERT_TRUE(told && told->size() == 1);
  EXPECT_EQ(told->at(0).suite + told->at(0).class_name + told->at(0).details, "******at ***");
}

TEST_F(Reports, OfAWorkspaceThatIsGoneAreAnError) {
  ReportFinder finder(workspace(), "");
  std::filesystem::remove_all(workspace());
  EXPECT_FALSE(finder.after_step());
}

}  // namespace
}  // namespace headrace::runner
