// Clients that do not do their part: idle by the thousand, subscribers that never acknowledge or always refuse.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Answer;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::Socket;

// The soft bound on open files of this process, and of what it starts meanwhile.
class OpenFiles {
 public:
  OpenFiles() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~OpenFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;
  void set(rlim_t soft) const {
    rlimit now{.rlim_cur = std::min(soft, before_.rlim_max), .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  rlim_t most() const { return before_.rlim_max; }

 private:
  rlimit before_{};
};

int64_t resident_kib(pid_t pid) {
  auto status = support::read_file("/proc/" + std::to_string(pid) + "/status");
  auto at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::atoll(status.c_str() + at + 6);
}

Answer post(Platform& platform, const std::string& target, const std::string& body) {
  return platform.http({"POST", target, {"Content-Type: application/json"}, body});
}

Answer publish(Platform& platform, const std::string& id) {
  return platform.http({"POST",
                        "/api/v1/events",
                        {"Content-Type: application/cloudevents+json"},
                        R"({"specversion":"1.0","id":")" + id + R"(","source":"/shop","type":"org.example.sold"})"});
}

void subscribe(Platform& platform, const std::string& name) {
  auto made = post(
      platform, "/api/v1/subscriptions",
      R"({"name":")" + name + R"(","filter":"type = 'org.example.sold'","ack_wait_seconds":1,"deliveries_max":2})");
  ASSERT_EQ(made.status, 201) << made.body;
}

std::unique_ptr<Socket> attach(Platform& platform, const std::string& name, const std::string& query) {
  auto stream = std::make_unique<Socket>(platform.port());
  stream->send("GET /api/v1/subscriptions/" + name + "/stream" + query +
               " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + platform.token() + "\r\n\r\n");
  return stream;
}

}  // namespace

TEST(Clients, TenThousandThatAreIdleLeaveTheServerSmallAndAnswering) {
  constexpr size_t wanted = 10'000;
  constexpr size_t others = 500;  // descriptors that test and server need besides
  OpenFiles files;
  files.set(1'024);  // what a shell gives: the server takes what it needs itself
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  files.set(files.most());
  const size_t count = std::min<size_t>(wanted, files.most() - others);
  const auto before = resident_kib(platform.server_pid());
  std::vector<std::unique_ptr<Socket>> idle;
  for (size_t i = 0; i < count; ++i) {
    idle.push_back(std::make_unique<Socket>(platform.port()));
    ASSERT_TRUE(idle.back()->connected()) << i;
    ASSERT_TRUE(idle.back()->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    ASSERT_NE(idle.back()->receive().find("200 OK"), std::string::npos) << "connection " << i;
  }
  auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(platform.ready());
  EXPECT_EQ(publish(platform, "1").status, 201);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  auto metrics = platform.http({"GET", "/metrics", {}, {}}).body;
  EXPECT_NE(metrics.find("headrace_http_connections "), std::string::npos);
  EXPECT_LT((resident_kib(platform.server_pid()) - before) / static_cast<int64_t>(count), 32) << "KiB a connection";
  for (size_t i = 0; i < count; i += count / 10) {  // each still works, or was closed for its idleness, in good order
    ASSERT_TRUE(idle[i]->send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    auto answer = idle[i]->receive();
    EXPECT_TRUE(answer.empty() || answer.find("200 OK") != std::string::npos) << answer;
  }
}

TEST(Clients, ASubscriberThatNeverAcknowledgesGetsDeadLettersAndHoldsUpNobody) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  subscribe(platform, "stalls");
  subscribe(platform, "works");
  auto stalls = attach(platform, "stalls", "");
  ASSERT_NE(stalls->receive().find("200 OK"), std::string::npos);
  for (const char* id : {"1", "2", "3"}) ASSERT_EQ(publish(platform, id).status, 201);
  auto works = attach(platform, "works", "?ack=auto");
  std::string heard;
  EXPECT_TRUE(eventually([&] {
    heard += works->receive(milliseconds(200));
    return heard.find(R"("id":"3")") != std::string::npos;
  })) << heard;
  auto dead = [&] { return platform.cli({"dead-letter", "list", "--subscription", "stalls", "--json"}).out; };
  EXPECT_TRUE(eventually([&] {
    auto letters = core::parse_json(dead());
    return letters && letters->at("dead_letters").as_array().size() == 3;
  })) << dead();
  EXPECT_EQ(platform.cli({"dead-letter", "list", "--subscription", "works", "--json"}).out.find("offset"),
            std::string::npos);
  EXPECT_TRUE(platform.ready());
  // Nothing is lost: looked at and replayed, they come again.
  auto letters = core::parse_json(dead());
  auto offset = std::to_string(core::integer_at(letters->at("dead_letters").as_array().at(0), "offset").value_or(0));
  stalls.reset();
  EXPECT_EQ(platform.cli({"dead-letter", "replay", "stalls", offset}).exit, 0);
  auto again = attach(platform, "stalls", "?ack=auto");
  std::string replayed;
  EXPECT_TRUE(eventually([&] {
    replayed += again->receive(milliseconds(200));
    return replayed.find(R"("id":"1")") != std::string::npos;
  })) << replayed;
}

}  // namespace headrace
