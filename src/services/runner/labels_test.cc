#include "server/local_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::server {

using testing::Contains;
using testing::Not;
using testing::Pair;

TEST(LocalLabels, LeadToTheSandboxAndNeverToTheHostByThemselves) {
  auto labels = with_default_labels({});
  for (const char* name : {"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "self-hosted", "linux"})
    EXPECT_THAT(labels, Contains(Pair(name, "sandbox")));
  EXPECT_EQ(labels_text(labels, "host"), "");
}

TEST(LocalLabels, WhatTheOperatorGivesCountsForThatLabelAlone) {
  auto labels = with_default_labels({{"ubuntu-latest", "host"}, {"gpu", "host"}});
  EXPECT_THAT(labels, Not(Contains(Pair("ubuntu-latest", "sandbox"))));
  EXPECT_THAT(labels, Contains(Pair("ubuntu-24.04", "sandbox")));
  EXPECT_EQ(labels_text(labels, "host"), "ubuntu-latest, gpu");
}

}  // namespace headrace::server
