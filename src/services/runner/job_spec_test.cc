#include "services/runner/job_spec.h"

#include <gtest/gtest.h>

#include "core/json.h"

namespace headrace::runner {
namespace {

TEST(JobSpec, HoldsTextsContextsAndLayers) {
  auto spec = parse_job_spec(
      R"({"version":2,"job":"test-1","name":"test 1","workflow":"CI","file":".github/workflows/ci.yml",
    "contexts":{"github":{"sha":"abc"},"needs":{},"strategy":{},"matrix":{"os":"x"},"inputs":{},"vars":{"V":"1"}},
    "permissions":{"contents":"read"},"secrets":"all","environment":"prod","environment_url":"https://${{ matrix.os }}",
    "env":[{"A":"${{ github.sha }}"},{"A":"2"}],"defaults":{"shell":"sh","working_directory":"src"},
    "container":{"image":"debian:12"},"services":null,"outputs":{"o":"${{ steps.a.outputs.b }}"},"timeout_minutes":5,
    "continue_on_error":true,
    "steps":[{"number":1,"id":"a","name":"N","if":"success() && (true) ","run":"make","with":{},"env":{"B":"2"},"shell":"",
              "working_directory":"","timeout_minutes":"${{ 3 }}","continue_on_error":false,"line":7,"column":9},
             {"number":2,"uses":"actions/checkout@v4","with":{"path":"x"},"timeout_minutes":null}]})");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->contexts.find("matrix")->find("os")->to_text(), "x");
  EXPECT_EQ(spec->env.size(), 2u);
  EXPECT_EQ(spec->environment, "prod");
  EXPECT_EQ(spec->shell, "sh");
  EXPECT_EQ(spec->container.find("image")->to_text(), "debian:12");
  EXPECT_TRUE(spec->services.is_null());
  EXPECT_TRUE(spec->continue_on_error);
  EXPECT_EQ(spec->outputs, (Variables{{"o", "${{ steps.a.outputs.b }}"}}));
  ASSERT_EQ(spec->steps.size(), 2u);
  EXPECT_EQ(spec->steps[0].timeout_minutes, "${{ 3 }}");
  EXPECT_EQ(spec->steps[0].line, 7);
  EXPECT_TRUE(spec->steps[1].is_action());
  EXPECT_EQ(spec->steps[1].condition, "success()");
  EXPECT_EQ(spec->steps[1].timeout_minutes, "");
}

TEST(JobSpec, TimeOutsAreBounded) {
  auto spec = parse_job_spec(R"({"version":2,"contexts":{},"timeout_minutes":99999999,"steps":[{"run":"x"}]})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->timeout_minutes, timeout_minutes_max);
}

TEST(JobSpec, WhatItCannotReadIsRefusedWithItsPlace) {
  for (const auto& [text, words] :
       {std::pair{"{", "JSON"},
        {R"({"version":3,"steps":[]})", "format"},
        {R"({"version":2,"steps":[]})", "contexts"},
        {R"({"version":2,"contexts":{},"steps":[{"run":"x","uses":"y"}]})", "'uses'"},
        {R"({"version":2,"contexts":{},"env":[{"A":{}}],"steps":[]})", "'env'"},
        {R"({"version":2,"contexts":{},"env":{},"steps":[]})", "'env' of the job is not a list"},
        {R"({"version":1,"contexts":{},"steps":[{"run":"x"}]})", "format"},
        {R"({"version":2,"contexts":{}})", "steps"},
        {R"({"version":2,"contexts":{},"steps":[{"name":"x"}]})", "step 1"},
        {R"({"version":2,"contexts":{},"env":[{"A":1}],"steps":[]})", "'A'"}}) {
    auto spec = parse_job_spec(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().code, core::Code::invalid);
    EXPECT_NE((spec.error().message + spec.error().detail).find(words), std::string::npos) << spec.error().message;
  }
}

TEST(JobSpec, BeyondItsBoundsIsRefused) {
  std::string steps;
  for (size_t i = 0; i <= job_spec_steps_max; ++i) steps += R"({"run":"x"},)";
  steps.pop_back();
  auto many = parse_job_spec(R"({"version":2,"contexts":{},"steps":[)" + steps + "]}");
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, core::Code::exhausted);
  EXPECT_FALSE(parse_job_spec(std::string(job_spec_bytes_max + 1, ' ')));
}

}  // namespace
}  // namespace headrace::runner
