// `exec`: the workflows of the folder at hand, without a server.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cli/commands.h"
#include "cli/exec_asked.h"
#include "cli/exec_called.h"
#include "cli/exec_report.h"
#include "cli/exec_run.h"
#include "cli/output.h"
#include "core/random.h"
#include "process/signals.h"
#include "services/artifact/local.h"
#include "services/runner/leftovers.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;
namespace fs = std::filesystem;

namespace {

constexpr int nothing_could_be_run = 3;
constexpr int wrong_usage = 2;

Task<> hear_signals(process::SignalWatch& signals, ExecRun& run) {
  while (true) {
    co_await signals.next();
    run.stop();
  }
}

Task<> run_all(core::Loop& loop, process::SignalWatch& signals, ExecRun& run) {
  core::Scope listening(loop.executor());
  listening.spawn("signals", hear_signals(signals, run));
  co_await run.run();
  co_await listening.close();
}

class Execution {
 public:
  Execution(AskedExec asked, core::Loop& loop)
      : asked_(std::move(asked)),
        loop_(loop),
        descriptor_(asked_.json ? 2 : 1),
        screen_(descriptor_, colours_of(descriptor_)) {}

  int run() {
    std::error_code error;
    auto here = fs::current_path(error);
    if (error) return refuse(core::error_of_errno(error.value(), "looking for the folder at hand"));
    auto folder = loop_.run(look_at_folder(loop_.executor(), here.string()));
    if (!folder) return refuse(folder.error());
    account_.folder = std::move(*folder);
    auto files = files_of(asked_, account_.folder);
    if (!files) return refuse(files.error());
    files_ = std::move(*files);
    if (asked_.options.list) return list();
    if (files_.empty())
      return refuse({Code::not_found,
                     "There is no workflow here: neither .github/workflows nor .headrace/workflows of " +
                         account_.folder.root + " holds a *.yml or *.yaml. Name one with -W FILE.",
                     ""});
    return work();
  }

 private:
  int refuse(const core::Error& error) const {
    report(error, asked_.json);
    return nothing_could_be_run;
  }
  int list() const {
    if (asked_.json)
      print_json(list_json(files_));
    else
      print(list_of(files_));
    return 0;
  }

  int work() {
    auto workshop = Workshop::open(loop_, disk_, cache_folder(), ids_.next());
    if (!workshop) return refuse(workshop.error());
    auto taken = loop_.run(take_snapshot(loop_.executor(), account_.folder, (*workshop)->folder() + "/snapshot.git"));
    if (!taken) return refuse(taken.error());
    account_.snapshot = std::move(*taken);
    if (account_.folder.base.empty()) account_.folder.base = account_.snapshot.commit;
    asked_.occurrence.of_request = loop_.run(changes_between(loop_.executor(), account_.snapshot.repository,
                                                             account_.folder.base, account_.snapshot.commit));
    runner::Repositories repositories(loop_.executor(), (*workshop)->actions());
    CalledWorkflows called(loop_, repositories, actions(), account_.folder.root, account_.folder.full_name);
    pipeline::LocalRuns runs(
        {.clock = clock_,
         .called = [&called](const std::string& uses, const workflow::Source& from) { return called.read(uses, from); },
         .vars = vars(),
         .server_url = account_.folder.server_url,
         .first_id = static_cast<log::Offset>(core::uuid_milliseconds(ids_.next()))});
    if (auto begun = begin_all(runs); !begun) return wrong(begun.error());
    account_.runs = runs.runs();
    if (account_.runs.empty()) return nothing_started();
    announce();
    run_jobs(**workshop, repositories, runs);
    account_.exit = account_.exit == 0 ? verdict() : account_.exit;
    screen_.summary(account_.runs, account_.stories);
    if (asked_.json) print_json(to_json(account_));
    return account_.exit;
  }

  int wrong(const core::Error& error) const {
    report(error, asked_.json);
    return wrong_usage;
  }

  workflow::Object vars() const {
    workflow::Object vars;
    for (const auto& [name, value] : asked_.vars) vars.set(name, workflow::Value(value));
    return vars;
  }

  // An error: what was asked for is wrong (an input, the event file).
  Result<> begin_all(pipeline::LocalRuns& runs) {
    for (const auto& file : files_) {
      const auto& reading = pipeline::reading_of(file);
      if (!reading.workflow) {
        account_.not_started.push_back({file.path, "It cannot be read.", reading.errors});
        continue;
      }
      auto begun = begin(*reading.workflow, asked_.occurrence, account_.folder, account_.snapshot);
      if (!begun) return core::fail(begun.error().code, file.path + ": " + begun.error().message);
      account_.event = begun->run.event;
      if (!begun->decision) {
        account_.not_started.push_back({file.path, begun->decision.reason, {}});
        continue;
      }
      begun->run.run = ids_.next();
      begun->run.event_id = ids_.next();
      auto started = runs.start(std::move(begun->run), file, std::move(begun->github), asked_.options.job);
      if (!started) account_.not_started.push_back({file.path, started.error().message, {}});
    }
    return {};
  }

