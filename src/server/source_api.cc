// What is in a repository: commits, trees, files, differences. Read by libgit2 on the pool for git reads.
#include "core/bytes.h"
#include "git/repository.h"
#include "server/answers.h"
#include "server/repositories_api.h"
#include "server/request.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

json::object of(const git::Person& person) {
  return {{"name", person.name}, {"email", person.email}, {"date", core::format_time(person.time)}};
}

json::object of(const git::Commit& commit) {
  json::array parents;
  for (const auto& parent : commit.parents) parents.emplace_back(parent);
  return {{"commit", commit.id},
          {"tree", commit.tree},
          {"parents", std::move(parents)},
          {"author", of(commit.author)},
          {"committer", of(commit.committer)},
          {"message", commit.message}};
}

json::object of(const git::Diff& diff) {
  json::array files;
  for (const auto& file : diff.files)
    files.push_back(json::object{{"status", git::name_of(file.status)},
                                 {"old_path", file.old_path},
                                 {"new_path", file.new_path},
                                 {"additions", file.additions},
                                 {"deletions", file.deletions},
                                 {"binary", file.binary},
                                 {"cut", file.cut},
                                 {"patch", file.patch}});
  return {{"files", std::move(files)},
          {"files_total", diff.files_total},
          {"additions", diff.additions},
          {"deletions", diff.deletions},
          {"truncated", diff.truncated}};
}

Task<Result<>> refuse(core::Error error) { co_return std::unexpected(std::move(error)); }

// Every one of them: find the repository, read on the pool, answer.
template <class Fn>
Task<Result<>> answer_read(Platform& platform, Call& call, Fn read) {
  auto id = co_await repository_in(platform, call);
  if (!id) co_return std::unexpected(id.error());
  auto value = co_await platform.repositories.read(*id, std::move(read));
  if (!value) co_return std::unexpected(value.error());
  co_return co_await call.exchange.respond(std::move(*value));
}

Task<Result<>> commits(Platform& platform, Call& call) {
  auto skip = number_in(call, "skip", 0, UINT32_MAX, 0);
  auto limit = number_in(call, "limit", 1, 100, 30);
  if (!skip) return refuse(skip.error());
  if (!limit) return refuse(limit.error());
  git::LogQuery query{.from = call.query("from").empty() ? "HEAD" : call.query("from"),
                      .path = call.query("path"),
                      .skip = *skip,
                      .count = *limit};
  return answer_read(platform, call, [query](git::Repository& repository) -> Result<net::Response> {
    auto page = repository.log(query);
    if (!page) return std::unexpected(page.error());
    json::array list;
    for (const auto& commit : page->commits) list.push_back(of(commit));
    json::object answer{{"commits", std::move(list)}, {"next", nullptr}};
    if (page->next) answer["next"] = *page->next;
    return json_answer(answer);
  });
}

Task<Result<>> commit(Platform& platform, Call& call) {
  return answer_read(platform, call,
                     [revision = call.capture("revision"),
                      path = call.query("path")](git::Repository& repository) -> Result<net::Response> {
                       auto found = repository.commit(revision);
                       if (!found) return std::unexpected(found.error());
                       auto diff = repository.diff_of(found->id, path);
                       if (!diff) return std::unexpected(diff.error());
                       json::object answer = of(*found);
                       answer["diff"] = of(*diff);
                       return json_answer(answer);
                     });
}

json::object of(const git::Entry& entry) {
  json::object one{{"name", core::to_valid_utf8(entry.name)},
                   {"kind", git::name_of(entry.kind)},
                   {"id", entry.id},
                   {"size", nullptr}};
  if (entry.size) one["size"] = *entry.size;
  return one;
}

