#include "server/repositories_api.h"

#include "git/repository.h"
#include "server/answers.h"
#include "server/door.h"
#include "server/request.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 16 * 1024;

std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

json::object of(const repository::Repo& repo, const std::string& public_url) {
  return {{"id", repo.id},
          {"full_name", repo.full_name},
          {"owner", repo.owner},
          {"name", repo.name},
          {"default_branch", repo.default_branch},
          {"created", repo.created},
          {"clone_url", public_url + "/" + repo.full_name + ".git"}};
}

Task<Result<>> create(Platform& platform, Call& call) {
  std::vector<Member> members{{"full_name", Kind::text}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto name = core::string_at(*request, "full_name");
  if (!name) co_return core::fail(Code::invalid, "A repository needs a full_name: OWNER/NAME.");
  if (auto allowed = may_on_repository(platform, call.caller, Right::create_repository, *name); !allowed)
    co_return allowed;
  auto created = co_await platform.repositories.create(call.caller.actor, std::move(*name));
  if (!created) co_return std::unexpected(created.error());
  co_return co_await call.exchange.respond(json_answer(of(*created, platform.public_url), net::Status::created));
}

// The newest runs of its default branch, without their jobs: how it is.
Task<Result<json::array>> runs_of(Platform& platform, repository::Repo repo, std::optional<log::Offset> at) {
  constexpr size_t runs_max = 10;
  pipeline::RunQuery query;
  query.repository = repo.full_name;
  query.branch = repo.default_branch;
  query.limit = runs_max;
  auto page = co_await platform.pipeline.list(query, at);
  if (!page) co_return std::unexpected(page.error());
  json::array shown;
  for (const auto& run : page->runs)
    shown.push_back(
        json::object{{"id", run.id},
                     {"commit", run.commit},
                     {"workflow_file", run.workflow_file},
                     {"status", pipeline::name_of(run.status)},
                     {"conclusion", run.conclusion ? json::value(events::name_of(*run.conclusion)) : json::value()}});
  co_return shown;
}

// With how it is, where that was asked for and may be told.
Task<Result<json::object>> listed(Platform& platform, const Call& call, repository::Repo repo, bool with_runs,
                                  std::optional<log::Offset> at) {
  auto one = of(repo, platform.public_url);
  if (!with_runs || !may_on_repository(platform, call.caller, Right::read_runs, repo.full_name)) co_return one;
  auto runs = co_await runs_of(platform, std::move(repo), at);
  if (!runs) co_return std::unexpected(runs.error());
  one["runs"] = std::move(*runs);
  co_return one;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto at = moment_in(platform, call);
  if (!at) co_return std::unexpected(at.error());
  auto with_runs = flag_in(call, "runs");
  if (!with_runs) co_return std::unexpected(with_runs.error());
  json::array shown;
  std::string after = call.query("after");
  bool more = true;
  // What the caller may not see is as if it were not there, so pages are filled from what they may.
  while (more && shown.size() < repository::list_max) {
    auto page = co_await platform.repositories.list(after, repository::list_max, *at);
    if (!page) co_return std::unexpected(page.error());
    more = page->size() == repository::list_max;
    for (const auto& repo : *page) {
      if (shown.size() == repository::list_max) {
        more = true;
        break;
      }
      after = repo.full_name;
      if (!may_on_repository(platform, call.caller, Right::read_repository, repo.full_name)) continue;
      auto one = co_await listed(platform, call, repo, *with_runs, *at);
      if (!one) co_return std::unexpected(one.error());
      shown.push_back(std::move(*one));
    }
  }
  json::object answer;
  answer["repositories"] = std::move(shown);
  answer["next"] = more ? json::value(after) : json::value();
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto at = moment_in(platform, call);
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.repositories.find(full_name(call), *at);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository " + full_name(call) + ".");
  co_return co_await call.exchange.respond(json_answer(of(**found, platform.public_url)));
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto removed = co_await platform.repositories.remove(call.caller.actor, full_name(call));
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

// Long first lines are for the commit's own page.
std::string title_of(const std::string& message) {
  constexpr size_t bytes_max = 200;
  size_t end = std::min(message.find('\n'), message.size());
  if (end > bytes_max)
    for (end = bytes_max; end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0U) == 0x80U;) --end;
  return message.substr(0, end);
}

// The commits that refs stand at; nothing for one that is no longer there, and beyond the first tips_max.
auto tips_reader(const std::vector<repository::RefRow>& rows) {
  constexpr size_t tips_max = 2'000;
  std::vector<std::string> ids;
  for (const auto& row : rows)
    if (ids.size() < tips_max) ids.push_back(row.commit);
  return [ids = std::move(ids)](git::Repository& repository) -> Result<std::vector<std::optional<git::Commit>>> {
    std::vector<std::optional<git::Commit>> tips;
    for (const auto& id : ids) {
      auto found = repository.commit(id);
      tips.push_back(found ? std::optional(std::move(*found)) : std::nullopt);
    }
    return tips;
  };
}

Task<Result<>> refs(Platform& platform, Call& call) {
  auto at = moment_in(platform, call);
  if (!at) co_return std::unexpected(at.error());
  auto id = co_await repository_in(platform, call);
  if (!id) co_return std::unexpected(id.error());
  auto rows = co_await platform.repositories.refs(*id, *at);
  if (!rows) co_return std::unexpected(rows.error());
  auto heads = flag_in(call, "commits");
  if (!heads) co_return std::unexpected(heads.error());
  std::vector<std::optional<git::Commit>> tips;
  if (*heads) {
    auto read = co_await platform.repositories.read(*id, tips_reader(*rows));
    if (!read) co_return std::unexpected(read.error());
    tips = std::move(*read);
  }
  json::array shown;
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto& row = (*rows)[i];
    json::object one{{"ref", row.ref}, {"commit", row.commit}, {"since", row.since}};
    if (*heads) one["tip"] = i < tips.size() && tips[i] ? json::value(summary_of(*tips[i])) : json::value();
    shown.push_back(std::move(one));
  }
  json::object answer;
  answer["refs"] = std::move(shown);
  co_return co_await call.exchange.respond(json_answer(answer));
}

