// Subscriptions as JSON: what a client sends to make one, and what it is shown.
#pragma once

#include "bus/subscription.h"
#include "core/json.h"

namespace headrace::server {

// {"name", "filter"|"filters", "start", "order_by", "ack_wait_seconds", "deliveries_max", "on_dead", "paused"}; all but
// the name may be absent. invalid: names the member.
core::Result<bus::Subscription> read_subscription(std::string_view text);
// "now", "beginning", an offset or a time.
core::Result<bus::Start> read_start(const std::string& text);

core::json::object of(const bus::Status& status);
core::json::object of(const bus::DeadLetter& letter);

}  // namespace headrace::server
