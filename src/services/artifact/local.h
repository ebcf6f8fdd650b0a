// LocalArtifacts is artifacts and caches where there is no server: what `headrace exec` gives its jobs. The same face
// on a Unix socket of its own, the same bytes on disk; what is kept is listed in a file instead of on the event log.
//
//   FOLDER/blobs, FOLDER/uploads    blob_store.h
//   FOLDER/shelf.json               what is kept
//   FOLDER/socket                   while it runs
//
//   LocalArtifacts local(loop, clock, disk, ids, random, folder);
//   co_await local.start();
//   auto lease = local.lease();
//   grant.runtime_token = local.token({.lease = lease, .repository = "team/hello", .run = ..., ...});
//   ... let the runner's door (runner/door.h) lead to local.socket() ...
//   local.end(lease); co_await local.stop();
//
// One program at a time on a folder. Loop only.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/random.h"
#include "core/task.h"
#include "services/artifact/shelf.h"

namespace headrace::artifact {

class LocalArtifacts {
 public:
  // All outlive it.
  LocalArtifacts(core::Loop& loop, core::Clock& clock, core::Disk& disk, core::IdSource& ids, core::Random& random,
                 std::string folder, Bounds bounds = Bounds());
  ~LocalArtifacts();  // after stop()
  LocalArtifacts(const LocalArtifacts&) = delete;
  LocalArtifacts& operator=(const LocalArtifacts&) = delete;

  core::Task<core::Result<>> start();
  core::Task<> stop();

  std::string socket() const;               // path of the Unix socket
  uint64_t lease();                         // one that nobody has; it lives until end()
  std::string token(const Holder& holder);  // a runtime token
  void end(uint64_t lease);
  const std::vector<Artifact>& artifacts() const;  // oldest first
  const std::vector<Cache>& caches() const;
  std::string blob(const Artifact& artifact) const;  // path of its bytes

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::artifact
