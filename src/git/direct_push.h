// DirectPush carries out an ordinary push, one whose pack is small, with one process of git in place of five: git
// checks and indexes the pack in quarantine, what its tips need is looked for here, and the refs are moved here.
// Everything else (large, of many refs, from a shallow clone, into a repository with a peculiarity) is left to
// receive-pack; what a client sees is the same. docs/git.md, "A push, step by step".
//
// Order, as with receive-pack: quarantine, check, Gatekeeper::accept, objects durable, refs by compare-and-swap and
// durable, Gatekeeper::received, report. The caller's lock is held throughout, by git's process too. A kill leaves a
// push that reconcile settles by what the refs say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"
#include "git/folder.h"
#include "git/pkt_line.h"
#include "git/serve.h"

namespace headrace::git {

inline constexpr size_t direct_pack_bytes_max = size_t{1}
                                                << 20;  // as git's http.postBuffer: then it comes in one piece

// Whether the head allows it, whatever comes after; `most` refs.
bool may_be_direct(const PushHead& head, size_t most);

class DirectPush {
 public:
  // All of it outlives the push.
  DirectPush(core::Executor executor, core::Pool& pool, const ServeOptions& options, const Request& request,
             const PushHead& head, const FolderLock& lock, Gatekeeper& gatekeeper, WriteChunk write);

  // Until the report is written, or the client has gone (unavailable) and the push is carried out all the same.
  core::Task<core::Result<>> run(std::string pack);

 private:
  core::Task<core::Result<>> unpack(std::string pack);
  core::Task<core::Result<>> index(std::string pack);
  core::Task<> check_tips();
  core::Task<bool> git_finds_connected(std::string tips);
  core::Task<> carry_out();
  core::Task<> keep_default_branch();
  core::Task<> move();
  core::Task<> say(std::string line);
  core::Task<> write(std::string bytes);
  std::vector<std::string> git_environment_of_push() const;
  void trouble_all(const std::string& why);
  std::vector<RefChange> untroubled() const;

  core::Executor executor_;
  core::Pool& pool_;
  const ServeOptions& options_;
  const Request& request_;
  const PushHead& head_;
  const FolderLock& lock_;
  Gatekeeper& gatekeeper_;
  WriteChunk write_;
  std::unique_ptr<Quarantine> quarantine_;  // null: no objects came
  std::vector<std::string> troubles_;       // one for each change; empty: none
  bool gone_ = false;                       // the client takes nothing more
};

}  // namespace headrace::git
