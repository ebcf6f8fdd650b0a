#include "core/diagnostics.h"
#include "core/json.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds hello_wait{10};
constexpr std::chrono::seconds log_retry{1};
constexpr int64_t slots_max = 10'000;

Task<> refuse(net::WebSocket& socket, std::string reason) {
  net::Message message{net::Message::Kind::text, encode(Refused{reason})};
  if (auto told = co_await socket.send(std::move(message)); !told) co_return;
  auto closed = co_await socket.close(net::CloseCode::policy, reason);
  if (!closed) core::diagnose(core::Level::debug, "runner", closed.error().message);
}

Task<Result<Hello>> receive_hello(net::WebSocket& socket) {
  auto first = co_await socket.receive();
  if (!first) co_return std::unexpected(first.error());
  if (!*first || (*first)->kind != net::Message::Kind::text) co_return core::fail(Code::invalid, "A runner begins with the message 'hello'.");
  auto message = decode((*first)->data);
  if (!message) co_return std::unexpected(message.error());
  auto* hello = std::get_if<Hello>(&*message);
  if (!hello) co_return core::fail(Code::invalid, "A runner begins with the message 'hello'.");
  if (hello->slots < 1 || hello->slots > slots_max) co_return core::fail(Code::invalid, "A runner has 1 to 10000 slots.");
  co_return std::move(*hello);
}

void update(std::vector<LiveStep>& steps, const StepChanged& change) {
  for (auto& step : steps) {
    if (step.number != change.number) continue;
    step.conclusion = change.conclusion;
    return;
  }
  steps.push_back({change.number, change.name, change.conclusion});
}

}  // namespace

Task<> Service::serve(net::WebSocket& socket, core::Actor actor) {
  auto hello = co_await receive_hello(socket);
  if (!hello) co_return co_await refuse(socket, hello.error().message);
  if (hello->runner != actor.name) co_return co_await refuse(socket, "This token is of the runner '" + actor.name + "', not of '" + hello->runner + "'.");
  auto session = std::make_shared<Session>(parts.loop.executor(), std::move(*hello), parts.clock.now());
  if (auto welcomed = welcome(session); !welcomed) co_return co_await refuse(socket, welcomed.error().message);
  co_await converse(socket, session);
  session->close();
  if (session_named(session->hello.runner) == session) sessions.erase(session->hello.runner);
}

Result<> Service::welcome(const std::shared_ptr<Session>& session) {
  const Hello& hello = session->hello;
  auto other = session_named(hello.runner);
  if (other && other->hello.instance != hello.instance)
    return core::fail(Code::conflict, "Another runner is connected under the name '" + hello.runner + "'; give this one a name and token of its own.");
  if (!other && sessions.size() >= policy.runners_max) return core::fail(Code::exhausted, "As many runners are connected as the server allows.");
  if (other) other->close();  // the same process, over a new connection
  sessions[hello.runner] = session;
  session->post(Welcome{policy.renew.count()});
  for (Token token : hello.jobs) {
    auto job = at_work.find(token);
    if (job == at_work.end() || job->second.runner != hello.runner) continue;  // it says Finished or Renew, and hears what is so
    leases.hold(token);
    session->jobs.insert(token);
    auto size = logs.size(job->second.log());
    session->post(LogHave{token, size.value_or(0), true});
    auto row = parts.store.read_here(JobsProjection::projection_name, {}, [&](sqlite::Connection& tables) { return find_lease(tables, token); });
    if (row && *row && !(*row)->cancel_reason.empty()) session->post(Cancel{token, (*row)->cancel_reason});
  }
  drain_replaced(*session);
  wake_dispatch();
  return {};
}

void Service::drain_replaced(Session& session) {
  auto replacing = replaced.find(session.hello.runner);
  if (replacing == replaced.end()) return;
  if (replacing->second.empty()) replacing->second = session.hello.instance;
  if (replacing->second != session.hello.instance) {  // the new one is here
    replaced.erase(replacing);
    return;
  }
  session.draining = true;
  session.post(Drain{});
}

// Jobs the log says this runner has and it does not know of: it was started anew, and they ended with the old process.
Task<> Service::settle_absent(std::shared_ptr<Session> session) {
  std::vector<Token> absent;
  for (const auto& [token, job] : at_work)
    if (job.runner == session->hello.runner && !session->jobs.contains(token)) absent.push_back(token);
  for (Token token : absent) {
    auto lost = co_await lose(token, "it was started again, and the job ended with the old process");
    if (!lost) core::diagnose(core::Level::error, "runner", "giving up a lease: " + lost.error().message);
  }
}

