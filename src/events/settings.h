// What the secrets service says: secrets, variables and environments. The value of a secret is never in an event: the
// vault has it, under the id that the event names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::events {

// Also when the value is replaced (under another id), or only who may have it changes (under the same).
struct SecretSet {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-secret.set.0.1.0";
  std::string secret = {};                 // id of the value in the vault
  std::string scope = {};                  // an owner, or "owner/name"
  std::string environment = {};            // of the repository; empty: of all its jobs
  std::string name = {};                   // in upper case
  std::string visibility = {};             // of an owner's: "all", "private" or "selected"
  std::vector<int64_t> repositories = {};  // numbers of the selected ones
  bool operator==(const SecretSet&) const = default;
};

struct SecretRemoved {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-secret.removed.0.1.0";
  std::string secret = {};
  std::string scope = {};
  std::string environment = {};
  std::string name = {};
  bool operator==(const SecretRemoved&) const = default;
};

struct VariableSet {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-variable.set.0.1.0";
  std::string variable = {};  // "team/hello/NAME", "team/hello/environments/prod/NAME", "team/NAME"
  std::string scope = {};
  std::string environment = {};
  std::string name = {};  // in upper case
  std::string value = {};
  std::string visibility = {};
  std::vector<int64_t> repositories = {};
  bool operator==(const VariableSet&) const = default;
};

struct VariableRemoved {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-variable.removed.0.1.0";
  std::string variable = {};
  std::string scope = {};
  std::string environment = {};
  std::string name = {};
  bool operator==(const VariableRemoved&) const = default;
};

struct EnvironmentCreated {
  static constexpr std::string_view type = "dev.cdevents.environment.created.0.3.0";
  std::string environment = {};  // "team/hello/prod"
  std::string name = {};         // as it was written first; compares without case
  std::string repository = {};
  bool operator==(const EnvironmentCreated&) const = default;
};

// With its secrets and variables.
struct EnvironmentDeleted {
  static constexpr std::string_view type = "dev.cdevents.environment.deleted.0.3.0";
  std::string environment = {};
  std::string name = {};
  std::string repository = {};
  bool operator==(const EnvironmentDeleted&) const = default;
};

}  // namespace headrace::events
