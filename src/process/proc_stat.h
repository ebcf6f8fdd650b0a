// What /proc says of a process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headrace::process {

struct ProcStat {
  char state = '?';         // field 3: R, S, D, Z (zombie), X (dead), ...
  uint64_t start_time = 0;  // field 22: ticks since boot
};

// The line of /proc/PID/stat; its second field, the name, may hold blanks and parentheses (proc(5)).
std::optional<ProcStat> parse_proc_stat(std::string_view line);
std::optional<ProcStat> read_proc_stat(pid_t pid);
std::string read_boot_id();  // empty where /proc does not tell

}  // namespace headrace::process
