#include "services/identity/impl.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "events/identity.h"

namespace headrace::identity {

using core::Code;
using core::fail;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds in_force_max{30};  // for the projection to show what was said
constexpr size_t secret_bytes = 32;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_name(std::string_view name, std::string_view besides, size_t longest) {
  return !name.empty() && name.size() <= longest &&
         std::ranges::all_of(name, [&](char c) { return is_plain(c) || besides.find(c) != std::string_view::npos; });
}

Result<> keep_now(Vault& vault, const std::string& kind, const std::string& id, const std::string& secret) {
  return vault.put(kind, id, secret);
}
Result<> drop_now(Vault& vault, const std::string& kind, const std::string& id) { return vault.remove(kind, id); }

}  // namespace

std::string hash_of(std::string_view secret) {
  auto sum = core::sha256(core::as_bytes(secret));
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

std::string new_secret(core::Random& random) {
  std::array<std::byte, secret_bytes> bytes;
  random.fill(bytes);
  return core::to_base64url(bytes);
}

bool is_token_secret(std::string_view text) {
  return text.size() == 46 && text.starts_with("hr_") && is_name(text.substr(3), "-_", 43);
}

Result<> check_account_name(std::string_view name) {
  bool good =
      is_name(name, "-", 39) && name.front() != '-' && name.back() != '-' && name.find("--") == std::string_view::npos;
  if (good) return {};
  return fail(Code::invalid,
              "An account's name is 1 to 39 letters, digits and single hyphens, with none first or last.");
}

Result<> check_runner_name(std::string_view name) {
  if (is_name(name, "-_.", 63)) return {};
  return fail(Code::invalid, "A runner's name is 1 to 63 letters, digits, hyphens, underscores and dots.");
}

Result<> check_scope(std::string_view scope) {
  auto slash = scope.find('/');
  bool owner = is_name(scope.substr(0, slash), "-_.", 100);
  bool repository = slash == std::string_view::npos || is_name(scope.substr(slash + 1), "-_.", 100);
  if (scope == "*" || (owner && repository)) return {};
  return fail(Code::invalid, "A role is held on * (everywhere), on an owner, or on a repository as owner/name.");
}

Identity::Impl::Impl(Parts on, Policy by)
    : parts(on),
      policy(by),
      door(directory),
      throttle(on.clock, by.failures_max, by.failures_window),
      strand(on.loop.executor(), on.store, on.bus.log(), std::string(projection_name)) {}

// --- Commands

Task<Result<>> Identity::Impl::command(Caller by, Action action, Resource resource, Decide decide) {
  Decide with_door = [this, by = std::move(by), action, resource = std::move(resource),
                      decide = std::move(decide)](sqlite::Connection& tables) -> Result<log::Batch> {
    if (auto allowed = door.may(by, action, resource); !allowed) return std::unexpected(allowed.error());
    return decide(tables);
  };
  co_return co_await command(std::move(with_door));
}

Task<Result<>> Identity::Impl::command(Decide decide) {
  store::CommandStrand::Check check = [this,
                                       decide = std::move(decide)](sqlite::Connection& tables) -> Result<log::Batch> {
    if (auto fresh = refresh(tables); !fresh) return std::unexpected(fresh.error());
    return decide(tables);
  };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  if (outcome->offsets.empty()) co_return Result<>();
  if (!outcome->applied) {
    auto caught_up =
        co_await parts.store.caught_up(std::string(projection_name), outcome->offsets.back(), in_force_max);
    if (!caught_up) co_return std::unexpected(caught_up.error());
  }
  co_return refresh();
}

Result<> Identity::Impl::refresh() {
  auto snapshot = parts.store.read_here(projection_name, std::nullopt, snapshot_of);
  if (!snapshot) return std::unexpected(snapshot.error());
  directory.take(std::move(*snapshot));
  return {};
}

Result<> Identity::Impl::refresh(sqlite::Connection& tables) {
  auto snapshot = snapshot_of(tables);
  if (!snapshot) return std::unexpected(snapshot.error());
  directory.take(std::move(*snapshot));
  return {};
}

Result<log::Batch> Identity::Impl::new_user(sqlite::Connection& tables, const core::Actor& actor,
                                            const std::string& name, bool administrator) const {
  auto found = find_user(tables, name);
  if (!found) return std::unexpected(found.error());
  if (*found) return fail(Code::conflict, "There is an account " + (*found)->name + " already.");
  auto last = last_user_id(tables);
  if (!last) return std::unexpected(last.error());
  const std::string numbers = "ids/users";
  auto said = parts.bus.log().last_of(numbers);
  if (!said) return std::unexpected(said.error());
  auto batch = one(actor, events::UserCreated{.user = name, .id = *last + 1, .administrator = administrator});
  batch.expected.push_back({numbers, *said});
  return batch;
}

Result<> Identity::Impl::keeps_an_administrator(sqlite::Connection& tables, const User& user) const {
  if (!user.administrator || user.disabled) return {};
  auto count = administrators(tables);
  if (!count) return std::unexpected(count.error());
  if (*count > 1) return {};
  return fail(Code::conflict, user.name + " is the last administrator; make another one first.");
}

// --- Tokens

Task<Result<FreshToken>> Identity::Impl::begin_token() {
  FreshToken token{.secret = "hr_" + new_secret(parts.random), .id = parts.ids.next()};
  auto kept = co_await keep(std::string(token_kind), token.id, hash_of(token.secret));
  if (!kept) co_return std::unexpected(kept.error());
  co_return token;
}

Task<Result<NewToken>> Identity::Impl::end_token(FreshToken token, Result<> said, std::string user,
                                                 std::string runner) {
  if (!said) {
    // Where even this fails a hash is left that opens nothing, and start() removes it.
    static_cast<void>(co_await drop(std::string(token_kind), token.id));
    co_return std::unexpected(said.error());
  }
  directory.set_hash(token.id, hash_of(token.secret));
  co_return NewToken{std::move(token.secret), std::move(token.id), std::move(user), std::move(runner)};
}

Task<Result<>> Identity::Impl::forget_token(std::string id) {
  directory.forget_token(id);
  co_return co_await drop(std::string(token_kind), std::move(id));
}

// --- The vault

Task<Result<>> Identity::Impl::keep(std::string kind, std::string id, std::string secret) {
  if (!parts.pool) co_return keep_now(parts.vault, kind, id, secret);
  auto work = [&vault = parts.vault, kind = std::move(kind), id = std::move(id), secret = std::move(secret)] {
    return keep_now(vault, kind, id, secret);
  };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

Task<Result<>> Identity::Impl::drop(std::string kind, std::string id) {
  if (!parts.pool) co_return drop_now(parts.vault, kind, id);
  auto work = [&vault = parts.vault, kind = std::move(kind), id = std::move(id)] { return drop_now(vault, kind, id); };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

Task<Result<std::optional<std::string>>> Identity::Impl::look_up(std::string kind, std::string id) {
  if (!parts.pool) co_return parts.vault.get(kind, id);
  auto work = [&vault = parts.vault, kind = std::move(kind), id = std::move(id)] { return vault.get(kind, id); };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

Task<Result<>> Identity::Impl::take_hashes() {
  auto hashes = parts.vault.all(token_kind);  // once, before anybody is served
  if (!hashes) co_return std::unexpected(hashes.error());
  for (auto& [id, hash] : *hashes) directory.set_hash(std::move(id), std::move(hash));
  for (const auto& id : directory.hashes_without_token()) {  // of a token that a crash kept from being said
    auto dropped = co_await forget_token(id);
    if (!dropped) co_return std::unexpected(dropped.error());
  }
  co_return Result<>();
}

}  // namespace headrace::identity
