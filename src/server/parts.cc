#include "server/parts.h"

#include <sys/stat.h>

#include <thread>
#include <utility>

#include "server/routes.h"
#include "server/vault_key.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds drain_limit{5};     // for jobs at hand, at the end
constexpr std::chrono::seconds shutdown_limit{5};  // for requests at work, at the end
constexpr std::chrono::seconds projections_limit{600};

Result<std::optional<net::TlsCertificate>> read_certificate(core::Disk& disk, const Options& options) {
  if (options.tls_certificate.empty()) return std::nullopt;
  auto chain = core::read_file(disk, options.tls_certificate);
  if (!chain) return std::unexpected(chain.error());
  auto key = core::read_file(disk, options.tls_key);
  if (!key) return std::unexpected(key.error());
  return net::TlsCertificate{std::move(*chain), std::move(*key)};
}

// An address that another program has is no conflict with what was asked for: the server cannot serve (exit code 3).
std::unexpected<core::Error> cannot_listen(core::Error why) {
  if (why.code == core::Code::conflict) why.code = core::Code::unavailable;
  return std::unexpected(std::move(why));
}

LocalRunnerOptions runner_options(const Options& options) {
  LocalRunnerOptions local;
  local.program = options.program;
  local.data = options.data;
  local.token_file = options.data + "/run/runner.token";
  local.labels = options.labels;
  local.sandbox_network = options.sandbox_network;
  local.actions_upstream = options.actions_upstream;
  local.container_engine = options.container_engine;
  local.container_volumes = options.container_volumes;
  local.slots =
      options.slots > 0 ? options.slots : static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  return local;
}

}  // namespace

Result<> prepare_folder(core::Disk& disk, const std::string& data) {
  for (const auto* folder : {"", "/run", "/repositories", "/projections", "/hooks", "/logs", "/artifacts"})
    if (auto made = disk.make_directories(data + folder); !made) return made;
  // What a sandbox is given lies deep within; the way there may be walked, but nothing on it be listed.
  if (::chmod(data.c_str(), 0711) != 0)
    return std::unexpected(core::error_of_errno(errno, "Protecting the folder", data));
  return {};
}

Result<std::unique_ptr<Parts>> Parts::open(Options options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  auto certificate = read_certificate(parts->disk, parts->options);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto listening = parts->listen(*certificate); !listening) return std::unexpected(listening.error());
  if (auto opened = parts->open_log(); !opened) return std::unexpected(opened.error());
  if (auto made = parts->make_bus(); !made) return std::unexpected(made.error());
  if (auto made = parts->make_services(); !made) return std::unexpected(made.error());
  parts->make_front();
  return parts;
}

Parts::Parts(Options chosen) : options(std::move(chosen)) {}

Parts::~Parts() = default;

// Before anything is made, so that an address that is taken is said first; nothing is answered until the loop runs.
Result<> Parts::listen(const std::optional<net::TlsCertificate>& certificate) {
  http = std::make_unique<net::Server>(loop.executor(), clock,
                                       [this](net::Exchange& exchange) { return (*dispatch)(exchange); });
  auto address = http->listen(options.listen, certificate);
  if (!address) return cannot_listen(address.error());
  auto local = http->listen("unix:" + options.data + "/run/server.sock");
  if (!local) return cannot_listen(local.error());
  local_url = (certificate ? "https://" : "http://") + *address;
  public_url = options.public_url.empty() ? local_url : options.public_url;
  while (public_url.ends_with('/')) public_url.pop_back();
  return {};
}

Result<> Parts::open_log() {
  auto events = log::SegmentLog::open(disk, clock, random, options.data + "/log");
  if (!events) return std::unexpected(events.error());
  log = std::move(*events);
  auto key = options.vault_key_file.empty() ? options.data + "/vault.key" : options.vault_key_file;
  auto opened = identity::Vault::open(disk, random, options.data + "/vault.db", key);
  if (!opened) return std::unexpected(opened.error());
  vault = std::move(*opened);
  auto tokens = identity::JobTokens::open(*vault, random);
  if (!tokens) return std::unexpected(tokens.error());
  job_tokens = std::move(*tokens);
  vault_safe = std::make_unique<VaultSafe>(*vault);
  store = std::make_unique<store::Store>(loop, *log, options.data + "/projections");
  return {};
}

Result<> Parts::make_bus() {
  bus::Parts on{.loop = loop,
                .clock = clock,
                .random = random,
                .ids = ids,
                .log = *log,
                .pool = &database,
                .database = options.data + "/bus.db"};
  auto opened = bus::Bus::open(on);
  if (!opened) return std::unexpected(opened.error());
  bus = std::move(*opened);
  return {};
}

