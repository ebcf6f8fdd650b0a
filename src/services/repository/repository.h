// Repositories are made and deleted by command, and change by git pushes; what becomes of them is said here.
//
//   hears  git pushes, through push()
//   says   repository.created, .deleted
//          push.accepted     rights and policy allow it and its objects are there; the refs have not moved yet (an
//          intent) push.received     what became of it: once for each accepted push, from the hook or from reconcile
//          ref.updated       for every branch or tag that moved, because of a push or (by system) behind our back
//          branch.created, branch.deleted
//
// push.accepted is durable before any ref moves and is the root of its chain: its id is the push's id. All that follows
// from one push is one append, keyed by that id: said twice it is there once. A push that was accepted and whose
// outcome a crash swallowed is settled by reconcile(), as soon as no receive-pack holds the folder's lock any more.
//
// A push moves at most refs_a_push_max refs. One that moves more than fit into an event is told as several pushes of
// nearly equal size, accepted in one append, and each with an outcome of its own.
//
// A repository lives in `folder`/<id>.git. Its event comes first: a folder that is missing is made by reconcile, a
// folder of a deleted repository is removed, a folder nothing is known of is left alone and diagnosed.
//
// Who may do what is decided by the caller, at the one door of rights; what a push may hold is decided here. Loop only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "core/actor.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "git/open_repositories.h"
#include "git/repository.h"
#include "git/serve.h"
#include "services/repository/projection.h"
#include "store/store.h"

namespace headrace::repository {

inline constexpr size_t refs_a_push_max = 10'000;
// Told as one push: what follows from it fits one append of the log (1,000 events), and each of its events in 256 KiB.
inline constexpr size_t refs_an_event_max = 400;
inline constexpr size_t ref_text_an_event_max = 160 * 1024;  // bytes of its updates as JSON
inline constexpr size_t list_max = 100;

struct Policy {
  uint64_t file_bytes_max = uint64_t{100} << 20;  // the largest file a push may bring
  std::chrono::seconds reconcile_every{60};
  std::chrono::seconds upkeep_after{10};  // a push, its repository is packed where that is due; 0: never
  std::chrono::hours keep{24 * 90};       // commits that left their branch stay for so long: past moments show them
};

// What the service is built on; all of it outlives the service.
struct Parts {
  core::Loop& loop;
  core::Clock& clock;
  core::IdSource& ids;
  core::Pool& reads;  // where libgit2 blocks
  log::EventLog& log;
  store::Store& store;
  bus::Bus& bus;
  git::Server& git;
  std::string folder;  // DATA/repositories
};

struct Reconciled {
  size_t settled = 0;            // pushes whose outcome was swallowed
  size_t moved = 0;              // refs that moved with no event
  size_t made = 0, removed = 0;  // folders
  size_t busy = 0;               // repositories that a push had at that moment: next time
};

class Repositories {
 public:
  struct Impl;                               // the room's own
  Repositories(Parts parts, Policy policy);  // adds its projection to the store: before the store starts
  ~Repositories();                           // after close()
  Repositories(const Repositories&) = delete;
  Repositories& operator=(const Repositories&) = delete;

  core::Task<core::Result<>> start();  // once the store runs: reconciles, then again every Policy::reconcile_every
  core::Task<> close();

  // --- Commands.
  // invalid (no such name), conflict (there is one of this name, whatever its case). Its folder is there on return.
  core::Task<core::Result<Repo>> create(core::Actor actor, std::string full_name);
  core::Task<core::Result<>> remove(core::Actor actor, std::string full_name);  // not_found
  core::Task<core::Result<Reconciled>> reconcile();  // one at a time; a second waits for its turn

  // --- git's smart HTTP; see git/serve.h for readers, writers and errors. not_found: no such repository.
  core::Task<core::Result<>> advertise(std::string full_name, git::Service service, std::string protocol,
                                       git::WriteChunk write);
  core::Task<core::Result<>> fetch(std::string full_name, std::string protocol, bool gzip, git::ReadBody read,
                                   git::WriteChunk write);
  core::Task<core::Result<>> push(core::Actor actor, std::string full_name, std::string protocol, bool gzip,
                                  git::ReadBody read, git::WriteChunk write);

  // --- Queries, now or as it was after the event at offset `at`.
  core::Task<core::Result<std::optional<Repo>>> find(std::string full_name, std::optional<log::Offset> at = {});
  core::Task<core::Result<std::vector<Repo>>> list(std::string after, size_t max, std::optional<log::Offset> at = {});
  core::Task<core::Result<std::vector<RefRow>>> refs(int64_t repository, std::optional<log::Offset> at = {});
  core::Task<core::Result<std::optional<PushRow>>> push_of(std::string push, std::optional<log::Offset> at = {});
  core::Task<core::Result<std::vector<PushRow>>> pushes(int64_t repository, log::Offset before, size_t max,
                                                        std::optional<log::Offset> at = {});
  std::string folder_of(int64_t repository) const;

  // Reads its objects on the pool for git reads: `fn` is given a git::Repository& and returns a Result.
  template <class Fn, class R = std::invoke_result_t<Fn, git::Repository&>>
  core::Task<R> read(int64_t repository, Fn fn) {
    return core::blocking(pool(), git::reading(opened(), folder_of(repository), std::move(fn)));
  }

 private:
  core::Pool& pool();
  std::shared_ptr<git::OpenRepositories> opened();
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::repository
