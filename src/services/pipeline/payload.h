// What happened, in the shape of GitHub's webhooks: github.event of a run ("Webhook events and payloads"). Every member
// has GitHub's name and type; members that Headrace knows nothing of are left out. JSON text of at most
// payload_bytes_max once it is escaped in an event.
#pragma once

#include <string>

#include "core/json.h"
#include "events/pipeline.h"
#include "events/repository.h"
#include "events/triggers.h"
#include "services/pipeline/source.h"

namespace headrace::pipeline {

inline constexpr size_t payload_bytes_max = 128 * 1024;

struct RunRow;
struct Ticket;

// The repository as every payload shows it.
struct Home {
  std::string full_name;
  int64_t id = 0;
  std::string default_branch;  // empty: not known
  std::string server_url;      // without a slash at its end; may be empty
};
enum class Detail { least, all };  // least: as GitHub shows it within something else
core::json::object repository_json(const Home& home, Detail detail = Detail::all);
core::json::object account_json(const std::string& account, const std::string& server_url);

// One ref of a push.
std::string push_payload(const Home& home, const events::SettledUpdate& update, const std::string& account,
                         const Changes& changes);
// A ref came or went.
enum class RefFate { created, deleted };
std::string ref_payload(const Home& home, RefFate fate, const std::string& ref, const std::string& account);
// Inputs as github.event has them: texts, whatever their type ("Events that trigger workflows", workflow_dispatch);
// `inputs` itself keeps the types. Of JSON text, or of none.
core::json::object inputs_json(const std::string& inputs);
std::string dispatch_payload(const events::RunQueued& run, const Home& home);

// What is no push: payload_more.cc.
std::string schedule_payload(const Home& home, const std::string& cron, const std::string& account);
std::string repository_dispatch_payload(const Home& home, const events::DispatchRequested& asked,
                                        const std::string& account);
std::string workflow_run_payload(const Home& home, const RunRow& run, const std::string& action);
enum class ChangeEnd { none, abandoned, merged };
std::string pull_request_payload(const Home& home, const events::ChangeState& change, const std::string& action,
                                 ChangeEnd end, const std::string& account);
std::string merge_group_payload(const Home& home, const events::QueueEntered& queue, const std::string& account);
std::string issue_payload(const Home& home, const Ticket& ticket, const std::string& action,
                          const std::string& account);

}  // namespace headrace::pipeline
