#include "services/runner/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/simulated_disk.h"

namespace headrace::runner {
namespace {

Summary summary(std::string text) { return {.token = 7, .number = 0, .step = 1, .markdown = std::move(text)}; }

// The markdown of all that is to be sent now.
std::vector<std::string> sent(Findings& findings) {
  std::vector<std::string> all;
  while (findings.has_next()) {
    auto text = findings.next();
    auto message = text ? decode(*text) : core::Result<Message>(std::unexpected(text.error()));
    if (!message) {
      ADD_FAILURE() << message.error().message;
      break;
    }
    all.push_back(std::get<Summary>(*message).markdown);
  }
  return all;
}

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Findings, AreSentInOrderAndForgottenOnceTheServerHasThem) {
  core::testing::SimulatedDisk disk;
  Findings findings(disk, "/job/found");
  EXPECT_TRUE(findings.empty());
  for (const char* text : {"a", "b"}) ASSERT_TRUE(findings.keep(summary(text)));
  EXPECT_THAT(sent(findings), ElementsAre("a", "b"));
  findings.forget(1);
  findings.forget(1);
  EXPECT_FALSE(findings.empty());
  findings.forget(2);
  EXPECT_TRUE(findings.empty());
  EXPECT_THAT(*disk.list("/job/found"), IsEmpty());
}

TEST(Findings, AreSentAgainAfterALostConnectionAndWhereTheServerAsks) {
  core::testing::SimulatedDisk disk;
  Findings findings(disk, "/job/found");
  for (const char* text : {"a", "b"}) ASSERT_TRUE(findings.keep(summary(text)));
  EXPECT_THAT(sent(findings), ElementsAre("a", "b"));
  findings.again(2);
  EXPECT_THAT(sent(findings), ElementsAre("b"));
  findings.connection_lost();
  EXPECT_THAT(sent(findings), ElementsAre("a", "b"));
}

TEST(Findings, AreThereForTheNextProcess) {
  core::testing::SimulatedDisk disk;
  {
    Findings findings(disk, "/job/found");
    for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(findings.keep(summary(text)));
    findings.forget(2);
    ASSERT_TRUE(disk.open("/job/found/9.new", core::Disk::Open::create));  // it was being written
  }
  Findings next(disk, "/job/found");
  ASSERT_TRUE(next.recover());
  EXPECT_THAT(sent(next), ElementsAre("a", "c"));
  Findings of_another_job(disk, "/other/found");
  EXPECT_TRUE(of_another_job.recover());
  EXPECT_TRUE(of_another_job.empty());
}

TEST(Findings, OnTheirWayAreBounded) {
  core::testing::SimulatedDisk disk;
  Findings findings(disk, "/job/found");
  for (size_t i = 0; i <= findings_in_flight_max; ++i) ASSERT_TRUE(findings.keep(summary("x")));
  EXPECT_THAT(sent(findings), SizeIs(findings_in_flight_max));
  findings.forget(1);
  EXPECT_THAT(sent(findings), SizeIs(1));
}

TEST(Findings, ThatADiskCannotTakeAreAnErrorAndLeaveNothing) {
  core::testing::SimulatedDisk disk;
  Findings findings(disk, "/job/found");
  ASSERT_TRUE(disk.make_directories("/job/found"));
  disk.limit_space(disk.used() + 10);
  EXPECT_FALSE(findings.keep(summary(std::string(1'000, 'x'))));
  EXPECT_TRUE(findings.empty());
  disk.limit_space({});
  ASSERT_TRUE(findings.keep(summary("x")));
  EXPECT_THAT(*disk.list("/job/found"), ElementsAre("1"));
}

TEST(Findings, ThatCannotBeReadBackAreForgottenWithAnError) {
  core::testing::SimulatedDisk disk;
  Findings findings(disk, "/job/found");
  ASSERT_TRUE(findings.keep(summary("x")));
  ASSERT_TRUE(disk.remove("/job/found/1"));
  EXPECT_FALSE(findings.next());
  EXPECT_TRUE(findings.empty());
}

}  // namespace
}  // namespace headrace::runner
