// The bodies of our own API, src/server/schemas.json: JSON Schema 2020-12 by name, as OpenAPI 3.1 has them under
// components.schemas. A member that no `required` lists may be absent; more members than are named may come with a
// later version. GitHub's API has GitHub's own.
#pragma once

#include <string_view>

namespace headrace::server {

std::string_view schemas_text();

}  // namespace headrace::server
