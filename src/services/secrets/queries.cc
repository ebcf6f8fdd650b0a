// What there is, and what runs and jobs are given of it.
#include <algorithm>
#include <span>

#include "services/secrets/impl.h"

namespace headrace::secrets {

using core::Code;
using core::fail;
using core::Result;
using core::Task;

namespace {

const std::string projection{projection_name};

// Of an owner, what the repository has; all of it where the place is no owner.
template <class T>
Result<std::vector<T>> visible(sqlite::Connection& tables, std::string_view repository, Result<std::vector<T>> rows) {
  auto known = find_repository(tables, repository);
  if (!known) return std::unexpected(known.error());
  if (!rows) return rows;
  int64_t id = *known ? (*known)->id : 0;
  std::erase_if(*rows, [id](const T& row) { return row.place.is_owner() && !row.audience.includes(id); });
  return rows;
}

// A place's parent exists: an environment's, a repository.
Result<> present(sqlite::Connection& tables, const Place& place) {
  if (place.is_owner()) return {};
  auto known = find_repository(tables, place.scope);
  if (!known) return std::unexpected(known.error());
  if (!*known) return fail(Code::not_found, "There is no repository " + place.scope + ".");
  if (place.environment.empty()) return {};
  auto environment = find_environment(tables, place.scope, place.environment);
  if (!environment) return std::unexpected(environment.error());
  if (*environment) return {};
  return fail(Code::not_found, place.scope + " has no environment " + place.environment + ".");
}

template <class T>
Result<T> found_or(Result<std::optional<T>> found, Kind kind, const Place& place, const std::string& name) {
  if (!found) return std::unexpected(found.error());
  if (*found) return std::move(**found);
  return fail(Code::not_found, "There is no " + std::string(name_of(kind)) + " " +
                                   upper(name).substr(0, name_bytes_max) + " at " + to_text(place) + ".");
}

std::string owner_of(const std::string& repository) { return repository.substr(0, repository.find('/')); }

// A job's secrets by name: the id of each value.
struct JobIds {
  std::map<std::string, std::string> of_repository, of_environment;
};

Result<> take_ids(sqlite::Connection& tables, const std::string& repository, const Place& place,
                  const JobWish::Names& names, std::map<std::string, std::string>& into) {
  if (names && names->empty()) return {};
  auto rows = visible(tables, repository, secrets_at(tables, place));
  if (!rows) return std::unexpected(rows.error());
  for (auto& secret : *rows)
    if (!names || names->contains(secret.name)) into[secret.name] = std::move(secret.id);
  return {};
}

// The farthest place first, so that a nearer one replaces what it has given.
Result<JobIds> ids_for(sqlite::Connection& tables, const JobWish& wish) {
  JobIds ids;
  const auto& name = wish.repository;
  for (const Place& place : {Place{owner_of(name)}, Place{name}})
    if (auto took = take_ids(tables, name, place, wish.of_repository, ids.of_repository); !took)
      return std::unexpected(took.error());
  if (wish.environment.empty()) return ids;
  auto took = take_ids(tables, name, {name, wish.environment}, wish.of_environment, ids.of_environment);
  if (!took) return std::unexpected(took.error());
  return ids;
}

Result<RunVariables> variables_of_run(sqlite::Connection& tables, const std::string& repository) {
  RunVariables variables;
  for (const Place& place : {Place{owner_of(repository)}, Place{repository}}) {
    auto rows = visible(tables, repository, variables_at(tables, place));
    if (!rows) return std::unexpected(rows.error());
    for (auto& one : *rows) variables.of_run[one.name] = std::move(one.value);
  }
  auto rows = environment_variables(tables, repository);
  if (!rows) return std::unexpected(rows.error());
  for (auto& one : *rows) variables.of_environment[folded(one.place.environment)][one.name] = std::move(one.value);
  return variables;
}

}  // namespace

Task<Result<std::vector<Secret>>> Secrets::secrets(Place place, At at) {
  auto look = [place = std::move(place)](sqlite::Connection& tables) -> Result<std::vector<Secret>> {
    if (auto there = present(tables, place); !there) return std::unexpected(there.error());
    return secrets_at(tables, place);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<Secret>> Secrets::secret(Place place, std::string name, At at) {
  auto look = [place = std::move(place), name = std::move(name)](sqlite::Connection& tables) {
    return found_or(find_secret(tables, place, name), Kind::secret, place, name);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Variable>>> Secrets::variables(Place place, At at) {
  auto look = [place = std::move(place)](sqlite::Connection& tables) -> Result<std::vector<Variable>> {
    if (auto there = present(tables, place); !there) return std::unexpected(there.error());
    return variables_at(tables, place);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<Variable>> Secrets::variable(Place place, std::string name, At at) {
  auto look = [place = std::move(place), name = std::move(name)](sqlite::Connection& tables) {
    return found_or(find_variable(tables, place, name), Kind::variable, place, name);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Environment>>> Secrets::environments(std::string repository, At at) {
  auto look = [repository = std::move(repository)](sqlite::Connection& tables) -> Result<std::vector<Environment>> {
    if (auto there = present(tables, {repository}); !there) return std::unexpected(there.error());
    return environments_of(tables, repository);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<Environment>> Secrets::environment(std::string repository, std::string name, At at) {
  auto look = [repository = std::move(repository), name = std::move(name)](sqlite::Connection& tables) {
    return Impl::known_environment(tables, repository, name);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Repository>>> Secrets::repositories_of(std::string owner, At at) {
  auto look = [owner = std::move(owner)](sqlite::Connection& tables) {
    return secrets::repositories_of(tables, owner);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Secret>>> Secrets::owner_secrets(std::string repository, At at) {
  auto look = [repository = std::move(repository)](sqlite::Connection& tables) -> Result<std::vector<Secret>> {
    if (auto there = present(tables, {repository}); !there) return std::unexpected(there.error());
    return visible(tables, repository, secrets_at(tables, {owner_of(repository)}));
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Variable>>> Secrets::owner_variables(std::string repository, At at) {
  auto look = [repository = std::move(repository)](sqlite::Connection& tables) -> Result<std::vector<Variable>> {
    if (auto there = present(tables, {repository}); !there) return std::unexpected(there.error());
    return visible(tables, repository, variables_at(tables, {owner_of(repository)}));
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

// --- For runs and jobs

log::Offset Secrets::newest() const { return impl_->parts.store.applied(projection_name); }

Task<Result<RunVariables>> Secrets::run_variables(std::string repository, log::Offset at) {
  auto look = [repository = std::move(repository)](sqlite::Connection& tables) {
    return variables_of_run(tables, repository);
  };
  co_return co_await impl_->parts.store.read(projection, std::optional(at), std::move(look));
}

namespace {

// The values of these names, taken from the front of `found`.
Result<JobValues::Values> named(const std::map<std::string, std::string>& ids,
                                std::span<std::optional<std::string>>& found, size_t& bytes) {
  JobValues::Values values;
  for (const auto& [name, id] : ids) {
    auto& value = found.front();
    found = found.subspan(1);
    if (!value) return fail(Code::corrupt, "The value of the secret " + name + " is not in the vault; set it again.");
    bytes += name.size() + value->size();
    values.emplace_back(name, std::move(*value));
  }
  return values;
}

}  // namespace

Task<Result<JobValues>> Secrets::for_job(JobWish wish) {
  auto look = [&wish](sqlite::Connection& tables) { return ids_for(tables, wish); };
  auto ids = impl_->parts.store.read_here(projection_name, std::nullopt, look);
  if (!ids) co_return std::unexpected(ids.error());
  std::vector<std::string> wanted;
  for (const auto* list : {&ids->of_repository, &ids->of_environment})
    for (const auto& [name, id] : *list) wanted.push_back(id);
  if (wanted.empty()) co_return JobValues();  // as most jobs: nothing to wait for
  auto found = co_await impl_->look_up(std::move(wanted));
  if (!found) co_return std::unexpected(found.error());
  std::span<std::optional<std::string>> rest(*found);
  size_t bytes = 0;
  auto of_repository = named(ids->of_repository, rest, bytes);
  if (!of_repository) co_return std::unexpected(of_repository.error());
  auto of_environment = named(ids->of_environment, rest, bytes);
  if (!of_environment) co_return std::unexpected(of_environment.error());
  if (bytes > secrets_of_a_job_bytes_max)
    co_return fail(Code::exhausted,
                   "The secrets that the job may have take more than 1 MiB; let it name those it needs "
                   "instead of all.");
  co_return JobValues{std::move(*of_repository), std::move(*of_environment)};
}

}  // namespace headrace::secrets
