#include "store/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "core/random.h"
#include "store/digest.h"
#include "store/projection_file.h"
#include "store/readers.h"
#include "store/testing/folder.h"
#include "store/testing/memory_log.h"
#include "store/testing/script_projection.h"

namespace headrace::store {
namespace {

using core::Code;
using store::testing::Folder;
using store::testing::MemoryLog;
using store::testing::rows_of;
using store::testing::script_type;
using store::testing::ScriptProjection;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// One file, events applied as they are said, and the past read back.
class World {
 public:
  explicit World(std::string schema) : projection_("world", std::move(schema)), readers_(folder_.file("world.db"), 2) {
    auto made = ProjectionFile::create(folder_.file("world.db"), projection_, ProjectionFile::Kind::live);
    EXPECT_TRUE(made) << made.error().message;
    if (!made) return;
    file_ = std::move(*made);
    readers_.open_gate();
  }

  Offset does(const std::string& script) {
    const auto offset = log_.say(script_type, script);
    auto applied = file_->apply(*log_.read(offset, 1));
    EXPECT_TRUE(applied) << applied.error().message;
    return offset;
  }

  std::vector<std::string> at(std::optional<Offset> at, std::string query) {
    std::vector<std::string> rows;
    auto done = readers_.read(at, file_->applied(), [&](sqlite::Connection& tables) -> core::Result<> {
      auto found = rows_of(tables, query);
      if (!found) return std::unexpected(found.error());
      rows = std::move(*found);
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return rows;
  }

  ProjectionFile& file() { return *file_; }

 private:
  Folder folder_;
  MemoryLog log_;
  ScriptProjection projection_;
  std::unique_ptr<ProjectionFile> file_;
  Readers readers_;
};

constexpr auto items =
    "CREATE TABLE item (id TEXT PRIMARY KEY, value INTEGER, note TEXT);"
    "CREATE INDEX item_by_value ON item (value);";
constexpr auto all_items = "SELECT id, value, note FROM item ORDER BY id";

TEST(History, ShowsEachMomentBetweenTwoEvents) {
  World world(items);
  const auto made = world.does("INSERT INTO item (id, value) VALUES ('a', 1)");
  const auto changed = world.does("UPDATE item SET value = 2 WHERE id = 'a'");
  const auto gone = world.does("DELETE FROM item");
  EXPECT_THAT(world.at(0, all_items), IsEmpty());
  EXPECT_THAT(world.at(made, all_items), ElementsAre("<a>|<1>|NULL"));
  EXPECT_THAT(world.at(changed, all_items), ElementsAre("<a>|<2>|NULL"));
  EXPECT_THAT(world.at(gone, all_items), IsEmpty());
  EXPECT_THAT(world.at(std::nullopt, all_items), IsEmpty());
}

TEST(History, KeepsNothingOfWhatCameAndWentWithinOneEvent) {
  World world(items);
  const auto first = world.does(
      "INSERT INTO item (id, value) VALUES ('a', 1); UPDATE item SET value = 2; UPDATE item SET value = 3;"
      "INSERT INTO item (id, value) VALUES ('b', 1); DELETE FROM item WHERE id = 'b'");
  const auto second = world.does("UPDATE item SET value = 4; UPDATE item SET value = 5");
  EXPECT_THAT(world.at(first, all_items), ElementsAre("<a>|<3>|NULL"));
  EXPECT_THAT(world.at(second, all_items), ElementsAre("<a>|<5>|NULL"));
  EXPECT_THAT(*rows_of(world.file().connection(), "SELECT value, since, until FROM item_history"),
              ElementsAre("<3>|<1>|<2>"));
}

TEST(History, SeesThroughDeleteAndReinsertInOneEvent) {
  World world(items);
  const auto before = world.does("INSERT INTO item (id, value) VALUES ('a', 1)");
  const auto after = world.does("DELETE FROM item; INSERT INTO item (id, value, note) VALUES ('a', 2, 'again')");
  EXPECT_THAT(world.at(before, all_items), ElementsAre("<a>|<1>|NULL"));
  EXPECT_THAT(world.at(after, all_items), ElementsAre("<a>|<2>|<again>"));
}

TEST(History, SeesThroughReplaceAndUpsert) {
  World world(items);
  const auto one = world.does("INSERT INTO item (id, value) VALUES ('a', 1)");
  const auto two = world.does("REPLACE INTO item (id, value) VALUES ('a', 2)");
  const auto three =
      world.does("INSERT INTO item (id, value) VALUES ('a', 9) ON CONFLICT (id) DO UPDATE SET value = 3");
  EXPECT_THAT(world.at(one, all_items), ElementsAre("<a>|<1>|NULL"));
  EXPECT_THAT(world.at(two, all_items), ElementsAre("<a>|<2>|NULL"));
  EXPECT_THAT(world.at(three, all_items), ElementsAre("<a>|<3>|NULL"));
}

TEST(History, FollowsARowWhoseKeyChanges) {
  for (const auto* kind : {"", " WITHOUT ROWID"}) {
    World world(std::string("CREATE TABLE item (id TEXT PRIMARY KEY, value INTEGER, note TEXT)") + kind);
    const auto before = world.does("INSERT INTO item (id, value) VALUES ('a', 1), ('b', 2)");
    const auto after = world.does("UPDATE item SET id = 'c' WHERE id = 'a'; UPDATE item SET id = 'a' WHERE id = 'b'");
    EXPECT_THAT(world.at(before, all_items), ElementsAre("<a>|<1>|NULL", "<b>|<2>|NULL"));
    EXPECT_THAT(world.at(after, all_items), ElementsAre("<a>|<2>|NULL", "<c>|<1>|NULL"));
  }
}

TEST(History, FollowsCascadesOfForeignKeys) {
  World world(
      "CREATE TABLE run (id INTEGER PRIMARY KEY);"
      "CREATE TABLE job (id INTEGER PRIMARY KEY, run INTEGER REFERENCES run (id) ON DELETE CASCADE);");
  const auto before = world.does("INSERT INTO run (id) VALUES (1); INSERT INTO job (id, run) VALUES (7, 1)");
  const auto after = world.does("DELETE FROM run");
  EXPECT_THAT(world.at(before, "SELECT id FROM job"), ElementsAre("<7>"));
  EXPECT_THAT(world.at(after, "SELECT id FROM job"), IsEmpty());
}

TEST(History, KeepsTheExactLettersOfAColumnThatIgnoresCase) {
  World world("CREATE TABLE user (name TEXT PRIMARY KEY COLLATE NOCASE)");
  const auto before = world.does("INSERT INTO user (name) VALUES ('Alice')");
  const auto after = world.does("UPDATE user SET name = 'ALICE'");
  EXPECT_THAT(world.at(before, "SELECT name FROM user WHERE name = 'alice'"), ElementsAre("<Alice>"));
  EXPECT_THAT(world.at(after, "SELECT name FROM user WHERE name = 'alice'"), ElementsAre("<ALICE>"));
}

TEST(History, TheShownOffsetIsTheOneThatWasAskedFor) {
  World world(items);
  world.does("INSERT INTO item (id) VALUES ('a')");
  world.does("INSERT INTO item (id) VALUES ('b')");
  EXPECT_THAT(world.at(1, "SELECT shown_offset()"), ElementsAre("<1>"));
  EXPECT_THAT(world.at(std::nullopt, "SELECT shown_offset()"), ElementsAre("<2>"));
}

TEST(History, ThePlannerKeepsItsIndexesInThePast) {
  World world(
      "CREATE TABLE run (id INTEGER PRIMARY KEY, repository TEXT, number INTEGER, status TEXT, UNIQUE (repository, "
      "number));"
      "CREATE TABLE job (id TEXT PRIMARY KEY, run INTEGER, status TEXT);"
      "CREATE INDEX job_by_run ON job (run);"
      "CREATE INDEX job_waiting ON job (status) WHERE status = 'queued';");
  const auto plan = [&](const std::string& query) {
    std::string text;
    for (const auto& row : world.at(0, "EXPLAIN QUERY PLAN " + query)) text += row + "\n";
    return text;
  };
  const auto uses = [](const char* live, const char* past) {
    return AllOf(HasSubstr(live), HasSubstr(past), Not(HasSubstr("SCAN run")), Not(HasSubstr("SCAN job")));
  };
  EXPECT_THAT(plan("SELECT * FROM run WHERE id = 5"), uses("INTEGER PRIMARY KEY", "run_key_history"));
  EXPECT_THAT(plan("SELECT * FROM run WHERE repository = 'r' AND number = 3"),
              uses("sqlite_autoindex_run_1", "run_unique_1_history"));
  EXPECT_THAT(plan("SELECT * FROM job WHERE run = 5"), uses("job_by_run", "job_by_run_history"));
  EXPECT_THAT(plan("SELECT * FROM job WHERE status = 'queued'"), uses("job_waiting", "job_waiting_history"));
  EXPECT_THAT(plan("SELECT job.* FROM run, job WHERE run.repository = 'r' AND job.run = run.id"),
              uses("job_by_run", "job_by_run_history"));
}

TEST(History, RefusesSchemasThatItCannotKeep) {
  const std::map<std::string, std::string> refused{
      {"CREATE TABLE t (a INTEGER)", "PRIMARY KEY"},
      {"CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "AUTOINCREMENT"},
      {"CREATE TABLE t (id INTEGER PRIMARY KEY, since INTEGER)", "t.since"},
      {"CREATE TABLE t_history (id INTEGER PRIMARY KEY)", "t_history"},
      {"CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t", "view v"},
      {"CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TRIGGER r AFTER DELETE ON t BEGIN SELECT 1; END", "trigger r"},
      {"CREATE TABL", "syntax error"},
  };
  for (const auto& [schema, reason] : refused) {
    const Folder folder;
    ScriptProjection projection("bad", schema);
    auto made = ProjectionFile::create(folder.file("bad.db"), projection, ProjectionFile::Kind::live);
    ASSERT_FALSE(made) << schema;
    EXPECT_EQ(made.error().code, Code::invalid) << schema;
    EXPECT_THAT(made.error().message, HasSubstr(reason));
  }
}

// ---- any sequence of changes: the past is what a copy of each moment says

constexpr auto many_tables =
    "CREATE TABLE item (id TEXT PRIMARY KEY, value INTEGER, note TEXT UNIQUE);"
    "CREATE TABLE pair (a INTEGER, b TEXT, value, PRIMARY KEY (a, b)) WITHOUT ROWID;"
    "CREATE TABLE number (id INTEGER PRIMARY KEY, n REAL, text TEXT COLLATE NOCASE);"
    "CREATE INDEX item_value ON item (value DESC, id);"
    "CREATE UNIQUE INDEX number_small ON number (abs(id)) WHERE id >= 0;"
    "CREATE INDEX \"odd (name)\" ON number (text || ')' , n);";

class Chance {
 public:
  explicit Chance(uint64_t seed) : random_(seed) {}
  std::string one_of(std::vector<std::string> words) { return words[random_.below(words.size())]; }
  std::string number(uint64_t below) { return std::to_string(random_.below(below)); }
  std::string value() {
    return one_of({"NULL", number(4), "'" + number(4) + "'", "x'00ff'", "1.5", "''", "'Ab'", "'aB'"});
  }

  std::string change() {
    const auto verb = one_of({"INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"});
    switch (random_.below(9)) {
      case 0:
        return verb + " INTO item (id, value, note) VALUES ('" + number(6) + "', " + value() + ", " + value() + ")";
      case 1: return verb + " INTO pair (a, b, value) VALUES (" + number(3) + ", '" + number(2) + "', " + value() + ")";
      case 2: return verb + " INTO number (id, n, text) VALUES (" + number(6) + ", " + number(9) + ", " + value() + ")";
      case 3:
        return "UPDATE OR IGNORE item SET id = '" + number(6) + "', note = " + value() + " WHERE id = '" + number(6) +
               "'";
      case 4: return "UPDATE OR REPLACE pair SET a = " + number(3) + " WHERE b = '" + number(2) + "'";
      case 5:
        return "INSERT INTO number (id, text) VALUES (" + number(6) +
               ", 'x') ON CONFLICT (id) DO UPDATE SET text = " + value() + ", n = NULL";
      case 6: return "DELETE FROM " + one_of({"item", "pair", "number"}) + " WHERE value IS " + value();
      case 7: return "UPDATE OR IGNORE number SET id = id + 1 WHERE id < " + number(6);
      default: return "DELETE FROM number WHERE id = " + number(6);
    }
  }

  std::string event() {
    std::string script;
    for (auto changes = 1 + random_.below(4); changes > 0; --changes) {
      auto next = change();
      if (next.starts_with("DELETE FROM number WHERE value")) next = "DELETE FROM number WHERE text IS " + value();
      script += next + ";";
    }
    return script;
  }

 private:
  core::SeededRandom random_;
};

const std::vector<std::string>& dumps() {
  static const std::vector<std::string> queries{
      "SELECT id, typeof(value), value, typeof(note), note FROM item ORDER BY id",
      "SELECT a, b, typeof(value), value FROM pair ORDER BY a, b",
      "SELECT id, typeof(n), n, typeof(text), text FROM number ORDER BY id",
      "SELECT id FROM item WHERE value = 2 ORDER BY id",
      "SELECT id FROM number WHERE text = 'ab' ORDER BY id",
      "SELECT item.id, pair.b FROM item LEFT JOIN pair ON pair.a = item.value ORDER BY 1, 2",
      "SELECT value, count(*) FROM item GROUP BY value ORDER BY value"};
  return queries;
}

TEST(History, AnyMomentOfARandomPastIsWhatACopyOfItSays) {
  const char* given = std::getenv("HEADRACE_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261123;
  SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed));
  constexpr Offset events = 300;
  Chance chance(seed);
  World world(many_tables);
  auto plain = *sqlite::Connection::open("", {.mode = sqlite::Mode::memory});
  ASSERT_TRUE(plain->run(sqlite::Sql::generated(many_tables)));
  std::map<Offset, std::vector<std::vector<std::string>>> copies;
  for (Offset event = 0; event <= events; ++event) {
    Offset at = 0;
    if (event > 0) {
      const auto script = chance.event();
      SCOPED_TRACE(script);
      ASSERT_TRUE(plain->run(sqlite::Sql::generated(script)));
      at = world.does(script);
      ASSERT_FALSE(HasFailure());
    }
    for (const auto& query : dumps()) copies[at].push_back(*rows_of(*plain, query));
  }
  for (const auto& [at, copy] : copies)
    for (size_t query = 0; query < copy.size(); ++query)
      ASSERT_EQ(world.at(at, dumps()[query]), copy[query]) << "at offset " << at << ": " << dumps()[query];
}

}  // namespace
}  // namespace headrace::store
