#include "services/pipeline/payload.h"

#include "workflow/expression_value.h"

namespace headrace::pipeline {
namespace {

namespace json = core::json;

constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/";

std::string page_of(const Home& home) {
  return home.server_url.empty() ? std::string() : home.server_url + "/" + home.full_name;
}

std::string short_name(std::string_view ref) {
  for (std::string_view start : {heads, tags}) {
    if (ref.starts_with(start)) return std::string(ref.substr(start.size()));
  }
  return std::string(ref);
}

// Which account it is, `username`, nobody knows.
json::object person_json(const CommitPerson& person) { return {{"name", person.name}, {"email", person.email}}; }

json::array texts_json(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

json::object commit_json(const PushedCommit& commit, const std::string& page) {
  return {{"id", commit.id},
          {"tree_id", commit.tree},
          {"distinct", commit.distinct},
          {"message", commit.message},
          {"timestamp", commit.time},
          {"url", page + "/commit/" + commit.id},
          {"author", person_json(commit.author)},
          {"committer", person_json(commit.committer)},
          {"added", texts_json(commit.added)},
          {"removed", texts_json(commit.removed)},
          {"modified", texts_json(commit.modified)}};
}

// GitHub shows a new ref, and one that is gone, by its name or commit alone.
std::string compare_url(const events::SettledUpdate& update, const std::string& page) {
  constexpr size_t shown = 12;
  std::string before = update.old_commit.substr(0, shown), after = update.new_commit.substr(0, shown);
  if (update.old_commit == events::no_commit) return page + "/compare/" + short_name(update.ref);
  if (update.new_commit == events::no_commit) return page + "/compare/" + before + "..." + std::string(shown, '0');
  return page + "/compare/" + before + "..." + after;
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

}  // namespace

json::object account_json(const std::string& account, const std::string& server_url) {
  json::object it{{"login", account}, {"type", "User"}, {"site_admin", false}};
  if (!server_url.empty()) it["html_url"] = server_url + "/" + account;
  return it;
}

json::object repository_json(const Home& home, Detail detail) {
  auto slash = home.full_name.find('/');
  std::string page = page_of(home);
  json::object it{{"id", home.id},
                  {"name", home.full_name.substr(slash == std::string::npos ? 0 : slash + 1)},
                  {"full_name", home.full_name},
                  {"private", true},
                  {"owner", account_json(home.full_name.substr(0, slash), home.server_url)},
                  {"html_url", page},
                  {"description", nullptr},
                  {"fork", false},
                  {"url", page}};
  if (detail == Detail::least) return it;
  it["archived"] = false;
  it["disabled"] = false;
  it["clone_url"] = page.empty() ? page : page + ".git";
  if (!home.default_branch.empty()) it["default_branch"] = home.default_branch;
  return it;
}

std::string push_payload(const Home& home, const events::SettledUpdate& update, const std::string& account,
                         const Changes& changes) {
  std::string page = page_of(home);
  json::array commits;
  for (const PushedCommit& commit : changes.commits) commits.push_back(commit_json(commit, page));
  json::value head;
  auto repository = repository_json(home);  // of a push alone it has these two
  repository["master_branch"] = home.default_branch;
  repository["owner"].as_object()["name"] = home.full_name.substr(0, home.full_name.find('/'));
  if (changes.head) head = commit_json(*changes.head, page);
  return core::to_text(json::object{{"ref", update.ref},
                                    {"before", update.old_commit},
                                    {"after", update.new_commit},
                                    {"created", update.old_commit == events::no_commit},
                                    {"deleted", update.new_commit == events::no_commit},
                                    {"forced", update.forced},
                                    {"base_ref", text_or_null(changes.base_ref)},
                                    {"compare", compare_url(update, page)},
                                    {"commits", std::move(commits)},
                                    {"head_commit", std::move(head)},
                                    {"repository", std::move(repository)},
                                    {"pusher", json::object{{"name", account}}},
                                    {"sender", account_json(account, home.server_url)}});
}

std::string ref_payload(const Home& home, RefFate fate, const std::string& ref, const std::string& account) {
  json::object it{{"ref", short_name(ref)},
                  {"ref_type", ref.starts_with(tags) ? "tag" : "branch"},
                  {"pusher_type", "user"},
                  {"repository", repository_json(home)},
                  {"sender", account_json(account, home.server_url)}};
  if (fate == RefFate::deleted) return core::to_text(it);
  it["master_branch"] = home.default_branch;
  it["description"] = nullptr;
  return core::to_text(it);
}

json::object inputs_json(const std::string& inputs) {
  json::object texts;
  auto given = core::parse_json(inputs.empty() ? "{}" : inputs);
  if (!given || !given->is_object()) return texts;
  for (const auto& [name, value] : given->get_object()) texts[name] = workflow::Value::from_json(value).to_text();
  return texts;
}

std::string dispatch_payload(const events::RunQueued& run, const Home& home) {
  return core::to_text(json::object{{"ref", run.ref},
                                    {"workflow", run.workflow_file},
                                    {"inputs", inputs_json(run.inputs)},
                                    {"repository", repository_json(home)},
                                    {"sender", account_json(run.actor, home.server_url)}});
}

}  // namespace headrace::pipeline
