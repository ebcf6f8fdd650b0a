#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <list>
#include <stdexcept>

#include "store/projector.h"

namespace headrace::store {

using core::Code;
using core::Result;
using core::Task;
using std::chrono::steady_clock;

namespace {

struct Watcher {
  std::function<void(Offset)> heard;
};

// The loop's side of a line.
struct Listening {
  Listening(Line& of, const core::Executor& executor) : line(of), moved(executor) {}
  Line& line;
  core::Signal moved;
  Offset told = 0;
  std::list<std::weak_ptr<Watcher>> watchers;
};

struct Interest {
  explicit Interest(Line& of) : line(of) { ++line.interest; }
  ~Interest() { --line.interest; }
  Interest(const Interest&) = delete;
  Interest& operator=(const Interest&) = delete;
  Line& line;
};

std::unexpected<core::Error> unknown(std::string_view name) {
  return core::fail(Code::not_found, fmt::format("There is no projection named {}.", name));
}

// A moment that is durable but not yet applied is waited for; one that is not in the log has no answer.
std::optional<core::Error> beyond(const log::EventLog& log, std::optional<Offset> at) {
  if (!at || *at <= log.durable()) return std::nullopt;
  return core::Error{
      .code = Code::invalid,
      .message = fmt::format("The offset {} is beyond the newest event, which has {}.", *at, log.durable()),
      .detail = {}};
}

}  // namespace

std::string_view name_of(Status::Phase phase) {
  switch (phase) {
    case Status::Phase::live: return "live";
    case Status::Phase::rebuilding: return "rebuilding";
    case Status::Phase::stopped: return "stopped";
  }
  return "unknown";
}

struct Store::Impl : std::enable_shared_from_this<Store::Impl> {
  Impl(core::Loop& on, log::EventLog& of, std::string directory, Limits within)
      : loop(on),
        log(of),
        limits(within),
        pool("sqlite",
             {.threads = within.read_threads, .queue_max = within.reads_waiting_max, .wait_max = within.read_wait_max}),
        projector(of, std::move(directory), within, [this] { post(); }) {}

  // On the projection thread. However many lines moved since the loop last looked, it is told once.
  void post() {
    if (posted.exchange(true)) return;
    loop.post([held = weak_from_this()] {
      if (const auto impl = held.lock()) impl->tell();
    });
  }

  void tell() {
    posted = false;  // before looking: what moves later is posted again
    for (const auto& listening : listenings) tell(*listening);
  }

  static void tell(Listening& listening) {
    listening.moved.notify_all();
    const auto applied = listening.line.applied.load();
    if (applied == std::exchange(listening.told, applied)) return;
    std::vector<std::shared_ptr<Watcher>> now;  // a watcher may go while it is called
    for (const auto& watcher : listening.watchers)
      if (auto still = watcher.lock()) now.push_back(std::move(still));
    for (const auto& watcher : now) watcher->heard(applied);
  }

  Listening* listening_to(std::string_view name) {
    const auto found = std::ranges::find_if(listenings, [&](const auto& any) { return any->line.name == name; });
    return found == listenings.end() ? nullptr : found->get();
  }