json::object of(const repository::PushRow& push) {
  json::array updates;
  for (const auto& update : push.updates)
    updates.push_back(json::object{{"ref", update.ref},
                                   {"old_commit", update.old_commit},
                                   {"new_commit", update.new_commit},
                                   {"applied", update.applied},
                                   {"forced", update.forced}});
  return {{"push", push.push},
          {"actor", push.actor},
          {"accepted", push.accepted},
          {"received", push.settled() ? json::value(push.received) : json::value()},
          {"updates", std::move(updates)}};
}

Task<Result<>> pushes(Platform& platform, Call& call) {
  auto at = moment_in(platform, call);
  if (!at) co_return std::unexpected(at.error());
  auto id = co_await repository_in(platform, call);
  if (!id) co_return std::unexpected(id.error());
  auto before = number_in(call, "before", 1, UINT64_MAX, 0);
  if (!before) co_return std::unexpected(before.error());
  auto rows = co_await platform.repositories.pushes(*id, *before, repository::list_max, *at);
  if (!rows) co_return std::unexpected(rows.error());
  json::array shown;
  for (const auto& row : *rows) shown.push_back(of(row));
  json::object answer;
  answer["pushes"] = std::move(shown);
  co_return co_await call.exchange.respond(json_answer(answer));
}

}  // namespace

json::object summary_of(const git::Commit& commit) {
  return {{"commit", commit.id},
          {"title", title_of(commit.message)},
          {"author", commit.author.name},
          {"date", core::format_time(commit.committer.time)}};
}

Result<std::optional<log::Offset>> moment_in(Platform& platform, const Call& call) {
  return platform.store.moment(call.query("at"));
}

Task<Result<int64_t>> repository_in(Platform& platform, Call& call) {
  auto at = moment_in(platform, call);
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.repositories.find(full_name(call), *at);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository " + full_name(call) + ".");
  co_return (*found)->id;
}

void add_repository_routes(Router& router, Platform& platform) {
  const std::string one = "/api/v1/repositories/{owner}/{repo}";
  const QueryParameter at{"at", "an offset or a time: as it was then"};
  router.add({net::Method::post,
              "/api/v1/repositories",
              Right::signed_in,
              {"Make a repository", "repositories", {}, json_body("RepositoryWish"), json_body("Repository"), 201},
              [&platform](Call& call) { return create(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/repositories",
              Right::signed_in,
              {"Repositories one may read, by name",
               "repositories",
               {{"after", "name to go on after"},
                {"runs", "true: with the newest runs of each one's default branch, without their jobs", "boolean"},
                at},
               {},
               json_body("RepositoryPage")},
              [&platform](Call& call) { return list(platform, call); }});
  router.add({net::Method::get,
              one,
              Right::read_repository,
              {"One repository", "repositories", {at}, {}, json_body("Repository")},
              [&platform](Call& call) { return show(platform, call); }});
  router.add({net::Method::delete_,
              one,
              Right::administer_repository,
              {"Delete it, with its history", "repositories", {}, {}, {}, 204},
              [&platform](Call& call) { return remove(platform, call); }});
  router.add({net::Method::get,
              one + "/refs",
              Right::read_repository,
              {"Its branches and tags",
               "repositories",
               {{"commits", "true: with the title, author and date of the commit each stands at", "boolean"}, at},
               {},
               json_body("Refs")},
              [&platform](Call& call) { return refs(platform, call); }});
  router.add(
      {net::Method::get,
       one + "/pushes",
       Right::read_repository,
       {"Its pushes, newest first", "repositories", {{"before", "offset", "integer"}, at}, {}, json_body("Pushes")},
       [&platform](Call& call) { return pushes(platform, call); }});
  add_source_routes(router, platform);
}

}  // namespace headrace::server
