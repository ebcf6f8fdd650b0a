#include "server/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "core/diagnostics.h"
#include "core/random.h"
#include "core/version.h"
#include "git/serve.h"
#include "net/server.h"
#include "process/adopt.h"
#include "process/signals.h"
#include "server/dispatch.h"
#include "server/local_runner.h"
#include "server/platform.h"
#include "server/routes.h"
#include "server/workflow_source.h"
#include "services/identity/identity.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds drain_limit{5};      // for jobs at hand, at the end
constexpr std::chrono::seconds shutdown_limit{5};   // for requests at work, at the end
constexpr std::chrono::seconds projections_limit{600};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

Result<> prepare_folder(core::Disk& disk, const std::string& data) {
  for (const auto* folder : {"", "/run", "/repositories", "/projections", "/hooks", "/logs"})
    if (auto made = disk.make_directories(data + folder); !made) return made;
  // What a sandbox is given lies deep within; the way there may be walked, but nothing on it be listed.
  if (::chmod(data.c_str(), 0711) != 0) return std::unexpected(core::error_of_errno(errno, "Protecting the folder", data));
  return {};
}

Result<std::optional<net::TlsCertificate>> read_certificate(core::Disk& disk, const Options& options) {
  if (options.tls_certificate.empty()) return std::nullopt;
  auto chain = core::read_file(disk, options.tls_certificate);
  if (!chain) return std::unexpected(chain.error());
  auto key = core::read_file(disk, options.tls_key);
  if (!key) return std::unexpected(key.error());
  return net::TlsCertificate{std::move(*chain), std::move(*key)};
}

// Everything the platform is made of, in the order of its making: what stands higher is used by what stands lower.
struct Parts {
  Parts(Options chosen, std::unique_ptr<log::SegmentLog> events, std::unique_ptr<identity::Vault> secrets)
      : options(std::move(chosen)), log(std::move(events)), vault(std::move(secrets)) {}

  Result<> make_bus();
  Task<Result<>> start();
  Task<Result<>> start_services();
  Task<> stop();

  Options options;
  std::string public_url;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemRandom random;
  core::SystemDisk disk;
  core::IdSource ids{clock, random};
  core::Pool git_reads{"git reads", {.threads = 2}};
  core::Pool files{"files", {.threads = 1}};
  core::Pool database{"database", {.threads = 1}};
  std::unique_ptr<log::SegmentLog> log;
  std::unique_ptr<identity::Vault> vault;
  store::Store store{loop, *log, options.data + "/projections"};
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<git::Server> git;
  std::unique_ptr<repository::Repositories> repositories;
  std::unique_ptr<RepositoryWorkflows> workflows;
  std::unique_ptr<pipeline::Pipeline> pipeline;
  std::unique_ptr<runner::Runner> runner;
  std::unique_ptr<Platform> platform;
  Router router;
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<net::Server> http;
  std::unique_ptr<LocalRunner> local_runner;
};

Result<> Parts::make_bus() {
  bus::Parts on{.loop = loop, .clock = clock, .random = random, .ids = ids, .log = *log, .pool = &database, .database = options.data + "/bus.db"};
  auto opened = bus::Bus::open(on);
  if (!opened) return std::unexpected(opened.error());
  bus = std::move(*opened);
  return {};
}

void make_services(Parts& p) {
  git::ServeOptions serving;
  serving.hooks = p.options.data + "/hooks";
  repository::Policy repositories;
  repositories.url = p.public_url;
  p.identity = std::make_unique<identity::Identity>(
      identity::Parts{.loop = p.loop, .clock = p.clock, .random = p.random, .ids = p.ids, .disk = p.disk, .store = p.store, .bus = *p.bus, .vault = *p.vault, .pool = &p.database}, identity::Policy{});
  p.git = std::make_unique<git::Server>(p.loop.executor(), serving);
  p.repositories = std::make_unique<repository::Repositories>(
      repository::Parts{.loop = p.loop, .clock = p.clock, .ids = p.ids, .reads = p.git_reads, .log = *p.log, .store = p.store, .bus = *p.bus, .git = *p.git, .folder = p.options.data + "/repositories"}, repositories);
  p.workflows = std::make_unique<RepositoryWorkflows>(*p.repositories);
  p.pipeline = std::make_unique<pipeline::Pipeline>(pipeline::Parts{.loop = p.loop, .log = *p.log, .store = p.store, .bus = *p.bus, .source = *p.workflows}, pipeline::Policy{p.public_url});
  p.runner = std::make_unique<runner::Runner>(
      runner::Parts{.loop = p.loop, .clock = p.clock, .disk = p.disk, .ids = p.ids, .files = p.files, .log = *p.log, .store = p.store, .bus = *p.bus, .logs = p.options.data + "/logs"}, runner::Policy{});
}

// First of all, so that an address that is taken is said before anything is opened; nothing is answered until the loop runs.
Result<> listen(Parts& p, const std::optional<net::TlsCertificate>& certificate) {
  p.http = std::make_unique<net::Server>(p.loop.executor(), p.clock, [&p](net::Exchange& exchange) { return (*p.dispatch)(exchange); });
  auto address = p.http->listen(p.options.listen, certificate);
  if (!address) return std::unexpected(address.error());
  auto local = p.http->listen("unix:" + p.options.data + "/run/server.sock");
  if (!local) return std::unexpected(local.error());
  p.public_url = p.options.public_url.empty() ? (certificate ? "https://" : "http://") + *address : p.options.public_url;
  while (p.public_url.ends_with('/')) p.public_url.pop_back();
  return {};
}

