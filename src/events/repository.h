// What the repository service says: repositories and their refs. A commit is 40 hexadecimal digits; 40 zeros as the old
// commit mean the ref is made, as the new one that it is deleted (git, "receive-pack"). A repository is named by its
// full name, "owner/name".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::events {

inline constexpr std::string_view no_commit = "0000000000000000000000000000000000000000";

struct RepositoryCreated {
  static constexpr std::string_view type = "dev.cdevents.repository.created.0.3.0";
  std::string full_name = {};
  int64_t id = 0;  // as GitHub's API needs it
  std::string owner = {};
  std::string name = {};
  std::string default_branch = {};  // "main"
  std::string url = {};             // of the page; may be empty
  bool operator==(const RepositoryCreated&) const = default;
};

struct RepositoryDeleted {
  static constexpr std::string_view type = "dev.cdevents.repository.deleted.0.3.0";
  std::string full_name = {};
  int64_t id = 0;
  std::string owner = {};
  std::string name = {};
  bool operator==(const RepositoryDeleted&) const = default;
};

struct RefUpdate {
  std::string ref = {};  // full: "refs/heads/main"
  std::string old_commit = {};
  std::string new_commit = {};
  bool operator==(const RefUpdate&) const = default;
};

// Rights and policy allow the push and its objects are there; the refs have not moved yet. An intent: the outcome is
// PushReceived with the same `push`.
struct PushAccepted {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-push.accepted.0.1.0";
  std::string push = {};  // id
  std::string repository = {};
  int64_t repository_id = 0;
  std::vector<RefUpdate> updates = {};
  std::vector<std::string> options = {};  // push options, as sent
  bool operator==(const PushAccepted&) const = default;
};

struct SettledUpdate {
  std::string ref = {};
  std::string old_commit = {};
  std::string new_commit = {};
  bool applied = false;  // the ref has moved; false: git refused it or somebody was quicker
  bool forced = false;   // the new commit does not follow from the old one
  bool operator==(const SettledUpdate&) const = default;
};

enum class SettledBy { hook, reconcile };
std::string_view name_of(SettledBy by);  // "hook", "reconcile"

struct PushReceived {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-push.received.0.1.0";
  std::string push = {};
  std::string repository = {};
  int64_t repository_id = 0;
  std::vector<SettledUpdate> updates = {};
  std::string default_branch = {};
  SettledBy settled_by = SettledBy::hook;  // reconcile: found after a crash between the refs moving and this event
  bool operator==(const PushReceived&) const = default;
};

struct RefUpdated {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-ref.updated.0.1.0";
  std::string repository = {};
  std::string ref = {};
  std::string old_commit = {};
  std::string new_commit = {};
  bool forced = false;
  std::string push = {};  // empty when no push moved it
  bool operator==(const RefUpdated&) const = default;
};

struct BranchCreated {
  static constexpr std::string_view type = "dev.cdevents.branch.created.0.3.0";
  std::string branch = {};  // short: "main"
  std::string repository = {};
  std::string commit = {};
  std::string push = {};
  bool operator==(const BranchCreated&) const = default;
};

struct BranchDeleted {
  static constexpr std::string_view type = "dev.cdevents.branch.deleted.0.3.0";
  std::string branch = {};
  std::string repository = {};
  std::string commit = {};  // the last one it pointed to
  std::string push = {};
  bool operator==(const BranchDeleted&) const = default;
};

}  // namespace headrace::events
