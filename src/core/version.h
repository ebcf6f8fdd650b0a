// The version of this program, as the build was told: "0.1.0".
#pragma once

#include <string_view>

namespace headrace::core {

std::string_view version();

}  // namespace headrace::core
