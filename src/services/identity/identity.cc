#include "services/identity/identity.h"

#include <algorithm>

#include "core/bytes.h"
#include "events/identity.h"
#include "services/identity/impl.h"

namespace headrace::identity {

using core::Code;
using core::fail;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::minutes start_max{10};  // for the projection to be rebuilt, at worst
constexpr size_t token_name_bytes_max = 100;

// The account, or the sentence that there is none.
Result<User> known_user(sqlite::Connection& tables, const std::string& name) {
  auto user = find_user(tables, name);
  if (!user) return std::unexpected(user.error());
  if (!*user) return fail(Code::not_found, "There is no account " + name + ".");
  return std::move(**user);
}

bool is_own(const Caller& by, std::string_view user) {
  return by.actor.kind == core::Actor::Kind::user && folded(by.actor.name) == folded(user);
}

// Whoever is admin of a place gives roles there; on "*" that is operating the platform.
std::pair<Action, Resource> right_to_grant(const std::string& scope) {
  if (scope == "*") return {Action::operate, Resource::platform()};
  return {Action::administer_repository, Resource{scope}};
}

Result<log::Batch> nothing_to_say() { return log::Batch(); }

}  // namespace

Identity::Identity(Parts parts, Policy policy) : impl_(std::make_unique<Impl>(parts, policy)) {
  parts.store.add(std::make_unique<Projection>());
  parts.bus.says(std::string(service_name),
                 {std::string(events::UserCreated::type), std::string(events::UserDisabled::type),
                  std::string(events::UserEnabled::type), std::string(events::TokenCreated::type),
                  std::string(events::TokenRevoked::type), std::string(events::RoleGranted::type),
                  std::string(events::RoleRevoked::type)});
}

Identity::~Identity() = default;

Task<Result<>> Identity::start() {
  auto& impl = *impl_;
  auto there =
      co_await impl.parts.store.caught_up(std::string(projection_name), impl.parts.bus.log().durable(), start_max);
  if (!there) co_return std::unexpected(there.error());
  if (auto taken = impl.refresh(); !taken) co_return std::unexpected(taken.error());
  co_return co_await impl.take_hashes();
}

const Door& Identity::door() const { return impl_->door; }

// --- Accounts

Task<Result<User>> Identity::create_user(Caller by, std::string name, bool administrator) {
  if (auto good = check_account_name(name); !good) co_return std::unexpected(good.error());
  Impl::Decide decide = [this, actor = by.actor, name, administrator](sqlite::Connection& tables) {
    return impl_->new_user(tables, actor, name, administrator);
  };
  auto done = co_await impl_->command(std::move(by), Action::operate, Resource::platform(), std::move(decide));
  if (!done) co_return std::unexpected(done.error());
  Result<User> made = impl_->parts.store.read_here(
      projection_name, std::nullopt, [&](sqlite::Connection& tables) { return known_user(tables, name); });
  co_return made;
}

Task<Result<>> Identity::disable_user(Caller by, std::string name, std::string reason) {
  Impl::Decide decide = [this, actor = by.actor, name,
                         reason = std::move(reason)](sqlite::Connection& tables) -> Result<log::Batch> {
    auto user = known_user(tables, name);
    if (!user) return std::unexpected(user.error());
    if (user->disabled) return nothing_to_say();
    if (auto kept = impl_->keeps_an_administrator(tables, *user); !kept) return std::unexpected(kept.error());
    return impl_->one(actor, events::UserDisabled{.user = user->name, .reason = reason});
  };
  co_return co_await impl_->command(std::move(by), Action::operate, Resource::platform(), std::move(decide));
}

Task<Result<>> Identity::enable_user(Caller by, std::string name) {
  Impl::Decide decide = [this, actor = by.actor, name](sqlite::Connection& tables) -> Result<log::Batch> {
    auto user = known_user(tables, name);
    if (!user) return std::unexpected(user.error());
    if (!user->disabled) return nothing_to_say();
    return impl_->one(actor, events::UserEnabled{.user = user->name});
  };
  co_return co_await impl_->command(std::move(by), Action::operate, Resource::platform(), std::move(decide));
}

// --- Tokens

