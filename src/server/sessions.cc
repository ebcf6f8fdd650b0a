#include "server/sessions.h"

#include <algorithm>

#include "server/answers.h"
#include "server/identity_api.h"
#include "server/request.h"
#include "services/identity/identity.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view cookie_name = "headrace_session";
constexpr std::string_view token_name = "a browser";
constexpr std::chrono::hours lasts{24 * 30};
constexpr size_t sessions_max = 20;  // of one account: a further one ends the oldest
constexpr size_t body_max = 16 * 1024;

// RFC 6265bis, "The Set-Cookie Header Field". An empty secret removes it.
std::string cookie(const Platform& platform, const net::Request& request, const std::string& secret) {
  auto seconds = secret.empty() ? 0 : std::chrono::duration_cast<std::chrono::seconds>(lasts).count();
  std::string text = std::string(cookie_name) + "=" + secret +
                     "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(seconds);
  if (request.over_tls || platform.public_url.starts_with("https:")) text += "; Secure";
  return text;
}

struct Proven {
  Caller caller;
  bool by_link = false;
};

// Who signs in, by the code of a one-time link or a token of an account.
Task<Result<Proven>> proven(Platform& platform, Call& call) {
  std::vector<Member> members{{"code", Kind::text}, {"user", Kind::text}, {"token", Kind::text}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  const auto& peer = call.request().peer.address;
  auto code = core::string_at(*request, "code");
  auto token = core::string_at(*request, "token");
  if (code.has_value() == token.has_value())
    co_return core::fail(Code::invalid,
                         "Signing in needs the code of the one-time link, which is what stands behind its '#', or a "
                         "token.");
  if (code) {
    auto user = core::string_at(*request, "user").value_or("admin");
    auto redeemed = co_await platform.identity.redeem(std::move(*code), std::move(user), peer);
    if (!redeemed) co_return std::unexpected(redeemed.error());
    token = redeemed->secret;
  }
  auto caller = platform.identity.authenticate(*token, peer);
  if (!caller) co_return std::unexpected(caller.error());
  if (auto account = of_an_account(*caller); !account) co_return std::unexpected(account.error());
  co_return Proven{std::move(*caller), code.has_value()};
}

// Ends the oldest sessions beyond the bound. Until when a new one lasts: a token that another made may not outlive it.
Task<Result<core::Time>> make_room(Platform& platform, Caller caller) {
  auto tokens = co_await platform.identity.tokens(caller.actor.name);
  if (!tokens) co_return std::unexpected(tokens.error());
  auto until = platform.clock.now() + lasts;
  for (const auto& token : *tokens)
    if (token.id == caller.token && token.expires_at) until = std::min<core::Time>(until, *token.expires_at);
  std::erase_if(*tokens, [](const identity::Token& token) { return token.name != token_name; });
  std::ranges::sort(*tokens, {}, &identity::Token::created);
  for (size_t i = 0; i + sessions_max <= tokens->size(); ++i) {
    auto ended = co_await platform.identity.revoke_token(caller, (*tokens)[i].id);
    if (!ended) co_return std::unexpected(ended.error());
  }
  co_return until;
}

Task<Result<>> sign_in(Platform& platform, Call& call) {
  if (!asked_by_a_page(call.request()))
    co_return core::fail(Code::denied, "This is for the pages of this server; programs sign in at /api/v1/login.");
  auto who_signs_in = co_await proven(platform, call);
  if (!who_signs_in) co_return std::unexpected(who_signs_in.error());
  const Caller& caller = who_signs_in->caller;
  auto until = co_await make_room(platform, caller);
  if (!until) co_return std::unexpected(until.error());
  identity::TokenWish wish{
      .user = caller.actor.name, .name = std::string(token_name), .scopes = caller.scopes, .expires_at = *until};
  auto session = co_await platform.identity.create_token(caller, std::move(wish));
  if (!session) co_return std::unexpected(session.error());
  // The token that the link was good for has no end, and nobody has it.
  if (who_signs_in->by_link)
    if (auto ended = co_await platform.identity.revoke_token(caller, caller.token); !ended) co_return ended;
  auto answer = json_answer(who(caller), net::Status::created);
  answer.headers.set("Set-Cookie", cookie(platform, call.request(), session->secret));
  answer.headers.set("Cache-Control", "no-store");
  co_return co_await call.exchange.respond(std::move(answer));
}

Task<Result<>> sign_out(Platform& platform, Call& call) {
  if (session_of(call.request()).empty() || call.request().headers.contains("Authorization"))
    co_return core::fail(Code::invalid, "This request came with no session; DELETE /api/v1/tokens/{id} ends a token.");
  auto ended = co_await platform.identity.revoke_token(call.caller, call.caller.token);
  if (!ended) co_return ended;
  auto answer = no_content();
  answer.headers.set("Set-Cookie", cookie(platform, call.request(), {}));
  co_return co_await call.exchange.respond(std::move(answer));
}

}  // namespace

std::string session_of(const net::Request& request) {
  for (const auto& field : request.headers) {
    if (!net::equal_ignoring_case(field.name, "Cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      auto one = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), one.size() + 1));
      while (one.starts_with(' ')) one.remove_prefix(1);
      auto equals = one.find('=');
      if (one.substr(0, equals) == cookie_name && equals != std::string_view::npos)
        return std::string(one.substr(equals + 1));
    }
  }
  return {};
}

bool asked_by_a_page(const net::Request& request) { return request.headers.get("X-Requested-With") == "headrace-web"; }

void add_session_routes(Router& router, Platform& platform) {
  router.add({net::Method::post,
              "/api/v1/session",
              Right::anyone,
              {"Sign a browser in, by the code of a one-time link or a token; the answer sets a cookie",
               "identity",
               {},
               json_body("SessionProof"),
               json_body("Account"),
               201},
              [&platform](Call& call) { return sign_in(platform, call); }});
  router.add({net::Method::delete_,
              "/api/v1/session",
              Right::signed_in,
              {"Sign this browser out", "identity", {}, {}, {}, 204},
              [&platform](Call& call) { return sign_out(platform, call); }});
}

}  // namespace headrace::server
