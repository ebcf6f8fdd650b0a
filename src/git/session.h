// Session carries one request's body to a git process and its answer back, both at once, in bounded chunks.
#pragma once

#include <chrono>
#include <string>

#include "core/task.h"
#include "git/body.h"
#include "git/serve.h"
#include "process/child.h"

namespace headrace::git {

class Session {
 public:
  enum class ClientGone {
    end,    // nobody needs the answer: git is ended (fetch)
    go_on,  // git finishes what it began (push)
  };

  // All of it outlives the session. `body` null: git has no input.
  Session(core::Executor executor, process::Child& child, Body* body, WriteChunk write,
          std::chrono::milliseconds idle_max, ClientGone when_gone);

  // Until git has ended. An Error where git was killed, failed without an answer, or the client went away.
  core::Task<core::Result<>> run();

 private:
  core::Task<core::Result<>> last_words();
  core::Task<> carry();
  core::Task<> carry_in();
  core::Task<> carry_out();
  core::Task<> collect_errors();
  core::Task<> until_idle();
  core::Task<> skip_rest(std::span<std::byte> buffer);
  void touched() { last_ = std::chrono::steady_clock::now(); }
  core::Result<> outcome(const process::Exit& exit) const;

  core::Executor executor_;
  process::Child& child_;
  Body* body_;
  WriteChunk write_;
  std::chrono::milliseconds idle_max_;
  ClientGone when_gone_;
  std::chrono::steady_clock::time_point last_;
  bool answered_ = false;  // something was written
  bool out_ended_ = false;
  bool gone_ = false;  // the client takes nothing more
  bool idle_ = false;
  core::Result<> body_failure_;
  std::string errors_;  // what git printed, its first errors_bytes_max
};

}  // namespace headrace::git
