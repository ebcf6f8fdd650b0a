// Routes of events: publish, look up, why, follow live (SSE), publish over a WebSocket.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_event_routes(Router& router, Platform& platform);
void add_event_streams(Router& router, Platform& platform);  // events_stream.cc

}  // namespace headrace::server
