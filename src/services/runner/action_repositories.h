// Repositories that checkouts and actions come from: bare mirrors in the runner's folder, one for each address, fetched
// by git and named by commits. What a job needs is sent into its surroundings by a pipe; of a large mirror of its own
// repository it sees the objects, read-only. So a job cannot change what another gets, nor read what it has no right
// to.
//
//   FOLDER/<sha256 of the address>.git
//
// Loop thread; git runs in processes of its own. The mirror's last use decides what goes when there are too many.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "process/run.h"
#include "services/runner/executor.h"

namespace headrace::runner {

inline constexpr size_t mirrors_max = 256;                       // beyond it the one not used for longest is removed
inline constexpr size_t refs_bytes_max = size_t{16} << 20;       // of all branches and tags of a mirror, told to a job
inline constexpr std::chrono::minutes repository_fetch_max{15};  // one fetch; then the step fails with that reason
inline constexpr std::chrono::minutes repository_pipe_max{30};   // out of a mirror into a job

// Where a repository may be had: an http or https address, or a folder of this machine.
struct RepositoryPlace {
  std::string url;
  std::string token;  // sent as a password; never printed, never an argument. "": none
  bool open = false;  // anybody may read it: a commit that is here already is not asked for again
  bool here = false;  // `url` is a bare repository of this machine, used as it is: nothing is fetched, it is the mirror
};

// Keeps a mirror from being removed as long as it lives.
using MirrorHold = std::shared_ptr<const std::string>;

struct FetchedCommit {
  std::string mirror;  // folder on this machine
  std::string commit;  // full hash
};

class Repositories {
 public:
  Repositories(core::Executor loop, std::string folder);

  // `ref`: a branch, a tag, refs/..., a full commit hash; "": the default branch. not_found: no such repository or ref
  // there; unavailable: it cannot be reached. `whole` fetches history, branches and tags, else the commit alone.
  core::Task<core::Result<FetchedCommit>> fetch(RepositoryPlace place, std::string ref, bool whole);
  // The same where the commit is here already: without asking.
  core::Task<bool> has(RepositoryPlace place, std::string commit, bool whole);
  core::Task<bool> is_branch(FetchedCommit found, std::string name);
  std::string mirror_of(const RepositoryPlace& place, bool whole) const;
  // Of the whole mirror, where there is one and its packs have at least `bytes_min`: below that, copying is as quick.
  MirrorHold hold_large(const RepositoryPlace& place, uint64_t bytes_min);
  // Its branches, as origin's, and its tags, for `git update-ref --stdin`. exhausted: more than refs_bytes_max.
  core::Task<core::Result<std::string>> refs(FetchedCommit found);

  core::Executor loop() const { return loop_; }

 private:
  class Turn;
  core::Task<core::Result<process::Ran>> git(std::vector<std::string> words, const RepositoryPlace& place);
  core::Task<core::Result<>> make(std::string mirror);
  core::Task<core::Result<FetchedCommit>> look_up(std::string mirror, std::string name, std::string shown);
  void evict(const std::string& kept);

  core::Executor loop_;
  std::string folder_;
  core::Signal freed_;
  std::map<std::string, int> busy_;  // mirrors that are fetched into
  std::map<std::string, std::weak_ptr<const std::string>> held_;
};

// Runs `inside` in the surroundings and `outside` on this machine, the output of each the input of the other, until
// both have ended. `outside` empty: it has no input. Answers with the exit of the one inside and what it printed (only
// where there is no `outside`), at most bytes_max.
struct InsideRan {
  process::Exit exit;
  std::string out;
};
core::Task<core::Result<InsideRan>> run_between(Repositories& repositories, Surroundings& around, Command inside,
                                                std::vector<std::string> outside, bool answers);
std::vector<std::string> git_environment(const RepositoryPlace* place);  // of git on this machine

}  // namespace headrace::runner
