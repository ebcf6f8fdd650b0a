#include "store/projection_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing/world.h"

namespace headrace::store {
namespace {

using store::testing::Folder;
using store::testing::items;
using store::testing::MemoryLog;
using store::testing::put;
using store::testing::rows_of;
using store::testing::script_type;
using store::testing::ScriptProjection;
using ::testing::ElementsAre;

struct Made {
  Folder folder;
  MemoryLog log;
  ScriptProjection projection{"shop", items};
  std::unique_ptr<ProjectionFile> file;
  Made() { file = *ProjectionFile::create(folder.file("shop.db"), projection, ProjectionFile::Kind::live); }
};

TEST(ProjectionFile, WhatComesBeforeAFailureInATransactionIsKept) {
  Made made;
  made.log.say(script_type, put("a", 1));
  made.log.say("unheard", "");
  made.log.say(script_type, put("b", 2));
  made.log.say(script_type, put("c", 3) + "; INSERT INTO nonsense VALUES (1)");
  made.log.say(script_type, put("d", 4));
  EXPECT_FALSE(made.file->apply(*made.log.read(1, 100)));
  EXPECT_EQ(made.file->applied(), 3u);
  EXPECT_EQ(made.file->events(), 2u);
  EXPECT_THAT(*rows_of(made.file->connection(), "SELECT id FROM item ORDER BY id"), ElementsAre("<a>", "<b>"));
}

TEST(ProjectionFile, HearingAnEventTwiceAppliesItOnce) {
  Made made;
  made.log.say(script_type, put("a", 1));
  made.log.say(script_type, "UPDATE item SET value = value + 1");
  for (int time = 0; time < 3; ++time) ASSERT_TRUE(made.file->apply(*made.log.read(1, 100)));
  EXPECT_THAT(*rows_of(made.file->connection(), "SELECT value FROM item"), ElementsAre("<2>"));
}

TEST(ProjectionFile, ItsWriteAheadLogIsMovedBesideTheWriterWhenDue) {
  Made made;
  EXPECT_FALSE(made.file->checkpoint_due());
  while (!made.file->checkpoint_due()) {
    made.log.say(script_type, put("a", made.log.durable()));
    ASSERT_TRUE(made.file->apply(*made.log.read(made.log.durable(), 1)));
    ASSERT_LT(made.log.durable(), 2'000u);
  }
  ASSERT_TRUE(checkpoint_beside(made.folder.file("shop.db")));
  made.log.say(script_type, put("b", 1));
  ASSERT_TRUE(made.file->apply(*made.log.read(made.log.durable(), 1)));
  EXPECT_FALSE(made.file->checkpoint_due());
}

}  // namespace
}  // namespace headrace::store
