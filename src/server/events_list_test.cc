// The list of events in both orders.
#include <gmock/gmock.h>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::message_of;
namespace json = core::json;

class EventsList : public ::testing::Test {
 protected:
  // 30 events of a foreign source; every third is of another type.
  void SetUp() override {
    for (int n = 0; n < 30; ++n) {
      const json::object event{{"specversion", "1.0"},
                               {"id", "e" + std::to_string(n)},
                               {"source", "/list"},
                               {"type", n % 3 == 0 ? "third" : "other"}};
      net::ClientRequest request{
          "/api/v1/events", "POST", {{"Content-Type", "application/cloudevents+json"}}, core::to_text(event)};
      ASSERT_EQ(world.ask(std::move(request)).status, net::Status::created);
    }
  }

  struct Page {
    std::vector<std::string> ids;
    std::vector<int64_t> offsets;
    std::string next;
  };
  Page page(const std::string& query) {
    Page found;
    const auto answer = json_of(world.get("/api/v1/events?" + query));
    for (const auto& event : answer.at("events").as_array()) {
      found.ids.emplace_back(event.at("id").as_string());
      found.offsets.push_back(event.at("offset").to_number<int64_t>());
    }
    found.next = core::to_text(answer.at("next"));
    return found;
  }
  // All pages, one after the other.
  std::vector<std::string> all(const std::string& query) {
    std::vector<std::string> ids;
    for (std::string from; from != "null";) {
      auto one = page(query + (from.empty() ? "" : "&from=" + from));
      ids.insert(ids.end(), one.ids.begin(), one.ids.end());
      EXPECT_NE(one.next, from) << "it goes on";
      from = one.next;
    }
    return ids;
  }
  testing::World world;
};

TEST_F(EventsList, IsTheSameFromBothEnds) {
  for (const char* filter : {"", "&filter=source%20%3D%20%27%2Flist%27", "&filter=type%20%3D%20%27third%27"}) {
    for (const char* limit : {"1", "7", "1000"}) {
      auto oldest = all("limit=" + std::string(limit) + filter);
      auto newest = all("order=newest&limit=" + std::string(limit) + filter);
      std::ranges::reverse(newest);
      EXPECT_EQ(oldest, newest) << filter << " " << limit;
      EXPECT_GE(oldest.size(), 10u);
    }
  }
}

TEST_F(EventsList, BeginsWithTheNewest) {
  EXPECT_THAT(page("order=newest&limit=3").ids, ElementsAre("e29", "e28", "e27"));
  EXPECT_THAT(page("order=newest&limit=2&filter=type%20%3D%20%27third%27").ids, ElementsAre("e27", "e24"));
}

TEST_F(EventsList, OfAnEarlierMomentEndsThere) {
  const auto newest = page("order=newest&limit=1").offsets.front();
  const auto at = std::to_string(newest - 5);
  EXPECT_THAT(page("order=newest&limit=1&at=" + at).offsets, ElementsAre(newest - 5));
  EXPECT_THAT(page("order=newest&limit=1&from=" + std::to_string(newest - 9) + "&at=" + at).offsets,
              ElementsAre(newest - 9));
}

TEST_F(EventsList, BeforeTheFirstHasNone) {
  const auto none = page("order=newest&from=0");
  EXPECT_THAT(none.ids, IsEmpty());
  EXPECT_EQ(none.next, "null");
}

TEST_F(EventsList, LooksAtSoManyAtOnceAndSaysWhereToGoOn) {
  for (int batch = 0; batch < 11; ++batch) {
    json::array events;
    for (int n = 0; n < 1'000; ++n)
      events.push_back(json::object{{"specversion", "1.0"},
                                    {"id", "b" + std::to_string(batch * 1'000 + n)},
                                    {"source", "/list"},
                                    {"type", "bulk"}});
    net::ClientRequest request{
        "/api/v1/events", "POST", {{"Content-Type", "application/cloudevents-batch+json"}}, core::to_text(events)};
    ASSERT_EQ(world.ask(std::move(request)).status, net::Status::created);
  }
  const std::string rare = "order=newest&filter=type%20%3D%20%27third%27";
  const auto first = page(rare);
  EXPECT_THAT(first.ids, IsEmpty());
  ASSERT_NE(first.next, "null");
  EXPECT_THAT(page(rare + "&limit=2&from=" + first.next).ids, ElementsAre("e27", "e24"));
  EXPECT_EQ(all(rare).size(), 10u);
}

TEST_F(EventsList, OfLargeEventsIsBoundedInBytes) {
  for (int n = 0; n < 40; ++n) {
    const json::object event{{"specversion", "1.0"},
                             {"id", "large" + std::to_string(n)},
                             {"source", "/list"},
                             {"type", "large"},
                             {"data", std::string(250'000, 'x')}};
    net::ClientRequest request{
        "/api/v1/events", "POST", {{"Content-Type", "application/cloudevents+json"}}, core::to_text(event)};
    ASSERT_EQ(world.ask(std::move(request)).status, net::Status::created);
  }
  const auto first = page("order=newest&limit=1000");
  EXPECT_GT(first.ids.size(), 20u);
  EXPECT_LT(first.ids.size(), 40u) << "9 MB and more are no one answer";
  EXPECT_NE(first.next, "null");
  const auto every = all("order=newest&limit=1000&filter=source%20%3D%20%27%2Flist%27");
  EXPECT_EQ(every.size(), 70u);
  EXPECT_EQ(every.front(), "large39");
  EXPECT_EQ(every.back(), "e0");
}

TEST_F(EventsList, KnowsNoOtherOrder) {
  auto refused = world.get("/api/v1/events?order=random");
  EXPECT_EQ(refused.status, net::Status::unprocessable_content);
  EXPECT_THAT(message_of(refused), HasSubstr("oldest (first) or newest"));
}

}  // namespace
}  // namespace headrace::server
