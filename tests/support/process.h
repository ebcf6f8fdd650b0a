// Programs started by a test: what they printed, how they ended, and signals to them. Blocking; any thread, but a
// Process belongs to one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace headrace::support {

using std::chrono::milliseconds;

inline constexpr milliseconds patience{60'000};  // for what takes moments on a quiet machine

// Asks `good` every few milliseconds until it says true; false once `limit` has passed.
bool eventually(const std::function<bool()>& good, milliseconds limit = patience);

struct Command {
  std::vector<std::string> argv;         // argv[0] is a path, or found by our PATH
  std::vector<std::string> environment;  // "NAME=value", exactly these
  std::string directory;                 // empty: ours
  std::string in;                        // its standard input
  bool dies_with_us = false;             // killed when the thread that started it ends
};

struct Ran {
  int exit = -1;  // exit code; 128 + signal of what was killed; -1: it could not be started, or took too long
  std::string out;
  std::string err;
};

class Process {
 public:
  // Its streams are files in `folder`, which exists.
  Process(Command command, std::string folder);
  ~Process();  // kills it if it runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // Its end; what does not end within `limit` is killed and has exit -1.
  Ran wait(milliseconds limit = patience);
  std::string out() const;  // so far
  std::string err() const;

 private:
  bool reap(bool block);
  pid_t pid_ = -1;
  std::string stem_;
  std::optional<int> exit_;
};

Ran run(Command command, const std::string& folder, milliseconds limit = patience);

std::string read_file(const std::string& path);                     // empty where there is none
void write_file(const std::string& path, const std::string& text);  // with the folders on its way

}  // namespace headrace::support
