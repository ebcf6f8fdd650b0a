// The inside of Pipeline: what it hears (planning.cc, advancing.cc) and what it may be asked (commands.cc,
// pipeline.cc).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "events/repository.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/launch.h"
#include "services/pipeline/occurrence.h"
#include "services/pipeline/projection.h"
#include "store/commands.h"

namespace headrace::pipeline {

// A run as it is, and what the next batch about it must expect.
struct Settled {
  RunRow run;
  log::Expected expected;
};

// The events of a command, each because of what `origin` says; where that is nothing, the first is the cause of the
// rest.
class Words {
 public:
  Words(bus::Bus& bus, bus::Origin origin) : bus_(bus), origin_(std::move(origin)) {}

  template <class T>
  void add(std::string_view, const T& said) {
    batch.events.push_back(events::encode(said, bus_.header(origin_)));
    if (!origin_.causation_id.empty()) return;
    origin_.causation_id = origin_.correlation_id = batch.events.back().id;
  }
  void expect(log::Expected expected) { batch.expected.push_back(std::move(expected)); }

  log::Batch batch;

 private:
  bus::Bus& bus_;
  bus::Origin origin_;
};

// Into a bus::Said or Words: what a course says, in order.
template <class Sink>
void say(Sink& sink, const Course& course) {
  for (const Word& word : course.words) {
    std::visit([&](const auto& said) { sink.add(semantic_key(word), said); }, word);
  }
}

// Everything that a launch says.
template <class Sink>
void say(Sink& sink, const Launch& launch) {
  const std::string& run = launch.run.run;  // one cause may start several
  sink.add("run/" + run, launch.run);
  say(sink, launch.first);
  if (launch.finished) sink.add("finished/" + run, *launch.finished);
  sink.expect({run_key(launch.run.run), 0});
}

// What a workflow file says to something that happened.
struct FileChoice {
  SourceFile file;
  workflow::Decision decision;
};

// What a batch that gives a number must expect.
struct Numbered {
  Ids ids;
  log::Offset numbers = 0;  // of the key "numbers/<repository>"
};

class Service {
 public:
  using Plan = std::shared_ptr<const Planned>;  // shared by the cache and by who uses it while others come and go

  Service(Parts on, Policy by);
  core::Result<> start();
  core::Task<> stop();

  // planning.cc
  core::Task<core::Result<>> heard_cause(bus::Delivery delivery);
  core::Task<core::Result<std::vector<Reason>>> why_not(std::string event_id);

  // awaiting.cc, listening.cc
  core::Task<core::Result<>> heard_ref(bus::Delivery delivery);
  core::Task<core::Result<>> heard_any(bus::Delivery delivery);

  // advancing.cc
  core::Task<core::Result<>> heard_job(bus::Delivery delivery);

  // groups.cc: what a concurrency group lets go on, and what it ends.
  core::Task<core::Result<>> heard_of_group(bus::Delivery delivery);

  // commands.cc
  core::Task<core::Result<>> cancel(core::Actor actor, int64_t id, Force force);
  core::Task<core::Result<>> rerun(core::Actor actor, int64_t id, Jobs jobs, std::string job);
  core::Task<core::Result<int64_t>> dispatch(core::Actor actor, std::string repository, std::string file,
                                             std::string ref, std::string inputs);

  // asking.cc
  core::Task<core::Result<>> dispatch_event(core::Actor actor, std::string repository, std::string event_type,
                                            std::string client_payload);

  Parts parts;
  Policy policy;

 private:
  core::Result<> subscribe();
  core::Result<> hear(std::string name, std::vector<std::string> types, bus::AsyncHandler handler);
  core::Task<core::Result<>> caught_up(log::Offset offset);

  // What an event may start; nothing where no workflow hears of its kind.
  core::Task<core::Result<std::vector<Occurrence>>> occurrences_of(log::Stored stored);
  core::Result<std::vector<Occurrence>> occurrences_at(const log::Stored& stored, const Home& home);
  core::Result<std::vector<Occurrence>> run_occurrences(const log::Stored& stored, const Home& home);
  static std::vector<std::string> causes_heard();
  core::Result<std::optional<Home>> home_of(const std::string& full_name);
  core::Task<core::Result<>> start_runs(bus::Delivery cause, std::shared_ptr<Occurrence> occurrence);
  // Looks at the files of its commit; sets what only git knows.
  core::Task<core::Result<std::vector<FileChoice>>> choose(std::shared_ptr<Occurrence> occurrence);
  core::Task<core::Result<>> look_at_changes(std::shared_ptr<Occurrence> occurrence);
  core::Task<core::Result<>> start_earlier(bus::Delivery cause, std::shared_ptr<Occurrence> occurrence,
                                           std::string path);
  bool trusts_author_of(const events::Event& cause, const std::string& repository) const;
  core::Task<core::Result<>> start_run(bus::Delivery cause, events::RunQueued run, SourceFile file, std::string step);
  // awaiting.cc
  core::Task<> settle_awaited();
  core::Task<core::Result<>> settle_awaited_by(std::string repository);
  core::Result<log::Expected> last_read_of(const std::string& repository);
  core::Task<core::Result<std::optional<events::WorkflowsRead>>> news_of(Home home, std::string commit,
                                                                         std::string actor);
  core::Result<> listen_to(const events::WorkflowsRead& read);

