// serve, down, doctor, runner: the processes of the platform.
#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/diagnostics.h"
#include "core/random.h"
#include "process/adopt.h"
#include "process/run.h"
#include "process/signals.h"
#include "services/identity/identity.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/executor.h"
#include "services/runner/host_report.h"
#include "services/runner/leftovers.h"
#include "services/runner/worker.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;

namespace {

// One name for one folder: by it processes are found that were started on it under another.
std::string absolute(const std::string& path) {
  std::error_code error;
  auto known = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  std::string name = (error ? std::filesystem::absolute(path).lexically_normal() : known).string();
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  return name;
}

Result<> check_labels(const Labels& labels) {
  for (const auto& [label, executor] : labels)
    if (!runner::is_executor(executor))
      return core::fail(Code::invalid, "There is no executor '" + executor + "' for the label '" + label +
                                           "'; this version has: " + std::string(runner::executor_names()) + ".");
  return {};
}

// A connection is a descriptor, and a shell gives 1,024 of them unless one asks for more.
void take_open_files() {
  constexpr rlim_t wanted = 32'768;  // twice as many as connections are taken
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted) return;
  files.rlim_cur = std::min(files.rlim_max, wanted);
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0)
    core::diagnose(core::Level::warning, "serve", "no more open files than " + std::to_string(files.rlim_cur));
}

int wrong_usage(const core::Error& error) {
  report(error, false);
  return 2;
}

}  // namespace

int serve(Serve options, const std::function<core::Result<>(const Serve&)>& start) {
  if (auto good = check_labels(options.labels); !good) return wrong_usage(good.error());
  options.data = absolute(options.data);
  take_open_files();
  auto served = start(options);
  return served ? 0 : report(served.error(), false);
}

// ---- down: through the records under DATA/run, whether or not a server answers.

