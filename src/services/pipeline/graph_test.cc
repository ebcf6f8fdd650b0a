#include "services/pipeline/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::pipeline {
namespace {

using events::Conclusion;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using workflow::Condition;

Vertex waiting(std::string key, std::vector<std::string> needs, Condition condition = Condition::success) {
  Vertex job;
  job.key = std::move(key);
  job.needs = std::move(needs);
  job.condition = condition;
  return job;
}

Vertex ended(std::string key, Conclusion conclusion, std::vector<std::string> needs = {}) {
  Vertex job = waiting(std::move(key), std::move(needs));
  job.status = Status::completed;
  job.conclusion = conclusion;
  return job;
}

Vertex tolerant(Vertex job) {
  job.continue_on_error = true;
  return job;
}

TEST(PipelineGraph, StartsWithWhatNeedsNothing) {
  Advance first = advance({waiting("build", {}), waiting("test", {"build"}), waiting("lint", {})}, false);
  EXPECT_THAT(first.queue, ElementsAre("build", "lint"));
  EXPECT_THAT(first.skip, IsEmpty());
  EXPECT_FALSE(first.finished);
}

TEST(PipelineGraph, QueuesAJobOnceAllItNeedsSucceeded) {
  EXPECT_THAT(advance({ended("a", Conclusion::success), waiting("b", {}), waiting("c", {"a", "b"})}, false).queue,
              ElementsAre("b"));
  EXPECT_THAT(
      advance({ended("a", Conclusion::success), ended("b", Conclusion::success), waiting("c", {"a", "b"})}, false)
          .queue,
      ElementsAre("c"));
}

TEST(PipelineGraph, SkipsWhatNeedsAFailedJobAndAllBehindIt) {
  Advance next = advance({ended("a", Conclusion::failure), waiting("b", {"a"}), waiting("c", {"b"})}, false);
  EXPECT_THAT(next.skip, ElementsAre(Pair("b", "The job 'a' before it did not succeed: failure."),
                                     Pair("c", "The job 'a' before it did not succeed: failure.")));
  EXPECT_EQ(next.finished, Conclusion::failure);
}

TEST(PipelineGraph, ConditionsLookAtAllJobsBefore) {
  auto after_failure = [](Condition condition) {
    return advance({ended("a", Conclusion::failure), ended("b", Conclusion::skipped, {"a"}),
                    waiting("c", {"b"}, condition)},
                   false)
        .queue;
  };
  EXPECT_THAT(after_failure(Condition::failure), ElementsAre("c"));
  EXPECT_THAT(after_failure(Condition::always), ElementsAre("c"));
  EXPECT_THAT(after_failure(Condition::success), IsEmpty());
  EXPECT_THAT(after_failure(Condition::cancelled), IsEmpty());
  EXPECT_THAT(after_failure(Condition::never), IsEmpty());
  EXPECT_THAT(advance({ended("a", Conclusion::success), waiting("b", {"a"}, Condition::failure)}, false).queue,
              IsEmpty());
}

TEST(PipelineGraph, AJobThatIsSkippedKeepsTheNextFromRunning) {
  Advance next = advance({waiting("a", {}, Condition::never), waiting("b", {"a"})}, false);
  EXPECT_THAT(next.queue, IsEmpty());
  EXPECT_EQ(next.finished, Conclusion::skipped);
}

TEST(PipelineGraph, AFailureThatMayBeCountsAsSuccess) {
  Advance next = advance({tolerant(ended("a", Conclusion::failure)), waiting("b", {"a"})}, false);
  EXPECT_THAT(next.queue, ElementsAre("b"));
  EXPECT_EQ(advance({tolerant(ended("a", Conclusion::failure))}, false).finished, Conclusion::success);
  EXPECT_EQ(advance({tolerant(ended("a", Conclusion::cancelled))}, false).finished, Conclusion::cancelled);
}

TEST(PipelineGraph, ACancelledRunRunsOnlyWhatAsksForIt) {
  std::vector<Vertex> jobs{ended("a", Conclusion::cancelled), waiting("b", {"a"}, Condition::always),
                           waiting("c", {"a"}, Condition::cancelled), waiting("d", {"a"}, Condition::failure)};
  Advance next = advance(jobs, true);
  EXPECT_THAT(next.queue, ElementsAre("b", "c"));
  EXPECT_THAT(next.skip, ElementsAre(Pair("d", "The run was cancelled.")));
  EXPECT_FALSE(next.finished);
}

TEST(PipelineGraph, FailureOutweighsTimeOutOutweighsCancellation) {
  auto end = [](std::vector<Conclusion> conclusions) {
    std::vector<Vertex> jobs;
    for (Conclusion conclusion : conclusions) jobs.push_back(ended(std::to_string(jobs.size()), conclusion));
    return conclusion_of(jobs);
  };
  EXPECT_EQ(end({Conclusion::cancelled, Conclusion::timed_out, Conclusion::failure}), Conclusion::failure);
  EXPECT_EQ(end({Conclusion::cancelled, Conclusion::timed_out}), Conclusion::timed_out);
  EXPECT_EQ(end({Conclusion::cancelled, Conclusion::success, Conclusion::skipped}), Conclusion::cancelled);
  EXPECT_EQ(end({Conclusion::success, Conclusion::skipped}), Conclusion::success);
  EXPECT_EQ(end({Conclusion::skipped, Conclusion::skipped}), Conclusion::skipped);
  EXPECT_EQ(end({}), Conclusion::success);
}

}  // namespace
}  // namespace headrace::pipeline
