// Whether two files of a projection hold the same: a sum over every row of every table and its history, in order of
// key, and the first row that is not the same. Format of the sum: docs/projections.md, "Digest".
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "sqlite/connection.h"
#include "store/rebuild.h"

namespace headrace::store {

core::Result<std::string> digest_of(sqlite::Connection& file);  // 64 hexadecimal digits

// Both of the same projection and version.
core::Result<std::optional<Difference>> difference(sqlite::Connection& kept, sqlite::Connection& rebuilt);

}  // namespace headrace::store
