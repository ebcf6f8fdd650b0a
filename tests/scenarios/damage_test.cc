// Damage: a flipped byte, a torn tail, a full disk, a pack that is none, clients that mean harm.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/platform.h"

namespace headrace {

namespace {

namespace fs = std::filesystem;
using support::Clone;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::text_at;

std::string event(int n, size_t bytes = 10) {
  return R"({"specversion":"1.0","id":")" + std::to_string(n) +
         R"(","source":"/shop","type":"org.example.sold","data":")" + std::string(bytes, 'x') + "\"}";
}

support::Answer publish(Platform& platform, int n, size_t bytes = 10) {
  return platform.http({"POST", "/api/v1/events", {"Content-Type: application/cloudevents+json"}, event(n, bytes)});
}

bool accepted(const support::Answer& answer) { return answer.status >= 200 && answer.status < 300; }

// Publishes events until there are `count`; all are acknowledged.
void publish_all(Platform& platform, int count) {
  for (int n = 0; n < count; ++n) ASSERT_TRUE(accepted(publish(platform, n))) << n;
}

// The segment that holds the events: the largest by what it says.
std::string segment_of(const Platform& platform) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(platform.data() + "/log")) {
    auto name = entry.path().string();
    if (support::read_file(name).find("org.example.sold") != std::string::npos) found = name;
  }
  return found;
}

size_t ours_in(const std::vector<core::json::value>& log) {
  return static_cast<size_t>(
      std::ranges::count_if(log, [](const auto& one) { return text_at(one, "source") == "/shop"; }));
}

// Whoever is not root may mount where he is: in a user name space of his own. This program runs the test again in
// there.
void run_as_root_of_a_name_space(const std::string& test) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) environment.emplace_back(*entry);
  const std::string streams =
      fs::temp_directory_path().string() + "/headrace-in-name-space-" + std::to_string(::getpid());
  fs::create_directories(streams);
  auto in_name_space = [&](std::vector<std::string> argv) {
    argv.insert(argv.begin(), {"unshare", "--user", "--map-root-user", "--mount"});
    return support::run({std::move(argv), environment, {}, {}, false}, streams, milliseconds(300'000));
  };
  auto mounts = in_name_space({"mount", "-t", "tmpfs", "tmpfs", "/mnt"});
  auto ran = mounts.exit == 0 ? in_name_space({fs::read_symlink("/proc/self/exe"), "--gtest_filter=" + test}) : mounts;
  fs::remove_all(streams);
  if (mounts.exit != 0) GTEST_SKIP() << "this machine lets only root mount a small disk: " << mounts.err;
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
}

}  // namespace

TEST(Damage, AFlippedByteStopsAppendsForGoodWhileReadsGoOn) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  publish_all(platform, 20);
  platform.terminate();
  auto segment = segment_of(platform);
  ASSERT_FALSE(segment.empty());
  auto bytes = support::read_file(segment);
  auto at = bytes.find("org.example.sold");
  bytes[at] = static_cast<char>(bytes[at] ^ 0x01);
  support::write_file(segment, bytes);
  auto name = fs::path(segment).filename().string();

  auto verified = platform.cli({"log", "verify", "--data", platform.data()});
  EXPECT_EQ(verified.exit, 1) << verified.out;
  EXPECT_NE(verified.out.find(name), std::string::npos) << verified.out;
  EXPECT_NE(verified.out.find("DAMAGED"), std::string::npos) << verified.out;

  ASSERT_TRUE(platform.start()) << platform.said();
  auto ready = platform.http({"GET", "/readyz", {}, {}});
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find(name), std::string::npos) << ready.body;
  EXPECT_NE(ready.body.find("offset"), std::string::npos) << ready.body;
  EXPECT_EQ(platform.http({"GET", "/healthz", {}, {}}).status, 200);
  EXPECT_EQ(platform.http({"GET", "/api/v1/repositories", {}, {}}).status, 200);
  auto refused = publish(platform, 100);
  EXPECT_GE(refused.status, 500) << refused.body;
  EXPECT_NE(refused.body.find("damage"), std::string::npos) << refused.body;
}

TEST(Damage, ATornTailIsCutAndNothingAcknowledgedIsLost) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  publish_all(platform, 20);
  platform.kill();
  auto segment = segment_of(platform);
  ASSERT_FALSE(segment.empty());
  // What a write that the power cut off leaves: the first half of a copy of what stands before it.
  auto bytes = support::read_file(segment);
  auto end = bytes.find_last_not_of('\0') + 1;
  end = (end + 7) / 8 * 8;
  std::string half = bytes.substr(end - 200, 100);
  bytes.resize(std::max(bytes.size(), end + half.size()));
  bytes.replace(end, half.size(), half);
  support::write_file(segment, bytes);
  auto verified = platform.cli({"log", "verify", "--data", platform.data()});
  EXPECT_EQ(verified.exit, 0) << verified.out;
  EXPECT_NE(verified.out.find("torn"), std::string::npos) << verified.out;
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_TRUE(platform.ready()) << platform.http({"GET", "/readyz", {}, {}}).body;
  EXPECT_TRUE(accepted(publish(platform, 100)));
  platform.terminate();
  EXPECT_EQ(ours_in(platform.log()), 21U);
  verified = platform.cli({"log", "verify", "--data", platform.data()});
  EXPECT_EQ(verified.exit, 0) << verified.out;
  EXPECT_EQ(verified.out.find("torn"), std::string::npos) << verified.out;
}

