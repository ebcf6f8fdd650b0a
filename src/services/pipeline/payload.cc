#include "services/pipeline/payload.h"

#include "core/json.h"

namespace headrace::pipeline {
namespace {

namespace json = core::json;

json::object account_json(const std::string& account) { return {{"login", account}, {"type", "User"}}; }

json::object repository_json(const std::string& full_name, int64_t id) {
  auto slash = full_name.find('/');
  return {{"id", id},
          {"name", full_name.substr(slash == std::string::npos ? 0 : slash + 1)},
          {"full_name", full_name},
          {"owner", json::object{{"login", full_name.substr(0, slash)}, {"name", full_name.substr(0, slash)}}}};
}

}  // namespace

std::string push_payload(const events::PushReceived& push, const events::SettledUpdate& update,
                         const std::string& account, const std::string& title, const std::string& server_url) {
  bool deleted = update.new_commit == events::no_commit;
  std::string page = server_url.empty() ? std::string() : server_url + "/" + push.repository;
  auto repository = repository_json(push.repository, push.repository_id);
  repository["default_branch"] = push.default_branch;
  repository["html_url"] = page;
  json::array commits;
  json::value head;
  if (!deleted) {
    head = json::object{{"id", update.new_commit}, {"message", title}, {"url", page + "/commit/" + update.new_commit}};
    commits.push_back(head);
  }
  return core::to_text(json::object{{"ref", update.ref},
                                    {"before", update.old_commit},
                                    {"after", update.new_commit},
                                    {"created", update.old_commit == events::no_commit},
                                    {"deleted", deleted},
                                    {"forced", update.forced},
                                    {"base_ref", nullptr},
                                    {"compare", page + "/compare/" + update.old_commit + "..." + update.new_commit},
                                    {"commits", std::move(commits)},
                                    {"head_commit", std::move(head)},
                                    {"repository", std::move(repository)},
                                    {"pusher", json::object{{"name", account}}},
                                    {"sender", account_json(account)}});
}

std::string dispatch_payload(const events::RunQueued& run) {
  auto inputs = core::parse_json(run.inputs.empty() ? "{}" : run.inputs);
  return core::to_text(json::object{{"ref", run.ref},
                                    {"workflow", run.workflow_file},
                                    {"inputs", inputs ? std::move(*inputs) : json::value()},
                                    {"repository", repository_json(run.repository, run.repository_id)},
                                    {"sender", account_json(run.actor)}});
}

}  // namespace headrace::pipeline
