#include "services/runner/worker.h"

#include <charconv>
#include <map>

#include "core/diagnostics.h"
#include "net/client.h"
#include "services/runner/assignment.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

struct Worker::Impl {
  Impl(core::Loop& on, core::Clock& time, core::Disk& files, core::IdSource& ids, WorkerOptions chosen)
      : loop(on), clock(time), disk(files), options(std::move(chosen)), instance(ids.next()), tasks(loop.executor()), changed(loop.executor()),
        client(loop.executor(), time, {.unix_socket = options.unix_socket, .trusted_pem = options.trusted_pem}) {}

  Task<Result<>> run();
  Result<> recover();
  Task<Result<std::unique_ptr<net::WebSocket>>> open_connection();
  Task<Result<>> connected(net::WebSocket& socket);
  Task<> listen(net::WebSocket& socket, bool& refused, std::string& reason);
  Task<> send_all(net::WebSocket& socket);
  static Task<Result<>> send_text(net::WebSocket& socket, const Message& message);
  Task<Result<>> send_log(net::WebSocket& socket, std::shared_ptr<Assignment> job, bool& sent);
  Task<> renew(net::WebSocket& socket);
  Hello hello() const;
  void handle(const Message& message);
  void take(const Run& order);
  Task<> work(std::shared_ptr<Assignment> job, Run order);
  void settle(Token token);
  void connection_lost();
  Assignment::Surroundings around(Token token);
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
  std::map<Token, std::shared_ptr<Assignment>> jobs;  // shared with the tasks that run and send them
  std::vector<Message> outgoing;                      // steps, while connected
  bool online = false;
  bool draining = false;
  bool stopping = false;
  bool at_once = false;
  std::chrono::seconds renew_every{10};
};

Worker::Worker(core::Loop& loop, core::Clock& clock, core::Disk& disk, core::IdSource& ids, WorkerOptions options)
    : impl_(std::make_unique<Impl>(loop, clock, disk, ids, std::move(options))) {}

Worker::~Worker() = default;

Task<Result<>> Worker::run() { return impl_->run(); }

size_t Worker::jobs() const { return impl_->jobs.size(); }

void Worker::stop(std::string reason) {
  impl_->at_once = impl_->stopping;
  impl_->stopping = true;
  for (auto& [token, job] : impl_->jobs) job->cancel(reason);
  impl_->wake();
}

Assignment::Surroundings Worker::Impl::around(Token token) {
  return {.loop = loop.executor(), .clock = clock, .disk = disk, .folder = options.folder + "/" + std::to_string(token),
          .log_bytes_max = options.log_bytes_max, .times = options.times, .changed = [this] { wake(); },
          .stepped = [this](const StepChanged& step) {
            if (online) outgoing.push_back(step);
            wake();
          }};
}

Task<Result<>> Worker::Impl::run() {
  if (auto recovered = recover(); !recovered) co_return core::pass_on(recovered.error(), "looking for jobs of before");
  auto pause = options.reconnect_first;
  while (!done() && !at_once) {
    auto socket = co_await open_connection();
    if (socket) {
      pause = options.reconnect_first;
      auto ended = co_await connected(**socket);
      connection_lost();
      if (!ended) co_return ended;
    } else if (socket.error().code == Code::unauthenticated || socket.error().code == Code::denied) {
      co_return core::pass_on(socket.error(), "signing in at " + options.server);
    }
    if (done() || at_once) break;
    co_await changed.wait_for(pause);
    pause = std::min(pause * 2, options.reconnect_most);
  }
  co_await tasks.until_idle();
  co_return Result<>{};
}

Task<Result<std::unique_ptr<net::WebSocket>>> Worker::Impl::open_connection() {
  net::ClientRequest request;
  request.url = options.server + "/api/v1/runner";
  request.headers.set("Authorization", "Bearer " + options.token);
  net::WebSocketOptions speaking;
  speaking.subprotocols.emplace_back(subprotocol);
  speaking.message_bytes_max = message_bytes_max;
  return client.websocket(std::move(request), std::move(speaking));
}

Result<> Worker::Impl::recover() {
  if (auto made = disk.make_directories(options.folder); !made) return made;
  auto names = disk.list(options.folder);
  if (!names) return std::unexpected(names.error());
  for (const auto& name : *names) {
    Token token = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), token);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    auto job = std::make_shared<Assignment>(around(token), token);
    if (auto recovered = job->recover(); !recovered) core::diagnose(core::Level::warning, "runner", "a job of before: " + recovered.error().message);
    if (job->end()) {
      jobs.emplace(token, std::move(job));
    } else if (auto removed = job->remove(); !removed) {
      core::diagnose(core::Level::warning, "runner", removed.error().message);
    }
  }
  return {};
}

Hello Worker::Impl::hello() const {
  Hello hello{.runner = options.name, .instance = instance, .slots = options.slots, .labels = options.labels, .jobs = {}};
  for (const auto& [token, job] : jobs)
    if (!job->dropped()) hello.jobs.push_back(token);
  return hello;
}

Task<Result<>> Worker::Impl::send_text(net::WebSocket& socket, const Message& message) {
  net::Message text{net::Message::Kind::text, encode(message)};
  return socket.send(std::move(text));
}

