#include "server/server.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "core/diagnostics.h"
#include "core/version.h"
#include "process/adopt.h"
#include "process/signals.h"
#include "server/demo.h"
#include "server/parts.h"
#include "services/runner/executor.h"
#include "services/runner/labels.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

Task<> end_at_once(process::SignalWatch& signals, const char* why) {
  co_await signals.next();
  core::diagnose(core::Level::warning, "server", why);
  ::_exit(1);
}

// Rebuilding projections may take minutes; whoever does not want to wait loses nothing, for nothing is at work yet.
Task<Result<>> start(Parts& parts, process::SignalWatch& signals) {
  core::Scope impatience(parts.loop.executor());
  impatience.spawn("signal while starting", end_at_once(signals, "ended while starting, as asked by a signal"));
  auto started = co_await parts.start();
  co_await impatience.close();
  co_return started;
}

Task<> stop(Parts& parts, process::SignalWatch& signals) {
  core::Scope impatience(parts.loop.executor());
  impatience.spawn("second signal", end_at_once(signals, "ended at once, as asked by a second signal"));
  co_await parts.stop();
  co_await impatience.close();
}

// Tried, not guessed: a job would otherwise be the first to tell.
Task<> tell_of_sandboxes(Parts& parts) {
  auto labels = runner::labels_text(parts.options.labels, "sandbox");
  if (labels.empty()) co_return;
  auto sandboxes = runner::make_executor("sandbox", parts.loop.executor(), parts.clock, parts.disk, {});
  auto can = co_await sandboxes->available();
  if (can)
    say("Jobs with runs-on: " + labels + " run in sandboxes of their own.");
  else
    say("Jobs with runs-on: " + labels + " will be refused: " + can.error().message);
}

// Where a browser begins once it is signed in, as a query of the link; nothing where there is no demo.
Task<std::string> start_of_pages(Parts& parts) {
  if (!parts.options.demo) co_return "";
  auto page = co_await prepare_demo(*parts.platform, parts.local_url);
  if (!page) {
    core::diagnose(core::Level::error, "server",
                   "the demo could not be made; all else goes on, and the next start tries again: " +
                       page.error().message + " " + page.error().detail);
    co_return "";
  }
  co_return *page ? "?next=" + **page : "";
}

Task<> tell_where(Parts& parts) {
  say("Headrace " + std::string(core::version()) + " serves " + parts.public_url);
  auto link = co_await parts.identity->first_link();
  auto start = co_await start_of_pages(parts);
  if (link && *link)
    say("Nobody has signed in yet. Open this link, or give it to headrace login (once, within 24 hours):\n  " +
        parts.public_url + "/sign-in" + start + "#" + **link);
  if (!parts.options.local_runner) co_return;
  for (const auto& [label, executor] : parts.options.labels)
    if (executor == "host")
      say("Jobs with runs-on: " + label + " run on this host, without isolation (--label " + label + "=host).");
  co_await tell_of_sandboxes(parts);
}

Task<> serve_until_signal(Parts& parts, process::SignalWatch& signals, Result<>& outcome) {
  outcome = co_await start(parts, signals);
  if (outcome) {
    co_await tell_where(parts);
    int number = co_await signals.next();
    say(std::string("Stopping (") + (number == SIGTERM ? "SIGTERM" : "SIGINT") +
        "): jobs at hand go on in the runner; `headrace down` ends it.");
  }
  co_await stop(parts, signals);
  parts.loop.stop();
}

Result<std::unique_ptr<core::Disk::Lock>> lock_folder(core::Disk& disk, const std::string& data) {
  auto lock = disk.lock(data + "/run/serve.lock");
  if (lock || lock.error().code != Code::conflict) return lock;
  return core::fail(Code::conflict,
                    "Another server has the folder " + data + "; stop it with: headrace down --data " + data +
                        ". Or give this one a folder of its own with --data.",
                    lock.error().message);
}

// Who ends the server (headrace down) finds it by this record; it is there as long as the server is.
class ProcessRecord {
 public:
  ProcessRecord(core::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ProcessRecord(const ProcessRecord&) = delete;
  ProcessRecord& operator=(const ProcessRecord&) = delete;
  ~ProcessRecord() {
    auto removed = disk_.remove(path_);
    if (!removed && removed.error().code != Code::not_found)
      core::diagnose(core::Level::warning, "server", "removing " + path_ + ": " + removed.error().message);
  }
  Result<> save() {
    auto record = process::record_of_ourselves();
    if (!record) return std::unexpected(record.error());
    return process::save_record(disk_, path_, *record);
  }

 private:
  core::Disk& disk_;
  std::string path_;
};

}  // namespace

Result<> serve(Options options) {
  process::ignore_broken_pipes();
  ::umask(0077);
  core::SystemDisk disk;
  if (auto ready = prepare_folder(disk, options.data); !ready) return ready;
  auto lock = lock_folder(disk, options.data);
  if (!lock) return std::unexpected(lock.error());
  ProcessRecord record(disk, options.data + "/run/serve.json");
  if (auto saved = record.save(); !saved) return saved;
  options.labels = runner::with_default_labels(std::move(options.labels));
  auto parts = Parts::open(std::move(options));
  if (!parts) return std::unexpected(parts.error());
  process::SignalWatch signals((*parts)->loop.executor(), {SIGTERM, SIGINT});
  Result<> outcome;
  (*parts)->loop.keep_running();
  (*parts)->loop.spawn(serve_until_signal(**parts, signals, outcome));
  (*parts)->loop.run();
  return outcome;
}

}  // namespace headrace::server
