#include "services/runner/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {

using testing::Contains;
using testing::Not;
using testing::Pair;

TEST(Labels, LeadToTheSandboxAndNeverToTheHostByThemselves) {
  auto labels = with_default_labels({});
  for (const char* name : {"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "ubuntu-slim", "self-hosted", "linux"})
    EXPECT_THAT(labels, Contains(Pair(name, "sandbox")));
  EXPECT_EQ(labels_text(labels, "host"), "");
}

TEST(Labels, WhatTheOperatorGivesCountsForThatLabelAlone) {
  auto labels = with_default_labels({{"ubuntu-latest", "host"}, {"gpu", "host"}});
  EXPECT_THAT(labels, Not(Contains(Pair("ubuntu-latest", "sandbox"))));
  EXPECT_THAT(labels, Contains(Pair("ubuntu-24.04", "sandbox")));
  EXPECT_EQ(labels_text(labels, "host"), "ubuntu-latest, gpu");
}

TEST(Labels, AJobRunsWhereAllItsLabelsLeadToOneExecutor) {
  RunnerLabels labels{{"linux", "sandbox"}, {"x64", "sandbox"}, {"gpu", "host"}};
  EXPECT_EQ(executor_of(labels, {"linux", "x64"}), "sandbox");
  EXPECT_EQ(executor_of(labels, {"gpu"}), "host");
  EXPECT_EQ(executor_of(labels, {"linux", "windows-latest"}), "");
  labels.emplace_back("ubuntu-latest", "sandbox");
  EXPECT_EQ(executor_of(labels, {"ubuntu-latest", "gpu"}), "");
}

TEST(Labels, AreTheSameInAnyCase) {
  auto labels = with_default_labels({{"GPU", "host"}, {"Ubuntu-Latest", "host"}});
  EXPECT_EQ(executor_of(labels, {"self-hosted", "Linux"}), "sandbox");
  EXPECT_EQ(executor_of(labels, {"gpu"}), "host");
  EXPECT_EQ(executor_of(labels, {"ubuntu-latest"}), "host");
  EXPECT_THAT(labels, Not(Contains(Pair("ubuntu-latest", "sandbox"))));
}

TEST(Labels, ThoseOfEverySelfHostedRunnerGiveWayToOnesThatSayMore) {
  auto labels = with_default_labels({{"gpu", "host"}});
  for (const std::vector<std::string>& wanted : {std::vector<std::string>{"self-hosted", "linux", "gpu"},
                                                 {"gpu", "linux", "self-hosted"},
                                                 {"linux", "gpu"},
                                                 {"self-hosted", "gpu"}})
    EXPECT_EQ(executor_of(labels, wanted), "host");
  EXPECT_EQ(executor_of(labels, {"self-hosted", "linux"}), "sandbox");
  EXPECT_EQ(executor_of(labels, {"self-hosted", "windows", "gpu"}), "") << "each must be there";
  labels = with_default_labels({{"self-hosted", "host"}});
  EXPECT_EQ(executor_of(labels, {"self-hosted", "linux"}), "host");
  EXPECT_EQ(executor_of(labels, {"linux"}), "sandbox") << "nothing leads to the host by itself";
}

}  // namespace headrace::runner
