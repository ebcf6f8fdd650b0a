// Making and deleting repositories.
#include <fmt/format.h>

#include "git/names.h"
#include "services/repository/service.h"

namespace headrace::repository {

using core::Code;
using core::Result;
using core::Task;
using namespace std::chrono_literals;

namespace {

constexpr auto default_branch = "main";
constexpr auto remove_patience = 5s;  // for pushes that are under way
constexpr auto lock_retry = 20ms;
constexpr auto ids_key = "ids";  // one counter for all that has a 64-bit id

// Greater than every id given out before, whoever gave it: a batch that names the key ends at least as far as its ids.
Result<log::Batch> creation(const log::Offset last, const bus::Bus& bus, const core::Actor& actor,
                            const git::FullName& name) {
  const auto full_name = name.owner + "/" + name.name;
  events::RepositoryCreated created{.full_name = full_name,
                                    .id = static_cast<int64_t>(last) + 1,
                                    .owner = name.owner,
                                    .name = name.name,
                                    .default_branch = default_branch,
                                    .url = {}};
  log::Batch batch;
  batch.events.push_back(events::encode(created, bus.header(bus::Origin::root(service_name, actor))));
  batch.expected.push_back({ids_key, last});
  return batch;
}

std::unexpected<core::Error> no_repository(std::string_view full_name) {
  return core::fail(Code::not_found,
                    fmt::format("There is no repository '{}'.", full_name.substr(0, git::name_bytes_max * 2 + 1)));
}

}  // namespace

Result<Repo> Repositories::Impl::known(std::string_view full_name) const {
  auto found = parts.store.read_here(
      projection_name, {}, [full_name](sqlite::Connection& tables) { return find_repository(tables, full_name); });
  if (!found) return std::unexpected(found.error());
  if (!*found) return no_repository(full_name);
  return **found;
}

Task<Result<Repo>> Repositories::Impl::create(core::Actor actor, std::string full_name) {
  auto name = git::parse_full_name(full_name);
  if (!name) co_return std::unexpected(name.error());
  store::CommandStrand::Check check = [this, actor, name = *name,
                                       full_name](sqlite::Connection& tables) -> Result<log::Batch> {
    auto taken = find_repository(tables, full_name);
    if (!taken) return std::unexpected(taken.error());
    if (*taken)
      return core::fail(Code::conflict,
                        fmt::format("There is a repository '{}' already. Choose another name.", (*taken)->full_name));
    auto last = parts.log.last_of(ids_key);
    if (!last) return std::unexpected(last.error());
    return creation(*last, parts.bus, actor, name);
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  auto repository = known(full_name);
  if (!repository) co_return repository;
  const auto path = folder_of(repository->id);
  auto made = co_await folders.make(path, repository->default_branch);
  if (!made && made.error().code != Code::conflict) co_return std::unexpected(made.error());
  co_return repository;
}

Task<Result<std::unique_ptr<git::FolderLock>>> Repositories::Impl::lock_alone(int64_t repository,
                                                                              std::chrono::milliseconds patience) {
  const auto path = folder_of(repository);
  const auto give_up = parts.clock.steady() + patience;
  for (;;) {
    auto lock = co_await folders.try_lock_alone(path);
    if (!lock || *lock || parts.clock.steady() >= give_up) co_return lock;
    co_await parts.clock.sleep_for(lock_retry);
  }
}

// No push may be under way: what it would say later bears the name, and the name may belong to another by then.
Task<Result<>> Repositories::Impl::remove(core::Actor actor, std::string full_name) {
  auto repository = known(full_name);
  if (!repository) co_return std::unexpected(repository.error());
  auto lock = co_await lock_alone(repository->id, remove_patience);
  if (!lock && lock.error().code != Code::not_found) co_return std::unexpected(lock.error());
  if (lock && !*lock)
    co_return core::fail(
        Code::conflict,
        fmt::format("A push to '{}' is under way, or it is being packed. Try again in a moment.", full_name));
  store::CommandStrand::Check check = [this, actor, id = repository->id,
                                       full_name](sqlite::Connection& tables) -> Result<log::Batch> {
    auto still = find_repository(tables, id);
    if (!still) return std::unexpected(still.error());
    if (!*still) return no_repository(full_name);
    const events::RepositoryDeleted deleted{
        .full_name = (*still)->full_name, .id = id, .owner = (*still)->owner, .name = (*still)->name};
    log::Batch batch;
    batch.events.push_back(events::encode(deleted, parts.bus.header(bus::Origin::root(service_name, actor))));
    return batch;
  };
  auto said = co_await strand.run(std::move(check));
  if (!said) co_return std::unexpected(said.error());
  co_return co_await folders.remove(folder_of(repository->id));
}

}  // namespace headrace::repository