Task<> Service::converse(net::WebSocket& socket, std::shared_ptr<Session> session) {
  core::Scope work(parts.loop.executor());
  work.spawn("runner connection", session->send_all(socket));
  work.spawn("runner's absent jobs", settle_absent(session));
  while (true) {
    auto message = co_await socket.receive();
    if (!message || !*message) break;
    if (session_named(session->hello.runner) != session) break;  // a newer connection took its place
    if ((*message)->kind == net::Message::Kind::binary) {
      take_log((*message)->data, session);
      continue;
    }
    auto read = decode((*message)->data);
    if (!read || !handle(*read, session)) {
      std::string why = read ? "This message is the server's to send." : read.error().message;
      co_await work.close();
      co_return co_await refuse(socket, std::move(why));
    }
  }
  session->close();
  co_await work.close();
}

bool Service::handle(const Message& message, const std::shared_ptr<Session>& session) {
  if (const auto* renewed = std::get_if<Renew>(&message)) {
    for (Token token : renewed->jobs)
      if (!leases.renew(token)) session->post(Stale{token, "The lease is not in force any more."});
    return true;
  }
  if (const auto* step = std::get_if<StepChanged>(&message)) return take_step(*step), true;
  if (const auto* finished = std::get_if<Finished>(&message)) return tasks.spawn("end of a job", finish_and_tell(*finished, session)), true;
  return false;
}

void Service::take_log(std::string_view message, const std::shared_ptr<Session>& session) {
  auto piece = decode_log(message);
  if (!piece) return core::diagnose(core::Level::warning, "runner", piece.error().message);
  auto job = at_work.find(piece->token);
  if (job == at_work.end() || job->second.runner != session->hello.runner)
    return session->post(Stale{piece->token, "The lease is not in force any more."});
  leases.renew(piece->token);
  auto size = logs.write(job->second.log(), piece->offset, piece->bytes);
  bool resend = !size;
  if (!size) {
    core::diagnose(core::Level::error, "runner", "writing the log of a job: " + size.error().message);
    size = logs.size(job->second.log());
  }
  session->post(LogHave{piece->token, size.value_or(0), resend});
}

void Service::take_step(const StepChanged& step) {
  auto job = at_work.find(step.token);
  if (job == at_work.end()) return;
  auto& steps = live[job->second.job];
  bool first = steps.empty() && !step.conclusion;
  update(steps, step);
  auto topic = steps_topic(job->second.run);
  if (parts.bus.channels().heard(topic)) {
    core::json::object told{{"job", job->second.job}, {"number", step.number}, {"name", step.name}, {"conclusion", nullptr}};
    if (step.conclusion) told["conclusion"] = events::name_of(*step.conclusion);
    parts.bus.channels().offer(topic, std::make_shared<const std::string>(core::to_text(told)));
  }
  if (first && job->second.state != JobState::started) {
    job->second.state = JobState::started;
    tasks.spawn("begin of a job", begin_quietly(step.token));
  }
}

Task<> Service::begin_quietly(Token token) {
  auto begun = co_await begin(token);
  if (!begun) core::diagnose(core::Level::error, "runner", "saying that a job began: " + begun.error().message + " " + begun.error().detail);
}

Task<> Service::finish_and_tell(Finished finished, std::shared_ptr<Session> session) {
  Token token = finished.token;
  uint64_t bytes = finished.log_bytes;
  if (auto job = at_work.find(token); job != at_work.end()) {
    auto size = logs.size(job->second.log());
    if (!size || *size != finished.log_bytes) {  // it sends the rest, and says so again
      co_await parts.clock.sleep_for(size && *size < finished.log_bytes ? std::chrono::seconds(0) : log_retry);
      co_return session->post(LogHave{token, size.value_or(0), true});
    }
  }
  auto settled = co_await finish(std::move(finished));
  if (!settled) {
    core::diagnose(core::Level::error, "runner", "saying that a job ended: " + settled.error().message + " " + settled.error().detail);
    co_await parts.clock.sleep_for(log_retry);
    co_return session->post(LogHave{token, bytes, true});  // it says so again
  }
  if (*settled) {
    session->post(Settled{token});
  } else {
    session->post(Stale{token, "The lease is not in force any more."});
  }
}

}  // namespace headrace::runner
