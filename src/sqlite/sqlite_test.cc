#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sqlite/connection.h"

namespace headrace::sqlite {
namespace {

using core::Code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "headrace-sqlite-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name = "test.db") const { return (path / name).string(); }
};

std::unique_ptr<Connection> memory() {
  auto opened = Connection::open("", {.mode = Mode::memory});
  EXPECT_TRUE(opened);
  return std::move(*opened);
}

std::unique_ptr<Connection> with_table() {
  auto db = memory();
  EXPECT_TRUE(db->run("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL, data BLOB)"));
  return db;
}

TEST(Sqlite, GivesBackWhatWasBoundWithItsType) {
  auto db = with_table();
  const std::string bytes("\0\x01\xff", 3);
  ASSERT_EQ(db->execute("INSERT INTO item VALUES (?, ?, ?, ?), (?, ?, ?, ?)", 1, "it's \"quoted\"; DROP TABLE item",
                        2.5, Blob{bytes}, INT64_MAX, nullptr, nullptr, Blob{}),
            2);
  auto statement = db->prepare("SELECT name, price, data, id FROM item ORDER BY id");
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->row().text(0), "it's \"quoted\"; DROP TABLE item");
  EXPECT_EQ(statement->row().real(1), 2.5);
  EXPECT_EQ(statement->row().value(2), Value(Blob{bytes}));
  ASSERT_TRUE(*statement->step());
  EXPECT_EQ(statement->row().maybe_text(0), std::nullopt);
  EXPECT_FALSE(statement->row().is_null(2));  // an empty blob is not NULL
  EXPECT_EQ(statement->row().integer(3), INT64_MAX);
  EXPECT_FALSE(*statement->step());
}

TEST(Sqlite, AnEmptyTextIsNotNullAndAnAbsentOptionalIs) {
  auto db = memory();
  EXPECT_EQ(db->text("SELECT typeof(?) || typeof(?) || typeof(?)", std::string(), std::optional<std::string>(),
                     std::optional<int64_t>(5)),
            "textnullinteger");
}

TEST(Sqlite, RefusesAWrongNumberOfValuesAndASecondStatement) {
  auto db = with_table();
  EXPECT_EQ(db->execute("DELETE FROM item WHERE id = ?").error().code, Code::invalid);
  EXPECT_EQ(db->execute("DELETE FROM item WHERE id = ?", 1, 2).error().code, Code::invalid);
  EXPECT_EQ(db->execute("DELETE FROM item; DELETE FROM item").error().code, Code::invalid);
  EXPECT_TRUE(db->execute("DELETE FROM item ; "));
}

TEST(Sqlite, SaysConflictForABrokenConstraintAndInvalidForWrongSql) {
  auto db = with_table();
  ASSERT_TRUE(db->execute("INSERT INTO item (id, name) VALUES (1, 'a')"));
  EXPECT_EQ(db->execute("INSERT INTO item (id, name) VALUES (2, 'a')").error().code, Code::conflict);
  auto wrong = db->execute("SELECT nonsense FROM item");
  EXPECT_EQ(wrong.error().code, Code::invalid);
  EXPECT_THAT(wrong.error().message, HasSubstr("nonsense"));
  EXPECT_EQ(db->execute("SELECT \"not a column\" FROM item").error().code, Code::invalid);  // not a text by accident
}

TEST(Sqlite, SaysCorruptForAFileThatIsNoDatabase) {
  const Folder folder;
  std::ofstream(folder.file()) << std::string(4096, 'x');
  EXPECT_EQ(Connection::open(folder.file(), {}).error().code, Code::corrupt);
}

