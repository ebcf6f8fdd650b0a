// Routes of subscriptions and dead letters.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_subscription_routes(Router& router, Platform& platform);
void add_dead_letter_routes(Router& router, Platform& platform);    // dead_letters_api.cc
void add_subscription_streams(Router& router, Platform& platform);  // subscription_stream.cc

}  // namespace headrace::server
