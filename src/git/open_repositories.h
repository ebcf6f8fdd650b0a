// Repositories that were read a moment ago, still open: to open one is to read the index of each of its packs, and
// every small push brings a pack. What comes later libgit2 finds by itself, for what it misses makes it look again.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "git/repository.h"

namespace headrace::git {

// For any thread; a repository is with one reader at a time.
class OpenRepositories {
 public:
  static constexpr size_t kept_max = 16;  // the oldest goes first

  // Gives `fn` the repository at `path`; it returns a Result of values, nothing that leads into the repository. Where
  // one that was open already gives an error, `fn` is called again, with one newly opened: packs may have been put
  // together and removed meanwhile. Errors: of `fn`, and of Repository::open().
  template <class Fn, class R = std::invoke_result_t<const Fn&, Repository&>>
  R read(const std::string& path, const Fn& fn) {
    if (auto kept = take(path)) {
      R result = fn(*kept);
      if (result) {
        give(path, std::move(kept));
        return result;
      }
    }
    auto opened = Repository::open(path);
    if (!opened) return std::unexpected(opened.error());
    R result = fn(**opened);
    if (result) give(path, std::move(*opened));
    return result;
  }

  void close_unread();  // closes what was not read since it was called last

 private:
  struct Kept {
    std::string path;
    std::unique_ptr<Repository> repository;
    bool read_lately = true;
  };
  std::unique_ptr<Repository> take(const std::string& path);
  void give(const std::string& path, std::unique_ptr<Repository> repository);

  std::mutex mutex_;
  std::vector<Kept> kept_;  // the one given back last stands last
};

// What a pool is given to run; it keeps what was opened for as long as it may run.
template <class Fn>
auto reading(std::shared_ptr<OpenRepositories> opened, std::string path, Fn fn) {
  return [opened = std::move(opened), path = std::move(path), fn = std::move(fn)] { return opened->read(path, fn); };
}

}  // namespace headrace::git
