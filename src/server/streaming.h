// A stream of answers lives as long as its client listens.
#pragma once

#include "core/task.h"
#include "net/server.h"

namespace headrace::server {

// Runs `pump` until it ends, or the client goes or the server shuts down: then it is cancelled, wherever it waits.
core::Task<> stream_while_open(core::Loop& loop, net::Exchange& exchange, core::Task<> pump);

}  // namespace headrace::server