Result<> Identity::Impl::check_wish(const TokenWish& wish) const {
  bool printable = core::is_utf8(wish.name) &&
                   std::ranges::none_of(wish.name, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (wish.name.size() > token_name_bytes_max || !printable)
    return fail(Code::invalid, "A token's name is at most 100 bytes of printable text.");
  if (wish.scopes.empty()) return fail(Code::invalid, "A token has at least one scope, such as repo:read.");
  for (const auto& scope : wish.scopes) {
    if (scope == "runner")
      return fail(Code::invalid, "The scope runner belongs to tokens of runners, not of accounts.");
    if (std::ranges::find(all_scopes, scope) == std::end(all_scopes))
      return fail(Code::invalid,
                  "There is no scope '" + scope.substr(0, 40) +
                      "'; there are repo:read, repo:write, run:read, run:write, event:read, event:write and admin.");
  }
  if (wish.expires_at && *wish.expires_at <= parts.clock.now())
    return fail(Code::invalid, "The token would have expired already.");
  return {};
}

// A token may make another only as far as it reaches itself, in scope and in time.
Result<> Identity::Impl::may_make(const Caller& by, const TokenWish& wish) const {
  if (!is_own(by, wish.user)) return door.may(by, Action::operate, Resource::platform());
  if (auto allowed = door.may(by, Action::use, Resource::platform()); !allowed) return allowed;
  for (const auto& scope : wish.scopes) {
    if (!by.token.empty() && !scopes_include(by.scopes, scope))
      return fail(Code::denied, "A token can make others only with scopes it has itself; it has not " + scope + ".");
  }
  const auto* own = directory.token(by.token);
  bool outlives = own && own->expires_at && (!wish.expires_at || *wish.expires_at > *own->expires_at);
  if (outlives) return fail(Code::denied, "A token made with another may not outlive it; give it an earlier end.");
  return {};
}

Task<Result<NewToken>> Identity::create_token(Caller by, TokenWish wish) {
  if (auto good = impl_->check_wish(wish); !good) co_return std::unexpected(good.error());
  if (auto allowed = impl_->may_make(by, wish); !allowed) co_return std::unexpected(allowed.error());
  auto token = co_await impl_->begin_token();
  if (!token) co_return std::unexpected(token.error());
  std::string id = token->id;
  Impl::Decide decide = [this, by, wish, id](sqlite::Connection& tables) -> Result<log::Batch> {
    if (auto allowed = impl_->may_make(by, wish); !allowed) return std::unexpected(allowed.error());
    auto user = known_user(tables, wish.user);
    if (!user) return std::unexpected(user.error());
    if (user->disabled) return fail(Code::conflict, "The account " + user->name + " is disabled; enable it first.");
    auto tokens = tokens_of(tables, wish.user);
    if (!tokens) return std::unexpected(tokens.error());
    auto working = std::ranges::count_if(*tokens, [&](const Token& one) { return impl_->works(one); });
    if (std::cmp_greater_equal(working, tokens_an_account_max))
      return fail(Code::exhausted, "An account has at most 100 tokens that work; revoke one first.");
    return impl_->one(
        by.actor,
        events::TokenCreated{
            .token = id, .user = user->name, .name = wish.name, .scopes = wish.scopes, .expires_at = wish.expires_at});
  };
  auto said = co_await impl_->command(std::move(decide));
  if (const auto* account = impl_->directory.account(wish.user)) wish.user = account->name;
  co_return co_await impl_->end_token(std::move(*token), std::move(said), std::move(wish.user), std::string());
}

Task<Result<NewToken>> Identity::create_runner_token(Caller by, std::string runner) {
  if (auto good = check_runner_name(runner); !good) co_return std::unexpected(good.error());
  if (auto allowed = impl_->door.may(by, Action::operate, Resource::platform()); !allowed)
    co_return std::unexpected(allowed.error());
  auto token = co_await impl_->begin_token();
  if (!token) co_return std::unexpected(token.error());
  Impl::Decide decide = [this, actor = by.actor, runner,
                         id = token->id](sqlite::Connection& tables) -> Result<log::Batch> {
    auto tokens = tokens_of_runner(tables, runner);
    if (!tokens) return std::unexpected(tokens.error());
    if (tokens->size() >= tokens_an_account_max)
      return fail(Code::exhausted, "A runner has at most 100 tokens; revoke one first.");
    return impl_->one(actor,
                      events::TokenCreated{.token = id, .runner = runner, .name = "runner", .scopes = {"runner"}});
  };
  auto said = co_await impl_->command(std::move(by), Action::operate, Resource::platform(), std::move(decide));
  co_return co_await impl_->end_token(std::move(*token), std::move(said), std::string(), std::move(runner));
}

Task<Result<>> Identity::revoke_token(Caller by, std::string id) {
  co_return co_await impl_->revoke(std::move(by), std::move(id));
}

Task<Result<>> Identity::Impl::revoke(Caller by, std::string id) {
  Decide decide = [this, by, id](sqlite::Connection& tables) -> Result<log::Batch> {
    auto token = find_token(tables, id);
    if (!token) return std::unexpected(token.error());
    bool own = *token && is_own(by, (*token)->user);
    if (auto allowed = door.may(by, own ? Action::use : Action::operate, Resource::platform()); !allowed)
      return std::unexpected(allowed.error());
    if (!*token) return fail(Code::not_found, "There is no such token.");
    return one(by.actor, events::TokenRevoked{.token = id, .user = (*token)->user});
  };
  auto said = co_await command(std::move(decide));
  if (!said) co_return std::unexpected(said.error());
  co_return co_await forget_token(std::move(id));
}

// --- Roles

Task<Result<>> Identity::grant(Caller by, std::string user, Role role, std::string scope) {
  if (auto good = check_scope(scope); !good) co_return std::unexpected(good.error());
  auto [action, resource] = right_to_grant(scope);
  Impl::Decide decide = [this, actor = by.actor, name = std::move(user), role,
                         scope](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = known_user(tables, name);
    if (!found) return std::unexpected(found.error());
    bool lowers = scope == "*" && role != Role::admin;
    if (auto kept = lowers ? impl_->keeps_an_administrator(tables, *found) : Result<>(); !kept)
      return std::unexpected(kept.error());
    return impl_->one(actor,
                      events::RoleGranted{.user = found->name, .role = std::string(name_of(role)), .scope = scope});
  };
  co_return co_await impl_->command(std::move(by), action, std::move(resource), std::move(decide));
}

Task<Result<>> Identity::revoke_role(Caller by, std::string user, std::string scope) {
  if (auto good = check_scope(scope); !good) co_return std::unexpected(good.error());
  auto [action, resource] = right_to_grant(scope);
  Impl::Decide decide = [this, actor = by.actor, name = std::move(user),
                         scope](sqlite::Connection& tables) -> Result<log::Batch> {
    auto found = known_user(tables, name);
    if (!found) return std::unexpected(found.error());
    auto roles = roles_of(tables, name);
    if (!roles) return std::unexpected(roles.error());
    auto held = std::ranges::find(*roles, folded(scope), &RoleRow::scope);
    if (held == roles->end()) return fail(Code::not_found, found->name + " has no role on " + scope + ".");
    if (auto kept = scope == "*" ? impl_->keeps_an_administrator(tables, *found) : Result<>(); !kept)
      return std::unexpected(kept.error());
    return impl_->one(actor, events::RoleRevoked{.user = found->name, .role = held->role, .scope = scope});
  };
  co_return co_await impl_->command(std::move(by), action, std::move(resource), std::move(decide));
}

// --- Queries

Task<Result<std::vector<User>>> Identity::users(std::optional<log::Offset> at) {
  co_return co_await impl_->parts.store.read(std::string(projection_name), at, all_users);
}

Task<Result<std::vector<Token>>> Identity::tokens(std::string user, std::optional<log::Offset> at) {
  auto read = [user = std::move(user)](sqlite::Connection& tables) { return tokens_of(tables, user); };
  co_return co_await impl_->parts.store.read(std::string(projection_name), at, std::move(read));
}

Task<Result<std::vector<RoleRow>>> Identity::roles(std::string user, std::optional<log::Offset> at) {
  auto read = [user = std::move(user)](sqlite::Connection& tables) { return roles_of(tables, user); };
  co_return co_await impl_->parts.store.read(std::string(projection_name), at, std::move(read));
}

std::optional<core::Time> Identity::last_used(std::string_view token) const {
  return impl_->directory.last_used(token);
}

}  // namespace headrace::identity
