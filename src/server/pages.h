// The web pages: files whose names hold a hash of what is in them, and the one document that shows every address.
#pragma once

#include <optional>

#include "net/http.h"
#include "server/router.h"

namespace headrace::server {

void add_page_routes(Router& router);

// The document, for a browser that asks for an address which no route has: the page finds out what to show. Nothing for
// others, for what belongs to the API, and in a program without pages.
std::optional<net::Response> page_for(const net::Request& request);

}  // namespace headrace::server
