// The inside of Repositories: its state, and what it does with it (commands.cc, push_desk.cc, reconcile.cc).
#pragma once

#include <set>

#include "services/repository/folders.h"
#include "services/repository/repository.h"
#include "services/repository/settle.h"
#include "services/repository/words.h"
#include "store/commands.h"

namespace headrace::repository {

struct Repositories::Impl {
  Impl(Parts on, Policy by);

  std::string folder_of(int64_t repository) const { return parts.folder + "/" + std::to_string(repository) + ".git"; }
  core::Result<Repo> known(std::string_view full_name) const;  // not_found, as the log has it

  // commands.cc
  core::Task<core::Result<Repo>> create(core::Actor actor, std::string full_name);
  core::Task<core::Result<>> remove(core::Actor actor, std::string full_name);
  core::Task<core::Result<std::unique_ptr<git::FolderLock>>> lock_alone(int64_t repository,
                                                                        std::chrono::milliseconds patience);

  // reconcile.cc
  core::Task<> tick();          // for ever
  core::Task<> close_unread();  // for ever
  core::Task<> keep_up();       // for ever: packs repositories that were pushed to, one after the other
  core::Task<core::Result<Reconciled>> reconcile();
  core::Task<core::Result<Reconciled>> reconcile_all();
  core::Task<core::Result<>> reconcile_one(Repo repository, Reconciled& total);
  core::Task<core::Result<>> say_settled(Repo repository, Settlement settlement, Reconciled& total);
  core::Task<core::Result<>> remove_folders(Reconciled& total);
  core::Task<core::Result<>> name_strangers();

  // The words of a push that has an outcome; once, however often it is said.
  core::Task<core::Result<bus::Published>> say_outcome(Outcome outcome);

  Parts parts;
  Policy policy;
  std::shared_ptr<git::OpenRepositories> opened;
  Folders folders;
  store::CommandStrand strand;
  core::Scope tasks;
  core::Signal reconciled;
  std::set<int64_t> pushed_to;  // to be looked at by keep_up
  bool reconciling = false;
  // The first tick looks through every folder for what killed processes left; at start only those with open pushes are
  // looked through, for that is waited for.
  bool tidying = false;
  bool tidied = false;
};

}  // namespace headrace::repository
