// JSON that is read is sent gzip-encoded to who takes it so: lists of runs and events come to a tenth.
//
// What is made by a request with a body is never packed: such an answer may hold a new token beside words of whoever
// asked, and by its length packed text tells what it repeats (BREACH, CVE-2013-3587). Answers to GET hold no secrets.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

inline constexpr size_t packed_least = 1'024;        // smaller ones are not worth it
inline constexpr size_t packed_on_loop = 32 * 1024;  // larger ones are packed on a pool
inline constexpr int packing_level = 1;              // of zlib: a third of the time of 6, a tenth larger

bool may_be_packed(const Route& route, const net::Request& request);
core::Task<> pack(Platform& platform, net::Response& answer);

std::string gzip(std::string_view plain);

}  // namespace headrace::server