TEST(Damage, AFullDiskRefusesEventsInWordsAndLosesNone) {
  if (::geteuid() != 0) return run_as_root_of_a_name_space("Damage.AFullDiskRefusesEventsInWordsAndLosesNone");
  auto mount = fs::temp_directory_path().string() + "/headrace-full-" + std::to_string(::getpid());
  fs::create_directories(mount);
  if (::mount("tmpfs", mount.c_str(), "tmpfs", 0, "size=160m") != 0) {
    fs::remove(mount);
    GTEST_SKIP() << "this machine lets nobody mount a tmpfs";
  }
  {
    Platform platform({{}, mount + "/data"});
    ASSERT_TRUE(platform.start()) << platform.said();
    auto filler = mount + "/filler";
    int descriptor = ::open(filler.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int refused = ENOSPC;  // the server writes meanwhile
    for (int attempt = 0; attempt < 20 && refused == ENOSPC; ++attempt)
      refused = ::posix_fallocate(descriptor, 0, static_cast<off_t>(fs::space(mount).available));
    EXPECT_EQ(refused, 0);
    ::close(descriptor);
    size_t acknowledged = 0;
    support::Answer answer;
    for (int n = 0; n < 2'000 && (n == 0 || accepted(answer)); ++n) {
      answer = publish(platform, n, 200 * 1024);
      acknowledged += accepted(answer) ? size_t{1} : size_t{0};
    }
    EXPECT_EQ(answer.status, 503) << answer.body;
    EXPECT_NE(answer.body.find("full"), std::string::npos) << answer.body;
    EXPECT_EQ(platform.http({"GET", "/healthz", {}, {}}).status, 200);
    platform.kill();
    fs::remove(filler);
    EXPECT_TRUE(platform.start()) << platform.said();
    EXPECT_TRUE(eventually([&] { return platform.ready(); }));
    EXPECT_TRUE(accepted(publish(platform, 5'000)));
    platform.terminate();
    EXPECT_EQ(platform.cli({"log", "verify", "--data", platform.data()}).exit, 0);
    EXPECT_GE(ours_in(platform.log()), acknowledged + 1);
  }
  ::umount2(mount.c_str(), MNT_DETACH);
  fs::remove(mount);
}

TEST(Damage, ACorruptPackIsRefusedAndLeavesNeitherEventNorRef) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  std::string command = std::string(40, '0') + " " + std::string(40, 'a') + " refs/heads/main";
  command += std::string(1, '\0') + " report-status agent=git/2.39";
  char length[5];
  std::snprintf(length, sizeof length, "%04zx", command.size() + 4);
  std::string body = length + command + "0000";
  body += std::string("PACK\0\0\0\2\0\0\0\1", 12) + "this is no object at all";
  auto answer = platform.http(
      {"POST", "/team/hello.git/git-receive-pack", {"Content-Type: application/x-git-receive-pack-request"}, body});
  EXPECT_EQ(answer.body.find("unpack ok"), std::string::npos) << answer.body;
  Clone clone(platform, "team/hello", "hello");
  EXPECT_EQ(clone.git({"ls-remote", "origin"}).out, "");
  clone.commit("a good one");
  EXPECT_EQ(clone.push().exit, 0) << "a good push follows";
  platform.terminate();
  auto log = platform.log();
  EXPECT_EQ(std::ranges::count_if(
                log, [](const auto& one) { return text_at(one, "type").find("push.received") != std::string::npos; }),
            1);
}

TEST(Damage, AHeaderBombAndSlowReadersLeaveTheServerResponsive) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  support::Socket bomb(platform.port());
  ASSERT_TRUE(bomb.connected());
  bomb.send("GET /healthz HTTP/1.1\r\nHost: x\r\n");
  std::string line = "X-Bomb: " + std::string(1'000, 'x') + "\r\n";
  for (int i = 0; i < 10'000 && bomb.send(line); ++i) {
  }
  // An answer may be lost by what was sent after it; what counts is that the bomb is not swallowed.
  auto said = bomb.receive(milliseconds(10'000));
  EXPECT_TRUE(said.empty() || said.starts_with("HTTP/1.1 431")) << said.substr(0, 200);

  for (int n = 0; n < 20; ++n) ASSERT_TRUE(accepted(publish(platform, n, 100 * 1024)));
  std::vector<std::unique_ptr<support::Socket>> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(std::make_unique<support::Socket>(platform.port()));
    slow.back()->send("GET /api/v1/events/stream?from=beginning HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                      platform.token() + "\r\n\r\n");
  }
  for (int n = 100; n < 110; ++n) {
    auto before = std::chrono::steady_clock::now();
    EXPECT_TRUE(accepted(publish(platform, n)));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  }
  EXPECT_TRUE(platform.ready());
}

}  // namespace headrace
