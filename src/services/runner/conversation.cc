#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/diagnostics.h"
#include "core/json.h"
#include "services/runner/job_context.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds hello_wait{10};
constexpr std::chrono::seconds log_retry{1};
constexpr int64_t slots_max = 10'000;
constexpr uint64_t sync_every = uint64_t{32} << 20;  // bytes of a log
constexpr size_t steps_max = 10'000;                 // of one job, as they are shown while it runs

Task<> refuse(net::WebSocket& socket, std::string reason) {
  net::Message message{net::Message::Kind::text, encode(Refused{reason})};
  if (auto told = co_await socket.send(std::move(message)); !told) co_return;
  auto closed = co_await socket.close(net::CloseCode::policy, reason);
  if (!closed) core::diagnose(core::Level::debug, "runner", closed.error().message);
}

Task<Result<Hello>> receive_hello(net::WebSocket& socket) {
  auto first = co_await socket.receive();
  if (!first) co_return std::unexpected(first.error());
  if (!*first || (*first)->kind != net::Message::Kind::text)
    co_return core::fail(Code::invalid, "A runner begins with the message 'hello'.");
  auto message = decode((*first)->data);
  if (!message) co_return std::unexpected(message.error());
  auto* hello = std::get_if<Hello>(&*message);
  if (!hello) co_return core::fail(Code::invalid, "A runner begins with the message 'hello'.");
  if (hello->slots < 1 || hello->slots > slots_max)
    co_return core::fail(Code::invalid, "A runner has 1 to 10000 slots.");
  co_return std::move(*hello);
}

// The connection of who says nothing is closed.
Task<> hang_up(net::WebSocket& socket, core::Clock& clock) {
  co_await clock.sleep_for(hello_wait);
  auto closed = co_await socket.close(net::CloseCode::policy, "no hello came");
  if (!closed) core::diagnose(core::Level::debug, "runner", closed.error().message);
}

// Given up however the conversation ends, cancelled too.
class Seat {
 public:
  Seat(Service& service, std::shared_ptr<Session> session) : service_(service), session_(std::move(session)) {}
  ~Seat() {
    session_->close();
    session_->socket = nullptr;
    if (service_.session_named(session_->hello.runner) == session_) service_.sessions.erase(session_->hello.runner);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

 private:
  Service& service_;
  std::shared_ptr<Session> session_;
};

// One task at a time says something of a job.
class Telling {
 public:
  Telling(std::set<Token>& all, Token token) : all_(all), token_(token), first_(all.insert(token).second) {}
  ~Telling() {
    if (first_) all_.erase(token_);
  }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;
  bool first() const { return first_; }

 private:
  std::set<Token>& all_;
  Token token_;
  bool first_;
};

void answer_ended(bool settled, Token token, Session& session) {
  settled ? session.post(Settled{token}) : session.post(Stale{token, "The lease is not in force any more."});
}

size_t bytes_of(const events::JobAnnotation& note) {
  return note.message.size() + note.title.size() + note.file.size();
}

// A runner keeps to these bounds by itself; what is beyond them is not shown before the end.
std::vector<events::JobAnnotation> bounded(const std::vector<LiveStep>& steps, const StepChanged& change) {
  size_t count = 0, bytes = 0;
  for (const auto& step : steps) {
    if (step.number == change.number) continue;
    count += step.annotations.size();
    for (const auto& note : step.annotations) bytes += bytes_of(note);
  }
  std::vector<events::JobAnnotation> kept;
  for (const auto& note : change.annotations) {
    bytes += bytes_of(note);
    if (++count > annotations_max || bytes > annotations_bytes_max) break;
    kept.push_back(note);
  }
  return kept;
}

void update(std::vector<LiveStep>& steps, const StepChanged& change) {
  auto annotations = bounded(steps, change);
  for (auto& step : steps) {
    if (step.number != change.number) continue;
    step.conclusion = change.conclusion;
    step.annotations = std::move(annotations);
    return;
  }
  steps.push_back({change.number, change.name, change.conclusion, std::move(annotations)});
}

}  // namespace

