// Words for tests: how one is named and shown, wherever it turns up.
#pragma once

#include <string>

#include "core/json.h"

namespace headrace::cli {

// "CartTest adds" as report::shown_name() has it.
std::string name_of_test(const core::json::value& test);
// "CartTest adds (tests/cart_test.cc:12): expected 3", the message in one line; place and message where known.
std::string words_of_failure(const core::json::value& test);
// "12.3 ms"; "-" where it is not known.
std::string words_of_time(const core::json::value& test);

}  // namespace headrace::cli
