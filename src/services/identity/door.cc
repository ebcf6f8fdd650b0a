#include "services/identity/door.h"

#include <algorithm>

#include "services/identity/directory.h"

namespace headrace::identity {

using core::Code;
using core::Result;

namespace {

// What an action asks for. `scope` empty: any token will do.
struct Need {
  Action action;
  std::string_view scope;
  Role role;
  std::string_view doing;  // "alice may not <doing> <resource>"
};

constexpr Need needs[] = {
    {Action::use, "", Role::read, "use"},
    {Action::read_repository, "repo:read", Role::read, "read"},
    {Action::write_repository, "repo:write", Role::write, "write to"},
    {Action::create_repository, "repo:write", Role::admin, "make repositories of"},
    {Action::administer_repository, "admin", Role::admin, "administer"},
    {Action::read_settings, "repo:write", Role::write, "see the settings of"},
    {Action::read_runs, "run:read", Role::read, "read runs of"},
    {Action::write_runs, "run:write", Role::write, "start or cancel runs of"},
    {Action::read_events, "event:read", Role::read, "read events of"},
    {Action::write_events, "event:write", Role::write, "publish events to"},
    {Action::operate, "admin", Role::admin, "operate"},
    {Action::run_jobs, "runner", Role::admin, "run jobs of"},
};

const Need& need_of(Action action) { return needs[static_cast<size_t>(action)]; }

// The same, or to write where reading is asked for.
bool is_as_far(std::string_view has, std::string_view wanted) {
  bool same_thing = has.substr(0, has.find(':')) == wanted.substr(0, wanted.find(':'));
  return has == wanted || (same_thing && has.ends_with(":write") && wanted.ends_with(":read"));
}

// Whether a scope a token has includes one that is asked for.
bool includes(std::string_view has, std::string_view wanted) {
  if (is_as_far(has, wanted)) return true;
  if (has == "admin") return wanted != "runner";
  if (has == "runner") return wanted == "repo:read" || wanted == "run:read";
  // Whoever reads a repository reads what ran in it; whoever may read all of runs does not read code for that.
  return wanted == "run:read" && has.starts_with("repo:");
}

std::string words_for(const Resource& resource) { return resource.name == "*" ? "the platform" : resource.name; }

Result<> no_account(const core::Actor& actor) {
  if (actor.kind == core::Actor::Kind::anonymous)
    return core::fail(Code::unauthenticated, "Nobody is signed in; send a token, or sign in with `headrace login`.");
  return core::fail(Code::unauthenticated, "There is no account " + actor.name + ".");
}

Result<> refuse_role(const core::Actor& actor, const Need& need, const Resource& resource) {
  std::string where = resource.name == "*" ? "*" : resource.name;
  if (auto slash = resource.name.find('/'); slash != std::string::npos) where += ", " + resource.name.substr(0, slash);
  if (resource.name != "*") where += " or *";
  return core::fail(Code::denied, actor.name + " may not " + std::string(need.doing) + " " + words_for(resource) +
                                      ": the role " + std::string(name_of(need.role)) + " on " + where +
                                      " is needed; an administrator can grant it.");
}

bool holds(const Account& account, std::string_view scope, Role least) {
  auto found = account.roles.find(scope);
  return found != account.roles.end() && found->second >= least;
}

bool has_role(const Account& account, const Resource& resource, Role least) {
  auto name = folded(resource.name);
  return holds(account, "*", least) || holds(account, name, least) ||
         holds(account, name.substr(0, name.find('/')), least);
}

Result<> may_runner(const core::Actor& actor, const Need& need, const Resource& resource) {
  bool allowed = need.action == Action::use || need.action == Action::run_jobs ||
                 need.action == Action::read_repository || need.action == Action::read_runs;
  if (allowed) return {};
  return core::fail(Code::denied, "The runner " + actor.name + " may not " + std::string(need.doing) + " " +
                                      words_for(resource) + ": runners run jobs and read repositories, no more.");
}

// Whether it may write is a matter of its token's scopes.
Result<> may_job(const core::Actor& actor, const Need& need, const Resource& resource) {
  bool allowed = need.action == Action::use || need.action == Action::read_repository ||
                 need.action == Action::write_repository || need.action == Action::read_runs ||
                 need.action == Action::write_runs;
  if (need.action == Action::use || (allowed && folded(resource.name) == folded(actor.name))) return {};
  return core::fail(Code::denied, "A job of " + actor.name + " may not " + std::string(need.doing) + " " +
                                      words_for(resource) +
                                      ": the token of a job reaches its own repository, no more.");
}

Result<> may_user(const Directory& directory, const core::Actor& actor, const Need& need, const Resource& resource) {
  const auto* account = directory.account(actor.name);
  if (!account) return no_account(actor);
  if (account->disabled)
    return core::fail(Code::denied, "The account " + actor.name + " is disabled; an administrator can enable it.");
  if (need.action == Action::run_jobs)
    return core::fail(Code::denied, actor.name + " is no runner: jobs are run with a token made for a runner.");
  if (need.action == Action::use || has_role(*account, resource, need.role)) return {};
  return refuse_role(actor, need, resource);
}

}  // namespace

Result<> Door::may(const core::Actor& actor, Action action, const Resource& resource) const {
  const auto& need = need_of(action);
  switch (actor.kind) {
    case core::Actor::Kind::system:
    case core::Actor::Kind::service: return {};
    case core::Actor::Kind::runner: return may_runner(actor, need, resource);
    case core::Actor::Kind::job: return may_job(actor, need, resource);
    case core::Actor::Kind::user: return may_user(directory_, actor, need, resource);
    case core::Actor::Kind::anonymous: break;
  }
  return no_account(actor);
}

Result<> Door::may(const Caller& caller, Action action, const Resource& resource) const {
  const auto& need = need_of(action);
  if (!caller.reads_for.empty() && action == Action::read_repository)
    return may_user(directory_, core::Actor::user(caller.reads_for), need, resource);
  bool internal = caller.actor.kind == core::Actor::Kind::system || caller.actor.kind == core::Actor::Kind::service;
  if (auto role = may(caller.actor, action, resource); !role || internal || need.scope.empty()) return role;
  // `permissions:` of a workflow mean what is written: contents of a repository are not its runs.
  bool job = caller.actor.kind == core::Actor::Kind::job;
  bool far = job ? std::ranges::any_of(caller.scopes, [&](const auto& one) { return is_as_far(one, need.scope); })
                 : scopes_include(caller.scopes, need.scope);
  if (far) return {};
  return core::fail(Code::denied, "The token does not reach that far: to " + std::string(need.doing) + " " +
                                      words_for(resource) + " it needs the scope " + std::string(need.scope) +
                                      "; make one that has it.");
}

bool scopes_include(const std::vector<std::string>& has, std::string_view wanted) {
  return std::ranges::any_of(has, [&](const auto& one) { return includes(one, wanted); });
}

}  // namespace headrace::identity
