// What is heard: a job of an environment that is new, a repository that is gone.
#include "core/diagnostics.h"
#include "events/cloudevents.h"
#include "events/pipeline.h"
#include "events/repository.h"
#include "services/secrets/impl.h"

namespace headrace::secrets {

using core::Result;
using core::Task;

Result<> Secrets::Impl::subscribe() {
  parts.bus.says(std::string(service_name),
                 {std::string(events::SecretSet::type), std::string(events::SecretRemoved::type),
                  std::string(events::VariableSet::type), std::string(events::VariableRemoved::type),
                  std::string(events::EnvironmentCreated::type), std::string(events::EnvironmentDeleted::type)});
  bus::Subscription jobs;
  jobs.name = "secrets.environments";
  jobs.service = std::string(service_name);
  jobs.types = {std::string(events::JobQueued::type)};
  jobs.gate = parts.store.gate(std::string(projection_name));
  jobs.sync = true;
  auto heard =
      parts.bus.subscribe(std::move(jobs), [this](bus::Delivery delivery) { return heard_job(std::move(delivery)); });
  if (!heard) return heard;
  bus::Subscription deletions;
  deletions.name = "secrets.deletions";
  deletions.service = std::string(service_name);
  deletions.types = {std::string(events::RepositoryDeleted::type)};
  deletions.gate = parts.store.gate(std::string(projection_name));
  deletions.sync = true;
  return parts.bus.subscribe(std::move(deletions),
                             [this](bus::Delivery delivery) { return heard_deletion(std::move(delivery)); });
}

// Heard twice it finds the environment there.
Task<Result<>> Secrets::Impl::heard_job(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  auto job = events::decode<events::JobQueued>(delivery.event());
  if (!job) co_return std::unexpected(job.error());
  // One with a name that is none has no secrets and no variables either; the job itself runs.
  if (job->environment.empty() || !check_environment_name(job->environment)) co_return Result<>{};
  Place place{job->repository, job->environment};
  auto look = [&place](sqlite::Connection& tables) { return find_environment(tables, place.scope, place.environment); };
  auto found = parts.store.read_here(projection_name, std::nullopt, look);
  if (!found) co_return std::unexpected(found.error());
  if (*found) co_return Result<>{};
  Decide decide = [this, cause = delivery.event(), place](sqlite::Connection& tables) -> Result<log::Batch> {
    log::Batch batch;
    auto where = known(tables, place);
    if (!where && where.error().code == core::Code::not_found) return batch;  // deleted since
    if (!where) return std::unexpected(where.error());
    auto service = core::Actor::service(std::string(service_name));
    if (auto made = ensure_environment(tables, batch, service, *where); !made) return std::unexpected(made.error());
    if (batch.events.empty()) return batch;
    auto said = events::decode<events::EnvironmentCreated>(batch.events.front());
    auto origin = bus::Origin::because_of(cause, std::string(service_name), service);
    batch.events.front() = events::encode(*said, parts.bus.header(origin));
    return batch;
  };
  auto made = co_await command(std::move(decide));
  if (made || made.error().code != core::Code::invalid) co_return made;
  core::diagnose(core::Level::warning, "secrets", made.error().message);  // too many: nothing that a retry would mend
  co_return Result<>{};
}

Task<Result<>> Secrets::Impl::heard_deletion(bus::Delivery delivery) {
  if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
  co_return co_await drop_strays();
}

}  // namespace headrace::secrets
