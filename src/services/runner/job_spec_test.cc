#include "services/runner/job_spec.h"

#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

TEST(JobSpec, IsReadAsThePlanWroteIt) {
  auto spec = parse_job_spec(
      R"({"version":1,"job":"build","name":"Build","timeout_minutes":5,"variables":{"CI":"true"},"env":{"A":"1"},
    "steps":[{"number":1,"id":"x","name":"Run make","if":"always","run":"make","shell":"sh","shell_given":true,"working_directory":"src",
              "env":{"B":"2"},"timeout_minutes":3,"continue_on_error":true}]})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->timeout_minutes, 5);
  EXPECT_EQ(spec->variables, (Variables{{"CI", "true"}}));
  ASSERT_EQ(spec->steps.size(), 1u);
  const auto& step = spec->steps[0];
  EXPECT_EQ(step.run, "make");
  EXPECT_EQ(step.shell, "sh");
  EXPECT_EQ(step.working_directory, "src");
  EXPECT_EQ(step.when, When::always);
  EXPECT_EQ(step.timeout_minutes, 3);
  EXPECT_TRUE(step.continue_on_error);
}

TEST(JobSpec, TimeOutsAreBounded) {
  auto spec = parse_job_spec(R"({"version":1,"timeout_minutes":99999999,"steps":[{"run":"x","timeout_minutes":-4}]})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->timeout_minutes, timeout_minutes_max);
  EXPECT_EQ(spec->steps[0].timeout_minutes, 1);
}

TEST(JobSpec, WhatItCannotReadIsRefusedWithItsPlace) {
  for (const auto& [text, words] : {std::pair{"{", "JSON"},
                                    {R"({"version":2,"steps":[]})", "format"},
                                    {R"({"version":1})", "steps"},
                                    {R"({"version":1,"steps":[{"name":"x"}]})", "Step 1"},
                                    {R"({"version":1,"steps":[{"run":"x","if":"maybe"}]})", "if"},
                                    {R"({"version":1,"env":{"A":1},"steps":[]})", "'A'"}}) {
    auto spec = parse_job_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_NE((spec.error().message + spec.error().detail).find(words), std::string::npos) << spec.error().message;
  }
}

}  // namespace
}  // namespace headrace::runner
