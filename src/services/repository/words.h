// The events that follow from a push, from their parts.
#pragma once

#include <string>
#include <vector>

#include "bus/bus.h"
#include "services/repository/projection.h"

namespace headrace::repository {

inline constexpr auto service_name = "repository";

struct Outcome {
  std::string push;  // id, which is that of its push.accepted
  Repo repository;
  core::Actor actor;
  std::vector<events::SettledUpdate> updates;
  events::SettledBy settled_by = events::SettledBy::hook;
};

// push.received because of push.accepted; because of it ref.updated for each ref that moved; because of that
// branch.created or .deleted.
std::vector<events::Event> words_of(const bus::Bus& bus, const Outcome& outcome);
// The key under which they are appended: once for each push.
std::string key_of(std::string_view push);

// ref.updated, branch.created or .deleted for moves that no push explains, by system.
std::vector<events::Event> words_of(const bus::Bus& bus, const Repo& repository,
                                    const std::vector<events::SettledUpdate>& moves);

}  // namespace headrace::repository
