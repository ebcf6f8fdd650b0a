#include "server/artifacts_api.h"

#include "server/answers.h"
#include "server/github_json.h"
#include "server/request.h"
#include "services/artifact/artifact.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr std::string_view actions = "/api/v3/repos/{owner}/{repo}/actions";
constexpr uint64_t page_max = 1'000'000;

std::string named(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

// Its name in its own spelling, by which everything of it is kept. not_found.
Task<Result<repository::Repo>> repository_of(Platform& platform, std::string name) {
  auto found = co_await platform.repositories.find(name);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository '" + name.substr(0, 200) + "'.");
  co_return **found;
}

// GitHub Docs, "Using pagination in the REST API".
Result<artifact::Page> page_of(const Call& call) {
  auto size = number_in(call, "per_page", 1, artifact::list_max, 30);
  if (!size) return std::unexpected(size.error());
  auto number = number_in(call, "page", 1, page_max, 1);
  if (!number) return std::unexpected(number.error());
  return artifact::Page{.limit = *size, .number = *number};
}

Result<int64_t> id_in(const Call& call, std::string_view name) {
  auto id = number_of(call.capture(name));
  if (!id || *id > INT64_MAX) return core::fail(Code::not_found, "There is none with that number.");
  return static_cast<int64_t>(*id);
}

json::value branch_of(std::string_view ref) {
  for (std::string_view front : {"refs/heads/", "refs/tags/"})
    if (ref.starts_with(front)) return json::value(ref.substr(front.size()));
  return ref.empty() ? json::value() : json::value(ref);
}

json::object of(const artifact::Artifact& it, const repository::Repo& home, const std::string& base) {
  std::string url = base + "/api/v3/repos/" + home.full_name + "/actions/artifacts/" + std::to_string(it.id);
  return {{"id", it.id},
          {"node_id", node_id("Artifact", it.id)},
          {"name", it.name},
          {"size_in_bytes", it.size},
          {"url", url},
          {"archive_download_url", url + "/zip"},
          {"expired", it.expired},
          {"digest", it.digest},
          {"created_at", github_time(it.created)},
          {"updated_at", github_time(it.created)},
          {"expires_at", github_time(it.expires)},
          {"workflow_run", json::object{{"id", it.run_id},
                                        {"repository_id", home.id},
                                        {"head_repository_id", home.id},
                                        {"head_branch", branch_of(it.ref)},
                                        {"head_sha", it.commit}}}};
}

json::object of(const artifact::Cache& it) {
  return {{"id", it.id},
          {"ref", it.ref},
          {"key", it.key},
          {"version", it.version},
          {"last_accessed_at", github_time(it.used)},
          {"created_at", github_time(it.created)},
          {"size_in_bytes", it.size}};
}

// ---- Artifacts

Task<Result<>> answer_list(Platform& platform, Call& call, std::optional<int64_t> run) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  artifact::ArtifactQuery query;
  query.repository = home->full_name;
  query.run_id = run;
  query.name = call.query("name");
  auto list = co_await platform.artifacts.list(std::move(query), *page, *at);
  if (!list) co_return std::unexpected(list.error());
  std::string base = artifact::Face::base_of(call.request());
  json::array shown;
  for (const auto& one : list->artifacts) shown.push_back(of(one, *home, base));
  json::object answer;
  answer["total_count"] = list->total;
  answer["artifacts"] = std::move(shown);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> list(Platform& platform, Call& call) {
  std::optional<int64_t> any;
  return answer_list(platform, call, any);
}

Task<Result<>> list_of_run(Platform& platform, Call& call) {
  auto run = id_in(call, "run_id");
  if (!run) co_return std::unexpected(run.error());
  std::optional<int64_t> only = *run;
  co_return co_await answer_list(platform, call, only);
}

Task<Result<artifact::Artifact>> find(Platform& platform, Call& call) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  auto id = id_in(call, "artifact_id");
  if (!id) co_return std::unexpected(id.error());
  co_return co_await platform.artifacts.view(home->full_name, *id);
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  auto artifact = co_await find(platform, call);
  if (!artifact) co_return std::unexpected(artifact.error());
  std::string base = artifact::Face::base_of(call.request());
  co_return co_await call.exchange.respond(json_answer(of(*artifact, *home, base)));
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto artifact = co_await find(platform, call);
  if (!artifact) co_return std::unexpected(artifact.error());
  auto removed = co_await platform.artifacts.remove(call.caller.actor, artifact->repository, artifact->id);
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

// GitHub answers with an address that needs no token, for who may have it.
Task<Result<>> download(Platform& platform, Call& call) {
  if (call.capture("archive_format") != "zip")
    co_return core::fail(Code::invalid, "The archive_format of an artifact is zip.");
  auto artifact = co_await find(platform, call);
  if (!artifact) co_return std::unexpected(artifact.error());
  if (artifact->expired) {
    auto gone = github_answer_of({Code::not_found, "The artifact '" + artifact->name + "' has expired.", {}},
                                 platform.public_url);
    gone.status = net::Status::gone;
    co_return co_await call.exchange.respond(std::move(gone));
  }
  std::string base = artifact::Face::base_of(call.request());
  auto answer = no_content();
  answer.status = net::Status::found;
  answer.headers.set("Location", platform.artifacts.face().address_of(*artifact, call.caller.actor, base));
  answer.headers.set("Cache-Control", "no-store");
  co_return co_await call.exchange.respond(std::move(answer));
}

// ---- Caches

Result<artifact::CacheQuery> cache_query(const Call& call) {
  artifact::CacheQuery query;
  query.ref = call.query("ref");
  query.key = call.query("key");
  std::string sort = call.query("sort"), direction = call.query("direction");
  using Sort = artifact::CacheQuery::Sort;
  if (sort == "created_at")
    query.sort = Sort::created_at;
  else if (sort == "size_in_bytes")
    query.sort = Sort::size_in_bytes;
  else if (!sort.empty() && sort != "last_accessed_at")
    return core::fail(Code::invalid, "sort is created_at, last_accessed_at or size_in_bytes.");
  if (!direction.empty() && direction != "asc" && direction != "desc")
    return core::fail(Code::invalid, "direction is asc or desc.");
  query.ascending = direction == "asc";
  return query;
}

json::object cache_list(int64_t total, const std::vector<artifact::Cache>& caches) {
  json::array shown;
  for (const auto& one : caches) shown.push_back(of(one));
  return {{"total_count", total}, {"actions_caches", std::move(shown)}};
}

Task<Result<>> caches(Platform& platform, Call& call) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto query = cache_query(call);
  if (!query) co_return std::unexpected(query.error());
  query->repository = home->full_name;
  auto list = co_await platform.artifacts.caches(std::move(*query), *page, *at);
  if (!list) co_return std::unexpected(list.error());
  co_return co_await call.exchange.respond(json_answer(cache_list(list->total, list->caches)));
}

