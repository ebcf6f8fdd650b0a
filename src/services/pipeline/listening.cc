// `on: event`: any event of the log starts workflow files of a default branch whose filter matches.
//
// What the platform says of a repository is heard by that repository alone. An event of another tool is heard by the
// repositories in which the account that published it may start runs: publishing it is asking for them. Chains are
// bounded: a file is not started by what a run of it led to, and no chain is longer than depth_max runs.
#include "core/json.h"
#include "events/cloudevents.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

const std::string projection{RunsProjection::projection_name};
constexpr int steps_back_max = 16;  // from an event to one that names a run

// The run that an event of the platform is about, as its data names it; empty: none.
std::string run_named_in(const events::Event& event) {
  auto data = core::parse_json(event.data);
  if (!data || !events::is_reserved(event.source)) return {};
  const auto* subject = core::find(*data, "subject");
  if (subject == nullptr) return {};
  bool of_run =
      event.type.find("pipelinerun.") != std::string::npos || event.type.find("headrace-run.") != std::string::npos;
  if (of_run) return core::string_at(*subject, "id").value_or("");
  const auto* content = core::find(*subject, "content");
  if (const auto* custom = core::find(*data, "customData")) {
    if (auto run = core::string_at(*custom, "run")) return *run;
  }
  if (content == nullptr) return {};
  if (auto run = core::string_at(*content, "run")) return *run;
  const auto* above = core::find(*content, "pipelineRun");
  return above == nullptr ? std::string() : core::string_at(*above, "id").value_or("");
}

}  // namespace

Result<> Service::listen() {
  if (listening_) return {};
  listening_ = true;
  return hear("pipeline.events", {}, [this](bus::Delivery delivery) { return heard_any(std::move(delivery)); });
}

Result<> Service::listen_if_asked() {
  auto waiting =
      parts.store.read_here(projection, {}, [](sqlite::Connection& tables) { return listeners(tables, "event"); });
  if (!waiting) return std::unexpected(waiting.error());
  return waiting->empty() ? Result<>{} : listen();
}

// The repositories that may hear the event.
Result<std::vector<Home>> Service::hearers_of(const log::Stored& stored) {
  auto waiting =
      parts.store.read_here(projection, {}, [](sqlite::Connection& tables) { return listeners(tables, "event"); });
  if (!waiting) return std::unexpected(waiting.error());
  std::vector<Home> homes;
  const events::Event& event = stored.event;
  bool ours = events::is_reserved(event.source);
  auto actor = core::parse_actor(event.actor());
  for (const Listener& listener : *waiting) {
    if (listener.since >= stored.offset) continue;
    bool heard = ours ? event.text("partitionkey") == listener.repository
                      : actor && parts.rights.may_start(*actor, listener.repository);
    if (!heard) continue;
    auto home = home_of(listener.repository);
    if (!home) return std::unexpected(home.error());
    if (*home) homes.push_back(std::move(**home));
  }
  return homes;
}

// The run that led to an event, by the event itself or what caused it; nothing where none did.
Task<Result<std::optional<RunRow>>> Service::run_behind(events::Event event) {
  for (int steps = 0; steps < steps_back_max; ++steps) {
    std::string named = run_named_in(event);
    if (!named.empty()) {
      auto run = parts.store.read_here(projection, {},
                                       [&](sqlite::Connection& tables) { return find_run_alone(tables, named); });
      if (!run || *run) co_return run;
    }
    std::string cause(event.causation_id());
    if (cause.empty()) break;
    auto stored = co_await parts.bus.find(cause);
    if (!stored && stored.error().code != Code::not_found) co_return std::unexpected(stored.error());
    if (!stored) break;
    event = std::move(stored->event);
  }
  co_return std::optional<RunRow>();
}

// The runs behind an event, the newest first.
Task<Result<std::vector<RunRow>>> Service::chain_behind(events::Event event) {
  std::vector<RunRow> chain;
  while (chain.size() <= static_cast<size_t>(depth_max)) {
    auto run = co_await run_behind(event);
    if (!run) co_return std::unexpected(run.error());
    if (!*run) break;
    std::string cause = (*run)->event_id;
    chain.push_back(std::move(**run));
    if (cause.empty()) break;
    auto stored = co_await parts.bus.find(cause);
    if (!stored && stored.error().code != Code::not_found) co_return std::unexpected(stored.error());
    if (!stored) break;
    event = std::move(stored->event);
  }
  co_return chain;
}

Task<Result<std::vector<Occurrence>>> Service::heard_as_any(log::Stored stored) {
  std::vector<Occurrence> occurrences;
  auto homes = hearers_of(stored);
  if (!homes) co_return std::unexpected(homes.error());
  if (homes->empty()) co_return occurrences;
  auto chain = co_await chain_behind(stored.event);
  if (!chain) co_return std::unexpected(chain.error());
  for (const Home& home : *homes) {
    int64_t depth = chain->empty() ? 0 : chain->front().depth + 1;
    Occurrence it = occurrence_of_any(stored, home, depth);
    if (it.run.actor.empty() && !chain->empty()) it.run.actor = chain->front().actor;
    for (const RunRow& run : *chain) {
      if (run.repository == home.full_name) it.not_again.push_back(run.workflow_file);
    }
    occurrences.push_back(std::move(it));
  }
  co_return occurrences;
}

Task<Result<>> Service::heard_any(bus::Delivery delivery) {
  auto occurrences = co_await heard_as_any(*delivery.stored());
  if (!occurrences) co_return std::unexpected(occurrences.error());
  for (const Occurrence& one : *occurrences) {
    auto started = co_await start_runs(delivery, std::make_shared<Occurrence>(one));
    if (!started) co_return started;
  }
  co_return Result<>{};
}

}  // namespace headrace::pipeline
