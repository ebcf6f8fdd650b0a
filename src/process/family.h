// A family: all processes that come of one that was started with a certain word in its environment. Each inherits the
// word from whoever started it, so also those are found that left the process group, whose parent has died, or of which
// nobody had the time to write anything down.
//
// What cleared its environment is not found by itself; it ends with the process group it is in, if a member of that is
// found. Linux: /proc/PID/environ is what a process was started with, whatever it did to its variables since.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::process {

// Those that are there now and have such an entry "NAME=value"; neither this process nor zombies, nor processes of
// other users. Blocks for about 20 us a process of the machine.
std::vector<pid_t> find_family(const std::function<bool(std::string_view entry)>& ours);

// SIGKILL to each of them and to its process group, again until none is left; those it was sent to. Never to this
// process or its group. Blocks until they are gone, at most about a second.
std::vector<pid_t> end_family(const std::function<bool(std::string_view entry)>& ours);

// The words a process was started with; empty where it is gone, not ours to look at, or has not begun its program yet.
std::vector<std::string> arguments_of(pid_t pid);

// Warden does one last thing when this process has ended, however that came about, kill -9 too: a second process that
// waits for it, in a session of its own, holding nothing of it.
//
// It is forked off and runs code of this program, so it is made before there are threads. It is our child; nobody waits
// for it. Ended itself, it is missed by nobody: it is for speed, what it does has to be done at the next start anyhow.
class Warden {
 public:
  static core::Result<Warden> post(std::function<void()> then);
  void arm();  // from here on it does it; before, it just goes
  ~Warden();   // what it waits for is here
  Warden(Warden&& other) noexcept;
  Warden(const Warden&) = delete;
  Warden& operator=(const Warden&) = delete;
  Warden& operator=(Warden&&) = delete;

 private:
  explicit Warden(int pipe) : pipe_(pipe) {}
  int pipe_;
};

}  // namespace headrace::process
