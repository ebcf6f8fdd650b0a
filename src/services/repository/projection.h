// What the log says of repositories, their refs and pushes. Projection "repository".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/repository.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::repository {

inline constexpr std::string_view projection_name = "repository";

struct Repo {
  int64_t id = 0;
  std::string full_name;
  std::string owner;
  std::string name;
  std::string default_branch;
  log::Offset created = 0;
  bool operator==(const Repo&) const = default;
};

struct RefRow {
  std::string ref;
  std::string commit;
  log::Offset since = 0;  // of its last change
  bool operator==(const RefRow&) const = default;
};

struct PushRow {
  std::string push;
  int64_t repository = 0;
  std::string actor;
  log::Offset accepted = 0;
  log::Offset received = 0;                    // 0: not settled yet
  std::vector<events::SettledUpdate> updates;  // applied and forced mean something once it is settled
  bool settled() const { return received != 0; }
};

class Projection final : public store::Projection {
 public:
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

// Look-ups, on a connection of the store's, now or in the past. Names compare without case.
core::Result<std::optional<Repo>> find_repository(sqlite::Connection& tables, std::string_view full_name);
core::Result<std::optional<Repo>> find_repository(sqlite::Connection& tables, int64_t id);
core::Result<std::vector<Repo>> list_repositories(sqlite::Connection& tables, std::string_view after,
                                                  size_t max);  // by name
core::Result<std::vector<std::pair<int64_t, std::string>>> removed_repositories(sqlite::Connection& tables);
core::Result<std::vector<RefRow>> refs_of(sqlite::Connection& tables, int64_t repository);  // by name
core::Result<std::optional<PushRow>> find_push(sqlite::Connection& tables, std::string_view push);
// Newest first, accepted before `before` (0: from the newest).
core::Result<std::vector<PushRow>> pushes_of(sqlite::Connection& tables, int64_t repository, log::Offset before,
                                             size_t max);
core::Result<std::vector<PushRow>> open_pushes(sqlite::Connection& tables, int64_t repository);  // oldest first

}  // namespace headrace::repository