// One connection, until it breaks (a value) or the server will not have us (its reason).
Task<Result<>> Worker::Impl::connected(net::WebSocket& socket) {
  auto said = co_await send_text(socket, hello());
  if (!said) co_return Result<>{};
  online = true;
  // A job that the server does not know any more is told so when its end is reported, or its lease renewed.
  for (auto& [token, job] : jobs) job->known = job->end().has_value();
  bool refused = false;
  std::string reason;
  core::Scope speaking(loop.executor());
  speaking.spawn("send to the server", send_all(socket));
  speaking.spawn("renew leases", renew(socket));
  speaking.spawn("hear the server", listen(socket, refused, reason));
  while (online && !done() && !at_once) co_await changed.wait();
  co_await speaking.close();
  if (socket.open()) auto closed = co_await socket.close();
  if (refused) co_return core::fail(Code::denied, "The server refused this runner: " + reason);
  co_return Result<>{};
}

void Worker::Impl::connection_lost() {
  online = false;
  outgoing.clear();
  for (auto& [token, job] : jobs) {
    job->known = false;
    job->end_sent = false;
    job->sent = job->have;
  }
}

Task<> Worker::Impl::listen(net::WebSocket& socket, bool& refused, std::string& reason) {
  while (true) {
    auto message = co_await socket.receive();
    if (!message || !*message) break;
    auto read = decode((*message)->data);
    if (!read) {
      core::diagnose(core::Level::error, "runner", "from the server: " + read.error().message);
      break;
    }
    if (const auto* refusal = std::get_if<Refused>(&*read)) {
      refused = true;
      reason = refusal->reason;
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
    if (auto job = jobs.find(cancel->token); job != jobs.end()) job->second->cancel(cancel->reason);
  } else if (const auto* have = std::get_if<LogHave>(&message)) {
    auto job = jobs.find(have->token);
    if (job == jobs.end()) return;
    Assignment& known = *job->second;
    known.have = std::min(have->bytes, known.log_bytes());
    if (have->resend) {
      known.sent = known.have;
      known.end_sent = false;
      known.known = true;
    }
    wake();
  } else if (const auto* settled = std::get_if<Settled>(&message)) {
    settle(settled->token);
  } else if (const auto* stale = std::get_if<Stale>(&message)) {
    if (auto job = jobs.find(stale->token); job != jobs.end()) {
      core::diagnose(core::Level::warning, "runner", "dropping a job: " + stale->reason);
      job->second->drop();
      if (job->second->end()) settle(stale->token);
    }
  } else if (std::get_if<Drain>(&message)) {
    draining = true;
    wake();
  }
}

void Worker::Impl::take(const Run& order) {
  if (jobs.contains(order.token)) return;
  auto job = std::make_shared<Assignment>(around(order.token), order.token);
  job->known = true;
  jobs.emplace(order.token, job);
  tasks.spawn("job", work(job, order));
}

Task<> Worker::Impl::work(std::shared_ptr<Assignment> job, Run order) {
  co_await job->run(std::move(order));
  if (job->dropped()) settle(job->token());
  wake();
}

void Worker::Impl::settle(Token token) {
  auto job = jobs.find(token);
  if (job == jobs.end()) return;
  if (auto removed = job->second->remove(); !removed) core::diagnose(core::Level::warning, "runner", removed.error().message);
  jobs.erase(job);
  wake();
}

Task<> Worker::Impl::renew(net::WebSocket& socket) {
  while (true) {
    co_await clock.sleep_for(renew_every);
    if (jobs.empty()) continue;
    Message renewed = Renew{hello().jobs};
    auto sent = co_await send_text(socket, renewed);
    if (!sent) co_return;
  }
}

Task<> Worker::Impl::send_all(net::WebSocket& socket) {
  while (true) {
    dirty = false;
    while (!outgoing.empty()) {
      Message next = std::move(outgoing.front());
      outgoing.erase(outgoing.begin());
      if (auto sent = co_await send_text(socket, next); !sent) co_return;
    }
    std::vector<std::shared_ptr<Assignment>> now;
    for (const auto& [token, job] : jobs) now.push_back(job);
    bool more = false;
    for (const auto& job : now)
      if (auto sent = co_await send_log(socket, job, more); !sent) co_return;
    if (!more && !dirty) co_await changed.wait();
  }
}

// A piece of the log, or the end if all of it is sent.
Task<Result<>> Worker::Impl::send_log(net::WebSocket& socket, std::shared_ptr<Assignment> job, bool& sent) {
  if (!job->known || job->dropped()) co_return Result<>{};
  if (job->sent < job->log_bytes() && job->sent - job->have < options.log_in_flight_max) {
    auto piece = job->read_log(job->sent, log_piece_max);
    if (!piece || piece->empty()) co_return core::fail(Code::corrupt, "The log of a job cannot be read back.", piece ? "" : piece.error().message);
    net::Message message{net::Message::Kind::binary, encode_log(job->token(), job->sent, *piece)};
    job->sent += piece->size();
    sent = true;
    co_return co_await socket.send(std::move(message));
  }
  if (job->end() && !job->end_sent && job->sent >= job->log_bytes()) {
    job->end_sent = true;
    sent = true;
    Message end = *job->end();
    co_return co_await send_text(socket, end);
  }
  co_return Result<>{};
}

size_t end_leftovers(core::Executor executor, core::Disk& disk, const std::string& folder) {
  auto names = disk.list(folder);
  size_t ended = 0;
  if (!names) return ended;
  for (const auto& name : *names)
    if (end_group(executor, disk, folder + "/" + name)) ++ended;
  return ended;
}

}  // namespace headrace::runner