Task<> Service::serve(net::WebSocket& socket, core::Actor actor) {
  core::Scope patience(parts.loop.executor());
  patience.spawn("wait for a runner's hello", hang_up(socket, parts.clock));
  auto hello = co_await receive_hello(socket);
  co_await patience.close();
  if (!hello) co_return co_await refuse(socket, hello.error().message);
  if (hello->runner != actor.name)
    co_return co_await refuse(socket,
                              "This token is of the runner '" + actor.name + "', not of '" + hello->runner + "'.");
  auto session = std::make_shared<Session>(parts.loop.executor(), std::move(*hello), parts.clock.now());
  session->socket = &socket;
  auto welcomed = co_await name_is_free(session);
  if (welcomed) welcomed = welcome(session);
  if (!welcomed) co_return co_await refuse(socket, welcomed.error().message);
  Seat seat(*this, session);
  co_await converse(socket, session);
}

// A name is one process's. Where another has it, that is asked whether it is still there: a machine that lost its power
// or its network leaves a connection that looks alive for most of a minute.
Task<Result<>> Service::name_is_free(std::shared_ptr<Session> session) {
  using namespace boost::asio::experimental::awaitable_operators;
  const std::string& name = session->hello.runner;
  while (true) {
    auto other = session_named(name);
    if (!other || other->hello.instance == session->hello.instance) co_return Result<>{};
    auto first = co_await (other->socket->ping() || parts.clock.sleep_for(policy.takeover));
    const bool there = first.index() == 0 && std::get<0>(first).has_value();
    if (there)
      co_return core::fail(Code::conflict, "Another runner is connected under the name '" + name +
                                               "'; give this one a name and token of its own.");
    if (session_named(name) != other) continue;  // a third came meanwhile
    core::diagnose(core::Level::warning, "runner",
                   "the runner '" + name + "' does not answer any more; another process takes its place");
    co_return Result<>{};
  }
}

Result<> Service::welcome(const std::shared_ptr<Session>& session) {
  const Hello& hello = session->hello;
  auto other = session_named(hello.runner);
  if (!other && sessions.size() >= policy.runners_max)
    return core::fail(Code::exhausted, "As many runners are connected as the server allows.");
  if (other) other->close();  // the same process, over a new connection, or one that is gone
  sessions[hello.runner] = session;
  session->post(Welcome{policy.renew.count()});
  for (Token token : hello.jobs) {
    owned(token, *session) ? take_up(token, *session) : answer_unknown(token, *session);
  }
  if (draining) {
    session->draining = true;
    session->post(Drain{});
  }
  drain_replaced(*session);
  wake_dispatch();
  return {};
}

// A lease that is in force, over a new connection.
void Service::take_up(Token token, Session& session) {
  leases.hold(token);
  at_work.at(token).instance = session.hello.instance;
  session.jobs.insert(token);
  paused.erase(token);
  ask_log_again(token, session);
  cancel_if_asked(token, session);
}

void Service::answer_unknown(Token token, Session& session) {
  auto row = parts.store.read_here(JobsProjection::projection_name, {},
                                   [&](sqlite::Connection& tables) { return find_lease(tables, token); });
  if (!row) return core::diagnose(core::Level::error, "runner", row.error().message);  // it asks again
  bool over = *row && (*row)->state == JobState::finished && (*row)->runner == session.hello.runner;
  over ? session.post(Settled{token}) : session.post(Stale{token, "The lease is not in force any more."});
}

