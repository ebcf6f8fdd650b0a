#include "server/door.h"

#include "core/bytes.h"
#include "server/sessions.h"
#include "services/artifact/artifact.h"
#include "services/identity/identity.h"
#include "services/identity/job_tokens.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using identity::Resource;

namespace {

identity::Action action_of(Right right) {
  switch (right) {
    case Right::anyone:
    case Right::signed_in: return identity::Action::use;
    case Right::read_repository: return identity::Action::read_repository;
    case Right::write_repository: return identity::Action::write_repository;
    case Right::create_repository: return identity::Action::create_repository;
    case Right::administer_repository: return identity::Action::administer_repository;
    case Right::read_settings: return identity::Action::read_settings;
    case Right::read_runs: return identity::Action::read_runs;
    case Right::write_runs: return identity::Action::write_runs;
    case Right::read_events: return identity::Action::read_events;
    case Right::write_events: return identity::Action::write_events;
    case Right::operate: return identity::Action::operate;
    case Right::run_jobs: return identity::Action::run_jobs;
  }
  return identity::Action::operate;
}

// "Bearer TOKEN", "token TOKEN" as GitHub's clients send it, or Basic with the token as password, whatever the user.
Result<std::string> secret_in(std::string_view header) {
  auto space = header.find(' ');
  auto scheme = header.substr(0, space);
  auto rest = space == std::string_view::npos ? std::string_view{} : header.substr(space + 1);
  if (net::equal_ignoring_case(scheme, "bearer") || net::equal_ignoring_case(scheme, "token")) return std::string(rest);
  if (!net::equal_ignoring_case(scheme, "basic"))
    return core::fail(Code::unauthenticated, "Sign in with Authorization: Bearer TOKEN.");
  auto pair = core::from_base64(rest);
  auto colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos)
    return core::fail(Code::unauthenticated, "The basic credential in this request cannot be read.");
  return pair->substr(colon + 1);
}

// A cookie that is good no longer is none, however often it comes: a browser sends it with every file of a page, and
// must be able to show the page and to sign in again.
Result<Caller> caller_by_session(Platform& platform, const net::Request& request) {
  auto secret = session_of(request);
  if (secret.empty()) return Caller{};
  auto caller = platform.identity.authenticate(secret, request.peer.address);
  if (!caller) return Caller{};
  // A WebSocket may publish, and a page of another port of this host may open one with the cookie.
  const bool reads = (request.method == net::Method::get || request.method == net::Method::head) &&
                     !request.headers.contains("Upgrade");
  if (!reads && !asked_by_a_page(request))
    return core::fail(Code::denied,
                      "A request that may change something with the session of a browser must come from a page of this "
                      "server (X-Requested-With: headrace-web); programs send Authorization: Bearer TOKEN.");
  return caller;
}

}  // namespace

Result<Caller> caller_of(Platform& platform, const net::Request& request) {
  auto header = request.headers.get("Authorization");
  if (header.empty()) return caller_by_session(platform, request);
  auto secret = secret_in(header);
  if (!secret) return std::unexpected(secret.error());
  if (auto reach = platform.job_tokens.read(*secret)) {
    if (platform.runner.has_lease(reach->lease)) return identity::caller_of(*reach);
    return core::fail(Code::unauthenticated, "The job of this token is over, and the token with it.");
  }
  // The token of the toolkit's services reaches no more than those: the face looks closer.
  if (auto holder = platform.artifacts.keys().read(*secret, platform.clock.now())) {
    if (platform.runner.has_lease(holder->lease)) return Caller{.actor = core::Actor::job(holder->repository)};
    return core::fail(Code::unauthenticated, "The job of this token is over, and the token with it.");
  }
  return platform.identity.authenticate(*secret, request.peer.address);
}

Result<> may_on_repository(Platform& platform, const Caller& caller, Right right, const std::string& full_name) {
  // A new repository is asked for by its owner; all else by its whole name.
  auto resource = right == Right::create_repository ? Resource::owner(full_name.substr(0, full_name.find('/')))
                                                    : Resource::repository(full_name);
  return platform.identity.door().may(caller, action_of(right), resource);
}

Result<> may(Platform& platform, const Caller& caller, const Route& route,
             const std::map<std::string, std::string>& captures) {
  if (route.right == Right::anyone) return {};
  auto owner = captures.find("owner");
  auto repo = captures.find("repo");
  auto org = captures.find("org");
  if (org != captures.end())
    return platform.identity.door().may(caller, action_of(route.right), Resource::owner(org->second));
  if (owner != captures.end() && repo != captures.end())
    return may_on_repository(platform, caller, route.right, owner->second + "/" + repo->second);
  return platform.identity.door().may(caller, action_of(route.right), Resource::platform());
}

Result<> may_see_of_repository(Platform& platform, const Caller& caller, const std::string& full_name,
                               const std::string& what) {
  auto allowed = may_on_repository(platform, caller, Right::read_runs, full_name);
  if (allowed || allowed.error().code != Code::denied) return allowed;
  return core::fail(Code::denied,
                    caller.actor.name + " may not see " + what +
                        ": the role read on its repository is needed, and a token with the scope run:read; "
                        "an administrator can grant the role.");
}

}  // namespace headrace::server
