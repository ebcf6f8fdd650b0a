// Signals sent to this process, as something to wait for.
#pragma once

#include <initializer_list>
#include <memory>

#include "core/task.h"

namespace headrace::process {

// While it exists, these signals do not end the process but wake next(). Loop only; one of them for a process.
class SignalWatch {
 public:
  SignalWatch(core::Executor executor, std::initializer_list<int> numbers);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  core::Task<int> next();  // the number of the next one to come

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void ignore_broken_pipes();  // a peer that has gone is an error of the write, not the end of the process

}  // namespace headrace::process
