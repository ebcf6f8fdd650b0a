#include "server/subscription_json.h"

#include <gmock/gmock.h>

namespace headrace::server {
namespace {

using ::testing::HasSubstr;

std::string trouble(std::string_view text) {
  auto read = read_subscription(text);
  return read ? "" : read.error().message;
}

TEST(SubscriptionJson, ReadsEveryMember) {
  auto read = read_subscription(
      R"({"name":"audit","filter":"type = 'x'","start":"17","order_by":"subject","ack_wait_seconds":60,"deliveries_max":3,"on_dead":"hold","paused":true})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "audit");
  EXPECT_EQ(read->filter, "type = 'x'");
  EXPECT_EQ(read->start.from, bus::Start::From::offset);
  EXPECT_EQ(read->start.offset, 17U);
  EXPECT_EQ(read->order_by, "subject");
  EXPECT_EQ(read->ack_wait, std::chrono::seconds(60));
  EXPECT_EQ(read->deliveries_max, 3U);
  EXPECT_EQ(read->on_dead, bus::OnDead::hold);
  EXPECT_TRUE(read->paused);
}

TEST(SubscriptionJson, NamesTheMemberThatIsWrong) {
  EXPECT_THAT(trouble("{}"), HasSubstr("name"));
  EXPECT_THAT(trouble(R"({"name":5})"), HasSubstr("'name'"));
  EXPECT_THAT(trouble(R"({"name":"a","filter":5})"), HasSubstr("'filter'"));
  EXPECT_THAT(trouble(R"({"name":"a","filter":"x","filters":[]})"), HasSubstr("not both"));
  EXPECT_THAT(trouble(R"({"name":"a","filters":{}})"), HasSubstr("filters"));
  EXPECT_THAT(trouble(R"({"name":"a","start":"yesterday"})"), HasSubstr("'yesterday'"));
  EXPECT_THAT(trouble(R"({"name":"a","ack_wait_seconds":0})"), HasSubstr("ack_wait_seconds"));
  EXPECT_THAT(trouble(R"({"name":"a","ack_wait_seconds":9223372036854775807})"), HasSubstr("ack_wait_seconds"));
  EXPECT_THAT(trouble(R"({"name":"a","deliveries_max":1001})"), HasSubstr("deliveries_max"));
  EXPECT_THAT(trouble(R"({"name":"a","on_dead":"drop"})"), HasSubstr("on_dead"));
  EXPECT_THAT(trouble(R"({"name":"a","onDead":"hold"})"), HasSubstr("'onDead'"));
  EXPECT_THAT(trouble("{\"name\":"), HasSubstr("line 1"));
}

TEST(SubscriptionJson, BeginsNowAtTheBeginningAtAnOffsetOrAtATime) {
  EXPECT_EQ(read_start("")->from, bus::Start::From::now);
  EXPECT_EQ(read_start("now")->from, bus::Start::From::now);
  EXPECT_EQ(read_start("beginning")->from, bus::Start::From::beginning);
  EXPECT_EQ(read_start("12")->offset, 12U);
  EXPECT_EQ(read_start("2026-11-23T14:05:00Z")->from, bus::Start::From::time);
  for (const char* text : {"-1", "12x", "18446744073709551616", "2026-13-01T00:00:00Z"})
    EXPECT_FALSE(read_start(text)) << text;
}

}  // namespace
}  // namespace headrace::server
