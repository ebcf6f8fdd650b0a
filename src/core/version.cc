#include "core/version.h"

namespace headrace::core {

std::string_view version() { return HEADRACE_VERSION; }

}  // namespace headrace::core