namespace {

// After SIGTERM, then they are killed: the server lets jobs at hand come to an end for 5 s. All is ended within 10 s,
// and what is left of that is for the containers of jobs, whose engine takes its time.
constexpr std::chrono::milliseconds server_patience{6'000};
constexpr std::chrono::milliseconds runner_patience{2'000};

struct Stopped {
  std::string process;
  pid_t pid;
};

// A process by its record, if it runs; the record and what it takes to end it.
struct Recorded {
  std::string name;
  std::string path;
  std::unique_ptr<process::Adopted> running;  // null where it does not
};

Recorded find_recorded(core::Loop& loop, core::Disk& disk, const std::string& data, const std::string& name) {
  Recorded found{name, data + "/run/" + name + ".json", nullptr};
  auto record = process::load_record(disk, found.path);
  if (!record || !*record) return found;
  auto running = process::adopt(loop.executor(), **record);
  if (running) found.running = std::move(*running);
  return found;
}

Task<> stop(core::Disk& disk, Recorded& process, std::chrono::milliseconds patience, std::vector<Stopped>& stopped) {
  if (process.running) {
    auto ended = co_await process.running->end(patience);
    if (ended) stopped.push_back({process.name, process.running->record().pid});
  }
  if (auto removed = disk.remove(process.path); !removed) co_return;
}

// The server first: it would start the others again. A runner without jobs ends with it, because of us all the same.
Task<std::vector<Stopped>> stop_all(core::Loop& loop, core::Disk& disk, std::string data) {
  std::vector<Stopped> stopped;
  auto server = find_recorded(loop, disk, data, "serve");
  auto runner = find_recorded(loop, disk, data, "runner");
  co_await stop(disk, server, server_patience, stopped);
  if (!runner.running) runner = find_recorded(loop, disk, data, "runner");  // started in the meantime
  co_await stop(disk, runner, runner_patience, stopped);
  // One that had not come to write its record yet, and jobs whose runner is gone.
  for (const pid_t pid : runner::end_unrecorded(data + "/run/runner.json")) stopped.push_back({"runner", pid});
  runner::end_leftovers(data + "/runner");
  auto removed = co_await runner::remove_left_containers(loop.executor(), data + "/runner");
  if (!removed) core::diagnose(core::Level::warning, "down", "containers of jobs: " + removed.error().message);
  co_return stopped;
}

}  // namespace

int down(const std::string& data, bool json) {
  core::Loop loop;
  core::SystemDisk disk;
  auto stopped = loop.run(stop_all(loop, disk, absolute(data)));
  core::json::array list;
  for (const auto& one : stopped) list.push_back(core::json::object{{"process", one.process}, {"pid", one.pid}});
  if (json) {
    core::json::object answer;
    answer["stopped"] = std::move(list);
    print_json(answer);
  } else if (stopped.empty()) {
    print_line("Nothing was running on " + data + ".");
  } else {
    for (const auto& one : stopped) print_line("stopped " + one.process + " (process " + std::to_string(one.pid) + ")");
  }
  return 0;
}

// ---- doctor

namespace {

struct Check {
  std::string what;
  bool good = false;
  bool needed = true;
  std::string words;  // what was found, or what to do
};

Task<Result<process::Ran>> ask(core::Loop& loop, std::vector<std::string> argv) {
  process::Spec spec;
  spec.argv = std::move(argv);
  spec.environment = process::inherited_environment({"PATH", "HOME"});
  process::RunLimits limits;
  return process::run(loop.executor(), std::move(spec), {}, limits);
}

Check program(core::Loop& loop, std::string name, bool needed, const std::string& what_for) {
  auto ran = loop.run(ask(loop, {name, "--version"}));
  Check check{name, ran && ran->exit.succeeded(), needed, {}};
  check.words =
      check.good ? ran->out.substr(0, ran->out.find('\n')) : what_for + "; install it with: apt-get install " + name;
  return check;
}

Check data_folder(core::Disk& disk, const std::string& data) {
  Check check{"data folder", true, true, data};
  auto there = disk.exists(data);
  if (!there || !*there) {
    check.words = data + " is not there yet; serve makes it";
    return check;
  }
  check.good = ::access(data.c_str(), R_OK | W_OK | X_OK) == 0;
  if (!check.good) check.words = data + " cannot be written by this user; give it to the user that runs serve";
  std::error_code error;
  auto space = std::filesystem::space(data, error);
  if (check.good && !error && space.available < (uint64_t{1} << 30)) {
    check.good = false;
    check.words = "less than 1 GiB is free on the disk of " + data + "; the log refuses events when it is full";
  }
  return check;
}

// What jobs can have here. Nothing of it is needed by the platform itself, and a job that asks for what is not there is
// refused with the same words.
void add_abilities(core::Loop& loop, core::Disk& disk, std::vector<Check>& checks) {
  core::SystemClock clock;
  runner::ExecutorOptions options;
  auto abilities = loop.run(runner::report_host(loop.executor(), clock, disk, std::move(options)));
  for (auto& found : abilities) checks.push_back({std::move(found.what), found.good, false, std::move(found.words)});
}

}  // namespace

int doctor(const std::string& data, bool json) {
  core::Loop loop;
  core::SystemDisk disk;
  std::vector<Check> checks;
  checks.push_back(program(loop, "git", true, "repositories are served by it"));
  checks.push_back(program(loop, "bash", true, "steps run in it by default"));
  checks.push_back(program(loop, "python3", false, "steps with shell: python need it"));
  checks.push_back(data_folder(disk, absolute(data)));
  add_abilities(loop, disk, checks);
  bool good = true;
  core::json::array list;
  for (const auto& check : checks) {
    good = good && (check.good || !check.needed);
    list.push_back(core::json::object{
        {"check", check.what}, {"ok", check.good}, {"needed", check.needed}, {"message", check.words}});
    if (!json)
      print_line((check.good     ? "ok       "
                  : check.needed ? "missing  "
                                 : "optional ") +
                 check.what + ": " + check.words);
  }
  if (json) {
    core::json::object answer{{"ok", good}};
    answer["checks"] = std::move(list);
    print_json(answer);
  }
  return good ? 0 : 1;
}

// ---- runner

namespace {

Task<> stop_at_signals(process::SignalWatch& signals, runner::Worker& worker) {
  while (true) {
    co_await signals.next();
    worker.stop("the runner was stopped");
  }
}

Task<Result<>> run_worker(core::Loop& loop, process::SignalWatch& signals, runner::Worker& worker) {
  core::Scope listening(loop.executor());
  listening.spawn("signals", stop_at_signals(signals, worker));
  auto ended = co_await worker.run();
  co_await listening.close();
  co_return ended;
}

core::Error folder_taken(core::Error why, const std::string& folder) {
  if (why.code != Code::conflict) return why;
  why.detail = std::move(why.message);
  why.message = "Another runner has the folder " + folder + "; give this one a folder of its own with --data.";
  return why;
}

// Where the server that started this runner looks for it. Only who has the folder writes it, so it never names one of
// two that has gone at once.
Result<> keep_record(core::Disk& disk) {
  const char* path = std::getenv(std::string(runner::record_variable).c_str());
  if (path == nullptr || *path == '\0') return {};
  auto record = process::record_of_ourselves();
  if (!record) return std::unexpected(record.error());
  return process::save_record(disk, path, *record);
}

}  // namespace

static runner::ExecutorOptions::Network network_named(const std::string& name) {
  using Network = runner::ExecutorOptions::Network;
  return name == "host" ? Network::host : name == "none" ? Network::none : Network::own;
}

int runner(const RunnerProcess& options) {
  if (auto good = check_labels(options.labels); !good) return wrong_usage(good.error());
  auto warden = runner::post_warden();
  if (!warden) return report(warden.error(), false);
  process::ignore_broken_pipes();
  core::SystemDisk disk;
  auto token = core::read_file(disk, options.token_file, 4096);
  if (!token) return report(token.error(), false);
  while (!token->empty() && (token->back() == '\n' || token->back() == '\r' || token->back() == ' ')) token->pop_back();
  if (!identity::is_token_secret(*token))
    return report(core::Error{Code::invalid,
                              "The file " + options.token_file +
                                  " holds no token; make one with: headrace token create, or let serve write it.",
                              {}},
                  false);
  auto folder = absolute(options.data);
  if (auto made = disk.make_directories(folder); !made) return report(made.error(), false);
  auto lock = disk.lock(folder + "/lock");
  if (!lock) return report(folder_taken(lock.error(), folder), false);
  if (auto kept = keep_record(disk); !kept) return report(kept.error(), false);
  warden->arm();
  core::Loop loop;
  core::SystemClock clock;
  core::SystemRandom random;
  core::IdSource ids(clock, random);
  runner::WorkerOptions wanted;
  wanted.server = options.server;
  wanted.unix_socket = options.socket;
  wanted.token = std::move(*token);
  wanted.name = options.name;
  wanted.labels = options.labels;
  wanted.slots = options.slots;
  wanted.executors.network = network_named(options.sandbox_network);
  wanted.executors.engine = options.container_engine;
  wanted.executors.volumes_allowed = options.container_volumes;
  wanted.actions_upstream = options.actions_upstream == "none" ? "" : options.actions_upstream;
  wanted.folder = folder;
  runner::Worker worker(loop, clock, disk, ids, std::move(wanted));
  process::SignalWatch signals(loop.executor(), {SIGTERM, SIGINT});
  auto ended = loop.run(run_worker(loop, signals, worker));
  return ended ? 0 : report(ended.error(), false);
}

}  // namespace headrace::cli
