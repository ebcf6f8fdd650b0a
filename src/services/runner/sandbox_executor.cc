#include "services/runner/sandbox_executor.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>

#include "core/diagnostics.h"
#include "services/runner/container_executor.h"
#include "services/runner/disk_watch.h"
#include "services/runner/sandbox_cell.h"
#include "services/runner/service_surroundings.h"
#include "services/runner/spread.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t ready_max = 64;
constexpr size_t fillers_max = 2;
constexpr std::chrono::milliseconds refill_pause{25};  // a job begins in less, and wants the processors for itself
constexpr size_t taken_apart_max = 64;                 // at once; beyond, the end of a job waits for it
constexpr std::chrono::seconds trial_again{60};        // a sandbox that could not be made is tried again after that

std::string bytes_text(uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"bytes", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  uint64_t tenths = bytes * 10;
  for (; unit + 1 < units.size() && tenths >= 10'240; ++unit) tenths /= 1024;
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  return text + " " + units[unit];
}

std::string tier_text(const Cell& cell) {
  switch (cell.tier) {
    case process::Cgroups::Tier::version2: return "cgroup v2";
    case process::Cgroups::Tier::version1: return "cgroup v1";
    case process::Cgroups::Tier::none: break;
  }
  return "rlimits and a watch of memory, weaker than control groups";
}

std::string limits_text(const Cell& cell) {
  const JobLimits& limits = cell.limits;
  std::string text = "Limits by " + tier_text(cell) + ": memory ";
  text += limits.memory_bytes > 0 ? bytes_text(limits.memory_bytes) : "unlimited";
  if (limits.processes > 0) text += ", " + std::to_string(limits.processes) + " processes";
  if (limits.processors > 0 && cell.group) {
    auto tenths = static_cast<int64_t>(limits.processors * 10 + 0.5);
    text += ", " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " processors";
  }
  if (limits.disk_bytes > 0) text += ", " + bytes_text(limits.disk_bytes) + " on disk (measured now and then)";
  text += ".";
  return cell.group ? text : text + " " + cell.no_group;
}

// Never a silent fall to something weaker: that is the operator's to choose.
std::unexpected<core::Error> refused(core::Error why) {
  why.message.append(" ").append(without_sandbox);
  return std::unexpected(std::move(why));
}

// Of one executor. Shared with its tasks, and with the surroundings it made.
struct State {
  State(core::Executor on, core::Clock& time, ExecutorOptions chosen)
      : loop(std::move(on)),
        clock(time),
        options(chosen),
        containers(make_container_executor(loop, time, chosen)),
        maker(loop, std::move(chosen)),
        tasks(loop) {}
  core::Executor loop;
  core::Clock& clock;
  ExecutorOptions options;
  std::unique_ptr<Executor> containers;
  CellMaker maker;
  core::Pool pool{"disks of jobs", {.threads = 1, .queue_max = 256}};
  std::deque<std::shared_ptr<Cell>> ready;
  size_t ready_wanted = 0;
  size_t ready_made = 0;  // so far: their folders' names
  std::string ready_folder;
  CellWish ready_wish;
  bool refilling = false;  // soon
  size_t fillers = 0;      // tasks that make them
  size_t making = 0;       // one each, or none
  core::Signal filled{loop};
  size_t taken_apart = 0;  // sandboxes, at this moment
  std::optional<Result<>> tried;
  core::Steady tried_at;
  core::Scope tasks;  // last: they use the rest
};

// What is left of a sandbox in which nothing runs any more is taken apart beside the next jobs: for its processes,
// interface and control group the kernel takes ten times as long as for a job that does nothing.
Task<> take_apart(std::shared_ptr<State> state, std::shared_ptr<Cell> cell) {
  ++state->taken_apart;
  co_await Cell::end(std::move(cell), state->clock);
  --state->taken_apart;
}

// What the watch of the disk tells, and the surroundings read.
struct DiskNews {
  uint64_t exceeded = 0;
};

class SandboxSurroundings final : public Surroundings {
 public:
  SandboxSurroundings(std::shared_ptr<State> state, std::shared_ptr<Cell> cell, JobPlace place)
      : state_(std::move(state)),
        cell_(std::move(cell)),
        place_(std::move(place)),
        files_(place_.folder, cell_->owner()),
        watch_(state_->loop, state_->clock, state_->pool, place_.folder, cell_->limits.disk_bytes,
               [cell_held = std::weak_ptr<Cell>(cell_), news = news_](uint64_t bytes) {
                 news->exceeded = bytes;
                 if (auto held = cell_held.lock()) held->sandbox = nullptr;  // kills all within
               }) {
    inside_ = {within(place_.workspace), within(place_.temporary), within(place_.tool_cache), cell_home};
  }

  Result<> make_folders() {
    for (const auto& folder : {place_.workspace, place_.temporary, place_.tool_cache})
      if (auto made = files_.make_folder(folder); !made) return made;
    return {};
  }

  Kind what() const override { return Kind::sandbox; }

  std::vector<std::string> description() const override {
    std::string who = cell_->user ? "user " + std::to_string(cell_->user->id()) + " of the host, which nobody else is"
                                  : "the user of the runner, without its rights";
    return {"Runs in a sandbox as " + who + ".", limits_text(*cell_), cell_->network};
  }

  const InsidePaths& inside() const override { return inside_; }

  std::optional<std::string> to_inside(std::string_view host) const override {
    if (auto found = moved(host, place_.folder, cell_work)) return found;
    for (const auto& mount : place_.mounts)
      if (auto found = moved(host, mount.host, mount.inside)) return found;
    return {};
  }
  std::optional<std::string> to_host(std::string_view inside) const override {
    for (const auto& mount : place_.mounts)
      if (auto found = moved(inside, mount.inside, mount.host)) return found;
    if (auto found = moved(inside, cell_work, place_.folder)) return found;
    if (auto found = moved(inside, cell_home, place_.folder + "/home")) return found;
    return moved(inside, "/tmp", place_.folder + "/tmp");
  }

  Variables environment() const override {
    return {
        {"PATH", std::string(cell_home) + "/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"HOME", cell_home},
        {"USER", "runner"},
        {"LOGNAME", "runner"},
        {"SHELL", "/bin/bash"},
        {"LANG", "C.UTF-8"}};
  }

  Task<Result<std::unique_ptr<process::Child>>> run(Command command) override {
    if (!cell_->sandbox) co_return core::fail(Code::unavailable, ended_text());
    process::InitClient::Run wanted;
    wanted.argv = std::move(command.argv);
    wanted.environment = std::move(command.environment);
    bool absolute = command.directory.starts_with("/");
    wanted.directory = command.directory.empty() ? inside_.workspace
                       : absolute                ? std::move(command.directory)
                                                 : inside_.workspace + "/" + command.directory;
    wanted.input = command.input;
    wanted.leftovers = command.leftovers;
    co_return co_await cell_->sandbox->init().run(std::move(wanted));
  }
  pid_t leader() const override { return cell_->sandbox ? cell_->sandbox->pid() : 0; }

  Result<> write(const std::string& path, std::string_view text) override { return files_.write(path, text); }
  Result<> make_folder(const std::string& path) override { return files_.make_folder(path); }
  Result<std::string> read(const std::string& path, size_t bytes_max) const override {
    return files_.read(path, bytes_max);
  }

  Task<Result<InsideListener>> listen() override {
    if (!cell_->sandbox) co_return core::fail(Code::unavailable, ended_text());
    auto listener = co_await cell_->sandbox->init().listen();
    if (!listener) co_return std::unexpected(listener.error());
    InsideListener lent{std::move(listener->socket), listener->port};
    co_return lent;
  }

  Task<Result<InsideListener>> listen_at(uint16_t port) override {
    if (!cell_->sandbox) co_return core::fail(Code::unavailable, ended_text());
    auto listener = co_await cell_->sandbox->init().listen(port);
    if (!listener) co_return std::unexpected(listener.error());
    InsideListener lent{std::move(listener->socket), listener->port};
    co_return lent;
  }

  std::optional<uid_t> owner() const override { return cell_->owner(); }

  std::optional<std::string> limit_hit() const override {
    const JobLimits& limits = cell_->limits;
    if (news_->exceeded > 0) return ended_text();
    bool watched = cell_->sandbox && cell_->sandbox->init().memory_exceeded() > 0;
    if (watched || (cell_->group && limits.memory_bytes > 0 && cell_->group->memory_was_short()))
      return "It was killed: over its memory limit of " + bytes_text(limits.memory_bytes) + ".";
    if (cell_->group && limits.processes > 0 && cell_->group->processes_were_short())
      return "It could not start a process: it is at its limit of " + std::to_string(limits.processes) + " processes.";
    return {};
  }

  Task<Result<Usage>> end() override {
    if (ended_) co_return usage_;
    ended_ = true;
    co_await watch_.close();
    if (cell_->sandbox) {
      auto used = cell_->sandbox->init().usage();
      usage_.processor = used.processor;
      if (used.memory_peak_bytes > 0) usage_.memory_peak_bytes = used.memory_peak_bytes;
    }
    if (cell_->group) {  // of all together, background processes included
      if (auto peak = cell_->group->memory_peak_bytes()) usage_.memory_peak_bytes = peak;
      if (auto used = cell_->group->processor_microseconds()) usage_.processor = std::chrono::microseconds(*used);
    }
    co_await Cell::quiet(cell_);
    if (state_->taken_apart < taken_apart_max)
      state_->tasks.spawn("take a sandbox apart", take_apart(state_, cell_));
    else
      co_await take_apart(state_, cell_);
    co_return usage_;
  }

 private:
  // `path` below `from`, as it is below `to`.
  static std::optional<std::string> moved(std::string_view path, std::string_view from, std::string_view to) {
    if (!path.starts_with(from) || (path.size() > from.size() && path[from.size()] != '/')) return {};
    return std::string(to) + std::string(path.substr(from.size()));
  }
  std::string within(std::string_view host) const { return to_inside(host).value_or(cell_work); }

  std::string ended_text() const {
    if (news_->exceeded == 0) return "The sandbox of the job has ended.";
    return "The job was ended: its folder holds " + bytes_text(news_->exceeded) + ", over its limit of " +
           bytes_text(cell_->limits.disk_bytes) + ".";
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Cell> cell_;  // shared with the task that ends it
  JobPlace place_;
  JobFiles files_;
  InsidePaths inside_;
  std::shared_ptr<DiskNews> news_ = std::make_shared<DiskNews>();  // shared with the watch's task
  DiskWatch watch_;
  bool ended_ = false;
  Usage usage_;
};

class SandboxExecutor final : public Executor {
 public:
  SandboxExecutor(core::Executor loop, core::Clock& clock, ExecutorOptions options)
      : state_(std::make_shared<State>(std::move(loop), clock, std::move(options))) {}
  ~SandboxExecutor() override { state_->tasks.cancel(); }

  std::string_view name() const override { return "sandbox"; }
  Task<Result<>> available() override { return try_once(state_); }
  Task<Result<std::unique_ptr<Surroundings>>> prepare(JobPlace place, JobNeeds needs) override {
    return prepare(state_, std::move(place), std::move(needs));
  }
  Task<> keep_ready(size_t count, std::string folder, JobNeeds needs) override {
    State& state = *state_;
    state.ready_wanted = std::min(count, ready_max);
    std::error_code ignored;  // what a runner that was killed had made ready
    if (state.ready_folder.empty()) std::filesystem::remove_all(folder, ignored);
    std::filesystem::create_directories(folder, ignored);  // what cannot be made is told by what is made in it
    spread_folders_of(folder);
    state.ready_folder = std::move(folder);
    state.ready_wish = CellWish{needs.limits, needs.network, {}};
    auto kept = state_;
    while (kept->fillers > 0) co_await kept->filled.wait();
    co_await fill(kept);
  }

 private:
  // With a sandbox that does nothing, in a folder of its own.
  static Task<Result<>> try_once(std::shared_ptr<State> state) {
    auto now = state->clock.steady();
    if (state->tried && (*state->tried || now < state->tried_at + trial_again)) co_return *state->tried;
    char path[] = "/tmp/headrace-trial-XXXXXX";
    if (::mkdtemp(path) == nullptr) co_return std::unexpected(core::error_of_errno(errno, "making a folder", path));
    CellWish wish;
    wish.network = false;
    auto cell = co_await state->maker.make(std::string(path) + "/job", wish);
    if (cell) co_await Cell::end(*cell, state->clock);
    std::error_code ignored;  // an empty folder in /tmp
    std::filesystem::remove_all(path, ignored);
    state->tried = cell ? Result<>{} : Result<>{refused(cell.error())};
    state->tried_at = now;
    co_return *state->tried;
  }

  static Task<Result<std::unique_ptr<Surroundings>>> prepare(std::shared_ptr<State> state, JobPlace place,
                                                             JobNeeds needs) {
    // An image is a container's; a container isolates as well, and where there is no engine that is said.
    if (needs.container) co_return co_await state->containers->prepare(std::move(place), std::move(needs));
    if (place.tool_cache.empty()) place.tool_cache = place.folder + "/tools";
    CellWish wish{needs.limits, needs.network, place.mounts};
    auto cell = take_ready(*state, place.folder, wish);
    if (cell) {
      if (!std::exchange(state->refilling, true)) state->tasks.spawn("make sandboxes ready", refill(state));
    } else {
      auto made = co_await state->maker.make(place.folder, std::move(wish));
      if (!made) co_return refused(made.error());
      cell = std::move(*made);
    }
    std::string folder = place.folder;
    auto around = std::make_unique<SandboxSurroundings>(state, std::move(cell), std::move(place));
    if (auto folders = around->make_folders(); !folders) co_return std::unexpected(folders.error());
    if (needs.services.empty()) co_return around;
    bool shared = needs.network && state->options.network == ExecutorOptions::Network::host;
    PortsOf ports = shared ? PortsOf::host : PortsOf::job;
    ServiceParts parts{state->loop, state->clock, state->options};
    co_return co_await with_services(std::move(parts), std::move(around), std::move(folder), std::move(needs.services),
                                     ports);
  }

  // One that waits, its folder renamed to the job's; null where none fits, or where that folder is not empty.
  static std::shared_ptr<Cell> take_ready(State& state, const std::string& folder, const CellWish& wish) {
    while (!state.ready.empty() && wish == state.ready_wish) {
      auto cell = std::move(state.ready.front());
      state.ready.pop_front();
      if (!cell->sandbox->init().alive()) continue;
      std::error_code error;
      std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), error);
      if (!error && ::rename(cell->folder.c_str(), folder.c_str()) == 0) {
        cell->folder = folder;
        return cell;
      }
      state.ready.push_front(std::move(cell));
      return nullptr;
    }
    return nullptr;
  }

  static Task<> refill(std::shared_ptr<State> state) {
    co_await state->clock.sleep_for(refill_pause);
    state->refilling = false;
    co_await fill(state);
  }

  // Two at once: most of what one takes is waiting for the kernel.
  static Task<> fill(std::shared_ptr<State> state) {
    if (state->fillers == fillers_max) co_return;
    ++state->fillers;
    while (state->ready.size() + state->making < state->ready_wanted) {
      ++state->making;
      std::string folder = state->ready_folder + "/" + std::to_string(++state->ready_made);
      auto cell = co_await state->maker.make(folder, state->ready_wish);
      --state->making;
      if (!cell) {
        core::diagnose(core::Level::warning, "runner", "a sandbox ahead of jobs: " + cell.error().message);
        break;
      }
      state->ready.push_back(std::move(*cell));
    }
    --state->fillers;
    state->filled.notify_all();
  }

  std::shared_ptr<State> state_;  // shared with its tasks
};

}  // namespace

std::unique_ptr<Executor> make_sandbox_executor(core::Executor loop, core::Clock& clock, ExecutorOptions options) {
  return std::make_unique<SandboxExecutor>(std::move(loop), clock, std::move(options));
}

}  // namespace headrace::runner
