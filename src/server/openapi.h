// The OpenAPI 3.1 document of the routes there are.
#pragma once

#include <string>

#include "server/router.h"

namespace headrace::server {

std::string openapi_text(const Router& router, const std::string& public_url);

}  // namespace headrace::server
