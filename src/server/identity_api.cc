#include "server/identity_api.h"

#include "server/answers.h"
#include "server/request.h"
#include "services/identity/identity.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 16 * 1024;
constexpr int64_t days_max = 3650;  // of a token

json::object of(const identity::NewToken& token) {
  json::object shown{{"token", token.secret}, {"id", token.id}};
  if (!token.user.empty()) shown["user"] = token.user;
  if (!token.runner.empty()) shown["runner"] = token.runner;
  return shown;
}

json::object of(const identity::User& user) {
  return {{"name", user.name}, {"id", user.id}, {"disabled", user.disabled}, {"administrator", user.administrator}};
}

Result<identity::Role> role_of(const std::string& name) {
  for (auto role : {identity::Role::read, identity::Role::write, identity::Role::admin})
    if (identity::name_of(role) == name) return role;
  return core::fail(Code::invalid, "A role is read, write or admin.");
}

// The code of a one-time link for an account's first token.
Task<Result<>> sign_in(Platform& platform, Call& call) {
  std::vector<Member> members{{"code", Kind::text}, {"user", Kind::text}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto code = core::string_at(*request, "code");
  auto user = core::string_at(*request, "user").value_or("admin");
  if (!code)
    co_return core::fail(Code::invalid,
                         "Signing in needs the code of the one-time link, which is what stands behind its '#'.");
  auto token = co_await platform.identity.redeem(std::move(*code), std::move(user), call.request().peer.address);
  if (!token) co_return std::unexpected(token.error());
  co_return co_await call.exchange.respond(json_answer(of(*token), net::Status::created));
}

Task<Result<>> who_am_i(Platform&, Call& call) {
  co_return co_await call.exchange.respond(json_answer(who(call.caller)));
}

Result<identity::TokenWish> wish_of(const json::value& request, const Caller& caller, core::Time now) {
  identity::TokenWish wish;
  wish.user = core::string_at(request, "user").value_or(caller.actor.name);
  wish.name = core::string_at(request, "name").value_or("");
  if (const auto* scopes = core::find(request, "scopes"); scopes && scopes->is_array())
    for (const auto& scope : scopes->get_array()) wish.scopes.emplace_back(scope.get_string());
  // As much as one came with, where nothing is asked for.
  if (wish.scopes.empty()) wish.scopes = caller.scopes;
  auto days = core::integer_at(request, "days").value_or(0);
  if (days < 0 || days > days_max) return core::fail(Code::invalid, "days is 0 (without end) to 3650.");
  if (days > 0) wish.expires_at = now + std::chrono::hours(24 * days);
  return wish;
}

Task<Result<>> create_token(Platform& platform, Call& call) {
  std::vector<Member> members{{"user", Kind::text},
                              {"name", Kind::text},
                              {"scopes", Kind::list_of_text},
                              {"days", Kind::integer},
                              {"runner", Kind::text}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  if (auto account = of_an_account(call.caller); !account) co_return account;
  if (auto runner = core::string_at(*request, "runner")) {
    auto token = co_await platform.identity.create_runner_token(call.caller, std::move(*runner));
    if (!token) co_return std::unexpected(token.error());
    co_return co_await call.exchange.respond(json_answer(of(*token), net::Status::created));
  }
  auto wish = wish_of(*request, call.caller, platform.clock.now());
  if (!wish) co_return std::unexpected(wish.error());
  auto token = co_await platform.identity.create_token(call.caller, std::move(*wish));
  if (!token) co_return std::unexpected(token.error());
  co_return co_await call.exchange.respond(json_answer(of(*token), net::Status::created));
}

// When each of them was made, as the log has it. Blocks.
std::vector<std::optional<core::Time>> made_at(log::EventLog& log, const std::vector<identity::Token>& tokens) {
  std::vector<std::optional<core::Time>> times;
  for (const auto& token : tokens) {
    auto stored = log.read(token.created, 1);
    times.push_back(stored && !stored->empty() ? std::optional(stored->front().time) : std::nullopt);
  }
  return times;
}

json::object of(const identity::Token& token) {
  json::array scopes;
  for (const auto& scope : token.scopes) scopes.emplace_back(scope);
  json::object one{{"id", token.id},
                   {"name", token.name},
                   {"created_at", nullptr},
                   {"expires_at", nullptr},
                   {"last_used_at", nullptr}};
  one["scopes"] = std::move(scopes);
  if (token.expires_at) one["expires_at"] = core::format_time(*token.expires_at);
  return one;
}

Task<Result<>> list_tokens(Platform& platform, Call& call) {
  if (auto account = of_an_account(call.caller); !account) co_return account;
  auto tokens = co_await platform.identity.tokens(call.caller.actor.name);
  if (!tokens) co_return std::unexpected(tokens.error());
  auto reading = [&log = platform.log, tokens = *tokens] { return made_at(log, tokens); };
  auto times = co_await core::blocking(platform.git_reads, std::move(reading));
  if (!times) co_return std::unexpected(times.error());
  json::array list;
  for (size_t i = 0; i < tokens->size(); ++i) {
    const auto& token = (*tokens)[i];
    auto one = of(token);
    if ((*times)[i]) one["created_at"] = core::format_time(*(*times)[i]);
    if (auto used = platform.identity.last_used(token.id)) one["last_used_at"] = core::format_time(*used);
    one["current"] = token.id == call.caller.token;
    list.push_back(std::move(one));
  }
  json::object answer;
  answer["tokens"] = std::move(list);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> revoke_token(Platform& platform, Call& call) {
  auto revoked = co_await platform.identity.revoke_token(call.caller, call.capture("id"));
  if (!revoked) co_return revoked;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<>> create_user(Platform& platform, Call& call) {
  std::vector<Member> members{{"name", Kind::text}, {"administrator", Kind::boolean}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto user = co_await platform.identity.create_user(call.caller, core::string_at(*request, "name").value_or(""),
                                                     core::boolean_at(*request, "administrator").value_or(false));
  if (!user) co_return std::unexpected(user.error());
  co_return co_await call.exchange.respond(json_answer(of(*user), net::Status::created));
}

Task<Result<>> list_users(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto users = co_await platform.identity.users(*at);
  if (!users) co_return std::unexpected(users.error());
  json::array list;
  for (const auto& user : *users) list.push_back(of(user));
  json::object answer;
  answer["users"] = std::move(list);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> set_disabled(Platform& platform, Call& call, bool disabled) {
  Result<> done;
  if (disabled) {
    done = co_await platform.identity.disable_user(call.caller, call.capture("user"), call.query("reason"));
  } else {
    done = co_await platform.identity.enable_user(call.caller, call.capture("user"));
  }
  if (!done) co_return done;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<>> grant(Platform& platform, Call& call) {
  std::vector<Member> members{{"role", Kind::text}, {"scope", Kind::text}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto role = role_of(core::string_at(*request, "role").value_or(""));
  if (!role) co_return std::unexpected(role.error());
  auto granted = co_await platform.identity.grant(call.caller, call.capture("user"), *role,
                                                  core::string_at(*request, "scope").value_or("*"));
  if (!granted) co_return granted;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<>> list_roles(Platform& platform, Call& call) {
  auto roles = co_await platform.identity.roles(call.capture("user"));
  if (!roles) co_return std::unexpected(roles.error());
  json::array list;
  for (const auto& one : *roles) list.push_back(json::object{{"scope", one.scope}, {"role", one.role}});
  json::object answer;
  answer["roles"] = std::move(list);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> take_role(Platform& platform, Call& call) {
  std::string scope = call.query("scope").empty() ? "*" : call.query("scope");
  auto revoked = co_await platform.identity.revoke_role(call.caller, call.capture("user"), std::move(scope));
  if (!revoked) co_return revoked;
  co_return co_await call.exchange.respond(no_content());
}

}  // namespace

json::object who(const Caller& caller) {
  json::array scopes;
  for (const auto& scope : caller.scopes) scopes.emplace_back(scope);
  json::object answer{{"actor", core::to_string(caller.actor)}, {"name", caller.actor.name}};
  answer["scopes"] = std::move(scopes);
  return answer;
}

Result<> of_an_account(const Caller& caller) {
  if (caller.actor.kind == core::Actor::Kind::user) return {};
  return core::fail(Code::denied,
                    "Only an account has tokens of its own; " + core::to_string(caller.actor) + " is none.");
}

void add_identity_routes(Router& router, Platform& platform) {
  const std::string user = "/api/v1/users/{user}";
  router.add({net::Method::post,
              "/api/v1/login",
              Right::anyone,
              {"Become the first administrator, by the code of the one-time link",
               "identity",
               {},
               json_body("SignIn"),
               json_body("NewToken"),
               201},
              [&platform](Call& call) { return sign_in(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/whoami",
              Right::signed_in,
              {"Who the token belongs to", "identity", {}, {}, json_body("Account")},
              [&platform](Call& call) { return who_am_i(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/tokens",
              Right::signed_in,
              {"Make a token; its secret is shown this once",
               "identity",
               {},
               json_body("TokenWish"),
               json_body("NewToken"),
               201},
              [&platform](Call& call) { return create_token(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/tokens",
              Right::signed_in,
              {"One's tokens, without their secrets", "identity", {}, {}, json_body("Tokens")},
              [&platform](Call& call) { return list_tokens(platform, call); }});
  router.add({net::Method::delete_,
              "/api/v1/tokens/{id}",
              Right::signed_in,
              {"Revoke a token", "identity", {}, {}, {}, 204},
              [&platform](Call& call) { return revoke_token(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/users",
              Right::operate,
              {"Make an account", "identity", {}, json_body("UserWish"), json_body("User"), 201},
              [&platform](Call& call) { return create_user(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/users",
              Right::operate,
              {"All accounts", "identity", {{"at", "an offset or a time"}}, {}, json_body("Users")},
              [&platform](Call& call) { return list_users(platform, call); }});
  router.add({net::Method::post,
              user + "/disable",
              Right::operate,
              {"Disable an account and its tokens", "identity", {{"reason", "for the record"}}, {}, {}, 204},
              [&platform](Call& call) { return set_disabled(platform, call, true); }});
  router.add({net::Method::post,
              user + "/enable",
              Right::operate,
              {"Enable it again", "identity", {}, {}, {}, 204},
              [&platform](Call& call) { return set_disabled(platform, call, false); }});
  router.add({net::Method::get,
              user + "/roles",
              Right::operate,
              {"The roles of an account, and where it has them", "identity", {}, {}, json_body("Roles")},
              [&platform](Call& call) { return list_roles(platform, call); }});
  router.add({net::Method::put,
              user + "/role",
              Right::signed_in,
              {"Grant a role (read, write, admin) on *, an owner or a repository",
               "identity",
               {},
               json_body("RoleWish"),
               {},
               204},
              [&platform](Call& call) { return grant(platform, call); }});
  router.add({net::Method::delete_,
              user + "/role",
              Right::signed_in,
              {"Take it", "identity", {{"scope", "*, an owner or a repository"}}, {}, {}, 204},
              [&platform](Call& call) { return take_role(platform, call); }});
}

}  // namespace headrace::server
