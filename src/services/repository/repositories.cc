#include <algorithm>

#include "core/diagnostics.h"
#include "core/disk.h"
#include "services/repository/push_desk.h"
#include "services/repository/repository.h"
#include "services/repository/service.h"

namespace headrace::repository {

using core::Result;
using core::Task;

Repositories::Impl::Impl(Parts on, Policy by)
    : parts(std::move(on)),
      policy(by),
      opened(std::make_shared<git::OpenRepositories>()),
      folders(parts.reads, opened),
      strand(parts.loop.executor(), parts.store, parts.log, std::string(projection_name)),
      tasks(parts.loop.executor()),
      reconciled(parts.loop.executor()) {
  parts.store.add(std::make_unique<Projection>());
  parts.bus.says(service_name, {std::string(events::RepositoryCreated::type),
                                std::string(events::RepositoryDeleted::type), std::string(events::PushAccepted::type),
                                std::string(events::PushReceived::type), std::string(events::RefUpdated::type),
                                std::string(events::BranchCreated::type), std::string(events::BranchDeleted::type)});
}

Repositories::Repositories(Parts parts, Policy policy) : impl_(std::make_unique<Impl>(std::move(parts), policy)) {}
Repositories::~Repositories() = default;

Task<Result<>> Repositories::start() {
  core::SystemDisk disk;
  if (auto made = disk.make_directories(impl_->parts.folder); !made) co_return made;
  auto caught_up = co_await impl_->parts.store.caught_up(std::string(projection_name), impl_->parts.log.durable(),
                                                         std::chrono::minutes(5));
  if (!caught_up) co_return caught_up;
  if (auto named = co_await impl_->name_strangers(); !named) co_return named;
  auto first = co_await impl_->reconcile();
  if (!first) co_return std::unexpected(first.error());
  impl_->tasks.spawn("reconcile", impl_->tick());
  impl_->tasks.spawn("close what is not read", impl_->close_unread());
  if (impl_->policy.upkeep_after.count() > 0) impl_->tasks.spawn("upkeep", impl_->keep_up());
  co_return Result<>{};
}

Task<> Repositories::close() { co_await impl_->tasks.close(); }

Task<Result<Repo>> Repositories::create(core::Actor actor, std::string full_name) {
  return impl_->create(std::move(actor), std::move(full_name));
}
Task<Result<>> Repositories::remove(core::Actor actor, std::string full_name) {
  return impl_->remove(std::move(actor), std::move(full_name));
}
Task<Result<Reconciled>> Repositories::reconcile() { return impl_->reconcile(); }

Task<Result<>> Repositories::advertise(std::string full_name, git::Service service, std::string protocol,
                                       git::WriteChunk write) {
  auto repository = impl_->known(full_name);
  if (!repository) co_return std::unexpected(repository.error());
  git::Request request{folder_of(repository->id), std::move(protocol), false};
  co_return co_await impl_->parts.git.advertise(service, std::move(request), std::move(write));
}

Task<Result<>> Repositories::fetch(std::string full_name, std::string protocol, bool gzip, git::ReadBody read,
                                   git::WriteChunk write) {
  auto repository = impl_->known(full_name);
  if (!repository) co_return std::unexpected(repository.error());
  git::Request request{folder_of(repository->id), std::move(protocol), gzip};
  co_return co_await impl_->parts.git.upload_pack(std::move(request), std::move(read), std::move(write));
}

Task<Result<>> Repositories::push(core::Actor actor, std::string full_name, std::string protocol, bool gzip,
                                  git::ReadBody read, git::WriteChunk write) {
  auto repository = impl_->known(full_name);
  if (!repository) co_return std::unexpected(repository.error());
  PushDesk desk(*impl_, *repository, std::move(actor));
  git::Request request{folder_of(repository->id), std::move(protocol), gzip};
  auto done = co_await impl_->parts.git.receive_pack(std::move(request), desk, std::move(read), std::move(write));
  impl_->pushed_to.insert(repository->id);
  if (desk.open()) {  // no ref moved, or git died: what there is to see says which
    Reconciled found;
    auto settled = co_await impl_->reconcile_one(*repository, found);
    if (!settled)
      core::diagnose(core::Level::warning, "repository",
                     "settling a push: " + settled.error().message + " " + settled.error().detail);
  }
  co_return done;
}

Task<Result<std::optional<Repo>>> Repositories::find(std::string full_name, std::optional<log::Offset> at) {
  return impl_->parts.store.read(std::string(projection_name), at, [full_name](sqlite::Connection& tables) {
    return find_repository(tables, full_name);
  });
}

Task<Result<std::vector<Repo>>> Repositories::list(std::string after, size_t max, std::optional<log::Offset> at) {
  return impl_->parts.store.read(std::string(projection_name), at,
                                 [after, max = std::clamp<size_t>(max, 1, list_max)](sqlite::Connection& tables) {
                                   return list_repositories(tables, after, max);
                                 });
}

Task<Result<std::vector<RefRow>>> Repositories::refs(int64_t repository, std::optional<log::Offset> at) {
  return impl_->parts.store.read(std::string(projection_name), at,
                                 [repository](sqlite::Connection& tables) { return refs_of(tables, repository); });
}

Task<Result<std::optional<PushRow>>> Repositories::push_of(std::string push, std::optional<log::Offset> at) {
  return impl_->parts.store.read(std::string(projection_name), at,
                                 [push](sqlite::Connection& tables) { return find_push(tables, push); });
}

Task<Result<std::vector<PushRow>>> Repositories::pushes(int64_t repository, log::Offset before, size_t max,
                                                        std::optional<log::Offset> at) {
  return impl_->parts.store.read(
      std::string(projection_name), at,
      [repository, before, max = std::clamp<size_t>(max, 1, list_max)](sqlite::Connection& tables) {
        return pushes_of(tables, repository, before, max);
      });
}

std::string Repositories::folder_of(int64_t repository) const { return impl_->folder_of(repository); }
core::Pool& Repositories::pool() { return impl_->parts.reads; }
std::shared_ptr<git::OpenRepositories> Repositories::opened() { return impl_->opened; }

}  // namespace headrace::repository