void Service::cancel_if_asked(Token token, Session& session) {
  auto row = parts.store.read_here(JobsProjection::projection_name, {},
                                   [&](sqlite::Connection& tables) { return find_lease(tables, token); });
  if (row && *row && !(*row)->cancel_reason.empty())
    session.post(Cancel{token, (*row)->cancel_reason, (*row)->cancel_forced});
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

// Jobs that the log says this runner has and that it does not know of. The same process never got them, and gets them
// now; with another they ended.
Task<> Service::settle_absent(std::shared_ptr<Session> session) {
  std::vector<Token> absent;
  for (const auto& [token, job] : at_work)
    if (job.row.runner == session->hello.runner && !session->jobs.contains(token)) absent.push_back(token);
  for (Token token : absent) {
    auto job = at_work.find(token);
    if (job == at_work.end()) continue;
    Result<> handed = core::fail(Code::not_found, "it was started again, and the job ended with the old process");
    if (job->second.instance == session->hello.instance) {
      leases.hold(token);
      session->jobs.insert(token);
      handed = co_await hand_over(job->second.row, session);
    }
    if (!handed) co_await lose_quietly(token, handed.error().message);
  }
}

Task<> Service::converse(net::WebSocket& socket, std::shared_ptr<Session> session) {
  core::Scope work(parts.loop.executor());
  work.spawn("runner connection", Session::send_all(session, socket));
  work.spawn("runner's absent jobs", settle_absent(session));
  std::string wrong;
  while (wrong.empty()) {
    auto message = co_await socket.receive();
    if (!message || !*message) break;
    if (session->closed()) break;  // a newer connection took its place
    if ((*message)->kind == net::Message::Kind::binary) {
      if (!take_log((*message)->data, *session))
        wrong = "A binary message of a runner is 16 bytes of token and offset, then 1 to 262144 bytes of log.";
      continue;
    }
    auto read = decode((*message)->data);
    if (!read) {
      wrong = read.error().message;
    } else if (auto* reported = std::get_if<Reported>(&*read)) {
      co_await take_report(std::move(*reported), session);  // the next message waits: a report is large
    } else if (auto* summary = std::get_if<Summary>(&*read)) {
      co_await take_summary(std::move(*summary), session);
    } else if (!handle(*read, session)) {
      wrong = "This message is the server's to send.";
    }
  }
  session->close();
  co_await work.close();
  if (!wrong.empty()) co_await refuse(socket, std::move(wrong));
}

bool Service::handle(const Message& message, const std::shared_ptr<Session>& session) {
  if (const auto* renewed = std::get_if<Renew>(&message)) return renew(*renewed, *session), true;
  if (const auto* step = std::get_if<StepChanged>(&message)) return take_step(*step, *session), true;
  if (const auto* wish = std::get_if<Begin>(&message))
    return tasks.spawn("begin of a job", begin_and_tell(wish->token, session)), true;
  if (const auto* lost = std::get_if<Lost>(&message)) return take_loss(*lost, *session), true;
  if (const auto* finished = std::get_if<Finished>(&message))
    return tasks.spawn("end of a job", finish_and_tell(*finished, session)), true;
  return false;
}

void Service::take_loss(const Lost& lost, Session& session) {
  if (!owned(lost.token, session)) return answer_unknown(lost.token, session);
  tasks.spawn("loss of a job", lose_quietly(lost.token, lost.reason));
}

void Service::renew(const Renew& renewed, Session& session) {
  for (Token token : renewed.jobs)
    if (!owned(token, session) || !leases.renew(token)) answer_unknown(token, session);
}

bool Service::take_log(std::string_view message, Session& session) {
  auto piece = decode_log(message);
  if (!piece) return false;
  Token token = piece->token;
  auto* job = owned(token, session);
  if (!job) return answer_unknown(token, session), true;
  leases.renew(token);
  if (paused.contains(token)) return true;
  LogName name = job->row.log();
  auto size = logs.open(name);
  if (size &&
      piece->offset > *size) {  // something before it did not come; asked for once, not for each piece under way
    if (!resending.contains(token)) ask_log_again(token, session);
    return true;
  }
  resending.erase(token);
  if (size) size = logs.write(name, piece->offset, piece->bytes);
  if (!size) return pause_log(token, size.error()), true;
  if (*size / sync_every != piece->offset / sync_every) tasks.spawn("sync of a log that grows", sync_early(name));
  session.post(LogHave{token, *size, false});
  return true;
}

// So that little is left to be synced at the end. A failure is met there again, and dealt with.
Task<> Service::sync_early(LogName name) {
  auto syncing = logs.syncing(name);
  auto synced = co_await core::blocking(parts.files, std::move(syncing));
  if (!synced) core::diagnose(core::Level::warning, "runner", "syncing the log of a job: " + synced.error().message);
}

void Service::ask_log_again(Token token, Session& session) {
  auto size = logs.open(at_work.at(token).row.log());
  if (!size) return pause_log(token, size.error());
  resending.insert(token);
  session.post(LogHave{token, *size, true});
}

// The disk may be full, or failing: the runner keeps the log, and is asked again.
void Service::pause_log(Token token, const core::Error& why) {
  core::diagnose(core::Level::error, "runner",
                 "writing the log of a job, tried again in a second: " + why.message + " " + why.detail);
  if (paused.insert(token).second) tasks.spawn("log that could not be written", resume_log(token));
}

Task<> Service::resume_log(Token token) {
  co_await parts.clock.sleep_for(log_retry);
  if (paused.erase(token) == 0) co_return;
  if (auto session = session_of(token)) ask_log_again(token, *session);
}

void Service::take_step(const StepChanged& step, const Session& session) {
  auto* job = owned(step.token, session);
  if (!job) return;
  auto& steps = live[job->row.job];
  if (steps.size() >= steps_max) return;
  update(steps, step);
  auto topic = steps_topic(job->row.run);
  if (parts.bus.channels().heard(topic)) {
    core::json::object told{
        {"job", job->row.job}, {"number", step.number}, {"name", step.name}, {"conclusion", nullptr}};
    if (step.conclusion) told["conclusion"] = events::name_of(*step.conclusion);
    parts.bus.channels().offer(topic, std::make_shared<const std::string>(core::to_text(told)));
  }
  if (job->row.state == JobState::started || step.conclusion == events::Conclusion::skipped) return;
  job->row.state = JobState::started;
  tasks.spawn("begin of a job", begin_quietly(step.token));
}

// What could not be said is said with the next step, or with the end.
Task<> Service::begin_quietly(Token token) {
  auto begun = co_await begin(token);
  if (begun) co_return;
  core::diagnose(core::Level::error, "runner",
                 "saying that a job began: " + begun.error().message + " " + begun.error().detail);
  if (auto job = at_work.find(token); job != at_work.end()) job->second.row.state = JobState::leased;
}

Task<> Service::begin_and_tell(Token token, std::shared_ptr<Session> session) {
  Telling telling_now(telling, token);
  if (!telling_now.first()) co_return;
  while (owned(token, *session) && !session->closed()) {
    auto begun = co_await begin(token);
    if (begun && *begun) co_return session->post(Begun{token});
    if (begun) break;
    core::diagnose(core::Level::error, "runner",
                   "saying that a job began: " + begun.error().message + " " + begun.error().detail);
    co_await parts.clock.sleep_for(log_retry);
  }
  answer_unknown(token, *session);
}

Task<> Service::finish_and_tell(Finished finished, std::shared_ptr<Session> session) {
  Token token = finished.token;
  Telling telling_now(telling, token);
  if (!telling_now.first()) co_return;
  auto* job = owned(token, *session);
  if (!job) co_return answer_unknown(token, *session);
  if (paused.contains(token)) co_return;  // it says so again once its log is here
  auto size = logs.open(job->row.log());
  if (!size) co_return pause_log(token, size.error());
  if (*size < finished.log_bytes && resending.contains(token)) co_return;  // likewise
  if (*size < finished.log_bytes) co_return ask_log_again(token, *session);
  auto settled = co_await finish(finished);
  if (settled) {  // told over the connection of now
    if (auto now = session_named(session->hello.runner)) answer_ended(*settled, token, *now);
    co_return;
  }
  core::Error why = settled.error();
  core::diagnose(core::Level::error, "runner", "saying that a job ended: " + why.message + " " + why.detail);
  if (owned(token, *session)) pause_log(token, why);  // it says so again
}

}  // namespace headrace::runner
