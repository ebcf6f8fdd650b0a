#include "services/runner/worker.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <filesystem>
#include <map>

#include "core/diagnostics.h"
#include "net/client.h"
#include "services/runner/assignment.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/leftovers.h"
#include "services/runner/protocol.h"
#include "services/runner/spread.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

constexpr size_t outgoing_max = 10'000;  // steps that wait to be told; beyond it the oldest is not

struct Worker::Impl : std::enable_shared_from_this<Worker::Impl> {
  Impl(core::Loop& on, core::Clock& time, core::Disk& files, core::IdSource& ids, WorkerOptions chosen)
      : loop(on),
        clock(time),
        disk(files),
        options(std::move(chosen)),
        instance(ids.next()),
        tasks(loop.executor()),
        changed(loop.executor()),
        client(loop.executor(), time, {.unix_socket = options.unix_socket, .trusted_pem = options.trusted_pem}) {
    options.executors.folder = options.folder;
  }

  using Socket = std::shared_ptr<net::WebSocket>;  // shared by the tasks that send and hear

  Task<Result<>> run();
  Result<> recover();
  Task<Result<Socket>> open_connection();
  Task<Result<>> connected(Socket socket);
  Task<> listen(Socket socket);
  Task<> send_all(Socket socket);
  static Task<Result<>> send_text(Socket socket, Message message);
  Task<Result<>> send_log(Socket socket, std::shared_ptr<Assignment> job, bool& sent);
  Task<> renew(Socket socket);
  Task<> pause(core::Duration length);
  Task<> end_jobs();
  void start(core::Scope& scope, std::string name, Task<> task) {
    scope.spawn(std::move(name), kept(shared_from_this(), std::move(task)));
  }
  static Task<> kept([[maybe_unused]] std::shared_ptr<Impl> self, Task<> task) { co_await std::move(task); }
  Hello hello() const;
  void handle(const Message& message);
  void take(const Run& order);
  Task<> work(std::shared_ptr<Assignment> job, Run order);
  void take_have(const LogHave& have);
  void take_told(const Told& told);
  void settle(Token token);
  Task<> remove(std::string folder);
  void connection_lost();
  void tell(Message message);
  Assignment::Surroundings around(Token token);
  Executor* executor(const std::string& name);
  Task<> make_ready();
  Task<> remove_containers();
  void wake() {
    dirty = true;
    changed.notify_all();
  }
  bool done() const { return (draining || stopping) && jobs.empty(); }

