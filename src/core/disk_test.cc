#include "core/disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/bytes.h"

namespace headrace::core {
namespace {

struct SystemDisks : ::testing::Test {
  SystemDisks() {
    std::string pattern = (std::filesystem::temp_directory_path() / "headrace-disk-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  ~SystemDisks() override { std::filesystem::remove_all(folder); }

  std::string path(std::string_view name) const { return folder + "/" + std::string(name); }
  void put(const std::string& name, std::string_view text) { ASSERT_TRUE(write_file(disk, path(name), text)); }
  static mode_t mode_of(const std::string& where) {
    struct stat status{};
    EXPECT_EQ(::stat(where.c_str(), &status), 0) << where;
    return status.st_mode & 07777;
  }

  std::string folder;
  SystemDisk disk;
};

TEST_F(SystemDisks, ReadBackWhatWasWrittenWhereItWasWritten) {
  auto file = disk.open(path("f"), Disk::Open::create);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_at(4, as_bytes("race")));
  ASSERT_TRUE((*file)->write_at(0, as_bytes("head")));
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->size().value(), 8U);
  EXPECT_EQ(read_file(disk, path("f")).value(), "headrace");
}

TEST_F(SystemDisks, ReadFewerBytesOnlyAtTheEnd) {
  put("f", "headrace");
  auto file = disk.open(path("f"), Disk::Open::read);
  ASSERT_TRUE(file);
  std::string text(6, '.');
  EXPECT_EQ((*file)->read_at(4, std::as_writable_bytes(std::span(text))).value(), 4U);
  EXPECT_EQ(text, "race..");
  EXPECT_EQ((*file)->read_at(8, std::as_writable_bytes(std::span(text))).value(), 0U);
  EXPECT_EQ((*file)->read_at(99, std::as_writable_bytes(std::span(text))).value(), 0U);
}

TEST_F(SystemDisks, LeaveAHoleOfZeros) {
  auto file = disk.open(path("f"), Disk::Open::ensure);
  ASSERT_TRUE((*file)->write_at(2, as_bytes("x")));
  EXPECT_EQ(read_file(disk, path("f")).value(), std::string("\0\0x", 3));
  ASSERT_TRUE((*file)->truncate(1));
  EXPECT_EQ((*file)->size().value(), 1U);
}

TEST_F(SystemDisks, OpenOnlyInTheWayThatWasAsked) {
  EXPECT_EQ(disk.open(path("f"), Disk::Open::read).error().code, Code::not_found);
  EXPECT_EQ(disk.open(path("f"), Disk::Open::write).error().code, Code::not_found);
  ASSERT_TRUE(disk.open(path("f"), Disk::Open::create));
  EXPECT_EQ(disk.open(path("f"), Disk::Open::create).error().code, Code::conflict);
  put("f", "kept");
  ASSERT_TRUE(disk.open(path("f"), Disk::Open::ensure));
  EXPECT_EQ(read_file(disk, path("f")).value(), "kept") << "ensure empties nothing";
  EXPECT_FALSE((*disk.open(path("f"), Disk::Open::read))->write_at(0, as_bytes("x")));
}

TEST_F(SystemDisks, KeepFilesAndFoldersToTheirOwner) {
  const auto before = ::umask(0);
  ASSERT_TRUE(disk.make_directories(path("a/b")));
  put("a/b/f", "x");
  ::umask(before);
  EXPECT_EQ(mode_of(path("a")), 0700U);
  EXPECT_EQ(mode_of(path("a/b")), 0700U);
  EXPECT_EQ(mode_of(path("a/b/f")), 0600U);
}

TEST_F(SystemDisks, MakeFoldersThatAreThereAlready) {
  EXPECT_TRUE(disk.make_directories(path("a/b/c")));
  EXPECT_TRUE(disk.make_directories(path("a/b/c/")));
  EXPECT_TRUE(disk.make_directories("/"));
  put("a/f", "x");
  EXPECT_FALSE(disk.make_directories(path("a/f")));
  EXPECT_FALSE(disk.make_directories(path("a/f/g")));
}

TEST_F(SystemDisks, ListNamesInOrder) {
  ASSERT_TRUE(disk.make_directories(path("c")));
  for (const char* name : {"b", "a", ".hidden"}) put(name, "x");
  EXPECT_EQ(disk.list(folder).value(), (std::vector<std::string>{".hidden", "a", "b", "c"}));
  EXPECT_EQ(disk.list(path("absent")).error().code, Code::not_found);
}

TEST_F(SystemDisks, RenameOverWhatIsThere) {
  put("old", "1");
  put("new", "2");
  ASSERT_TRUE(disk.rename(path("new"), path("old")));
  EXPECT_EQ(read_file(disk, path("old")).value(), "2");
  EXPECT_FALSE(disk.exists(path("new")).value());
  EXPECT_TRUE(disk.sync_directory(folder));
}

TEST_F(SystemDisks, SayThatWhatIsRemovedIsNotThere) {
  put("f", "x");
  ASSERT_TRUE(disk.remove(path("f")));
  EXPECT_EQ(disk.remove(path("f")).error().code, Code::not_found);
}

TEST_F(SystemDisks, LetOnlyOneHoldALock) {
  auto first = disk.lock(path("lock"));
  ASSERT_TRUE(first);
  const auto second = disk.lock(path("lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos) << second.error().message;
  first->reset();
  EXPECT_TRUE(disk.lock(path("lock")));
}

// As where a process is killed between its fork and the exec of its child: the child's copy holds the lock a moment
// more.
TEST_F(SystemDisks, WaitForTheLockOfAProcessThatIsGoneButForACopy) {
  int gate[2];
  ASSERT_EQ(::pipe(gate), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    auto lock = disk.lock(path("lock"));
    if (::fork() == 0) {
      char word = 0;
      while (::read(gate[0], &word, 1) < 0) {
      }
      ::usleep(50'000);
      ::_exit(0);
    }
    ::_exit(lock ? 0 : 1);
  }
  int status = 0;
  ::waitpid(holder, &status, 0);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(::write(gate[1], "x", 1), 1);
  EXPECT_TRUE(disk.lock(path("lock")));
  ::close(gate[0]);
  ::close(gate[1]);
}

TEST_F(SystemDisks, CloseEverythingOnExec) {
  auto file = disk.open(path("f"), Disk::Open::create);
  auto lock = disk.lock(path("lock"));
  size_t ours = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry, gone);
    if (gone || !target.string().starts_with(folder)) continue;
    ++ours;
    EXPECT_NE(::fcntl(std::stoi(entry.path().filename()), F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  EXPECT_EQ(ours, 2U);
}

TEST_F(SystemDisks, RefuseToReadAFileBeyondTheBound) {
  put("f", "12345");
  EXPECT_EQ(read_file(disk, path("f"), 5).value(), "12345");
  EXPECT_EQ(read_file(disk, path("f"), 4).error().code, Code::exhausted);
}

TEST_F(SystemDisks, ReplaceAWholeFileAndLeaveNothingBesideIt) {
  put("f", "a long first text");
  put("f", "short");
  EXPECT_EQ(read_file(disk, path("f")).value(), "short");
  EXPECT_EQ(disk.list(folder).value(), std::vector<std::string>{"f"});
  EXPECT_FALSE(write_file(disk, path("absent/f"), "x"));
}

TEST_F(SystemDisks, SayThatTheDiskIsFull) {
  auto file = disk.open("/dev/full", Disk::Open::write);
  if (!file) GTEST_SKIP() << "this system has no /dev/full";
  const auto written = (*file)->write_at(0, as_bytes("x"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::exhausted);
}

}  // namespace
}  // namespace headrace::core
