// Secrets keeps what workflows are given besides their files: secrets, variables and environments.
//
//   hears  commands
//          job.queued                  the first job of an environment makes it
//          repository.created          kept, for numbers of repositories
//          repository.deleted          what was its own goes with it, values too
//   says   secret.set, .removed        never the value, nor anything of it
//          variable.set, .removed
//          environment.created, .deleted
//
// Each has a place: an owner, a repository, or an environment of one. Where several have one name, the nearest wins:
// environment before repository before owner. Names are kept in upper case and compare without case (places.h).
//
// The value of a secret lies in the Safe alone, under an id of its own: it is put there first, then secret.set names
// the id; a value that is replaced or removed goes after the event. So a crash leaves at most a value that nothing
// names, and the next start removes it. Nobody reads a value back: it leaves only by for_job().
//
// Rights are checked at the server's door, not here. Commands run on one strand; what they say is durable, and shown by
// the queries, when they return. Loop only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bus/bus.h"
#include "core/actor.h"
#include "core/id.h"
#include "core/random.h"
#include "core/result.h"
#include "core/task.h"
#include "services/secrets/places.h"
#include "services/secrets/projection.h"
#include "services/secrets/safe.h"
#include "services/secrets/sealed_box.h"
#include "store/store.h"

namespace headrace::secrets {

inline constexpr size_t secrets_of_a_job_bytes_max = 1024 * 1024;  // beyond it the job is refused

// What the service is built on; all of it outlives the service.
struct Parts {
  core::Loop& loop;
  core::Random& random;  // fit for secrets
  core::IdSource& ids;
  store::Store& store;
  bus::Bus& bus;
  Safe& safe;
  core::Pool* pool = nullptr;  // where the safe blocks; null: on the loop
};

enum class Existing { any, absent, present };  // what a command wants to find

// The variables of a repository at one moment.
struct RunVariables {
  std::map<std::string, std::string> of_run;                                 // of the owner and the repository
  std::map<std::string, std::map<std::string, std::string>> of_environment;  // its own, by folded name
};

// What a job asks for, by name in upper case; nothing: all there are.
struct JobWish {
  using Names = std::optional<std::set<std::string>>;
  std::string repository;
  Names of_repository = {};      // and of its owner
  std::string environment = {};  // empty: none
  Names of_environment = {};
};
struct JobValues {
  using Values = std::vector<std::pair<std::string, std::string>>;  // by name
  Values of_repository;                                             // where the owner has one too, the repository's
  Values of_environment;
};

class Secrets {
 public:
  // Adds its projection to the store: before Store::start. Errors: those of the safe.
  static core::Result<std::unique_ptr<Secrets>> open(Parts parts);
  ~Secrets();
  Secrets(const Secrets&) = delete;
  Secrets& operator=(const Secrets&) = delete;

  core::Task<core::Result<>> start();  // once the store runs: removes values that nothing names; subscribes

  // --- Commands. Errors: invalid (a name, a value, a place), not_found (no such repository, secret, ...), conflict
  // (Existing), exhausted (as many as there may be).
  const PublicKey& public_key() const;
  core::Result<std::string> unseal(std::string_view key_id, std::string_view box_base64) const;
  // True: it is new. An environment that is not there yet is made.
  core::Task<core::Result<bool>> set_secret(core::Actor by, Place place, std::string name, std::string value,
                                            Audience audience = Audience());
  core::Task<core::Result<>> set_secret_audience(core::Actor by, Place place, std::string name, Audience audience);
  core::Task<core::Result<>> remove_secret(core::Actor by, Place place, std::string name);

  struct VariableChange {
    std::string name = {};
    std::optional<std::string> value = {};     // nothing: as it is
    std::optional<Audience> audience = {};     // nothing: as it is
    std::optional<std::string> new_name = {};  // nothing: as it is
    Existing existing = Existing::any;
  };
  core::Task<core::Result<bool>> set_variable(core::Actor by, Place place, VariableChange change);
  core::Task<core::Result<>> remove_variable(core::Actor by, Place place, std::string name);

  core::Task<core::Result<Environment>> create_environment(core::Actor by, std::string repository, std::string name);
  core::Task<core::Result<>> remove_environment(core::Actor by, std::string repository, std::string name);

  // --- Queries, now or as it was after the event at offset `at`.
  using At = std::optional<log::Offset>;
  core::Task<core::Result<std::vector<Secret>>> secrets(Place place, At at = At());
  core::Task<core::Result<Secret>> secret(Place place, std::string name, At at = At());
  core::Task<core::Result<std::vector<Variable>>> variables(Place place, At at = At());
  core::Task<core::Result<Variable>> variable(Place place, std::string name, At at = At());
  core::Task<core::Result<std::vector<Environment>>> environments(std::string repository, At at = At());
  core::Task<core::Result<Environment>> environment(std::string repository, std::string name, At at = At());
  core::Task<core::Result<std::vector<Repository>>> repositories_of(std::string owner, At at = At());
  // Of the owner, those that the repository has.
  core::Task<core::Result<std::vector<Secret>>> owner_secrets(std::string repository, At at = At());
  core::Task<core::Result<std::vector<Variable>>> owner_variables(std::string repository, At at = At());

  // --- For runs and jobs.
  log::Offset newest() const;  // the moment that a run sees that is planned now
  core::Task<core::Result<RunVariables>> run_variables(std::string repository, log::Offset at);
  // The values that a job asks for; what there is not is left out. corrupt: a value is missing in the safe. exhausted:
  // they take more than secrets_of_a_job_bytes_max.
  core::Task<core::Result<JobValues>> for_job(JobWish wish);

 private:
  struct Impl;
  explicit Secrets(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::secrets
