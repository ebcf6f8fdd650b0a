// The inside of Runner: its state, and the four things it does with it (dispatch.cc, conversation.cc, endings.cc, and
// what runner.cc answers).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/runner/leases.h"
#include "services/runner/runner.h"
#include "services/runner/session.h"
#include "store/commands.h"

namespace headrace::runner {

class Service {
 public:
  Service(Parts on, Policy by);

  core::Result<> subscribe();
  core::Result<> take_up_leases();  // of before the restart: each has one full lease of grace

  // dispatch.cc: jobs that wait are given to runners that have room, oldest first.
  void wake_dispatch();
  core::Task<> dispatch();       // for ever
  core::Task<core::Result<>> assign();

  // conversation.cc: one connection.
  core::Task<> serve(net::WebSocket& socket, core::Actor actor);

  // endings.cc
  core::Task<> watch_leases();   // for ever
  core::Task<core::Result<>> begin(Token token);
  core::Task<core::Result<>> lose(Token token, std::string reason);
  core::Task<core::Result<bool>> finish(Finished finished);  // false: the token is stale
  core::Task<core::Result<>> heard_cancelled(bus::Delivery delivery);

  void drain_replaced(Session& session);
  std::shared_ptr<Session> session_of(Token token) const;
  std::shared_ptr<Session> session_named(const std::string& name) const;
  void forget(Token token, const std::string& job);

  Parts parts;
  Policy policy;
  store::CommandStrand strand;
  LogStore logs;
  Leases leases;
  std::map<std::string, std::shared_ptr<Session>> sessions;  // by the runner's name; shared with its connection's tasks
  std::map<std::string, std::vector<LiveStep>> live;         // by job
  std::map<Token, JobRow> at_work;                           // leased jobs, by token
  core::Scope tasks;
  core::Signal dispatch_wanted;
  bool dispatch_due = false;
  std::map<std::string, std::string> replaced;  // name -> instance that is to end; empty until it has connected
  core::Signal emptied;  // a job was forgotten: drain() looks again

 private:
  core::Result<> hear(std::string name, std::vector<std::string> types, bus::AsyncHandler handler);
  core::Task<core::Result<>> heard_waiting(bus::Delivery delivery);
  core::Task<core::Result<std::vector<std::pair<JobRow, std::shared_ptr<Session>>>>> lease_waiting();
  core::Result<log::Batch> lease_batch(sqlite::Connection& tables, std::vector<std::pair<JobRow, std::shared_ptr<Session>>>& given);
  core::Task<core::Result<>> hand_over(JobRow job, std::shared_ptr<Session> session);

  core::Result<> welcome(const std::shared_ptr<Session>& session);
  core::Task<> settle_absent(std::shared_ptr<Session> session);
  core::Task<> converse(net::WebSocket& socket, std::shared_ptr<Session> session);
  bool handle(const Message& message, const std::shared_ptr<Session>& session);
  void take_log(std::string_view message, const std::shared_ptr<Session>& session);
  void take_step(const StepChanged& step);
  core::Task<> begin_quietly(Token token);
  core::Task<> finish_and_tell(Finished finished, std::shared_ptr<Session> session);

  core::Result<log::Batch> loss_batch(sqlite::Connection& tables, Token token, const std::string& reason) const;
  template <class T>
  events::Event word(const T& said, const JobRow& because_of, core::Actor actor) const;
};

template <class T>
events::Event Service::word(const T& said, const JobRow& because_of, core::Actor actor) const {
  bus::Origin origin{.service = "runner", .actor = std::move(actor), .causation_id = because_of.last_event, .correlation_id = because_of.correlation, .traceparent = {}};
  return events::encode(said, parts.bus.header(origin));
}

}  // namespace headrace::runner