TEST(Sqlite, SaysExhaustedWhenTheFileMayNotGrow) {
  auto db = with_table();
  ASSERT_TRUE(db->run("PRAGMA max_page_count=8"));
  const std::string large(100'000, 'x');
  EXPECT_EQ(db->execute("INSERT INTO item (name) VALUES (?)", large).error().code, Code::exhausted);
  const std::string too_large(bytes_of_a_value_max + 1, 'x');
  EXPECT_EQ(db->execute("INSERT INTO item (name) VALUES (?)", too_large).error().code, Code::exhausted);
}

TEST(Sqlite, RollsBackUnlessCommitted) {
  auto db = with_table();
  {
    auto change = Transaction::begin(*db);
    ASSERT_TRUE(change);
    ASSERT_TRUE(db->execute("INSERT INTO item (id) VALUES (1)"));
  }
  EXPECT_EQ(db->integer("SELECT count(*) FROM item"), 0);
  auto change = Transaction::begin(*db);
  ASSERT_TRUE(db->execute("INSERT INTO item (id) VALUES (1)"));
  ASSERT_TRUE(change->commit());
  EXPECT_EQ(db->integer("SELECT count(*) FROM item"), 1);
}

TEST(Sqlite, TheSameWordsMayRunWithinTheirOwnLoop) {
  auto db = with_table();
  ASSERT_TRUE(db->execute("INSERT INTO item (id) VALUES (1), (2)"));
  const auto ids = [&] {
    return db->all("SELECT id FROM item ORDER BY id", [](const Row& row) { return row.integer(0); });
  };
  auto outer = db->prepare("SELECT id FROM item ORDER BY id");
  ASSERT_TRUE(*outer->step());
  EXPECT_THAT(*ids(), ElementsAre(1, 2));
  EXPECT_TRUE(*outer->step());
  EXPECT_EQ(outer->row().integer(0), 2);
}

TEST(Sqlite, KeepsABoundedNumberOfStatements) {
  auto db = memory();
  for (size_t number = 0; number < 3 * statements_kept_max; ++number)
    ASSERT_EQ(db->integer(Sql::generated("SELECT " + std::to_string(number))), static_cast<int64_t>(number));
  // SQLite's own table of what is compiled on this connection (its documentation, "The SQLITE_STMT Virtual Table").
  EXPECT_LE(*db->integer("SELECT count(*) FROM sqlite_stmt"), static_cast<int64_t>(statements_kept_max) + 1);
  EXPECT_LT(*db->integer("SELECT sum(mem) FROM sqlite_stmt"), 4 * 1024 * 1024);
}

TEST(Sqlite, AFunctionMayStandInDefaultsTriggersAndViews) {
  auto db = memory();
  int64_t now = 7;
  ASSERT_TRUE(db->define("moment", 0, [&](auto) -> core::Result<Answer> { return Answer(now); }));
  ASSERT_TRUE(
      db->run("CREATE TABLE t (id INTEGER PRIMARY KEY, at INTEGER DEFAULT (moment()));"
              "CREATE TEMP VIEW v AS SELECT id FROM t WHERE at <= moment();"
              "INSERT INTO t (id) VALUES (1)"));
  now = 6;
  EXPECT_EQ(db->integer("SELECT count(*) FROM v"), 0);
  now = 7;
  EXPECT_EQ(db->integer("SELECT count(*) FROM v"), 1);
}

TEST(Sqlite, AFunctionsErrorIsTheStatementsError) {
  auto db = memory();
  const auto refuse = [](auto) -> core::Result<Answer> { return core::fail(Code::denied, "Not for you."); };
  const auto explode = [](auto) -> core::Result<Answer> { throw std::runtime_error("boom"); };
  ASSERT_TRUE(db->define("refuse", 1, refuse));
  ASSERT_TRUE(db->define("explode", 0, explode));
  EXPECT_EQ(db->integer("SELECT refuse(1)").error().code, Code::denied);
  EXPECT_EQ(db->integer("SELECT explode()").error().detail, "boom");
  EXPECT_EQ(db->integer("SELECT 1"), 1);
}

TEST(Sqlite, MigratesStepByStepAndRefusesAFileFromANewerProgram) {
  const Folder folder;
  const std::vector<Sql> one{"CREATE TABLE a (id INTEGER PRIMARY KEY)"};
  const std::vector<Sql> two{one[0], "CREATE TABLE b (id INTEGER PRIMARY KEY); INSERT INTO b SELECT id FROM a"};
  {
    auto db = *Connection::open(folder.file(), {});
    ASSERT_TRUE(db->migrate(one));
    ASSERT_TRUE(db->execute("INSERT INTO a VALUES (3)"));
  }
  auto db = *Connection::open(folder.file(), {});
  ASSERT_TRUE(db->migrate(two));
  ASSERT_TRUE(db->migrate(two));
  EXPECT_EQ(db->integer("SELECT id FROM b"), 3);
  auto older = db->migrate(one);
  EXPECT_EQ(older.error().code, Code::invalid);
  EXPECT_THAT(older.error().message, HasSubstr("newer"));
}

TEST(Sqlite, AFailedMigrationLeavesTheFileAsItWas) {
  auto db = memory();
  const std::vector<Sql> broken{"CREATE TABLE a (id INTEGER PRIMARY KEY)", "CREATE TABLE a (id INTEGER PRIMARY KEY)"};
  EXPECT_FALSE(db->migrate(broken));
  EXPECT_EQ(db->integer("PRAGMA user_version"), 0);
  EXPECT_EQ(db->integer("SELECT count(*) FROM sqlite_schema"), 0);
}

TEST(Sqlite, AReaderSeesTheLastCommitWhileAWriterWritesAndCannotWrite) {
  const Folder folder;
  auto writer = *Connection::open(folder.file(), {});
  ASSERT_TRUE(writer->run("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)"));
  auto reader = *Connection::open(folder.file(), {.mode = Mode::read_only});
  auto change = Transaction::begin(*writer);
  ASSERT_TRUE(writer->execute("INSERT INTO t VALUES (2)"));
  EXPECT_EQ(reader->integer("SELECT count(*) FROM t"), 1);
  ASSERT_TRUE(change->commit());
  EXPECT_EQ(reader->integer("SELECT count(*) FROM t"), 2);
  EXPECT_EQ(reader->execute("INSERT INTO t VALUES (3)").error().code, Code::invalid);
  EXPECT_TRUE(reader->run("CREATE TEMP VIEW v AS SELECT * FROM t"));
  EXPECT_EQ(Connection::open(folder.file("none.db"), {.mode = Mode::read_only}).error().code, Code::unavailable);
}

TEST(Sqlite, OneSnapshotHoldsForAllStatementsOfAReadTransaction) {
  const Folder folder;
  auto writer = *Connection::open(folder.file(), {});
  ASSERT_TRUE(writer->run("CREATE TABLE t (id INTEGER PRIMARY KEY)"));
  auto reader = *Connection::open(folder.file(), {.mode = Mode::read_only});
  auto snapshot = Transaction::begin(*reader, Transaction::Kind::read);
  EXPECT_EQ(reader->integer("SELECT count(*) FROM t"), 0);
  ASSERT_TRUE(writer->execute("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(reader->integer("SELECT count(*) FROM t"), 0);
  ASSERT_TRUE(snapshot->commit());
  EXPECT_EQ(reader->integer("SELECT count(*) FROM t"), 1);
}

TEST(Sqlite, ASecondWriterIsToldItIsLocked) {
  const Folder folder;
  auto one = *Connection::open(folder.file(), {});
  auto other = *Connection::open(folder.file(), {});
  auto change = Transaction::begin(*one);
  ASSERT_TRUE(change);
  EXPECT_EQ(Transaction::begin(*other).error().code, Code::unavailable);
}

TEST(Sqlite, FilesAreForTheirOwnerOnly) {
  const Folder folder;
  auto db = *Connection::open(folder.file(), {});
  ASSERT_TRUE(db->run("CREATE TABLE t (id INTEGER PRIMARY KEY)"));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
  }
}

// Locks as SQLite lays them: 510 bytes that whoever has the file open holds shared.
bool held_by_another_process(const std::string& path) {
  const auto child = ::fork();
  if (child == 0) {
    struct flock asked{};
    asked.l_type = F_WRLCK;
    asked.l_whence = SEEK_SET;
    asked.l_start = 0x40000002;
    asked.l_len = 510;
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ::_exit(::fcntl(file, F_GETLK, &asked) == 0 && asked.l_type != F_UNLCK ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

TEST(Sqlite, OpeningAFileOnceMoreKeepsTheLocksOfTheFirst) {
  const Folder folder;
  auto first = *Connection::open(folder.file(), {});
  ASSERT_TRUE(first->run("CREATE TABLE t (id INTEGER PRIMARY KEY)"));
  ASSERT_TRUE(held_by_another_process(folder.file()));
  {
    auto second = *Connection::open(folder.file(), {});
  }
  EXPECT_TRUE(held_by_another_process(folder.file()));
  first.reset();
  EXPECT_FALSE(held_by_another_process(folder.file()));
}

TEST(Sqlite, TheWriteAheadLogIsMovedByASecondConnectionAndBeginsAgain) {
  const Folder folder;
  auto writer = *Connection::open(folder.file(), {.checkpoint_pages = 0});
  ASSERT_TRUE(writer->run("CREATE TABLE t (id INTEGER PRIMARY KEY)"));
  for (int row = 0; row < 100; ++row) ASSERT_TRUE(writer->execute("INSERT INTO t VALUES (?)", row));
  EXPECT_GT(writer->journal_pages(), 100u);
  ASSERT_TRUE((*Connection::open(folder.file(), {}))->checkpoint_some());
  ASSERT_TRUE(writer->execute("INSERT INTO t VALUES (100)"));
  EXPECT_LT(writer->journal_pages(), 5u);
  EXPECT_EQ(writer->integer("SELECT count(*) FROM t"), 101);
}

TEST(Sqlite, DescribesColumnsWithCollationAndKey) {
  auto db = memory();
  ASSERT_TRUE(db->run("CREATE TABLE t (a TEXT COLLATE NOCASE NOT NULL, b, c INTEGER, PRIMARY KEY (c, a))"));
  auto columns = *db->columns("t");
  ASSERT_EQ(columns.size(), 3u);
  EXPECT_EQ(columns[0].collation, "NOCASE");
  EXPECT_TRUE(columns[0].not_null);
  EXPECT_EQ(columns[0].key, 2);
  EXPECT_EQ(columns[1].type, "");
  EXPECT_EQ(columns[1].key, 0);
  EXPECT_EQ(columns[2].key, 1);
}

TEST(Sqlite, QuotesNames) { EXPECT_EQ(quoted_name("a\"b"), "\"a\"\"b\""); }

}  // namespace
}  // namespace headrace::sqlite
