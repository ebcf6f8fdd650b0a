// Routes of accounts, tokens, roles and signing in.
#pragma once

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

core::json::object who(const Caller& caller);        // what whoami answers
core::Result<> of_an_account(const Caller& caller);  // denied for a runner, which may have the name of an account

void add_identity_routes(Router& router, Platform& platform);

}  // namespace headrace::server
