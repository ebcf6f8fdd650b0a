// A loop, a log in memory, a folder and a store, for tests of the store.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "store/rebuild.h"
#include "store/store.h"
#include "store/testing/folder.h"
#include "store/testing/memory_log.h"
#include "store/testing/script_projection.h"

namespace headrace::store::testing {

inline constexpr auto items =
    "CREATE TABLE item (id TEXT PRIMARY KEY, value INTEGER);"
    "CREATE INDEX item_by_value ON item (value);";
inline constexpr auto all_items = "SELECT id, value FROM item ORDER BY id";
inline constexpr std::chrono::seconds patience{20};

inline std::string put(const std::string& id, uint64_t value) {
  return "INSERT INTO item (id, value) VALUES ('" + id + "', " + std::to_string(value) +
         ") ON CONFLICT (id) DO UPDATE SET value = excluded.value";
}

class World {
 public:
  ScriptProjection& add(const std::string& name, std::string schema = items, int version = 1) {
    auto projection = std::make_unique<ScriptProjection>(name, std::move(schema), version);
    auto& added = *projection;
    store().add(std::move(projection));
    return added;
  }
  Store& store() {
    if (!store_) store_ = std::make_unique<Store>(loop, log, folder.path(), limits);
    return *store_;
  }
  void start() {
    auto started = store().start();
    ASSERT_TRUE(started) << started.error().message << started.error().detail;
  }
  void stop() { store_.reset(); }
  core::Result<> wait(const std::string& name, Offset offset) {
    return loop.run(store().caught_up(name, offset, patience));
  }
  core::Result<> wait(const std::string& name) { return wait(name, log.durable()); }
  core::Result<std::vector<std::string>> rows(const std::string& name, std::optional<Offset> at = {},
                                              std::string query = all_items) {
    return store().read_here(name, at, [&](sqlite::Connection& tables) { return rows_of(tables, query); });
  }
  core::Result<std::vector<std::string>> pool_rows(const std::string& name, std::optional<Offset> at = {}) {
    return loop.run(store().read(name, at, [](sqlite::Connection& tables) { return rows_of(tables, all_items); }));
  }
  core::Result<std::vector<Rebuilt>> rebuilt(ScriptProjection& projection, Verify verify) {
    return rebuild({&projection}, log, folder.path(), "", verify);
  }

  Store::Limits limits{.retry_pause = std::chrono::milliseconds(1)};
  core::Loop loop;
  MemoryLog log;
  Folder folder;

 private:
  std::unique_ptr<Store> store_;
};

}  // namespace headrace::store::testing
