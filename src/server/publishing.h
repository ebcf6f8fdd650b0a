// Events from outside, on their way to the log: the checks of ingress, and what the sender is answered.
#pragma once

#include <string>
#include <vector>

#include "bus/publish.h"
#include "core/json.h"
#include "server/caller.h"
#include "server/platform.h"

namespace headrace::server {

// `durability`: disk, memory or empty; `sync`: true, false or empty.
core::Result<bus::Publish> publish_options(const std::string& durability, const std::string& sync);

// All or none. Each event must not speak as us; its `actor`, if it has one, must be who sends it. The answer is an
// array of
// {"offset","id","durability","duplicate"}, one an event.
core::Task<core::Result<core::json::array>> publish_foreign(Platform& platform, Caller caller,
                                                            std::vector<events::Event> events, bus::Publish how);

}  // namespace headrace::server
