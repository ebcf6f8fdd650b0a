// How the answers to one batch reach the loops that wait for them with one wake-up each, not one an answer.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/task.h"

namespace headrace::log {

// Open on the log's thread while it answers a batch. What is posted meanwhile is sent when it closes, one post a loop.
// Not nested.
class AnswerRound {
 public:
  AnswerRound();
  ~AnswerRound();
  AnswerRound(const AnswerRound&) = delete;
  AnswerRound& operator=(const AnswerRound&) = delete;

  // Into the round this thread has open, or at once where it has none.
  static void post(const core::Executor& executor, std::move_only_function<void()> resume);

 private:
  using Resumes = std::vector<std::move_only_function<void()>>;
  std::vector<std::pair<core::Executor, Resumes>> waiting_;
};

}  // namespace headrace::log
