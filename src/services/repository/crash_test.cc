// The server is killed (kill -9) at the worst moments of a push: once the intent is durable and git was not told yet,
// and once the refs have moved and nobody said so. A second process serves, on a real log; this one pushes, and then
// settles.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/disk.h"
#include "log/segment_log.h"
#include "process/descriptor.h"
#include "services/repository/testing/world.h"
#include "store/testing/folder.h"

namespace headrace::repository {
namespace {

using core::Result;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

const std::string none(events::no_commit);

enum class Kill { when_accepted_is_durable, before_received_is_appended };

// Ends this process as if power were gone for it alone.
class DeadlyLog final : public log::EventLog {
 public:
  DeadlyLog(log::EventLog& log, Kill when) : log_(log), when_(when) {}
  void submit(log::Batch batch, Done done) override {
    const bool accepted = batch.events.front().type == events::PushAccepted::type;
    const bool received = batch.events.front().type == events::PushReceived::type;
    if (received && when_ == Kill::before_received_is_appended) ::kill(::getpid(), SIGKILL);
    if (!accepted || when_ != Kill::when_accepted_is_durable) return log_.submit(std::move(batch), std::move(done));
    log_.submit(std::move(batch), [](Result<log::Appended>) { ::kill(::getpid(), SIGKILL); });
  }
  Result<std::vector<log::Stored>> read(log::Offset from, size_t max) override { return log_.read(from, max); }
  Result<std::vector<log::Stored>> read_types(log::Offset from, size_t max,
                                              const std::vector<std::string>& types) override {
    return log_.read_types(from, max, types);
  }
  log::Offset first() const override { return log_.first(); }
  log::Offset durable() const override { return log_.durable(); }
  Result<std::optional<log::Offset>> at(core::Time time) override { return log_.at(time); }
  Result<std::optional<log::Offset>> offset_of(std::string_view source, std::string_view id) override {
    return log_.offset_of(source, id);
  }
  Result<log::Offset> last_of(std::string_view key) override { return log_.last_of(key); }
  Result<> trim(log::Offset before) override { return log_.trim(before); }
  std::optional<core::Error> stopped() const override { return log_.stopped(); }
  Watch watch(std::function<void(log::Offset)> heard) override { return log_.watch(std::move(heard)); }

 private:
  log::EventLog& log_;
  Kill when_;
};

// Outlives every World on it.
struct RealLog {
  explicit RealLog(const std::string& folder) {
    auto opened = log::SegmentLog::open(disk, clock, random, folder + "/log",
                                        {.prefill = log::SegmentLogOptions::Prefill::never});
    core::require(opened.has_value(), "the log opens");
    log = std::move(*opened);
  }
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  std::unique_ptr<log::SegmentLog> log;
};

// Serves until it is killed; tells its address through `tell`.
[[noreturn]] void serve(const std::string& folder, Kill when, int tell) {
  RealLog real(folder);
  DeadlyLog deadly(*real.log, when);
  World world(deadly, folder);
  world.make("team/hello");
  const auto url = world.url("team/hello") + "\n";
  if (::write(tell, url.data(), url.size()) < 0) ::_exit(1);
  world.loop.keep_running();
  world.loop.run();
  ::_exit(1);
}

struct Server {
  pid_t pid = -1;
  std::string url;
};

// Forked before this process has any thread.
Server fork_server(const std::string& folder, Kill when) {
  int ends[2] = {-1, -1};
  core::require(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
  process::Descriptor reading(ends[0]);
  process::Descriptor writing(ends[1]);
  Server server;
  server.pid = ::fork();
  if (server.pid == 0) serve(folder, when, writing.get());
  writing.reset();
  char letter = 0;
  while (::read(reading.get(), &letter, 1) == 1 && letter != '\n') server.url += letter;
  return server;
}

// A receive-pack that outlived its server holds the lock of the folder: this waits for it.
void wait_for_git(const std::string& repository) {
  process::Descriptor lock(::open((repository + "/headrace.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(lock);
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
}

class Crash : public ::testing::TestWithParam<Kill> {
 protected:
  store::testing::Folder folder_;
};

TEST_P(Crash, OfAPushIsSettledOnceAndNothingIsLost) {
  const bool moved = GetParam() == Kill::before_received_is_appended;
  auto server = fork_server(folder_.path(), GetParam());
  ASSERT_FALSE(server.url.empty());
  std::string pushed;
  {
    core::Loop loop;
    git::testing::Bridge client(loop);  // for its git client alone
    client.good_git({"clone", "-q", server.url, "work"});
    client.good_git({"checkout", "-q", "-B", "main"}, "work");
    pushed = client.commit("work", "a.txt", "one\n");
    EXPECT_FALSE(client.git({"push", "-q", "origin", "main"}, "work").exit.succeeded());
  }
  int status = 0;
  ASSERT_EQ(::waitpid(server.pid, &status, 0), server.pid);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  RealLog real(folder_.path());
  ASSERT_FALSE(real.log->stopped());
  World world(*real.log, folder_.path());
  const auto repository = world.said<events::RepositoryCreated>().front();
  wait_for_git(world.repositories().folder_of(repository.id));
  world.reconcile();
  EXPECT_EQ(world.reconcile().settled, 0u);
  const auto received = world.said<events::PushReceived>();
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].settled_by, events::SettledBy::reconcile);
  EXPECT_EQ(received[0].push, world.said<events::PushAccepted>().front().push);
  EXPECT_THAT(received[0].updates, ElementsAre(events::SettledUpdate{"refs/heads/main", none, pushed, moved, false}));
  EXPECT_THAT(world.said<events::RefUpdated>(), SizeIs(moved ? 1 : 0));
  EXPECT_THAT(world.refs(repository.id), SizeIs(moved ? 1 : 0));
}

INSTANTIATE_TEST_SUITE_P(AtTheWorstMoments, Crash,
                         ::testing::Values(Kill::when_accepted_is_durable, Kill::before_received_is_appended),
                         [](const auto& at) {
                           return at.param == Kill::when_accepted_is_durable ? "Accepted" : "Received";
                         });

}  // namespace
}  // namespace headrace::repository
