// The one door of rights: may this caller do this to that? Every route and every command asks here, and nobody else
// decides. A no says why and what would make it a yes.
//
// Two things must allow it: the scopes of the token the caller came with, and the role of the account where it matters.
// A role on "*" holds everywhere, on an owner for all its repositories; admin includes write, write includes read.
// Names compare without case. The platform itself and its services may everything; a runner may run jobs and read
// repositories; a job reads and writes its own repository and the runs of it, as far as its token's scopes reach.
//
// Errors: unauthenticated (nobody is signed in), denied. Loop only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/actor.h"
#include "core/result.h"

namespace headrace::identity {

// Who asks, and how far what they came with reaches.
struct Caller {
  core::Actor actor;
  std::vector<std::string> scopes = {};  // of the token; what has none (system, services) is not asked for any
  std::string token = {};                // id of the token; empty: none
  std::string reads_for = {};            // account whose repositories it may read, and do nothing else; empty: none

  static Caller system() { return {core::Actor::system()}; }
  bool operator==(const Caller&) const = default;
};

// What a token may be used for. write includes read, admin includes all but runner.
inline constexpr std::string_view all_scopes[] = {"repo:read",  "repo:write",  "run:read", "run:write",
                                                  "event:read", "event:write", "admin",    "runner"};

bool scopes_include(const std::vector<std::string>& has, std::string_view wanted);

enum class Role { read, write, admin };
std::string_view name_of(Role role);

enum class Action {
  use,                    // anything an account may do to itself: any account, or a runner
  read_repository,        // clone, fetch, look at
  write_repository,       // push
  create_repository,      // resource: the owner
  administer_repository,  // delete, rename; secrets, variables, environments
  read_settings,          // which secrets, variables and environments there are; resource: an owner or a repository
  read_runs,              // runs and their logs
  write_runs,             // start, cancel, run again
  read_events,            // resource: platform, or one repository
  write_events,           // publish
  operate,                // accounts, roles, subscriptions, dead letters, the log
  run_jobs,               // be a runner
};

struct Resource {
  std::string name;  // "*", an owner, or "owner/name"
  static Resource platform() { return {"*"}; }
  static Resource owner(std::string owner) { return {std::move(owner)}; }
  static Resource repository(std::string full_name) { return {std::move(full_name)}; }
};

class Directory;

class Door {
 public:
  explicit Door(const Directory& directory) : directory_(directory) {}  // outlives this

  core::Result<> may(const Caller& caller, Action action, const Resource& resource) const;
  // By role alone, for what comes with no token: commands of services on somebody's behalf.
  core::Result<> may(const core::Actor& actor, Action action, const Resource& resource) const;

 private:
  const Directory& directory_;
};

}  // namespace headrace::identity
