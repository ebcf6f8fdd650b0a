#include <gtest/gtest.h>

#include "workflow/plan.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

std::string event_of(std::string_view payload, const std::string& on) {
  auto reading = read("on: " + on + "\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: x\n", "ci.yml");
  auto happening = read_happening(payload, *reading.workflow);
  return happening ? happening->occasion.event : happening.error().message;
}

TEST(Happening, APayloadShowsWhatItIsOf) {
  EXPECT_EQ(event_of(R"({"ref":"refs/heads/main","commits":[]})", "[push, release]"), "push");
  EXPECT_EQ(event_of(R"({"action":"opened","number":1,"pull_request":{}})", "[push, release]"), "pull_request");
  EXPECT_EQ(event_of(R"({"action":"published","release":{}})", "push"), "release");
}

TEST(Happening, AShortPayloadIsWhatTheWorkflowWaitsForWhereItCanBe) {
  EXPECT_EQ(event_of(R"({"ref":"refs/heads/main"})", "[push, pull_request]"), "push");
  EXPECT_EQ(event_of(R"({"ref":"refs/heads/main"})", "pull_request"), "push");
  EXPECT_EQ(event_of(R"({"ref":"refs/heads/main"})", "workflow_dispatch"), "workflow_dispatch");
  EXPECT_EQ(event_of(R"({"pull_request":{}})", "[push, pull_request]"), "pull_request");
  EXPECT_EQ(event_of("{}", "schedule"), "schedule");
  EXPECT_EQ(event_of("{}", "[push, schedule]").find("The event file does not show which event it is of."), 0U);
}

TEST(Happening, ANamedEventIsThatWhateverItsPayloadLooksLike) {
  EXPECT_EQ(event_of(R"({"event_name":"release","event":{"ref":"refs/heads/main","commits":[]}})", "push"), "release");
}

}  // namespace
}  // namespace headrace::workflow
