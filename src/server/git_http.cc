#include "server/git_http.h"

#include "git/serve.h"
#include "server/answers.h"
#include "server/door.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

// The first write of git begins the answer; an Error before it is answered as any other.
class Answer {
 public:
  Answer(net::Exchange& exchange, std::string content_type)
      : exchange_(exchange), content_type_(std::move(content_type)) {}

  Task<Result<>> write(std::span<const std::byte> bytes) {
    if (auto begun = co_await begin(); !begun) co_return begun;
    co_return co_await exchange_.write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  Task<Result<>> end(Result<> served) {
    if (!served && !exchange_.started()) co_return served;
    if (!served) co_return Result<>{};  // broken off: without finish() the client sees that
    if (auto begun = co_await begin(); !begun) co_return begun;
    co_return co_await exchange_.finish();
  }

 private:
  Task<Result<>> begin() {
    if (exchange_.started()) co_return Result<>{};
    net::Headers headers{{"Content-Type", content_type_}, {"Cache-Control", "no-cache, max-age=0, must-revalidate"}};
    co_return co_await exchange_.start(net::Status::ok, std::move(headers), std::nullopt);
  }

  net::Exchange& exchange_;
  std::string content_type_;
};

git::WriteChunk writer_of(Answer& answer) {
  return [&answer](std::span<const std::byte> bytes) { return answer.write(bytes); };
}

git::ReadBody reader_of(net::Exchange& exchange) {
  return [&exchange](std::span<std::byte> bytes) { return exchange.read(bytes); };
}

Right right_of(git::Service service) {
  return service == git::Service::receive_pack ? Right::write_repository : Right::read_repository;
}

Task<Result<>> advertise(Platform& platform, Call& call) {
  auto service = git::parse_service(call.query("service"));
  if (!service)
    co_return co_await call.exchange.respond(answer_of(
        net::Status::forbidden, "invalid", "Only git's smart HTTP is spoken here: use a git of this century."));
  if (auto allowed = may_on_repository(platform, call.caller, right_of(*service), full_name(call)); !allowed)
    co_return allowed;
  Answer answer(call.exchange, git::content_type(*service, true));
  std::string protocol(call.request().headers.get("Git-Protocol"));
  auto served =
      co_await platform.repositories.advertise(full_name(call), *service, std::move(protocol), writer_of(answer));
  co_return co_await answer.end(std::move(served));
}

Task<Result<>> serve(Platform& platform, Call& call, git::Service service) {
  if (call.request().headers.get("Content-Type") != git::request_content_type(service))
    co_return co_await call.exchange.respond(answer_of(net::Status::unsupported_media_type, "invalid",
                                                       "Git sends " + git::request_content_type(service) + " here."));
  Answer answer(call.exchange, git::content_type(service, false));
  std::string protocol(call.request().headers.get("Git-Protocol"));
  bool gzip = call.request().headers.has_token("Content-Encoding", "gzip");
  auto read = reader_of(call.exchange);
  auto write = writer_of(answer);
  Result<> served;
  if (service == git::Service::receive_pack) {
    served = co_await platform.repositories.push(call.caller.actor, full_name(call), std::move(protocol), gzip,
                                                 std::move(read), std::move(write));
  } else {
    served = co_await platform.repositories.fetch(full_name(call), std::move(protocol), gzip, std::move(read),
                                                  std::move(write));
  }
  co_return co_await answer.end(std::move(served));
}

}  // namespace

// Under the name of the repository, with or without ".git" as people and `origin` of a checkout write it.
static void add_routes_at(const std::string& name, Router& router, Platform& platform) {
  router.add({net::Method::get,
              name + "/info/refs",
              Right::anyone,
              {"Git: what there is to fetch or push to",
               "git",
               {{"service", "git-upload-pack or git-receive-pack"}},
               {},
               "application/x-git-upload-pack-advertisement"},
              [&platform](Call& call) { return advertise(platform, call); }});
  router.add({net::Method::post,
              name + "/git-upload-pack",
              Right::read_repository,
              {"Git: clone and fetch",
               "git",
               {},
               "application/x-git-upload-pack-request",
               "application/x-git-upload-pack-result"},
              [&platform](Call& call) { return serve(platform, call, git::Service::upload_pack); }});
  router.add(
      {net::Method::post,
       name + "/git-receive-pack",
       Right::write_repository,
       {"Git: push", "git", {}, "application/x-git-receive-pack-request", "application/x-git-receive-pack-result"},
       [&platform](Call& call) { return serve(platform, call, git::Service::receive_pack); }});
}

void add_git_routes(Router& router, Platform& platform) {
  add_routes_at("/{owner}/{repo}.git", router, platform);
  add_routes_at("/{owner}/{repo}", router, platform);
}

}  // namespace headrace::server
