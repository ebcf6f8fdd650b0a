// Events as the API shows them: the CloudEvent itself, with the place in the log as the member "offset".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "log/event_log.h"

namespace headrace::server {

std::string event_text(const log::Stored& stored);                    // compact JSON object
std::string event_list_text(const std::vector<log::Stored>& events);  // JSON array of them

}  // namespace headrace::server