void make_front(Parts& p) {
  p.platform = std::make_unique<Platform>(Platform{p.loop, p.clock, p.disk, p.random, p.ids, p.git_reads, *p.log, p.store, *p.bus, *p.identity, *p.repositories, *p.pipeline, *p.runner, p.options.data, p.public_url});
  p.dispatch = std::make_unique<Dispatch>(p.router, *p.platform);
  add_routes(p.router, *p.platform, *p.http);
}

LocalRunnerOptions runner_options(const Options& options) {
  LocalRunnerOptions local;
  local.program = options.program;
  local.data = options.data;
  local.token_file = options.data + "/run/runner.token";
  local.labels = options.labels;
  local.slots = options.slots > 0 ? options.slots : static_cast<int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  return local;
}

Task<Result<>> Parts::start_services() {
  if (auto prepared = co_await git->prepare(); !prepared) co_return prepared;
  if (auto started = store.start(); !started) co_return started;
  if (auto caught = co_await store.all_caught_up(projections_limit); !caught) co_return caught;
  if (auto started = co_await identity->start(); !started) co_return started;
  if (auto started = pipeline->start(); !started) co_return started;
  if (auto started = runner->start(); !started) co_return started;
  bus->start();
  co_return co_await repositories->start();
}

Task<Result<>> Parts::start() {
  if (auto started = co_await start_services(); !started) co_return started;
  if (!options.bootstrap_token_file.empty())
    if (auto written = co_await identity->bootstrap(options.bootstrap_token_file); !written) co_return written;
  dispatch->open();
  if (options.local_runner && !options.labels.empty()) {
    auto local = runner_options(options);
    if (auto written = co_await identity->runner_token_file(local.name, local.token_file); !written) co_return written;
    local_runner = std::make_unique<LocalRunner>(loop, clock, disk, local);
    auto replace = [this, name = local.name] { runner->replace(name); };
    if (auto begun = local_runner->start(std::move(replace)); !begun) co_return begun;
  }
  co_return Result<>{};
}

Task<> Parts::stop() {
  co_await runner->drain(drain_limit);
  dispatch->close();
  if (local_runner) co_await local_runner->stop();
  co_await http->shutdown(shutdown_limit);
  co_await runner->stop();
  co_await repositories->close();
  co_await bus->close();
  store.stop();
}

Task<> end_at_once(process::SignalWatch& signals) {
  co_await signals.next();
  core::diagnose(core::Level::warning, "server", "ended at once, as asked by a second signal");
  ::_exit(1);
}

Task<> stop_at_signal(Parts& parts, process::SignalWatch& signals, Result<>& outcome) {
  auto started = co_await parts.start();
  if (!started) {
    outcome = std::move(started);
    co_return parts.loop.stop();
  }
  say("Headrace " + std::string(core::version()) + " serves " + parts.public_url);
  auto link = co_await parts.identity->first_link();
  if (link && *link) say("Nobody has signed in yet. This link works once, for 24 hours:\n  headrace login '" + parts.public_url + "/sign-in#" + **link + "'");
  for (const auto& [label, executor] : parts.options.labels)
    if (executor == "host") say("Jobs with runs-on: " + label + " run on this host, without isolation (--label " + label + "=host).");
  int number = co_await signals.next();
  say(std::string("Stopping (") + (number == SIGTERM ? "SIGTERM" : "SIGINT") + "): jobs at hand go on in the runner; `headrace down` ends it.");
  core::Scope impatience(parts.loop.executor());
  impatience.spawn("second signal", end_at_once(signals));
  co_await parts.stop();
  parts.loop.stop();
}

Result<std::unique_ptr<core::Disk::Lock>> lock_folder(core::Disk& disk, const std::string& data) {
  auto lock = disk.lock(data + "/run/serve.lock");
  if (lock || lock.error().code != Code::conflict) return lock;
  return core::fail(Code::conflict, "Another server has the folder " + data + "; stop it with: headrace down --data " + data + ". Or give this one a folder of its own with --data.", lock.error().message);
}

}  // namespace

Result<> serve(Options options) {
  process::ignore_broken_pipes();
  ::umask(0077);
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  if (auto ready = prepare_folder(disk, options.data); !ready) return ready;
  auto lock = lock_folder(disk, options.data);
  if (!lock) return std::unexpected(lock.error());
  auto record = process::record_of_ourselves();
  if (!record) return std::unexpected(record.error());
  if (auto saved = process::save_record(disk, options.data + "/run/serve.json", *record); !saved) return saved;
  auto certificate = read_certificate(disk, options);
  if (!certificate) return std::unexpected(certificate.error());
  auto events = log::SegmentLog::open(disk, clock, random, options.data + "/log");
  if (!events) return std::unexpected(events.error());
  auto key = options.vault_key_file.empty() ? options.data + "/vault.key" : options.vault_key_file;
  auto vault = identity::Vault::open(disk, random, options.data + "/vault.db", key);
  if (!vault) return std::unexpected(vault.error());

  Parts parts(std::move(options), std::move(*events), std::move(*vault));
  if (auto listening = listen(parts, *certificate); !listening) return listening;
  if (auto made = parts.make_bus(); !made) return made;
  make_services(parts);
  make_front(parts);

  process::SignalWatch signals(parts.loop.executor(), {SIGTERM, SIGINT});
  Result<> outcome;
  parts.loop.keep_running();
  parts.loop.spawn(stop_at_signal(parts, signals, outcome));
  parts.loop.run();
  return outcome;
}

}  // namespace headrace::server
