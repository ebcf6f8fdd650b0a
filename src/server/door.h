// From what a route asks for to what the door of rights (identity) decides. One table, one way in.
#pragma once

#include <string>

#include "core/result.h"
#include "net/http.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

// Who sent this request: by `Authorization: Bearer TOKEN`, Basic with the token as password (git), or the cookie of a
// browser's session (sessions.h). Nobody, where there is none; denied where a cookie alone is not enough;
// unauthenticated where it is not good.
core::Result<Caller> caller_of(Platform& platform, const net::Request& request);

// unauthenticated or denied, with what is missing.
core::Result<> may(Platform& platform, const Caller& caller, const Route& route,
                   const std::map<std::string, std::string>& captures);
core::Result<> may_on_repository(Platform& platform, const Caller& caller, Right right, const std::string& full_name);
// To see what a path names by an id alone ("the run 5"). Who may not is not told of which repository it is.
core::Result<> may_see_of_repository(Platform& platform, const Caller& caller, const std::string& full_name,
                                     const std::string& what);

}  // namespace headrace::server
