// Platforms whose jobs run as they do where nobody chose otherwise: in sandboxes, where this machine makes some.
#pragma once

#include <cstddef>
#include <string>

#include "support/platform.h"

namespace headrace::support {

PlatformOptions in_sandboxes();  // without --label

// What a started platform says once it has tried: "run in sandboxes", or that jobs will be refused.
bool makes_sandboxes(Platform& platform);

// For the front of a command in a shell: it then runs where no name spaces can be had, so where no sandbox can be made.
std::string without_name_spaces();

// How many processes of this machine have `words` in their command line, as their arguments stand there.
size_t processes_with(const std::string& words);

}  // namespace headrace::support