  core::Loop& loop;
  core::Clock& clock;
  core::Disk& disk;
  WorkerOptions options;
  std::string instance;
  core::Scope tasks;
  core::Signal changed;
  bool dirty = false;
  net::Client client;
  Repositories repositories{loop.executor(), options.folder + "/repositories"};
  std::map<std::string, std::unique_ptr<Executor>> executors;  // made when first asked for; they outlive the jobs
  std::map<Token, std::shared_ptr<Assignment>> jobs;           // shared with the tasks that run and send them
  std::deque<Message> outgoing;                                // steps, while connected
  std::string refused;                                         // why the server does not want us
  core::Pool removing{"runner folders", {.threads = 1, .queue_max = 100'000, .wait_max = std::chrono::hours(24)}};
  bool online = false;
  bool draining = false;
  bool stopping = false;
  bool at_once = false;
  std::chrono::seconds renew_every{10};
};

Worker::Worker(core::Loop& loop, core::Clock& clock, core::Disk& disk, core::IdSource& ids, WorkerOptions options)
    : impl_(std::make_shared<Impl>(loop, clock, disk, ids, std::move(options))) {}

Worker::~Worker() { impl_->tasks.cancel(); }

namespace {

// Keeps the worker's inside while it runs.
template <class Impl>
Task<Result<>> run_kept(std::shared_ptr<Impl> impl) {
  co_return co_await impl->run();
}

}  // namespace

Task<Result<>> Worker::run() { return run_kept(impl_); }

size_t Worker::jobs() const { return impl_->jobs.size(); }

void Worker::stop(std::string reason) {
  impl_->at_once = impl_->stopping;
  impl_->stopping = true;
  for (auto& [token, job] : impl_->jobs) job->cancel(reason);
  impl_->wake();
}

Assignment::Surroundings Worker::Impl::around(Token token) {
  return {.loop = loop.executor(),
          .clock = clock,
          .disk = disk,
          .folder = options.folder + "/" + std::to_string(token),
          .runner = options.name,
          .log_bytes_max = options.log_bytes_max,
          .times = options.times,
          .executor = [this](const std::string& name) { return executor(name); },
          .changed = [this] { wake(); },
          .stepped =
              [this](const StepChanged& step) {
                if (online) tell(step);
              },
          .repositories = repositories,
          .actions = {.upstream = options.actions_upstream, .containers = options.executors},
          .server = {.url = options.server, .unix_socket = options.unix_socket, .trusted_pem = options.trusted_pem}};
}

Executor* Worker::Impl::executor(const std::string& name) {
  auto& known = executors[name];
  if (!known) known = make_executor(name, loop.executor(), clock, disk, options.executors);
  return known.get();
}

// A job that begins finds a sandbox that waits for it.
Task<> Worker::Impl::make_ready() {
  bool sandboxes = std::ranges::any_of(options.labels, [](const auto& label) { return label.second == "sandbox"; });
  if (!sandboxes) co_return;
  JobNeeds usual;
  co_await executor("sandbox")->keep_ready(static_cast<size_t>(options.slots), options.folder + "/ready",
                                           std::move(usual));
}

// Of jobs of before, whose runner was killed.
Task<> Worker::Impl::remove_containers() {
  auto removed = co_await remove_left_containers(loop.executor(), options.folder);
  if (!removed) core::diagnose(core::Level::warning, "runner", "what jobs left: " + removed.error().message);
  if (removed && *removed > 0)
    core::diagnose(core::Level::warning, "runner",
                   "removed " + std::to_string(*removed) + " containers and networks of jobs of before");
}

Task<Result<>> Worker::Impl::run() {
  if (auto recovered = recover(); !recovered) co_return core::pass_on(recovered.error(), "looking for jobs of before");
  start(tasks, "remove containers of before", remove_containers());
  start(tasks, "make sandboxes ready", make_ready());
  auto wait = options.reconnect_first;
  while (!done() && !at_once) {
    auto socket = co_await open_connection();
    if (socket) {
      wait = options.reconnect_first;
      auto ended = co_await connected(*socket);
      connection_lost();
      if (!ended) co_await end_jobs();
      if (!ended) co_return ended;
    } else if (socket.error().code == Code::unauthenticated || socket.error().code == Code::denied) {
      co_await end_jobs();
      co_return core::pass_on(socket.error(), "signing in at " + options.server);
    }
    co_await pause(wait);
    wait = std::min(wait * 2, options.reconnect_most);
  }
  if (at_once) co_await tasks.close();
  co_await tasks.until_idle();
  co_return Result<>{};
}

// Before the next try to connect; jobs that print meanwhile do not shorten it.
Task<> Worker::Impl::pause(core::Duration length) {
  auto until = clock.steady() + length;
  while (!done() && !at_once && clock.steady() < until) co_await changed.wait_for(until - clock.steady());
}

// The server does not want this runner: nobody would hear of them.
Task<> Worker::Impl::end_jobs() {
  for (auto& [token, job] : jobs) job->drop();
  co_await tasks.until_idle();
}

Task<Result<Worker::Impl::Socket>> Worker::Impl::open_connection() {
  net::ClientRequest request;
  request.url = options.server + "/api/v1/runner";
  request.headers.set("Authorization", "Bearer " + options.token);
  net::WebSocketOptions speaking;
  speaking.subprotocols.emplace_back(subprotocol);
  speaking.message_bytes_max = message_bytes_max;
  auto opened = co_await client.websocket(std::move(request), std::move(speaking));
  if (!opened) co_return std::unexpected(opened.error());
  co_return Socket(std::move(*opened));
}

void Worker::Impl::tell(Message message) {
  if (outgoing.size() >= outgoing_max) outgoing.pop_front();
  outgoing.push_back(std::move(message));
  wake();
}

Result<> Worker::Impl::recover() {
  if (auto made = disk.make_directories(options.folder); !made) return made;
  spread_folders_of(options.folder);
  auto names = disk.list(options.folder);
  if (!names) return std::unexpected(names.error());
  if (auto ended = end_leftovers(options.folder); ended > 0)
    core::diagnose(core::Level::warning, "runner", "ended " + std::to_string(ended) + " processes of jobs of before");
  for (const auto& name : *names) {
    Token token = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), token);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    auto job = std::make_shared<Assignment>(around(token), token);
    if (auto recovered = job->recover(); !recovered)
      core::diagnose(core::Level::warning, "runner", "a job of before: " + recovered.error().message);
    if (job->end() || job->lost()) {
      jobs.emplace(token, std::move(job));
    } else {
      start(tasks, "remove the folder of a job", remove(job->folder()));
    }
  }
  return {};
}

