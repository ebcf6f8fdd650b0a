// A child process: started with nothing inherited but what its Spec names, streamed without blocking, always reaped.
//
// Of descriptors a child gets 0, 1, 2 and its `extra`, everything above is closed before it runs (so no child holds a
// listening socket or somebody else's pipe); of signals the defaults and an empty mask; of the environment exactly
// `environment`. posix_spawn starts it (121 us whatever our size), a pidfd tells its end.
//
// Loop thread only. Nothing else in the program may reap children (no waitpid(-1), SIGCHLD stays at its default).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/task.h"

namespace headrace::process {

// Where one of the three standard streams of a child leads.
struct Redirect {
  enum class Kind { null, pipe, file, descriptor, same_as_out };
  Kind kind = Kind::null;
  std::string path;     // file: read from the start as input; appended to, made 0600 where absent, as output
  int descriptor = -1;  // descriptor: borrowed until spawn returns
  int holds = 0;        // pipe: bytes it should hold, where the system grants that; 0: as many as it comes with

  static Redirect null() { return {}; }
  static Redirect pipe(int holds = 0) { return {Kind::pipe, {}, -1, holds}; }
  static Redirect file(std::string path) { return {Kind::file, std::move(path), -1}; }
  static Redirect of(int descriptor) { return {Kind::descriptor, {}, descriptor}; }
  static Redirect same_as_out() { return {Kind::same_as_out, {}, -1}; }  // for err only
};

struct Spec {
  enum class Group {
    own,      // a process group of its own: signals of our terminal do not reach it, it is ended with all it started
    session,  // a session of its own besides (setsid): for what outlives us
    shared,   // ours
  };
  enum class Leftovers {
    end,   // what the child left in its group is killed as soon as the child itself ends (not with Group::shared)
    keep,  // they live on
  };
  enum class Abandoned {
    end,   // destroying the Child kills it and its group, and waits for it
    keep,  // it runs on (runner, agent, proxy)
  };

  std::vector<std::string> argv;         // argv[0] is a path, or a name looked up in `environment`'s PATH, else ours
  std::vector<std::string> environment;  // "NAME=value", exactly these; see inherited_environment
  std::string directory;                 // working directory; empty: ours
  Redirect in = Redirect::null();
  Redirect out = Redirect::null();
  Redirect err = Redirect::null();
  std::vector<int> extra;  // become descriptors 3, 4, ... of the child; borrowed until spawn returns
  Group group = Group::own;
  Leftovers leftovers = Leftovers::end;
  Abandoned abandoned = Abandoned::end;
};

// "NAME=value" of our own environment for those `names` that are set.
std::vector<std::string> inherited_environment(std::initializer_list<std::string_view> names);

// How a process ended.
struct Exit {
  int code = 0;    // its exit code, where signal is 0
  int signal = 0;  // what killed it, or 0
  bool succeeded() const { return code == 0 && signal == 0; }
  // 128 + signal for a killed one, as a shell says it.
  int shell_code() const { return signal == 0 ? code : 128 + signal; }
  bool operator==(const Exit&) const = default;
};
std::string to_string(const Exit& exit);  // "exit code 3", "killed by signal 9 (Killed)"

enum class Stream { out, err };

class Child {
 public:
  virtual ~Child() = default;  // see Spec::Abandoned; open pipes are closed
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  virtual pid_t pid() const = 0;
  virtual uint64_t start_time() const = 0;  // field 22 of /proc/PID/stat: ticks since boot; 0 where it was gone already

  // What is there, at least one byte, at most bytes.size(); 0 at the end of the stream (all who hold it closed it). One
  // read a stream at a time. The stream must be a pipe.
  virtual core::Task<core::Result<size_t>> read(Stream stream, std::span<std::byte> bytes) = 0;
  // All of the bytes. Code::unavailable once the child closed its input: read its exit for the reason.
  virtual core::Task<core::Result<>> write(std::span<const std::byte> bytes) = 0;
  virtual void close_in() = 0;            // the child reads the end of its input; twice is once
  virtual void close(Stream stream) = 0;  // the child gets SIGPIPE if it writes on; a read that waits fails

  // Its end. Any number of times, from any number of tasks: all get the same Exit.
  virtual core::Task<core::Result<Exit>> wait() = 0;
  virtual bool ended() const = 0;  // wait() has an answer already

  // To the child alone, or to its whole group. Nothing happens once it was reaped.
  virtual void signal(int number) = 0;
  virtual void signal_group(int number) = 0;
  // SIGTERM to the group, SIGKILL when `grace` has passed (or at once for 0), then wait().
  virtual core::Task<core::Result<Exit>> end(std::chrono::milliseconds grace) = 0;

 protected:
  Child() = default;
};

// Errors: not_found (no such program, no such working directory), denied (not executable), exhausted (no process, no
// memory or no descriptor to be had).
core::Result<std::unique_ptr<Child>> spawn(core::Executor executor, Spec spec);

}  // namespace headrace::process