Task<Result<>> remove_caches(Platform& platform, Call& call) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  std::string key = call.query("key");
  if (key.empty()) co_return core::fail(Code::invalid, "Say which: ?key=KEY, and &ref=REF for those of one ref.");
  auto removed =
      co_await platform.artifacts.remove_caches(call.caller.actor, home->full_name, std::move(key), call.query("ref"));
  if (!removed) co_return std::unexpected(removed.error());
  auto answer = cache_list(static_cast<int64_t>(removed->size()), *removed);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> remove_cache(Platform& platform, Call& call) {
  auto home = co_await repository_of(platform, named(call));
  if (!home) co_return std::unexpected(home.error());
  auto id = id_in(call, "cache_id");
  if (!id) co_return std::unexpected(id.error());
  auto removed = co_await platform.artifacts.remove_cache(call.caller.actor, home->full_name, *id);
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

// ---- Jobs

// Whoever calls must be somebody; that it is a job, and which, the face asks itself.
void add_toolkit_routes(Router& router, Platform& platform) {
  auto answer = [&platform](Call& call) { return platform.artifacts.face().answer(call.exchange); };
  router.add({net::Method::post,
              "/twirp/{service}/{method}",
              Right::signed_in,
              {"Calls of GitHub's toolkit (@actions/artifact, @actions/cache), with the runtime token of a job",
               "toolkit",
               {},
               "application/json"},
              answer});
  About blob{"A blob at a signed address, as Azure Blob Storage has it", "toolkit", {}, {}, "application/octet-stream"};
  for (auto method : {net::Method::get, net::Method::put}) {
    blob.success = method == net::Method::put ? 201 : 200;
    router.add({method, "/_blobs/{path...}", Right::anyone, blob, answer});
  }
}

}  // namespace

void add_artifact_routes(Router& router, Platform& platform) {
  add_toolkit_routes(router, platform);
  const QueryParameter size{"per_page", "1 to 100; 30 where absent", "integer"}, number{"page", "from 1", "integer"},
      at{"at", "an offset or a time: as it was then"};
  const std::string front(actions);
  auto add = [&](net::Method method, std::string path, Right right, About about,
                 Task<Result<>> (*act)(Platform&, Call&)) {
    router.add(
        {method, front + path, right, std::move(about), [&platform, act](Call& call) { return act(platform, call); }});
  };
  add(net::Method::get, "/artifacts", Right::read_runs,
      {"Artifacts of a repository, newest first",
       "artifacts",
       {size, number, {"name", "only of this one"}, at},
       {},
       json_body("ArtifactPage")},
      list);
  add(net::Method::get, "/runs/{run_id}/artifacts", Right::read_runs,
      {"Artifacts of a run, newest first",
       "artifacts",
       {size, number, {"name", "only of this one"}, at},
       {},
       json_body("ArtifactPage")},
      list_of_run);
  add(net::Method::get, "/artifacts/{artifact_id}", Right::read_runs,
      {"One artifact", "artifacts", {}, {}, json_body("Artifact")}, show);
  add(net::Method::delete_, "/artifacts/{artifact_id}", Right::write_runs,
      {"Delete an artifact", "artifacts", {}, {}, "application/json", 204}, remove);
  add(net::Method::get, "/artifacts/{artifact_id}/{archive_format}", Right::read_runs,
      {"Where its bytes are, for ten minutes", "artifacts", {}, {}, "application/json", 302}, download);
  add(net::Method::get, "/caches", Right::read_runs,
      {"Caches of a repository",
       "caches",
       {size,
        number,
        {"ref", "only of this one"},
        {"key", "how its key begins"},
        {"sort", "created_at, last_accessed_at or size_in_bytes"},
        {"direction", "asc or desc"},
        at},
       {}},
      caches);
  add(net::Method::delete_, "/caches", Right::write_runs,
      {"Delete the caches of a key", "caches", {{"key", "in full"}, {"ref", "only of this one"}}, {}}, remove_caches);
  add(net::Method::delete_, "/caches/{cache_id}", Right::write_runs,
      {"Delete a cache", "caches", {}, {}, "application/json", 204}, remove_cache);
}

}  // namespace headrace::server