Result<> Parts::make_services() {
  git::ServeOptions serving;
  serving.hooks = options.data + "/hooks";
  identity = std::make_unique<identity::Identity>(identity::Parts{.loop = loop,
                                                                  .clock = clock,
                                                                  .random = random,
                                                                  .ids = ids,
                                                                  .disk = disk,
                                                                  .store = *store,
                                                                  .bus = *bus,
                                                                  .vault = *vault,
                                                                  .pool = &database},
                                                  identity::Policy{});
  git = std::make_unique<git::Server>(loop.executor(), serving);
  repositories = std::make_unique<repository::Repositories>(repository::Parts{.loop = loop,
                                                                              .clock = clock,
                                                                              .ids = ids,
                                                                              .reads = git_reads,
                                                                              .log = *log,
                                                                              .store = *store,
                                                                              .bus = *bus,
                                                                              .git = *git,
                                                                              .folder = options.data + "/repositories"},
                                                            repository::Policy());
  auto opened = secrets::Secrets::open({.loop = loop,
                                        .random = random,
                                        .ids = ids,
                                        .store = *store,
                                        .bus = *bus,
                                        .safe = *vault_safe,
                                        .pool = &database});
  if (!opened) return std::unexpected(opened.error());
  secrets = std::move(*opened);
  workflows = std::make_unique<RepositoryWorkflows>(*repositories);
  run_rights = std::make_unique<RunRights>(*identity);
  run_settings = std::make_unique<RunSettings>(*identity, *secrets);
  pipeline = std::make_unique<pipeline::Pipeline>(pipeline::Parts{.loop = loop,
                                                                  .clock = clock,
                                                                  .log = *log,
                                                                  .store = *store,
                                                                  .bus = *bus,
                                                                  .source = *workflows,
                                                                  .rights = *run_rights,
                                                                  .settings = *run_settings},
                                                  pipeline::Policy{public_url});
  if (auto made = make_artifacts(); !made) return made;
  job_grants =
      std::make_unique<TokenGrants>(*job_tokens, *secrets, public_url, RuntimeTokens{clock, *store, *artifacts});
  runner = std::make_unique<runner::Runner>(runner::Parts{.loop = loop,
                                                          .clock = clock,
                                                          .disk = disk,
                                                          .ids = ids,
                                                          .files = files,
                                                          .log = *log,
                                                          .store = *store,
                                                          .bus = *bus,
                                                          .grants = *job_grants,
                                                          .logs = options.data + "/logs"},
                                            runner::Policy{});
  tests = std::make_unique<tests::Tests>(tests::Parts{.loop = loop, .store = *store, .bus = *bus});
  return {};
}

// Whether a lease is in force the runner service knows; it is made after this, and asked only once all is there.
Result<> Parts::make_artifacts() {
  auto key = key_of(*vault, random, "artifacts");
  if (!key) return std::unexpected(key.error());
  artifacts = std::make_unique<artifact::Artifacts>(
      artifact::Parts{.loop = loop,
                      .clock = clock,
                      .ids = ids,
                      .disk = disk,
                      .files = artifact_files,
                      .log = *log,
                      .store = *store,
                      .bus = *bus,
                      .folder = options.data + "/artifacts",
                      .key = std::move(*key),
                      .alive = [this](uint64_t lease) { return runner->has_lease(lease); }},
      artifact::Bounds());
  return {};
}

void Parts::make_front() {
  pulse = std::make_unique<Pulse>(loop, clock, [this] { return log->stat().durable; });
  storage = std::make_unique<StorageMeter>(loop, clock, options.data);
  platform = std::make_unique<Platform>(
      Platform{loop,       clock,     disk,        random,        ids,          git_reads, *log,   *store,
               *bus,       *identity, *job_tokens, *repositories, *pipeline,    *runner,   *tests, *secrets,
               *artifacts, *pulse,    *storage,    clock.now(),   options.data, public_url});
  dispatch = std::make_unique<Dispatch>(router, *platform);
  add_routes(router, *platform, *http);
}

Task<Result<>> Parts::start_services() {
  if (auto prepared = co_await git->prepare(); !prepared) co_return prepared;
  if (auto started = store->start(); !started) co_return started;
  if (auto caught = co_await store->all_caught_up(projections_limit); !caught) co_return caught;
  if (auto started = co_await identity->start(); !started) co_return started;
  if (auto started = co_await secrets->start(); !started) co_return started;
  if (auto started = pipeline->start(); !started) co_return started;
  if (auto started = runner->start(); !started) co_return started;
  if (auto started = tests->start(); !started) co_return started;
  if (auto started = co_await artifacts->start(); !started) co_return started;
  serving_ = true;
  bus->start();
  pulse->start();
  co_return co_await repositories->start();
}

Task<Result<>> Parts::start_runner() {
  auto local = runner_options(options);
  if (auto written = co_await identity->runner_token_file(local.name, local.token_file); !written) co_return written;
  local_runner = std::make_unique<LocalRunner>(loop, clock, disk, local);
  auto replace = [this, name = local.name] { runner->replace(name); };
  co_return local_runner->start(std::move(replace));
}

Task<Result<>> Parts::start() {
  if (auto started = co_await start_services(); !started) co_return started;
  if (!options.bootstrap_token_file.empty())
    if (auto written = co_await identity->bootstrap(options.bootstrap_token_file); !written) co_return written;
  dispatch->open();
  if (!options.local_runner || options.labels.empty()) co_return Result<>{};
  co_return co_await start_runner();
}

Task<> Parts::stop() {
  if (std::exchange(stopped_, true)) co_return;
  if (serving_) co_await runner->drain(drain_limit);
  dispatch->close();
  if (local_runner) co_await local_runner->stop();
  co_await pulse->stop();
  co_await storage->stop();
  co_await http->shutdown(shutdown_limit);
  if (serving_) co_await runner->stop();
  if (serving_) co_await pipeline->stop();
  co_await artifacts->stop();
  co_await repositories->close();
  co_await bus->close();
  store->stop();
}

}  // namespace headrace::server