  // on: event.
  core::Result<> listen();
  core::Result<> listen_if_asked();
  core::Task<core::Result<std::vector<Occurrence>>> heard_as_any(log::Stored stored);
  core::Result<std::vector<Home>> hearers_of(const log::Stored& stored);
  core::Task<core::Result<std::optional<RunRow>>> run_behind(events::Event event);
  core::Task<core::Result<std::vector<RunRow>>> chain_behind(events::Event event);

  // schedules.cc
  core::Task<> keep_time();
  core::Task<core::Result<>> tick();
  core::Task<core::Result<>> say_due(ScheduleRow schedule, core::Time due);

  // Gives the run its number and ids, which the batch must then expect.
  core::Task<core::Result<Numbered>> number(events::RunQueued& run);

  core::Task<core::Result<Settled>> settle(std::string run);
  core::Task<core::Result<Settled>> settle_id(int64_t id);
  core::Result<Ids> ids();
  core::Task<core::Result<Plan>> plan_of(RunRow run);
  // The file linked with all that it calls; what the run is called is set from it.
  core::Task<core::Result<Plan>> make_plan(SourceFile file, std::shared_ptr<events::RunQueued> run);
  // calling.cc; sets in `run` what of other repositories it calls.
  core::Task<core::Result<workflow::Source>> called(std::string uses, workflow::Source from,
                                                    std::shared_ptr<events::RunQueued> run);
  core::Task<core::Result<std::string>> commit_called(std::string uses, std::string repository, std::string ref,
                                                      std::shared_ptr<events::RunQueued> run);
  core::Result<> may_call(const std::string& account, const std::string& from, const std::string& repository) const;
  workflow::Object contexts(const RunRow& run, const Planned& plan) const;
  core::Task<core::Result<SourceFile>> file_of(std::string repository, std::string commit, std::string path);
  void remember(const events::RunQueued& run, Plan plan);
  core::Task<core::Result<>> advance(bus::Delivery cause, std::string run, std::set<std::string> admitted);
  core::Task<core::Result<bool>> advance_once(bus::Delivery cause, std::string run, std::set<std::string> admitted);
  core::Task<core::Result<bool>> begin_once(bus::Delivery cause, std::string run);

  core::Task<core::Result<>> settle_group(bus::Delivery cause, std::string repository, std::string group);
  core::Task<core::Result<>> end_member(bus::Delivery cause, Member member, std::string reason);
  core::Task<core::Result<>> admit(bus::Delivery cause, Member member);

  core::Task<core::Result<log::Batch>> cancel_batch(core::Actor actor, int64_t id, Force force);
  core::Task<core::Result<log::Batch>> rerun_batch(core::Actor actor, int64_t id, Jobs jobs, std::string job);
  core::Task<core::Result<log::Batch>> dispatch_batch(core::Actor actor, events::RunQueued wanted,
                                                      std::shared_ptr<int64_t> id);

  store::CommandStrand strand_;
  std::map<std::string, Plan> plans_;  // by run and attempt
  std::deque<std::string> plan_ages_;  // oldest first
  bool listening_ = false;             // to all events
  core::Scope scope_;
};

inline constexpr int attempts_max = 20;  // of one decision, while others say something of the same run or take ids
inline constexpr std::chrono::seconds behind_max{10};  // for the projection to show what was said

// What ends a run, or asks its jobs to end; what may run although it is cancelled stays, unless forced.
std::vector<events::JobCancelled> cancellations(const RunRow& run, const Planned* plan, const std::string& reason,
                                                const std::string& by, Force force);
// False: somebody else said something of the run, or took ids; look again.
core::Result<bool> settled_by(const core::Result<bus::Published>& appended);

}  // namespace headrace::pipeline