Hello Worker::Impl::hello() const {
  Hello hello{
      .runner = options.name, .instance = instance, .slots = options.slots, .labels = options.labels, .jobs = {}};
  for (const auto& [token, job] : jobs)
    if (!job->dropped()) hello.jobs.push_back(token);
  return hello;
}

Task<Result<>> Worker::Impl::send_text(Socket socket, Message message) {
  net::Message text{net::Message::Kind::text, encode(message)};
  co_return co_await socket->send(std::move(text));
}

// One connection, until it breaks (a value) or the server will not have us (its reason).
Task<Result<>> Worker::Impl::connected(Socket socket) {
  Message greeting = hello();
  auto said = co_await send_text(socket, std::move(greeting));
  if (!said) co_return Result<>{};
  online = true;  // what the server knows of the jobs it says itself, for each that hello named
  core::Scope speaking(loop.executor());
  start(speaking, "send to the server", send_all(socket));
  start(speaking, "renew leases", renew(socket));
  start(speaking, "hear the server", listen(socket));
  while (online && !done() && !at_once) co_await changed.wait();
  co_await speaking.close();
  if (socket->open()) auto closed = co_await socket->close();
  if (!refused.empty()) co_return core::fail(Code::denied, "The server refused this runner: " + refused);
  co_return Result<>{};
}

void Worker::Impl::connection_lost() {
  online = false;
  outgoing.clear();
  for (auto& [token, job] : jobs) {
    job->known = false;
    job->asked = false;
    job->end_sent = false;
    job->sent = job->have;
    job->findings().connection_lost();
  }
}

Task<> Worker::Impl::listen(Socket socket) {
  while (refused.empty()) {
    auto message = co_await socket->receive();
    if (!message || !*message) break;
    auto read = decode((*message)->data);
    if (!read) {
      core::diagnose(core::Level::error, "runner", "from the server: " + read.error().message);
      break;
    }
    handle(*read);
  }
  online = false;
  wake();
}

void Worker::Impl::handle(const Message& message) {
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    renew_every = std::chrono::seconds(std::max<int64_t>(1, welcome->renew_seconds));
    draining = false;
  } else if (const auto* order = std::get_if<Run>(&message)) {
    take(*order);
  } else if (const auto* cancel = std::get_if<Cancel>(&message)) {
    if (auto job = jobs.find(cancel->token); job != jobs.end())
      job->second->cancel(cancel->reason, cancel->forced ? Ending::at_once : Ending::in_good_order);
  } else if (const auto* begun = std::get_if<Begun>(&message)) {
    if (auto job = jobs.find(begun->token); job != jobs.end()) job->second->begin();
  } else if (const auto* have = std::get_if<LogHave>(&message)) {
    take_have(*have);
  } else if (const auto* told = std::get_if<Told>(&message)) {
    take_told(*told);
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    settle(settled->token);
  } else if (const auto* stale = std::get_if<Stale>(&message)) {
    if (jobs.contains(stale->token)) core::diagnose(core::Level::warning, "runner", "dropping a job: " + stale->reason);
    settle(stale->token);
  } else if (const auto* refusal = std::get_if<Refused>(&message)) {
    refused = refusal->reason;
  } else if (std::get_if<Drain>(&message)) {
    draining = true;
    wake();
  }
}

void Worker::Impl::take_have(const LogHave& have) {
  auto found = jobs.find(have.token);
  if (found == jobs.end()) return;
  Assignment& job = *found->second;
  job.have = std::min(have.bytes, job.log_bytes());
  job.sent = std::max(job.sent, job.have);
  if (have.resend) {
    job.sent = job.have;
    job.end_sent = false;
    if (!job.known)
      for (const auto& step : job.steps()) tell(step);  // some began or ended while nobody listened
    job.known = true;
  }
  wake();
}

