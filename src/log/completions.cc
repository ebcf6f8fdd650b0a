#include "log/completions.h"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace headrace::log {

namespace {
thread_local AnswerRound* open_round = nullptr;
}

AnswerRound::AnswerRound() { open_round = this; }

AnswerRound::~AnswerRound() {
  open_round = nullptr;
  for (auto& [executor, resumes] : waiting_)
    boost::asio::post(executor, [held = std::move(resumes)]() mutable {
      for (auto& resume : held) resume();
    });
}

void AnswerRound::post(const core::Executor& executor, std::move_only_function<void()> resume) {
  if (open_round == nullptr) {
    boost::asio::post(executor, std::move(resume));
    return;
  }
  auto& waiting = open_round->waiting_;
  auto found = std::ranges::find(waiting, executor, &std::pair<core::Executor, Resumes>::first);
  Resumes& resumes = found != waiting.end() ? found->second : waiting.emplace_back(executor, Resumes{}).second;
  resumes.push_back(std::move(resume));
}

}  // namespace headrace::log
