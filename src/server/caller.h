// What a route asks for. Every route names a Right; the door of rights (identity) answers, by door.h.
#pragma once

#include "services/identity/door.h"

namespace headrace::server {

using identity::Caller;

// Those of a repository are asked for the one the path names ({owner}/{repo}), for an owner ({org}), or for all of
// them.
enum class Right {
  anyone,     // health, sign-in, and what looks closer itself: no credential needed
  signed_in,  // any account or runner; what it may see of the answer is decided there
  read_repository,
  write_repository,
  create_repository,
  administer_repository,
  read_settings,  // secrets (not their values), variables, environments
  read_runs,
  write_runs,
  read_events,
  write_events,
  operate,   // subscriptions, dead letters, accounts
  run_jobs,  // runners
};

}  // namespace headrace::server