void Worker::Impl::take_told(const Told& told) {
  auto found = jobs.find(told.token);
  if (found == jobs.end()) return;
  Findings& findings = found->second->findings();
  told.again ? findings.again(told.number) : findings.forget(told.number);
  wake();
}

void Worker::Impl::take(const Run& order) {
  if (jobs.contains(order.token)) return;
  auto job = std::make_shared<Assignment>(around(order.token), order.token);
  job->known = true;
  jobs.emplace(order.token, job);
  start(tasks, "job", work(job, order));
}

Task<> Worker::Impl::work(std::shared_ptr<Assignment> job, Run order) {
  co_await job->run(std::move(order));
  if (job->dropped()) settle(job->token());
  wake();
}

// The server has all it wants to know of the job; one that still runs is ended first.
void Worker::Impl::settle(Token token) {
  auto job = jobs.find(token);
  if (job == jobs.end()) return;
  if (job->second->running()) return job->second->drop();
  start(tasks, "remove the folder of a job", remove(job->second->folder()));
  jobs.erase(job);
  wake();
}

// A folder may hold a whole build: removed beside the loop.
Task<> Worker::Impl::remove(std::string folder) {
  auto removal = [folder] { return remove_folder(folder); };
  auto removed = co_await core::blocking(removing, std::move(removal));
  if (!removed) core::diagnose(core::Level::warning, "runner", removed.error().message + " " + removed.error().detail);
}

Task<> Worker::Impl::renew(Socket socket) {
  while (true) {
    co_await clock.sleep_for(renew_every);
    if (jobs.empty()) continue;
    Message renewed = Renew{hello().jobs};
    auto sent = co_await send_text(socket, std::move(renewed));
    if (!sent) co_return;
  }
}

Task<> Worker::Impl::send_all(Socket socket) {
  while (true) {
    dirty = false;
    while (!outgoing.empty()) {
      Message next = std::move(outgoing.front());
      outgoing.pop_front();
      if (auto sent = co_await send_text(socket, std::move(next)); !sent) co_return;
    }
    std::vector<std::shared_ptr<Assignment>> now;  // the jobs may change while one of them is sent
    for (const auto& [token, job] : jobs) now.push_back(job);
    bool more = false;
    for (const auto& job : now)
      if (auto sent = co_await send_log(socket, job, more); !sent) co_return;
    if (!more && !dirty) co_await changed.wait();
  }
}

// What is next of one job: that it waits to begin, what it found, a piece of its log, or its end once the server has
// all that it found and all of the log is sent.
Task<Result<>> Worker::Impl::send_log(Socket socket, std::shared_ptr<Assignment> job, bool& sent) {
  if (!job->known || job->dropped()) co_return Result<>{};
  if (job->waits_to_begin() && !job->asked) {
    job->asked = true;
    sent = true;
    Message wish = Begin{job->token()};
    co_return co_await send_text(socket, std::move(wish));
  }
  if (job->findings().has_next()) {
    auto found = job->findings().next();
    sent = true;
    if (!found) {
      core::diagnose(core::Level::error, "runner", "a report or summary is lost: " + found.error().message);
      co_return Result<>{};
    }
    net::Message message{net::Message::Kind::text, std::move(*found)};
    co_return co_await socket->send(std::move(message));
  }
  if (job->sent < job->log_bytes() && job->sent - job->have < options.log_in_flight_max) {
    auto piece = job->read_log(job->sent, log_piece_max);
    if (!piece || piece->empty())
      co_return core::fail(Code::corrupt, "The log of a job cannot be read back.", piece ? "" : piece.error().message);
    net::Message message{net::Message::Kind::binary, encode_log(job->token(), job->sent, *piece)};
    job->sent += piece->size();
    sent = true;
    co_return co_await socket->send(std::move(message));
  }
  const bool over = job->end() || job->lost();
  if (over && !job->end_sent && job->sent >= job->log_bytes() && job->findings().empty()) {
    job->end_sent = true;
    sent = true;
    Message end = job->end() ? Message(*job->end()) : Message(*job->lost());
    co_return co_await send_text(socket, std::move(end));
  }
  co_return Result<>{};
}

}  // namespace headrace::runner
