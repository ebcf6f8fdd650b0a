// Events of others: published, published again, refused; and streams that are taken up where they broke off.
#include <gtest/gtest.h>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Platform;
using support::text_at;

std::string event(const std::string& id, const std::string& source, int n) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":")" + source +
         R"(","type":"org.example.sold","data":{"n":)" + std::to_string(n) + "}}";
}

std::vector<support::SentEvent> stream(Platform& platform, const std::string& after, size_t count) {
  support::Request request{"GET",
                           "/api/v1/events/stream?filter=type%20%3D%20'org.example.sold'",
                           {"Authorization: Bearer " + platform.token()},
                           {}};
  if (after.empty())
    request.target += "&from=beginning";
  else
    request.headers.push_back("Last-Event-ID: " + after);
  return support::listen(platform.port(), request, count);
}

}  // namespace

TEST(Events, TheSameEventAgainIsADuplicateAndWithOtherContentAConflict) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  auto first = platform.cli({"event", "publish", "-", "--json"}, event("1", "/shop", 1));
  ASSERT_EQ(first.exit, 0) << first.err;
  auto said = core::parse_json(first.out);
  ASSERT_TRUE(said);
  EXPECT_EQ(text_at(*said, "durability"), "disk");
  auto again = platform.cli({"event", "publish", "-", "--json"}, event("1", "/shop", 1));
  ASSERT_EQ(again.exit, 0) << again.err;
  auto repeated = core::parse_json(again.out);
  ASSERT_TRUE(repeated);
  EXPECT_EQ(core::integer_at(*repeated, "offset"), core::integer_at(*said, "offset"));
  auto other = platform.cli({"event", "publish", "-"}, event("1", "/shop", 2));
  EXPECT_EQ(other.exit, 1) << other.out;
  EXPECT_NE(other.err.find("with other content"), std::string::npos) << other.err;
}

TEST(Events, WhatIsNotForeignOrNotValidIsRefusedWithItsReason) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  auto reserved = platform.cli({"event", "publish", "-"}, event("1", "/headrace/pipeline", 1));
  EXPECT_EQ(reserved.exit, 3) << reserved.out;
  EXPECT_NE(reserved.err.find("reserved"), std::string::npos) << reserved.err;
  auto bad = platform.cli({"event", "publish", "-"}, R"({"specversion":"1.0","id":"1","source":"/shop"})");
  EXPECT_EQ(bad.exit, 1) << bad.out;
  EXPECT_NE(bad.err.find("type"), std::string::npos) << bad.err;
  auto broken = platform.cli({"event", "publish", "-"}, "{\"specversion\":");
  EXPECT_EQ(broken.exit, 1) << broken.out;
  auto large =
      platform.cli({"event", "publish", "-"}, R"({"specversion":"1.0","id":"2","source":"/shop","type":"t","data":")" +
                                                  std::string(300 * 1024, 'x') + "\"}");
  EXPECT_EQ(large.exit, 1) << large.out;
  EXPECT_NE(large.err.find("256 KiB"), std::string::npos) << large.err;
  auto list = platform.cli(
      {"event", "tail", "--from", "beginning", "--limit", "1", "--filter", "source = '/headrace/identity'"});
  EXPECT_EQ(list.exit, 0) << "the server lives on: " << list.err;
}

TEST(Events, AStreamTakenUpAfterItsLastEventHasNoGapAndNoDouble) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  for (int n = 0; n < 6; ++n) {
    auto answer = platform.http({"POST",
                                 "/api/v1/events",
                                 {"Content-Type: application/cloudevents+json"},
                                 event(std::to_string(n), "/shop", n)});
    ASSERT_EQ(answer.status / 100, 2) << answer.body;
  }
  auto heard = stream(platform, "", 2);
  ASSERT_EQ(heard.size(), 2U);
  platform.kill();
  ASSERT_TRUE(platform.start()) << platform.said();
  for (const auto& more : stream(platform, heard.back().id, 4)) heard.push_back(more);
  ASSERT_EQ(heard.size(), 6U);
  for (size_t n = 0; n < heard.size(); ++n) {
    auto value = core::parse_json(heard[n].data);
    ASSERT_TRUE(value);
    EXPECT_EQ(text_at(*value, "id"), std::to_string(n));
  }
}

}  // namespace headrace
