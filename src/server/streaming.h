// A stream of answers lives as long as its client listens. Tasks that share a request's locals never outlive it,
// whether it ends well, fails or is cancelled (a server that shuts down cuts what is left by cancelling).
#pragma once

#include "core/task.h"
#include "net/server.h"

namespace headrace::server {

inline constexpr size_t piece_bytes =
    64 * 1024;  // of a stream encoded at once; then the loop's other work has its turn

// Goes on behind what is ready to run now.
core::Task<> let_others();

// Runs `work` to its end and then closes the tasks it started in `tasks`, even when it is cancelled itself.
core::Task<> then_close(core::Task<> work, core::Scope& tasks);

// Runs both until one of them ends; the other is cancelled, wherever it waits, and waited for.
core::Task<> until_one_ends(core::Loop& loop, core::Task<> one, core::Task<> other);

// Runs `pump` until it ends, or the client goes or the server shuts down.
core::Task<> stream_while_open(core::Loop& loop, net::Exchange& exchange, core::Task<> pump);

}  // namespace headrace::server