  int nothing_started() {
    bool broken = false;
    for (const auto& one : account_.not_started) {
      if (one.errors.empty()) screen_.say(one.file + ": " + one.reason);  // what cannot be read, the list tells
      broken = broken || !one.errors.empty();
    }
    screen_.say("");
    screen_.say(broken && account_.event.empty() ? "Nothing was run." : "Nothing was run. There is:");
    screen_.say(list_of(files_));
    screen_.flush();
    account_.exit = nothing_could_be_run;
    if (asked_.json) print_json(to_json(account_));
    return account_.exit;
  }

  void announce() {
    const auto& folder = account_.folder;
    screen_.say(account_.event + " on " + folder.ref + " of " + folder.full_name + " at " +
                account_.snapshot.commit.substr(0, 10) +
                (account_.snapshot.changed ? ", with what is not committed" : ""));
    for (const auto& one : account_.not_started) {
      for (const auto& error : one.errors) screen_.warn(in_words(error, one.file));
      if (one.errors.empty()) screen_.say(one.file + " does not start: " + one.reason);
    }
    screen_.flush();
  }

  void run_jobs(const Workshop& workshop, runner::Repositories& repositories, pipeline::LocalRuns& runs) {
    using Network = runner::ExecutorOptions::Network;
    const auto& options = asked_.options;
    runner::Masks masks;
    for (const auto& [name, value] : asked_.secrets)
      if (auto added = masks.add(value); !added) screen_.warn("The secret " + name + ": " + added.error().message);
    LocalGrants grants(asked_.secrets, account_.folder.server_url);
    artifact::LocalArtifacts artifacts(loop_, clock_, disk_, ids_, random_, workshop.artifacts());
    auto shelved = loop_.run(artifacts.start());
    if (!shelved) screen_.warn("Without artifacts and caches: " + shelved.error().message);
    ExecRun::Around around{.job = {.loop = loop_,
                                   .clock = clock_,
                                   .disk = disk_,
                                   .screen = screen_,
                                   .workshop = workshop,
                                   .grants = grants,
                                   .repositories = repositories,
                                   .actions = actions(),
                                   .masks = masks,
                                   .env = asked_.env,
                                   .artifacts = shelved ? &artifacts : nullptr},
                           .runs = runs,
                           .labels = asked_.labels};
    around.executors.folder = workshop.folder();
    around.executors.network = options.sandbox_network == "host"   ? Network::host
                               : options.sandbox_network == "none" ? Network::none
                                                                   : Network::own;
    around.job.actions.containers = around.executors;
    around.slots = options.slots > 0 ? static_cast<size_t>(options.slots)
                                     : std::max<size_t>(1, std::thread::hardware_concurrency());
    ExecRun running(std::move(around));
    process::SignalWatch signals(loop_.executor(), {SIGINT, SIGTERM, SIGHUP});
    loop_.run(run_all(loop_, signals, running));
    if (shelved) tell_artifacts(artifacts, runs);
    loop_.run(artifacts.stop());
    account_.stories = running.stories();
    if (!running.began() && running.could_not()) account_.exit = nothing_could_be_run;
  }

  void tell_artifacts(const artifact::LocalArtifacts& artifacts, const pipeline::LocalRuns& runs) {
    for (const auto& one : artifacts.artifacts())
      for (const auto* run : runs.runs())
        if (run->run == one.run)
          screen_.say("Artifact '" + one.name + "' (" + std::to_string(one.size) + " bytes): " + artifacts.blob(one));
    screen_.flush();
  }

  // The folder itself is where its repository is to be had; others come from the upstream.
  runner::ActionOptions actions() const {
    runner::ActionOptions options;
    options.upstream = asked_.options.actions_upstream == "none" ? "" : asked_.options.actions_upstream;
    std::string own = account_.folder.full_name, repository = account_.snapshot.repository;
    options.places = [own, repository](const std::string& name) {
      std::vector<runner::RepositoryPlace> places;
      if (workflow::equal_in_any_case(name, own))
        places.push_back({.url = repository, .token = {}, .open = true, .here = true});
      return places;
    };
    return options;
  }

  int verdict() const {
    using events::Conclusion;
    bool good = std::ranges::all_of(account_.runs, [](const auto* run) {
      return run->conclusion == Conclusion::success || run->conclusion == Conclusion::skipped;
    });
    bool read = std::ranges::all_of(account_.not_started, [](const auto& one) { return one.errors.empty(); });
    bool refused = std::ranges::all_of(account_.runs,
                                       [](const auto* run) { return run->conclusion == Conclusion::startup_failure; });
    if (refused) return nothing_could_be_run;
    return good && read ? 0 : 1;
  }

  AskedExec asked_;
  core::Loop& loop_;
  core::SystemDisk disk_;
  core::SystemClock clock_;
  core::SystemRandom random_;
  core::IdSource ids_{clock_, random_};
  int descriptor_;
  Screen screen_;
  std::vector<pipeline::SourceFile> files_;
  Account account_;
};

}  // namespace

int exec(const Exec& options, bool json) {
  auto asked = understand_exec(options, json);
  if (!asked) {
    report(asked.error(), json);
    return wrong_usage;
  }
  auto warden = runner::post_warden();  // before there are threads
  if (!warden) return report(warden.error(), json);
  warden->arm();
  process::ignore_broken_pipes();
  core::Loop loop;
  return Execution(std::move(*asked), loop).run();
}

}  // namespace headrace::cli
