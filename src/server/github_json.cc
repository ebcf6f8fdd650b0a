#include "server/github_json.h"

#include "core/bytes.h"

namespace headrace::server {

namespace json = core::json;

namespace {

constexpr size_t digits_of_number = 12;  // hexadecimal: 48 bits, which a JavaScript number holds exactly

// Members of a repository that are its URL with something behind it, as GitHub writes them.
constexpr std::pair<std::string_view, std::string_view> repository_urls[] = {
    {"archive_url", "/{archive_format}{/ref}"},
    {"assignees_url", "/assignees{/user}"},
    {"blobs_url", "/git/blobs{/sha}"},
    {"branches_url", "/branches{/branch}"},
    {"collaborators_url", "/collaborators{/collaborator}"},
    {"comments_url", "/comments{/number}"},
    {"commits_url", "/commits{/sha}"},
    {"compare_url", "/compare/{base}...{head}"},
    {"contents_url", "/contents/{+path}"},
    {"contributors_url", "/contributors"},
    {"deployments_url", "/deployments"},
    {"downloads_url", "/downloads"},
    {"events_url", "/events"},
    {"forks_url", "/forks"},
    {"git_commits_url", "/git/commits{/sha}"},
    {"git_refs_url", "/git/refs{/sha}"},
    {"git_tags_url", "/git/tags{/sha}"},
    {"hooks_url", "/hooks"},
    {"issue_comment_url", "/issues/comments{/number}"},
    {"issue_events_url", "/issues/events{/number}"},
    {"issues_url", "/issues{/number}"},
    {"keys_url", "/keys{/key_id}"},
    {"labels_url", "/labels{/name}"},
    {"languages_url", "/languages"},
    {"merges_url", "/merges"},
    {"milestones_url", "/milestones{/number}"},
    {"notifications_url", "/notifications{?since,all,participating}"},
    {"pulls_url", "/pulls{/number}"},
    {"releases_url", "/releases{/id}"},
    {"stargazers_url", "/stargazers"},
    {"statuses_url", "/statuses/{sha}"},
    {"subscribers_url", "/subscribers"},
    {"subscription_url", "/subscription"},
    {"tags_url", "/tags"},
    {"teams_url", "/teams"},
    {"trees_url", "/git/trees{/sha}"},
};

constexpr std::pair<std::string_view, std::string_view> user_urls[] = {
    {"followers_url", "/followers"},
    {"following_url", "/following{/other_user}"},
    {"gists_url", "/gists{/gist_id}"},
    {"starred_url", "/starred{/owner}{/repo}"},
    {"subscriptions_url", "/subscriptions"},
    {"organizations_url", "/orgs"},
    {"repos_url", "/repos"},
    {"events_url", "/events{/privacy}"},
    {"received_events_url", "/received_events"},
};

}  // namespace

int64_t number_for(std::string_view kind, std::string_view name) {
  const std::string digest = core::sha256_hex(std::string(kind) + "\n" + std::string(name));
  return static_cast<int64_t>(std::stoull(digest.substr(0, digits_of_number), nullptr, 16));
}

std::string github_time(core::Time time) { return core::format_time(std::chrono::floor<std::chrono::seconds>(time)); }

std::string node_id(std::string_view kind, int64_t id) {
  return core::to_base64(core::as_bytes(std::string(kind) + ":" + std::to_string(id)));
}

json::object github_user(const GithubUrls& urls, const std::string& login) {
  const int64_t id = number_for("user", login);
  const std::string page = urls.web() + "/" + login, url = urls.api() + "/users/" + login;
  json::object user{{"login", login},
                    {"id", id},
                    {"node_id", node_id("User", id)},
                    {"avatar_url", page + ".png"},
                    {"gravatar_id", ""},
                    {"url", url},
                    {"html_url", page},
                    {"type", "User"},
                    {"site_admin", false}};
  for (const auto& [name, rest] : user_urls) user[name] = url + std::string(rest);
  return user;
}

json::object github_repository(const GithubUrls& urls, const repository::Repo& repo) {
  const std::string url = urls.repository(repo.full_name), page = urls.web() + "/" + repo.full_name;
  json::object shown{{"id", repo.id},
                     {"node_id", node_id("Repository", repo.id)},
                     {"name", repo.name},
                     {"full_name", repo.full_name},
                     {"private", true},
                     {"owner", github_user(urls, repo.owner)},
                     {"html_url", page},
                     {"description", nullptr},
                     {"fork", false},
                     {"url", url},
                     {"clone_url", page + ".git"},
                     {"default_branch", repo.default_branch}};
  for (const auto& [name, rest] : repository_urls) shown[name] = url + std::string(rest);
  return shown;
}

json::object github_commit(const git::Commit& commit) {
  auto person = [](const git::Person& one) { return json::object{{"name", one.name}, {"email", one.email}}; };
  return {{"id", commit.id},
          {"tree_id", commit.tree},
          {"message", commit.message},
          {"timestamp", github_time(commit.committer.time)},
          {"author", person(commit.author)},
          {"committer", person(commit.committer)}};
}

// The app of GitHub's that stands behind checks of workflows: clients and rules know it by slug and id.
json::object github_issuer(const GithubUrls& urls) {
  constexpr int64_t id = 15368;
  constexpr std::string_view made = "2018-07-30T09:30:17Z";
  return {{"id", id},
          {"slug", "github-actions"},
          {"node_id", node_id("App", id)},
          {"owner", github_user(urls, "headrace")},
          {"name", "Headrace"},
          {"description", "Runs the workflows of this server."},
          {"external_url", urls.web() + "/"},
          {"html_url", urls.web() + "/"},
          {"created_at", made},
          {"updated_at", made},
          {"permissions", json::object()},
          {"events", json::array()}};
}

}  // namespace headrace::server
