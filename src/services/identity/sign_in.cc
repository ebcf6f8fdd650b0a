// Signing in: tokens in requests, the one-time link of the first administrator, and tokens handed over in files.
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

constexpr std::string_view first = "first";  // the link's id in the vault
constexpr std::string_view bootstrap_name = "bootstrap";
constexpr std::string_view bootstrap_user = "admin";
constexpr size_t token_file_bytes_max = 4096;

std::string trimmed(std::string_view text) {
  auto begin = text.find_first_not_of(" \t\r\n");
  auto end = text.find_last_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string() : std::string(text.substr(begin, end - begin + 1));
}

// "<SHA-256 in hexadecimal> <time it ends>"
std::string link_text(std::string_view secret, core::Time ends) {
  return core::sha256_hex(secret) + " " + core::format_time(ends);
}

bool is_good(const std::optional<std::string>& kept, std::string_view secret, core::Time now) {
  if (!kept) return false;
  auto space = kept->find(' ');
  auto ends = core::parse_time(std::string_view(*kept).substr(std::min(kept->size(), space + 1)));
  return core::equal_constant_time(kept->substr(0, space), core::sha256_hex(secret)) && ends && now < *ends;
}

}  // namespace

bool Identity::Impl::works(const Token& token) const {
  if (token.expires_at && *token.expires_at <= parts.clock.now()) return false;
  if (!token.runner.empty()) return true;
  const auto* account = directory.account(token.user);
  return account && !account->disabled;
}

Result<Caller> Identity::Impl::refuse(std::string_view peer) {
  if (auto wait = throttle.failed(peer); wait.count() > 0)
    return fail(Code::exhausted,
                "Too many sign-ins failed from this address; try again in " + std::to_string(wait.count()) + " s.");
  return fail(Code::unauthenticated,
              "This token does not work: it is wrong, expired or revoked. Make a new one, or sign in again.");
}

Result<Caller> Identity::authenticate(std::string_view secret, std::string_view peer) {
  auto& impl = *impl_;
  const auto* token = is_token_secret(secret) ? impl.directory.by_hash(hash_of(secret)) : nullptr;
  if (!token || !impl.works(*token)) return impl.refuse(peer);
  impl.directory.used(token->id, impl.parts.clock.now());
  auto actor = token->runner.empty() ? core::Actor::user(impl.directory.account(token->user)->name)
                                     : core::Actor::runner(token->runner);
  return Caller{.actor = std::move(actor), .scopes = token->scopes, .token = token->id};
}

// --- The one-time link

Task<Result<std::optional<std::string>>> Identity::first_link() {
  if (impl_->directory.has_administrator()) co_return std::optional<std::string>();
  auto secret = new_secret(impl_->parts.random);
  auto text = link_text(secret, impl_->parts.clock.now() + impl_->policy.link_lasts);
  auto kept = co_await impl_->keep(std::string(link_kind), std::string(first), std::move(text));
  if (!kept) co_return std::unexpected(kept.error());
  co_return std::optional<std::string>(std::move(secret));
}

Task<Result<NewToken>> Identity::redeem(std::string link_secret, std::string user, std::string peer) {
  if (auto good = check_account_name(user); !good) co_return std::unexpected(good.error());
  auto kept = co_await impl_->look_up(std::string(link_kind), std::string(first));
  if (!kept) co_return std::unexpected(kept.error());
  if (!is_good(*kept, link_secret, impl_->parts.clock.now())) {
    auto refused = impl_->refuse(peer);
    if (refused.error().code == Code::exhausted) co_return std::unexpected(refused.error());
    co_return fail(
        Code::unauthenticated,
        "This link does not work: it was used, it is older than a day, or not complete. Without an administrator the "
        "server prints a new one when it starts.");
  }
  // Gone before it takes effect: a crash in between costs the link, of which the next start prints another.
  auto dropped = co_await impl_->drop(std::string(link_kind), std::string(first));
  if (!dropped) co_return std::unexpected(dropped.error());
  auto made = co_await impl_->make_first(std::move(user), "first sign-in");
  if (!made) {
    auto back = co_await impl_->keep(std::string(link_kind), std::string(first), **kept);
    if (!back) co_return std::unexpected(back.error());
  }
  co_return made;
}

