#include "server/outbox.h"

#include <gtest/gtest.h>

namespace headrace::server {
namespace {

core::Task<> take_all(Outbox& outbox, std::string& taken) {
  while (true) {
    auto next = co_await outbox.next();
    if (next.empty()) co_return;
    taken += next;
  }
}

core::Task<> wait_for_room(Outbox& outbox, bool& there) {
  co_await outbox.until_room();
  there = true;
}

TEST(Outbox, GivesWhatWasPutInThatOrderAlsoAfterItIsClosed) {
  core::Loop loop;
  Outbox outbox(loop.executor());
  outbox.put("run", "1");
  outbox.put("log", "2\n3");
  outbox.close();
  std::string taken;
  loop.run(take_all(outbox, taken));
  EXPECT_EQ(taken, net::encode({{}, "run", "1"}) + net::encode({{}, "log", "2\n3"}));
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST(Outbox, WakesWhoWaitsForSomethingToSend) {
  core::Loop loop;
  Outbox outbox(loop.executor());
  std::string taken;
  loop.spawn(take_all(outbox, taken));
  loop.poll();
  EXPECT_EQ(taken, "");
  outbox.put("run", "1");
  loop.poll();
  EXPECT_EQ(taken, net::encode({{}, "run", "1"}));
  outbox.close();
  loop.poll();
}

TEST(Outbox, LetsWhoPutsWaitBeyondItsBoundUntilSomethingIsTaken) {
  core::Loop loop;
  Outbox outbox(loop.executor());
  bool there = false;
  outbox.put("log", std::string(outbox_bytes_max, 'x'));
  loop.spawn(wait_for_room(outbox, there));
  loop.poll();
  EXPECT_FALSE(there);
  auto first = loop.run(outbox.next());
  EXPECT_GT(first.size(), outbox_bytes_max);
  loop.poll();
  EXPECT_TRUE(there);
}

}  // namespace
}  // namespace headrace::server
