// The inside of Runner: its state, and the four things it does with it (dispatch.cc, conversation.cc, endings.cc, and
// what runner.cc answers).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "services/runner/leases.h"
#include "services/runner/runner.h"
#include "services/runner/session.h"
#include "services/runner/summary_store.h"
#include "store/commands.h"

namespace headrace::runner {

// A job that a runner has.
struct AtWork {
  JobRow row;
  std::string instance;  // of the runner's process that was given it; empty: given before this server started
};

// That a job began, or how it ended, on its way to the log. Those that come while others are written go together.
struct Word {
  Token token = 0;
  std::optional<Finished> end;  // nothing: it began
  std::optional<int64_t> summary_bytes;
  bool known = false;  // the lease is in force, or this was said before
  bool done = false;
  core::Result<> outcome;
};
using Words = std::vector<std::shared_ptr<Word>>;

class Service {
 public:
  Service(Parts on, Policy by);

  core::Result<> subscribe();
  core::Result<> take_up_leases();  // of before the restart: each has one full lease of grace

  // dispatch.cc: jobs that wait are given to runners that have room, oldest first.
  void wake_dispatch();
  core::Task<> dispatch();  // for ever
  core::Task<core::Result<>> assign();

  // conversation.cc: one connection.
  core::Task<> serve(net::WebSocket& socket, core::Actor actor);

  // endings.cc
  core::Task<> watch_leases();                        // for ever
  core::Task<> write_words();                         // for ever
  core::Task<core::Result<bool>> begin(Token token);  // false: the token is stale
  core::Task<core::Result<>> lose(Token token, std::string reason);
  core::Task<core::Result<bool>> finish(Finished finished);  // false: the token is stale
  core::Task<core::Result<>> heard_cancelled(bus::Delivery delivery);
  core::Task<core::Result<>> heard_requeued(bus::Delivery delivery);

  void drain_replaced(Session& session);
  std::shared_ptr<Session> session_of(Token token) const;  // of the process that has it, if that is connected
  AtWork* owned(Token token, const Session& session);      // null: this runner has no such lease in force
  std::shared_ptr<Session> session_named(const std::string& name) const;
  void forget(Token token, std::string job);  // by value: what is erased may own it

  Parts parts;
  Policy policy;
  store::CommandStrand strand;
  LogStore logs;
  SummaryStore summaries;
  Leases leases;
  std::map<std::string, std::shared_ptr<Session>> sessions;  // by the runner's name; shared with its connection's tasks
  std::map<std::string, std::vector<LiveStep>> live;         // by job
  std::map<Token, AtWork> at_work;                           // leased jobs
  std::set<Token> paused;     // their log could not be written: what comes of it is dropped, and asked for again later
  std::set<Token> resending;  // their log was asked for again: what comes from beyond a gap is dropped until it does
  std::set<Token> telling;    // their begin or end is being said
  std::deque<std::shared_ptr<Word>> words;  // not written yet; shared with who waits for it
  bool draining = false;                    // this server ends: nobody is given a job any more
  core::Scope tasks;
  core::Signal words_changed;  // one was added, or written
  core::Signal dispatch_wanted;
  bool dispatch_due = false;
  std::map<std::string, std::string> replaced;  // name -> instance that is to end; empty until it has connected
  core::Signal emptied;                         // a job was forgotten: drain() looks again

 private:
  core::Result<> hear(std::string name, std::vector<std::string> types, bus::AsyncHandler handler);
  core::Task<core::Result<>> heard_waiting(bus::Delivery delivery);
  core::Task<core::Result<std::vector<std::pair<JobRow, std::shared_ptr<Session>>>>> lease_waiting();
  core::Result<log::Batch> lease_batch(sqlite::Connection& tables,
                                       std::vector<std::pair<JobRow, std::shared_ptr<Session>>>& given);
  core::Result<std::string> payload_of(const JobRow& job) const;
  core::Task<core::Result<>> hand_over(JobRow job, std::shared_ptr<Session> session);
  core::Task<> lose_quietly(Token token, std::string reason);

  core::Task<core::Result<>> name_is_free(std::shared_ptr<Session> session);
  core::Result<> welcome(const std::shared_ptr<Session>& session);
  void take_up(Token token, Session& session);
  void answer_unknown(Token token, Session& session);
  void cancel_if_asked(Token token, Session& session);
  core::Task<> settle_absent(std::shared_ptr<Session> session);
  core::Task<> converse(net::WebSocket& socket, std::shared_ptr<Session> session);
  bool handle(const Message& message, const std::shared_ptr<Session>& session);
  void renew(const Renew& renewed, Session& session);
  bool take_log(std::string_view message, Session& session);  // false: it is none
  core::Task<> sync_early(LogName name);
  void ask_log_again(Token token, Session& session);
  void pause_log(Token token, const core::Error& why);
  core::Task<> resume_log(Token token);
  void take_step(const StepChanged& step, const Session& session);
  void take_loss(const Lost& lost, Session& session);
  core::Task<> take_report(Reported reported, std::shared_ptr<Session> session);  // telling_reports.cc
  core::Task<core::Result<>> say_report(std::shared_ptr<const Reported> reported);
  core::Result<log::Batch> report_batch(sqlite::Connection& tables, const Reported& reported) const;
  core::Task<> take_summary(Summary summary, std::shared_ptr<Session> session);
  void answer_finding(Token token, int64_t number, const core::Result<>& kept, std::shared_ptr<Session> session);
  core::Task<> ask_for_finding(Token token, int64_t number, std::shared_ptr<Session> session);
  core::Task<> begin_quietly(Token token);
  core::Task<> begin_and_tell(Token token, std::shared_ptr<Session> session);
  core::Task<> finish_and_tell(Finished finished, std::shared_ptr<Session> session);

  core::Task<core::Result<bool>> put_in_words(std::shared_ptr<Word> word);
  core::Task<> write(Words words);
  core::Result<log::Batch> words_batch(sqlite::Connection& tables, const Words& words) const;
  core::Result<> add_begin(sqlite::Connection& tables, Word& word, log::Batch& batch) const;
  core::Result<> add_end(sqlite::Connection& tables, Word& word, log::Batch& batch) const;
  core::Result<log::Batch> loss_batch(sqlite::Connection& tables, Token token, const std::string& reason) const;
  template <class T>
  events::Event word(const T& said, const JobRow& because_of, core::Actor actor) const;
};

template <class T>
events::Event Service::word(const T& said, const JobRow& because_of, core::Actor actor) const {
  bus::Origin origin{.service = "runner",
                     .actor = std::move(actor),
                     .causation_id = because_of.last_event,
                     .correlation_id = because_of.correlation,
                     .traceparent = {}};
  return events::encode(said, parts.bus.header(origin));
}

}  // namespace headrace::runner