Task<Result<>> tree(Platform& platform, Call& call) {
  auto with_commits = flag_in(call, "commits");
  if (!with_commits) return refuse(with_commits.error());
  return answer_read(platform, call,
                     [revision = call.capture("revision"), path = call.query("path"),
                      with_commits = *with_commits](git::Repository& repository) -> Result<net::Response> {
                       const auto commit = repository.resolve(revision);  // a branch may move between two looks
                       if (!commit) return std::unexpected(commit.error());
                       auto entries = repository.tree(*commit, path);
                       if (!entries) return std::unexpected(entries.error());
                       Result<std::vector<git::LastChange>> changes;
                       if (with_commits) changes = repository.last_changes(*commit, path);
                       if (!changes) return std::unexpected(changes.error());
                       json::array list;
                       for (const auto& entry : *entries) list.push_back(of(entry));
                       for (size_t i = 0; i < changes->size(); ++i)  // in the same order
                         list[i].get_object()["last_change"] =
                             (*changes)[i].commit ? json::value(summary_of(*(*changes)[i].commit)) : json::value();
                       json::object answer;
                       answer["commit"] = *commit;
                       answer["entries"] = std::move(list);
                       return json_answer(answer);
                     });
}

Task<Result<>> blob(Platform& platform, Call& call) {
  return answer_read(platform, call,
                     [revision = call.capture("revision"),
                      path = call.query("path")](git::Repository& repository) -> Result<net::Response> {
                       auto found = repository.blob(revision, path, git::blob_bytes_default);
                       if (!found) return std::unexpected(found.error());
                       // Never as what it may claim to be: a page of a repository must not run as a page of ours.
                       auto response =
                           net::make_response(net::Status::ok, std::move(found->content),
                                              found->binary ? "application/octet-stream" : "text/plain; charset=utf-8");
                       response.headers.set("X-Content-Type-Options", "nosniff");
                       response.headers.set("Content-Security-Policy", "default-src 'none'; sandbox");
                       response.headers.set("X-Headrace-Size", std::to_string(found->size));
                       return response;
                     });
}

Task<Result<>> compare(Platform& platform, Call& call) {
  return answer_read(
      platform, call,
      [base = call.query("base"), head = call.query("head")](git::Repository& repository) -> Result<net::Response> {
        if (base.empty() || head.empty())
          return core::fail(Code::invalid, "A comparison needs base and head: branches, tags or commits.");
        auto diff = repository.diff(base, head);
        if (!diff) return std::unexpected(diff.error());
        return json_answer(of(*diff));
      });
}

}  // namespace

void add_source_routes(Router& router, Platform& platform) {
  const std::string one = "/api/v1/repositories/{owner}/{repo}";
  const QueryParameter path{"path", "within the tree; empty: its root"};
  const QueryParameter with_commits{"commits", "true: with the commit that changed each entry last", "boolean"};
  router.add({net::Method::get,
              one + "/commits",
              Right::read_repository,
              {"History, newest first",
               "repositories",
               {{"from", "branch, tag or commit; the default branch where absent"},
                {"path", "only commits that changed it"},
                {"skip", "commits", "integer"},
                {"limit", "1 to 100", "integer"}},
               {},
               json_body("CommitPage")},
              [&platform](Call& call) { return commits(platform, call); }});
  router.add({net::Method::get,
              one + "/commits/{revision...}",
              Right::read_repository,
              {"A commit with its changes",
               "repositories",
               {{"path", "only what changed in this file, however much changed besides"}},
               {},
               json_body("CommitWithDiff")},
              [&platform](Call& call) { return commit(platform, call); }});
  router.add({net::Method::get,
              one + "/compare",
              Right::read_repository,
              {"The difference of two revisions",
               "repositories",
               {{"base", "revision"}, {"head", "revision"}},
               {},
               json_body("Diff")},
              [&platform](Call& call) { return compare(platform, call); }});
  router.add({net::Method::get,
              one + "/tree/{revision...}",
              Right::read_repository,
              {"The entries of a folder", "repositories", {path, with_commits}, {}, json_body("Folder")},
              [&platform](Call& call) { return tree(platform, call); }});
  router.add({net::Method::get,
              one + "/blob/{revision...}",
              Right::read_repository,
              {"A file, at most its first MiB", "repositories", {path}, {}, "text/plain"},
              [&platform](Call& call) { return blob(platform, call); }});
  add_raw_route(router, platform);
}

}  // namespace headrace::server
