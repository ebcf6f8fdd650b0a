// The end of a log: the last lines within a size, and which of the whole log they are.
#include <gmock/gmock.h>

#include "server/testing/runs.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using testing::json_of;
using testing::message_of;

class Logs : public testing::Runs {
 protected:
  // A job that printed about 18 MiB in 300,000 lines: more than what is looked through at once.
  void SetUp() override {
    const auto run = push("yes \"$(printf 'x%.0s' $(seq 29))\" | head -n 300000");
    start_worker();
    ASSERT_TRUE(until([&] { return json_of(world.get("/api/v1/runs/" + run)).at("status") == "completed"; }));
    const auto shown = json_of(world.get("/api/v1/runs/" + run));
    address = "/api/v1/jobs/" + std::string(shown.at("jobs").at(0).at("job").as_string()) + "/log";
    whole = world.get(address).body;
    ASSERT_GT(whole.size(), 17'000'000u);
  }
  static uint64_t number(const net::Response& answer, const char* header) {
    return std::stoull("0" + std::string(answer.headers.get(header)));
  }
  std::string address, whole;
};

TEST_F(Logs, EndWithTheLastLinesOfASize) {
  for (const size_t last : {size_t{1}, size_t{59}, size_t{60}, size_t{61}, size_t{1'000'000}, size_t{17'000'000}}) {
    auto answer = world.get(address + "?last=" + std::to_string(last));
    const auto byte = number(answer, "X-Headrace-First-Byte");
    EXPECT_EQ(answer.body, whole.substr(byte)) << last;
    EXPECT_LE(answer.body.size(), last);
    // The next line before them would be too much.
    const auto before = byte < 2 ? std::string::npos : whole.rfind('\n', byte - 2);
    EXPECT_GT(whole.size() - (before == std::string::npos ? 0 : before + 1), last);
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(byte), '\n');
    EXPECT_EQ(number(answer, "X-Headrace-First-Line"), static_cast<uint64_t>(lines) + 1) << last;
  }
}

TEST_F(Logs, AskedForAgainAreCountedAlikeWhereverOneBegan) {
  for (const size_t last : std::vector<size_t>{17'000'000, 100, 5'000'000, 100, 17'500'000, 99}) {
    auto answer = world.get(address + "?last=" + std::to_string(last));
    const auto byte = number(answer, "X-Headrace-First-Byte");
    EXPECT_EQ(answer.body, whole.substr(byte)) << last;
    const auto lines = std::count(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(byte), '\n');
    EXPECT_EQ(number(answer, "X-Headrace-First-Line"), static_cast<uint64_t>(lines) + 1) << last;
  }
}

TEST_F(Logs, ThatAreNotLongerAreWhole) {
  for (const size_t last : {whole.size(), whole.size() + 1, size_t{1} << 40}) {
    auto answer = world.get(address + "?last=" + std::to_string(last));
    EXPECT_EQ(answer.body.size(), whole.size());
    EXPECT_EQ(number(answer, "X-Headrace-First-Line"), 1u);
    EXPECT_EQ(answer.headers.get("X-Headrace-First-Byte"), "0");
  }
  EXPECT_FALSE(world.get(address + "?from=5").headers.contains("X-Headrace-First-Line")) << "nobody counted";
}

TEST_F(Logs, BeginAtOnePlace) {
  for (const char* wrong : {"?last=0", "?last=-1", "?last=all", "?last=10&from=3"})
    EXPECT_EQ(world.get(address + wrong).status, net::Status::unprocessable_content) << wrong;
  EXPECT_THAT(message_of(world.get(address + "?last=10&from=3")), HasSubstr("from or last"));
}

}  // namespace
}  // namespace headrace::server
