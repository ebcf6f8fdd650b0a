// The sign-in of a browser: a token of 30 days in a cookie that scripts cannot read and other sites do not send.
#pragma once

#include <string>

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

// The token in the request's cookie; empty: there is none.
std::string session_of(const net::Request& request);

// A browser sends the cookie by itself, so what changes something must say besides that a page of this server asks:
// a header that no other site can add without being asked first (Fetch, "CORS-preflight fetch").
bool asked_by_a_page(const net::Request& request);

void add_session_routes(Router& router, Platform& platform);

}  // namespace headrace::server
