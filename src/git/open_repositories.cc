#include "git/open_repositories.h"

#include <utility>

namespace headrace::git {

std::unique_ptr<Repository> OpenRepositories::take(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  for (auto newest = kept_.rbegin(); newest != kept_.rend(); ++newest) {
    if (newest->path != path) continue;
    auto repository = std::move(newest->repository);
    kept_.erase(std::next(newest).base());
    return repository;
  }
  return nullptr;
}

// What is closed is closed without the lock, for that unmaps files.
void OpenRepositories::give(const std::string& path, std::unique_ptr<Repository> repository) {
  Kept oldest;
  const std::scoped_lock lock(mutex_);
  if (kept_.size() == kept_max) {
    oldest = std::move(kept_.front());
    kept_.erase(kept_.begin());
  }
  kept_.push_back({path, std::move(repository)});
}

void OpenRepositories::close_unread() {
  std::vector<Kept> unread;
  const std::scoped_lock lock(mutex_);
  for (auto& kept : kept_) {
    if (!std::exchange(kept.read_lately, false)) unread.push_back(std::move(kept));
  }
  std::erase_if(kept_, [](const Kept& kept) { return !kept.repository; });
}

}  // namespace headrace::git
