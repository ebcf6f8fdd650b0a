// Payloads of what is no push.
#include <algorithm>

#include "core/bytes.h"
#include "services/pipeline/occurrence.h"

namespace headrace::pipeline {
namespace {

namespace json = core::json;

constexpr size_t body_bytes_max = 16 * 1024;  // of a change or task; what is longer is cut

std::string cut(const std::string& text) { return core::to_valid_utf8(text.substr(0, body_bytes_max)); }

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(cut(text)); }

std::string page_of(const Home& home) {
  return home.server_url.empty() ? std::string() : home.server_url + "/" + home.full_name;
}

// Every payload ends with these.
std::string finish(json::object it, const Home& home, const std::string& account) {
  it["repository"] = repository_json(home);
  if (!account.empty()) it["sender"] = account_json(account, home.server_url);
  return core::to_text(it);
}

json::array labels_json(const std::vector<std::string>& labels) {
  json::array list;
  for (const std::string& label : labels) list.push_back(json::object{{"name", label}});
  return list;
}

json::object end_json(const Home& home, const std::string& branch, const std::string& commit) {
  std::string owner = home.full_name.substr(0, home.full_name.find('/'));
  return {{"label", owner + ":" + branch},
          {"ref", branch},
          {"sha", commit},
          {"user", account_json(owner, home.server_url)},
          {"repo", repository_json(home)}};
}

json::value time_or_null(const std::optional<core::Time>& time) {
  if (!time) return nullptr;
  return json::value(core::format_time(std::chrono::floor<std::chrono::seconds>(*time)));
}

}  // namespace

std::string schedule_payload(const Home& home, const std::string& cron, const std::string& account) {
  return finish({{"schedule", cron}}, home, account);
}

std::string repository_dispatch_payload(const Home& home, const events::DispatchRequested& asked,
                                        const std::string& account) {
  auto given = core::parse_json(asked.client_payload.empty() ? "{}" : asked.client_payload);
  return finish({{"action", asked.event_type},
                 {"branch", home.default_branch},
                 {"client_payload", given ? std::move(*given) : json::value(json::object())}},
                home, account);
}

std::string workflow_run_payload(const Home& home, const RunRow& run, const std::string& action) {
  json::value conclusion;
  if (run.conclusion) conclusion = events::name_of(*run.conclusion);
  json::object it{{"id", run.id},
                  {"name", run.workflow},
                  {"path", run.workflow_file},
                  {"display_title", run.title},
                  {"event", run.event},
                  {"status", action == "requested" ? "queued" : action},
                  {"conclusion", std::move(conclusion)},
                  {"run_number", run.number},
                  {"run_attempt", run.attempt},
                  {"head_branch", run.branch.empty() ? json::value() : json::value(run.branch)},
                  {"head_sha", run.commit},
                  {"head_commit", json::object{{"id", run.commit}}},
                  {"head_repository", repository_json(home, Detail::least)},
                  {"repository", repository_json(home, Detail::least)},
                  {"pull_requests", json::array()},
                  {"actor", account_json(run.first_actor.empty() ? run.actor : run.first_actor, home.server_url)},
                  {"triggering_actor", account_json(run.actor, home.server_url)},
                  {"html_url", run.url},
                  {"created_at", time_or_null(run.created_at ? run.created_at : run.queued_at)},
                  {"run_started_at", time_or_null(run.started_at ? run.started_at : run.queued_at)},
                  {"updated_at", time_or_null(run.completed_at ? run.completed_at : run.queued_at)}};
  json::object workflow{{"name", run.workflow}, {"path", run.workflow_file}, {"state", "active"}};
  return finish({{"action", action}, {"workflow_run", std::move(it)}, {"workflow", std::move(workflow)}}, home,
                run.actor);
}

std::string pull_request_payload(const Home& home, const events::ChangeState& change, const std::string& action,
                                 ChangeEnd end, const std::string& account) {
  std::string page = page_of(home);
  json::object it{{"number", change.number},
                  {"state", end == ChangeEnd::none ? "open" : "closed"},
                  {"title", cut(change.title)},
                  {"body", text_or_null(change.body)},
                  {"user", account_json(change.author, home.server_url)},
                  {"draft", change.draft},
                  {"merged", end == ChangeEnd::merged},
                  {"mergeable", !change.merge_commit.empty()},
                  {"merge_commit_sha", text_or_null(change.merge_commit)},
                  {"labels", labels_json(change.labels)},
                  {"head", end_json(home, change.head_branch, change.head_commit)},
                  {"base", end_json(home, change.base_branch, change.base_commit)},
                  {"html_url", page.empty() ? page : page + "/pull/" + std::to_string(change.number)}};
  return finish({{"action", action}, {"number", change.number}, {"pull_request", std::move(it)}}, home, account);
}

std::string merge_group_payload(const Home& home, const events::QueueEntered& queue, const std::string& account) {
  json::object it{{"head_sha", queue.head_commit},
                  {"head_ref", queue.head_ref},
                  {"base_sha", queue.base_commit},
                  {"base_ref", "refs/heads/" + queue.base_branch}};
  return finish({{"action", "checks_requested"}, {"merge_group", std::move(it)}}, home, account);
}

std::string issue_payload(const Home& home, const Ticket& ticket, const std::string& action,
                          const std::string& account) {
  json::object it{{"number", ticket.state.number},
                  {"state", action == "closed" ? "closed" : "open"},
                  {"title", cut(ticket.summary)},
                  {"body", text_or_null(ticket.state.body)},
                  {"user", account_json(ticket.creator, home.server_url)},
                  {"labels", labels_json(ticket.state.labels)},
                  {"html_url", ticket.url}};
  return finish({{"action", action}, {"issue", std::move(it)}}, home, account);
}

}  // namespace headrace::pipeline
