// What the pages ask of the platform's own state: cheap at every page, more on its own.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "bus/bus.h"
#include "core/testing/simulated_clock.h"
#include "server/pulse.h"
#include "server/storage_meter.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsSupersetOf;
using testing::json_of;
using ::testing::SizeIs;
namespace json = core::json;

TEST(Pulse, CountsTheEventsOfEachSecondAndKeepsTwoMinutes) {
  core::Loop loop;
  core::testing::SimulatedClock clock(loop);
  uint64_t durable = 100;
  Pulse pulse(loop, clock, [&durable] { return durable; });
  pulse.start();
  loop.poll();
  durable += 7;
  clock.advance(1s);
  clock.advance(1s);
  durable += 2;
  clock.advance(1s);
  ASSERT_THAT(pulse.beats(), SizeIs(3));
  EXPECT_EQ(pulse.beats()[0].events, 7U);
  EXPECT_EQ(pulse.beats()[1].events, 0U);
  EXPECT_EQ(pulse.beats()[2].events, 2U);
  EXPECT_EQ(pulse.beats()[2].until, clock.now());
  clock.advance(200s);
  EXPECT_THAT(pulse.beats(), SizeIs(Pulse::seconds_max));
  loop.run(pulse.stop());
}

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "headrace-storage-XXXXXX").string();
    core::require(::mkdtemp(name.data()) != nullptr, "a folder for a test can be made");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, size_t bytes) const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name) << std::string(bytes, 'x');
  }
  std::filesystem::path path;
};

StoragePart part(const std::vector<StoragePart>& parts, const std::string& name) {
  for (const auto& one : parts)
    if (one.name == name) return one;
  return {};
}

