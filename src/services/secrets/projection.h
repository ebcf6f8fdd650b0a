// Secrets (without their values), variables, environments, and which repositories there are, as tables.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "services/secrets/places.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::secrets {

inline constexpr std::string_view projection_name = "secrets";

struct Secret {
  std::string id;  // of its value in the vault
  Place place;     // its names as they were written
  std::string name;
  Audience audience;
  core::Time created_at{}, updated_at{};
};

struct Variable {
  Place place;
  std::string name;
  std::string value;
  Audience audience;
  core::Time created_at{}, updated_at{};
};

struct Environment {
  int64_t id = 0;  // offset of the event that made it
  std::string repository;
  std::string name;
  core::Time created_at{}, updated_at{};
};

struct Repository {
  int64_t id = 0;
  std::string full_name;
};

class Projection final : public store::Projection {
 public:
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

// Look-ups; places and names of environments compare without case. Lists are by name.
core::Result<std::optional<Repository>> find_repository(sqlite::Connection& tables, std::string_view full_name);
core::Result<std::vector<Repository>> repositories_of(sqlite::Connection& tables, std::string_view owner);
core::Result<std::optional<Secret>> find_secret(sqlite::Connection& tables, const Place& place, std::string_view name);
core::Result<std::vector<Secret>> secrets_at(sqlite::Connection& tables, const Place& place);
core::Result<std::vector<std::string>> all_secret_ids(sqlite::Connection& tables);
core::Result<std::optional<Variable>> find_variable(sqlite::Connection& tables, const Place& place,
                                                    std::string_view name);
core::Result<std::vector<Variable>> variables_at(sqlite::Connection& tables, const Place& place);
// Those of all environments of a repository.
core::Result<std::vector<Variable>> environment_variables(sqlite::Connection& tables, std::string_view repository);
core::Result<std::optional<Environment>> find_environment(sqlite::Connection& tables, std::string_view repository,
                                                          std::string_view name);
core::Result<std::vector<Environment>> environments_of(sqlite::Connection& tables, std::string_view repository);
core::Result<int64_t> count_of(sqlite::Connection& tables, Kind kind, const Place& place);
core::Result<int64_t> variable_bytes(sqlite::Connection& tables, const Place& place);  // of names and values

}  // namespace headrace::secrets