Task<Result<NewToken>> Identity::Impl::make_first(std::string user, std::string token_name) {
  auto token = co_await begin_token();
  if (!token) co_return std::unexpected(token.error());
  Decide decide = [this, user, token_name, id = token->id](sqlite::Connection& tables) -> Result<log::Batch> {
    auto count = administrators(tables);
    if (!count) return std::unexpected(count.error());
    if (*count > 0)
      return fail(Code::conflict, "There is an administrator already; ask for an account, or for a token of yours.");
    auto batch = new_user(tables, core::Actor::system(), user, true);
    if (batch)
      say(*batch, core::Actor::user(user),
          events::TokenCreated{.token = id, .user = user, .name = token_name, .scopes = {"admin"}});
    return batch;
  };
  auto said = co_await command(std::move(decide));
  co_return co_await end_token(std::move(*token), std::move(said), std::move(user), std::string());
}

// --- Files

const Token* Identity::Impl::token_in(const std::string& file) const {
  auto text = core::read_file(parts.disk, file, token_file_bytes_max);
  if (!text) return nullptr;
  auto secret = trimmed(*text);
  const auto* token = is_token_secret(secret) ? directory.by_hash(hash_of(secret)) : nullptr;
  return token && works(*token) ? token : nullptr;
}

Task<Result<>> Identity::Impl::hand_over(NewToken token, std::string file) {
  auto written = core::write_file(parts.disk, file, token.secret + "\n");
  if (written) co_return Result<>();
  // Nobody will ever know it; should this fail as well, that is a token nobody has.
  static_cast<void>(co_await revoke(Caller::system(), std::move(token.id)));
  co_return core::pass_on(written.error(), "writing a token to " + file);
}

Task<Result<>> Identity::Impl::revoke_all(std::vector<Token> tokens) {
  for (const auto& token : tokens) {
    auto revoked = co_await revoke(Caller::system(), token.id);
    if (!revoked) co_return std::unexpected(revoked.error());
  }
  co_return Result<>();
}

Task<Result<>> Identity::bootstrap(std::string file) {
  auto& impl = *impl_;
  if (const auto* token = impl.token_in(file);
      token && impl.door.may(core::Actor::user(token->user), Action::operate, Resource::platform()))
    co_return Result<>();
  if (!impl.directory.has_administrator()) {
    auto made = co_await impl.make_first(std::string(bootstrap_user), std::string(bootstrap_name));
    if (!made) co_return std::unexpected(made.error());
    co_return co_await impl.hand_over(std::move(*made), std::move(file));
  }
  auto everybody = co_await users();
  if (!everybody) co_return std::unexpected(everybody.error());
  std::erase_if(*everybody, [](const User& user) { return !user.administrator || user.disabled; });
  auto chosen = std::ranges::find(*everybody, bootstrap_user, &User::name);
  std::string user = chosen == everybody->end() ? everybody->at(0).name : chosen->name;
  auto old = co_await tokens(user);
  if (!old) co_return std::unexpected(old.error());
  std::erase_if(*old, [](const Token& token) { return token.name != bootstrap_name; });
  auto revoked = co_await impl.revoke_all(std::move(*old));
  if (!revoked) co_return std::unexpected(revoked.error());
  TokenWish wish{.user = std::move(user), .name = std::string(bootstrap_name), .scopes = {"admin"}};
  auto made = co_await create_token(Caller::system(), std::move(wish));
  if (!made) co_return std::unexpected(made.error());
  co_return co_await impl.hand_over(std::move(*made), std::move(file));
}

Task<Result<>> Identity::runner_token_file(std::string runner, std::string file) {
  auto& impl = *impl_;
  if (const auto* token = impl.token_in(file); token && token->runner == runner) co_return Result<>();
  auto read = [runner](sqlite::Connection& tables) { return tokens_of_runner(tables, runner); };
  auto old = co_await impl.parts.store.read(std::string(projection_name), std::nullopt, std::move(read));
  if (!old) co_return std::unexpected(old.error());
  auto revoked = co_await impl.revoke_all(std::move(*old));
  if (!revoked) co_return std::unexpected(revoked.error());
  auto made = co_await create_runner_token(Caller::system(), std::move(runner));
  if (!made) co_return std::unexpected(made.error());
  co_return co_await impl.hand_over(std::move(*made), std::move(file));
}

}  // namespace headrace::identity