  core::Loop& loop;
  log::EventLog& log;
  const Limits limits;
  std::atomic<bool> posted{false};
  bool closing = false;
  core::Pool pool;
  Projector projector;
  std::vector<std::unique_ptr<Listening>> listenings;
};

Store::Store(core::Loop& loop, log::EventLog& log, std::string directory, Limits limits)
    : impl_(std::make_shared<Impl>(loop, log, std::move(directory), limits)) {}

Store::~Store() { stop(); }

void Store::add(std::unique_ptr<Projection> projection) {
  impl_->projector.add(std::move(projection));
  impl_->listenings.push_back(std::make_unique<Listening>(*impl_->projector.lines().back(), impl_->loop.executor()));
}

std::vector<Projection*> Store::projections() const {
  std::vector<Projection*> all;
  for (const auto& line : impl_->projector.lines()) all.push_back(&line->projection());
  return all;
}

Result<> Store::start() { return impl_->projector.start(); }

void Store::stop() {
  impl_->closing = true;
  impl_->projector.stop();
  for (const auto& listening : impl_->listenings) listening->moved.notify_all();
}

Offset Store::applied(std::string_view name) const {
  const auto* line = impl_->projector.find(name);
  return line == nullptr ? 0 : line->applied.load();
}

std::vector<Status> Store::status() const {
  std::vector<Status> all;
  const auto tail = impl_->log.durable();
  for (const auto& line : impl_->projector.lines())
    all.push_back({line->name, line->version, line->phase(), line->applied, line->rebuilt, tail, line->why()});
  return all;
}

static std::string described(const Line& line, Offset tail) {
  const auto phase = line.phase();
  if (phase == Status::Phase::live)
    return fmt::format("{} is behind (at {} of {})", line.name, line.applied.load(), tail);
  const auto why = line.why();
  const auto at = phase == Status::Phase::rebuilding ? fmt::format(" (at {} of {})", line.rebuilt.load(), tail) : "";
  return fmt::format("{} is {}{}{}{}", line.name, name_of(phase), at, why ? ": " : "", why ? why->message : "");
}

Result<> Store::ready() const {
  const auto tail = impl_->log.durable();
  std::string message;
  if (const auto error = impl_->projector.log_error()) message = "the log cannot be read: " + error->message;
  for (const auto& line : impl_->projector.lines())
    if (!line->keeps_up(tail)) message += (message.empty() ? "" : "; ") + described(*line, tail);
  if (message.empty()) return {};
  return core::fail(Code::unavailable, "Not all projections are at the log's tail: " + message);
}

std::optional<Offset> Store::shown() const {
  auto least = impl_->log.durable();
  for (const auto& line : impl_->projector.lines()) {
    if (line->phase() != Status::Phase::live) return std::nullopt;
    least = std::min(least, line->applied.load());
  }
  return least;
}

// Holds the store's inside, for the store may be gone before the wait is.
Task<Result<>> Store::wait_for(std::shared_ptr<Impl> impl, std::string name, Offset offset,
                               std::chrono::nanoseconds limit) {
  auto* listening = impl->listening_to(name);
  if (listening == nullptr) co_return unknown(name);
  auto& line = listening->line;
  const auto deadline = steady_clock::now() + limit;
  const Interest interest(line);  // before looking: what is applied later is told
  while (line.applied < offset) {
    if (impl->closing) co_return core::fail(Code::unavailable, "The platform is shutting down.");
    if (line.phase() == Status::Phase::stopped)
      co_return core::fail(Code::unavailable, line.why().value_or(core::Error()).message, "waiting for offset");
    const auto left = deadline - steady_clock::now();
    if (left <= left.zero())
      co_return core::fail(Code::unavailable, fmt::format("The projection {} is behind: at {}, wanted {}. Try again.",
                                                          name, line.applied.load(), offset));
    co_await listening->moved.wait_for(left);
  }
  co_return Result<>();
}

Task<Result<>> Store::caught_up(std::string name, Offset offset, std::chrono::nanoseconds limit) {
  return wait_for(impl_, std::move(name), offset, limit);
}

Task<Result<>> Store::all_caught_up(std::chrono::nanoseconds limit) {
  const auto impl = impl_;
  const auto tail = impl->log.durable();
  const auto deadline = steady_clock::now() + limit;
  for (const auto& listening : impl->listenings) {
    auto done = co_await wait_for(impl, listening->line.name, tail, deadline - steady_clock::now());
    if (!done) co_return done;
  }
  co_return Result<>();
}

Task<Result<>> Store::all_show(Offset offset, std::chrono::nanoseconds limit) {
  const auto impl = impl_;
  if (auto error = beyond(impl->log, offset)) co_return std::unexpected(std::move(*error));
  const auto deadline = steady_clock::now() + limit;
  if (!shown()) co_return core::fail(Code::unavailable, "A projection is stopped or being made anew; status names it.");
  for (const auto& listening : impl->listenings) {
    auto there = co_await wait_for(impl, listening->line.name, offset, deadline - steady_clock::now());
    if (!there) co_return there;
  }
  co_return Result<>();
}

Task<> Store::pass_gate(std::weak_ptr<Impl> held, std::string name, Offset offset) {
  const auto impl = held.lock();
  if (!impl) throw std::runtime_error("The projections are closed.");
  auto applied = co_await wait_for(impl, std::move(name), offset, gate_wait_max);
  if (!applied) throw std::runtime_error(applied.error().message);
}

std::function<Task<>(Offset)> Store::gate(std::string name) {
  return [held = std::weak_ptr<Impl>(impl_), name = std::move(name)](Offset offset) {
    return pass_gate(held, name, offset);
  };
}

Store::Watch Store::watch(std::string_view name, std::function<void(Offset)> heard) {
  auto* listening = impl_->listening_to(name);
  core::require(listening != nullptr, "a projection that is watched has been added");
  auto watcher = std::make_shared<Watcher>(Watcher{std::move(heard)});
  std::erase_if(listening->watchers, [](const auto& old) { return old.expired(); });
  listening->watchers.push_back(watcher);
  struct Handle {
    std::shared_ptr<Impl> impl;
    std::shared_ptr<Watcher> watcher;
    Interest interest;
  };
  return std::shared_ptr<Handle>(new Handle{impl_, std::move(watcher), Interest(listening->line)});
}

// While a file of an older version answers, a statement for the new tables is not the asker's mistake.
static Result<> explained(Result<> done, const Line& line) {
  if (done || done.error().code != Code::invalid || line.phase() != Status::Phase::rebuilding) return done;
  return core::fail(Code::unavailable,
                    fmt::format("The projection {} is being rebuilt for its version {}. Try again in a moment.",
                                line.name, line.version),
                    done.error().detail);
}

Task<Result<>> Store::read_on_pool(std::string name, std::optional<Offset> at, Reading reading) {
  const auto impl = impl_;
  auto* line = impl->projector.find(name);
  if (line == nullptr) co_return unknown(name);
  if (auto error = beyond(impl->log, at)) co_return std::unexpected(std::move(*error));
  if (at && line->applied < *at) {
    auto there = co_await wait_for(impl, name, *at, impl->limits.read_wait_max);
    if (!there) co_return there;
  }
  auto work = [readers = line->readers, at, applied = line->applied.load(), reading = std::move(reading)]() mutable {
    return readers->read(at, applied, std::move(reading));
  };
  auto done = co_await core::blocking(impl->pool, std::move(work));
  co_return explained(std::move(done), *line);
}

Result<> Store::read_on_this_thread(std::string_view name, std::optional<Offset> at, Reading reading) {
  const auto* line = impl_->projector.find(name);
  if (line == nullptr) return unknown(name);
  if (auto error = beyond(impl_->log, at)) return std::unexpected(std::move(*error));
  const auto applied = line->applied.load();
  if (at && applied < *at)
    return core::fail(Code::unavailable,
                      fmt::format("The projection {} is behind: at {}, wanted {}. Try again.", name, applied, *at));
  return explained(line->readers->read(at, applied, std::move(reading)), *line);
}

Result<std::optional<Offset>> Store::moment(std::string_view text) const {
  if (text.empty()) return std::optional<Offset>();
  Offset offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (auto outside = beyond(impl_->log, offset)) return std::unexpected(std::move(*outside));
    return std::optional(offset);
  }
  auto time = core::parse_time(text);
  if (!time)
    return core::fail(Code::invalid, fmt::format("\"{}\" is no moment: give the offset of an event, or a time such as "
                                                 "2026-11-23T14:05:00Z.",
                                                 text));
  auto after = impl_->log.at(*time + core::Duration(1));
  if (!after) return std::unexpected(after.error());
  return std::optional(*after ? **after - 1
                              : impl_->log.durable());  // a bound for comparing: there may be no such event
}

Result<> Store::rebuild(std::string_view name) {
  auto* line = impl_->projector.find(name);
  if (line == nullptr) return unknown(name);
  line->rebuild_wanted = true;
  impl_->projector.wake();
  return {};
}

Result<Offset> offset_of(sqlite::Connection& tables) {
  auto shown = tables.integer("SELECT shown_offset()");
  if (!shown) return std::unexpected(shown.error());
  return static_cast<Offset>(*shown);
}

}  // namespace headrace::store
