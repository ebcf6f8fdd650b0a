// Parts is everything the platform is made of, in the order of its making: what stands higher is used by what stands
// lower. A life: open() -> start() on the loop -> stop() on the loop, also after a start() that failed. Internal to
// server and its tests.
#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/random.h"
#include "core/task.h"
#include "git/serve.h"
#include "log/segment_log.h"
#include "net/server.h"
#include "server/dispatch.h"
#include "server/local_runner.h"
#include "server/platform.h"
#include "server/pulse.h"
#include "server/router.h"
#include "server/run_rights.h"
#include "server/run_settings.h"
#include "server/server.h"
#include "server/storage_meter.h"
#include "server/token_grants.h"
#include "server/vault_safe.h"
#include "server/workflow_source.h"
#include "services/artifact/artifact.h"
#include "services/identity/identity.h"
#include "services/identity/job_tokens.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"
#include "services/runner/runner.h"
#include "services/secrets/secrets.h"
#include "services/tests/tests.h"

namespace headrace::server {

// Makes the folder and those in it; where they are there, makes them as private as they are to be.
core::Result<> prepare_folder(core::Disk& disk, const std::string& data);

struct Parts {
  // Opens log and vault, listens, makes the services. Errors say which of these, and the remedy.
  static core::Result<std::unique_ptr<Parts>> open(Options options);

  explicit Parts(Options chosen);  // internal: see open()
  ~Parts();

  // Projections catch up, services begin, requests are let in, the local runner is adopted or started.
  core::Task<core::Result<>> start();
  // Tells clients and runners, waits (bounded) for what is at work, closes in the reverse order. Twice is once.
  core::Task<> stop();

  Options options;
  std::string public_url;
  std::string local_url;  // by what it listens on, for who is on this machine
  core::Loop loop;
  core::SystemClock clock;
  core::SystemRandom random;
  core::SystemDisk disk;
  core::IdSource ids{clock, random};
  core::Pool files{"files", {.threads = 1}};
  core::Pool database{"database", {.threads = 1}};
  core::Pool artifact_files{"artifact files", {.threads = 2}};
  std::unique_ptr<log::SegmentLog> log;
  std::unique_ptr<identity::Vault> vault;
  std::unique_ptr<identity::JobTokens> job_tokens;
  std::unique_ptr<VaultSafe> vault_safe;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<git::Server> git;
  std::unique_ptr<repository::Repositories> repositories;
  std::unique_ptr<secrets::Secrets> secrets;
  std::unique_ptr<RepositoryWorkflows> workflows;
  std::unique_ptr<RunRights> run_rights;
  std::unique_ptr<RunSettings> run_settings;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<TokenGrants> job_grants;
  std::unique_ptr<runner::Runner> runner;
  std::unique_ptr<tests::Tests> tests;
  std::unique_ptr<artifact::Artifacts> artifacts;
  std::unique_ptr<Pulse> pulse;
  std::unique_ptr<StorageMeter> storage;
  std::unique_ptr<Platform> platform;
  Router router;
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<net::Server> http;
  std::unique_ptr<LocalRunner> local_runner;
  core::Pool git_reads{"git reads",
                       {.threads = 2}};  // last: a read that outlives its request uses log and repositories

 private:
  core::Result<> open_log();
  core::Result<> make_bus();
  core::Result<> make_services();
  core::Result<> make_artifacts();
  core::Result<> listen(const std::optional<net::TlsCertificate>& certificate);
  void make_front();
  core::Task<core::Result<>> start_services();
  core::Task<core::Result<>> start_runner();

  bool serving_ = false;  // the services have begun
  bool stopped_ = false;
};

}  // namespace headrace::server
