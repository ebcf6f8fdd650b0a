// What an operator reads on the standard error of a process: one line each, "time level room: text". It is not a record
// of what happened, that is the event log; it never holds a secret.
#pragma once

#include <string_view>

namespace headrace::core {

enum class Level { debug, info, warning, error };

void diagnose(Level level, std::string_view room, std::string_view text);  // any thread; one write(2) a line
void set_diagnostics_level(Level least);                                   // default info

}  // namespace headrace::core