TEST(Storage, IsCountedByPartAndHolesCostNothing) {
  Folder folder;
  folder.write("log/1.seg", 100'000);
  folder.write("repositories/team/hello.git/objects/ab/cd", 5'000);
  folder.write("bus.db", 20'000);
  folder.write("bus.db-wal", 10'000);
  folder.write("run/server.sock.json", 10);
  folder.write("artifacts/hole", 1);
  std::filesystem::resize_file(folder.path / "artifacts/hole", 1 << 30);
  std::filesystem::create_directory_symlink(folder.path / "log", folder.path / "logs");
  auto parts = measure_folder(folder.path, false);
  EXPECT_EQ(part(parts, "log").files, 1U);
  EXPECT_THAT(part(parts, "log").bytes, Ge(100'000U));
  EXPECT_EQ(part(parts, "repositories").files, 1U);
  EXPECT_EQ(part(parts, "databases").files, 2U);
  EXPECT_EQ(part(parts, "other").files, 1U);
  EXPECT_EQ(part(parts, "logs").files, 0U) << "a link leads out of its part";
  EXPECT_LT(part(parts, "artifacts").bytes, 1U << 20);
}

TEST(Storage, OfAFolderThatIsGoneIsNothing) { EXPECT_THAT(measure_folder("/nowhere/at/all", false), SizeIs(0)); }

TEST(Storage, IsWalkedAtMostOnceAMinute) {
  Folder folder;
  folder.write("log/1.seg", 1'000);
  core::Loop loop;
  core::testing::SimulatedClock clock(loop);
  StorageMeter meter(loop, clock, folder.path);
  EXPECT_FALSE(meter.ask()) << "nobody waits for a walk";
  loop.run(meter.until_measured());
  ASSERT_TRUE(meter.ask());
  const auto first = meter.ask()->at;
  EXPECT_EQ(part(meter.ask()->parts, "log").files, 1U);
  EXPECT_GT(meter.ask()->disk_bytes, meter.ask()->free_bytes);
  folder.write("log/2.seg", 1'000);
  clock.advance(30s);
  EXPECT_EQ(meter.ask()->at, first);
  clock.advance(31s);
  EXPECT_EQ(meter.ask()->at, first) << "the last walk answers while the next one is under way";
  loop.run(meter.until_measured());
  EXPECT_EQ(part(meter.ask()->parts, "log").files, 2U);
  loop.run(meter.stop());
}

TEST(Measures, TellWhatThePageOfThePlatformShows) {
  testing::World world;
  auto first = json_of(world.get("/api/v1/status/measures"));
  EXPECT_TRUE(core::find(first, "storage")->is_null());
  world.parts().loop.run(world.parts().storage->until_measured());
  auto told = json_of(world.get("/api/v1/status/measures"));
  std::vector<std::string> parts;
  for (const auto& one : core::find(told, "storage")->at("parts").as_array())
    parts.push_back(*core::string_at(one, "name"));
  EXPECT_THAT(parts, IsSupersetOf({"log", "projections", "databases"}));
  for (const auto* name : {"headrace", "git", "sqlite", "tls", "boost", "compiler", "kernel"})
    EXPECT_TRUE(core::string_at(told.at("versions"), name)) << name;
  EXPECT_GT(told.at("process").at("resident_bytes").to_number<int64_t>(), 1 << 20);
  EXPECT_GE(told.at("connections").at("http").to_number<int64_t>(), 1);
  EXPECT_GE(told.at("uptime_seconds").to_number<double>(), 0);
  EXPECT_GT(told.at("log").at("events_written").to_number<int64_t>(), 0);
  EXPECT_TRUE(core::find(told.at("events_per_second"), "counts")->is_array());
}

TEST(Measures, AreForWhoMayReadEvents) {
  testing::World world;
  EXPECT_EQ(world.get_as(world.token({"repo:read"}), "/api/v1/status/measures").status, net::Status::forbidden);
  EXPECT_EQ(world.get_as(world.token({"event:read"}), "/api/v1/status/measures").status, net::Status::ok);
}

TEST(Status, CountsWhatAPersonHasToLookAt) {
  testing::World world;
  auto counts = [&world] {
    auto bus = json_of(world.get("/api/v1/status")).at("bus");
    return std::vector<int64_t>{*core::integer_at(bus, "dead_letters"), *core::integer_at(bus, "stalled"),
                                *core::integer_at(bus, "paused")};
  };
  EXPECT_THAT(counts(), ElementsAre(0, 0, 0));
  ASSERT_EQ(world.post("/api/v1/subscriptions", R"({"name":"watch","filter":"type = 'org.example.done'"})").status,
            net::Status::created);
  net::ClientRequest event{
      "/api/v1/events", "POST", {}, R"({"specversion":"1.0","id":"1","source":"/x","type":"org.example.done"})"};
  event.headers.set("Content-Type", "application/cloudevents+json");
  auto published = world.ask(std::move(event));
  ASSERT_EQ(published.status, net::Status::created) << published.body;
  {
    auto pull = world.parts().bus->attach("watch", 10).value();
    auto handed = world.parts().loop.run(pull->next(10, 5s)).value();
    ASSERT_THAT(handed, SizeIs(1));
    ASSERT_TRUE(pull->refuse_for_good(handed[0].stored->offset, "the address is gone"));
  }
  world.post("/api/v1/subscriptions/watch/pause", "");
  for (int tries = 0; tries < 100 && counts()[0] == 0; ++tries) {
  }  // each asks the server, which goes on meanwhile
  EXPECT_THAT(counts(), ElementsAre(1, 0, 1));
  auto letters = json_of(world.get("/api/v1/dead-letters")).at("dead_letters").as_array();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(*core::string_at(letters[0], "error"), "the address is gone");
  EXPECT_EQ(*core::string_at(letters[0].at("event"), "type"), "org.example.done");
  EXPECT_TRUE(core::string_at(letters[0].at("event"), "id"));
}

TEST(Tokens, TellWhenTheyWereMadeAndWhichOneAsks) {
  testing::World world;
  auto before = core::format_time(world.parts().clock.now() - 60s);
  auto secret = world.token({"admin"});
  auto tokens = json_of(world.get_as(secret, "/api/v1/tokens")).at("tokens").as_array();
  size_t current = 0;
  for (const auto& one : tokens) {
    EXPECT_GT(*core::string_at(one, "created_at"), before);
    if (!*core::boolean_at(one, "current")) continue;
    ++current;
    EXPECT_EQ(*core::string_at(one, "name"), "test");
  }
  EXPECT_EQ(current, 1U);
}

TEST(Roles, OfAnAccountAreListed) {
  testing::World world;
  ASSERT_EQ(world.post("/api/v1/users", R"({"name":"bob"})").status, net::Status::created);
  world.ask_as(world.administrator, "PUT", "/api/v1/users/bob/role", R"({"role":"write","scope":"team"})");
  auto roles = json_of(world.get("/api/v1/users/bob/roles")).at("roles").as_array();
  ASSERT_THAT(roles, SizeIs(1));
  EXPECT_EQ(*core::string_at(roles[0], "scope"), "team");
  EXPECT_EQ(*core::string_at(roles[0], "role"), "write");
}

}  // namespace
}  // namespace headrace::server
