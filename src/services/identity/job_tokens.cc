#include "services/identity/job_tokens.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/bytes.h"

namespace headrace::identity {

using core::Result;

namespace {

constexpr std::string_view prefix = "hrj_";
constexpr std::string_view kind = "key";
constexpr std::string_view id = "job tokens";
constexpr size_t token_bytes_max = 1024;

char letter_of(Level level) { return level == Level::write ? 'w' : level == Level::read ? 'r' : 'n'; }

std::optional<Level> level_of(char letter) {
  if (letter == 'n') return Level::none;
  if (letter == 'r') return Level::read;
  if (letter == 'w') return Level::write;
  return std::nullopt;
}

std::string claims_of(const JobReach& reach) {
  return fmt::format("{} {}{} {}{}{}", reach.lease, letter_of(reach.contents), letter_of(reach.actions),
                     reach.repository, reach.reads_for.empty() ? "" : " ", reach.reads_for);
}

std::optional<JobReach> reach_of(std::string_view claims) {
  JobReach reach;
  auto [end, error] = std::from_chars(claims.data(), claims.data() + claims.size(), reach.lease);
  std::string_view rest(end, static_cast<size_t>(claims.data() + claims.size() - end));
  if (error != std::errc() || !rest.starts_with(' ')) return std::nullopt;
  rest.remove_prefix(1);
  auto levels = rest.substr(0, rest.find(' '));
  if (levels.empty() || levels.size() > 2 || levels.size() + 1 >= rest.size()) return std::nullopt;
  auto contents = level_of(levels[0]);
  auto actions = levels.size() == 2 ? level_of(levels[1]) : Level::read;
  if (!contents || !actions) return std::nullopt;
  reach.contents = *contents;
  reach.actions = *actions;
  rest.remove_prefix(levels.size() + 1);
  auto space = std::min(rest.find(' '), rest.size());
  reach.repository = rest.substr(0, space);
  if (space < rest.size()) reach.reads_for = rest.substr(space + 1);
  return reach;
}

}  // namespace

Result<std::unique_ptr<JobTokens>> JobTokens::open(Vault& vault, core::Random& random) {
  auto kept = vault.get(kind, id);
  if (!kept) return std::unexpected(kept.error());
  if (*kept && (*kept)->size() == crypto_auth_hmacsha256_KEYBYTES)
    return std::unique_ptr<JobTokens>(new JobTokens(std::move(**kept)));
  std::array<std::byte, crypto_auth_hmacsha256_KEYBYTES> fresh{};
  random.fill(fresh);
  std::string key(reinterpret_cast<const char*>(fresh.data()), fresh.size());
  if (auto put = vault.put(kind, id, key); !put) return std::unexpected(put.error());
  return std::unique_ptr<JobTokens>(new JobTokens(std::move(key)));
}

JobTokens::~JobTokens() { sodium_memzero(key_.data(), key_.size()); }

std::string JobTokens::signature_of(std::string_view claims) const {
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> sum{};
  crypto_auth_hmacsha256(sum.data(), reinterpret_cast<const unsigned char*>(claims.data()), claims.size(),
                         reinterpret_cast<const unsigned char*>(key_.data()));
  return core::to_base64url(std::as_bytes(std::span(sum)));
}

std::string JobTokens::mint(const JobReach& reach) const {
  std::string claims = claims_of(reach);
  return fmt::format("{}{}.{}", prefix, core::to_base64url(core::as_bytes(claims)), signature_of(claims));
}

std::optional<JobReach> JobTokens::read(std::string_view secret) const {
  if (secret.size() > token_bytes_max || !secret.starts_with(prefix)) return std::nullopt;
  secret.remove_prefix(prefix.size());
  auto dot = secret.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto claims = core::from_base64(secret.substr(0, dot));
  if (!claims) return std::nullopt;
  std::string expected = signature_of(*claims);
  std::string_view given = secret.substr(dot + 1);
  if (!core::equal_constant_time(given, expected)) return std::nullopt;
  return reach_of(*claims);
}

Caller caller_of(const JobReach& reach) {
  Caller caller{.actor = core::Actor::job(reach.repository), .scopes = {}, .token = {}, .reads_for = reach.reads_for};
  auto add = [&caller](const std::string& thing, Level level) {
    if (level != Level::none) caller.scopes.push_back(thing + (level == Level::write ? ":write" : ":read"));
  };
  add("repo", reach.contents);
  add("run", reach.actions);
  return caller;
}

}  // namespace headrace::identity
