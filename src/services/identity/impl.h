// The inside of Identity: its state, and how a command runs (impl.cc). What the commands are: identity.cc; signing in:
// sign_in.cc.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "services/identity/directory.h"
#include "services/identity/identity.h"
#include "services/identity/throttle.h"
#include "store/commands.h"

namespace headrace::identity {

inline constexpr std::string_view service_name = "identity";
inline constexpr std::string_view token_kind = "token";  // in the vault: id -> SHA-256 of the secret
inline constexpr std::string_view link_kind = "link";    // in the vault: "first" -> SHA-256 in hexadecimal, expiry

std::string hash_of(std::string_view secret);  // 32 bytes
std::string new_secret(core::Random& random);  // 43 characters
core::Result<> check_runner_name(std::string_view name);
core::Result<> check_scope(std::string_view scope);  // "*", an owner, "owner/name"

// A token with its secret, not yet said.
struct FreshToken {
  std::string secret;
  std::string id;
};

struct Identity::Impl {
  Impl(Parts on, Policy by);

  // --- Commands, one after the other: the door, then `decide`, which sees everything said before; what it says is
  // durable and in memory on return.
  using Decide = std::function<core::Result<log::Batch>(sqlite::Connection& tables)>;
  core::Task<core::Result<>> command(Caller by, Action action, Resource resource, Decide decide);
  // The same with a decision that asks the door itself.
  core::Task<core::Result<>> command(Decide decide);
  core::Result<> refresh();  // memory from the projection
  core::Result<> refresh(sqlite::Connection& tables);

  template <class T>
  void say(log::Batch& batch, const core::Actor& actor, const T& said) const {
    auto origin = batch.events.empty()
                      ? bus::Origin::root(std::string(service_name), actor)
                      : bus::Origin::because_of(batch.events.front(), std::string(service_name), actor);
    batch.events.push_back(events::encode(said, parts.bus.header(origin)));
  }
  template <class T>
  log::Batch one(const core::Actor& actor, const T& said) const {
    log::Batch batch;
    say(batch, actor, said);
    return batch;
  }
  // user.created with the next number.
  core::Result<log::Batch> new_user(sqlite::Connection& tables, const core::Actor& actor, const std::string& name,
                                    bool administrator) const;
  core::Result<> keeps_an_administrator(sqlite::Connection& tables, const User& user) const;  // without this one

  // --- Tokens. The hash is in the vault before the token is said, so that a crash leaves a hash that opens nothing.
  core::Task<core::Result<FreshToken>> begin_token();
  core::Task<core::Result<NewToken>> end_token(FreshToken token, core::Result<> said, std::string user,
                                               std::string runner);
  core::Task<core::Result<>> forget_token(std::string id);
  core::Result<> may_make(const Caller& by, const TokenWish& wish) const;
  core::Result<> check_wish(const TokenWish& wish) const;
  core::Task<core::Result<NewToken>> make_first(std::string user, std::string token_name);
  core::Task<core::Result<>> revoke(Caller by, std::string id);
  core::Task<core::Result<>> revoke_all(std::vector<Token> tokens);
  bool works(const Token& token) const;                  // not expired, its account enabled
  const Token* token_in(const std::string& file) const;  // that works; null where there is none
  core::Task<core::Result<>> hand_over(NewToken token, std::string file);
  core::Result<Caller> refuse(std::string_view peer);

  // The vault's calls, on the pool where there is one.
  core::Task<core::Result<>> keep(std::string kind, std::string id, std::string secret);
  core::Task<core::Result<>> drop(std::string kind, std::string id);
  core::Task<core::Result<std::optional<std::string>>> look_up(std::string kind, std::string id);
  core::Task<core::Result<>> take_hashes();

  Parts parts;
  Policy policy;
  Directory directory;
  Door door;
  Throttle throttle;
  store::CommandStrand strand;
};

}  // namespace headrace::identity
