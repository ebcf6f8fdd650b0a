#include "services/artifact/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "core/bytes.h"
#include "core/json.h"
#include "net/url.h"

namespace headrace::artifact {

namespace json = core::json;

namespace {

constexpr size_t token_bytes_max = 16 * 1024;
constexpr std::chrono::hours token_lives{36 * 24};  // longer than a job may run
constexpr size_t reads_max = 8;

int64_t seconds_of(core::Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

json::array scopes_of(const Holder& holder) {  // as GitHub's tokens say which caches a job may read and write
  json::array scopes{json::object{{"Scope", holder.ref}, {"Permission", 3}}};
  for (const auto& ref : holder.reads) scopes.push_back(json::object{{"Scope", ref}, {"Permission", 1}});
  return scopes;
}

std::string claims_of(const Holder& holder, core::Time now) {
  json::object claims{{"iss", "headrace"},
                      {"nbf", seconds_of(now) - 60},
                      {"iat", seconds_of(now)},
                      {"exp", seconds_of(now + token_lives)},
                      {"scp", "Actions.Results:" + holder.run + ":" + holder.job},
                      {"ac", core::to_text(scopes_of(holder))},
                      {"lease", std::to_string(holder.lease)},
                      {"repository", holder.repository},
                      {"run", holder.run},
                      {"run_id", holder.run_id},
                      {"job", holder.job},
                      {"ref", holder.ref},
                      {"sha", holder.commit}};
  json::array reads(holder.reads.begin(), holder.reads.end());
  claims["reads"] = std::move(reads);
  return core::to_text(claims);
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<Holder> holder_of(const json::value& claims) {
  Holder holder;
  auto lease = number_of<uint64_t>(core::string_at(claims, "lease").value_or(""));
  auto run_id = core::integer_at(claims, "run_id");
  if (!lease || !run_id) return std::nullopt;
  holder.lease = *lease;
  holder.run_id = *run_id;
  holder.repository = core::string_at(claims, "repository").value_or("");
  holder.run = core::string_at(claims, "run").value_or("");
  holder.job = core::string_at(claims, "job").value_or("");
  holder.ref = core::string_at(claims, "ref").value_or("");
  holder.commit = core::string_at(claims, "sha").value_or("");
  const auto* reads = core::find(claims, "reads");
  if (reads != nullptr && reads->is_array())
    for (const auto& ref : reads->get_array())
      if (ref.is_string() && holder.reads.size() < reads_max) holder.reads.emplace_back(ref.get_string());
  if (holder.run.empty() || holder.job.empty() || holder.repository.empty()) return std::nullopt;
  return holder;
}

std::string words_of(const Signed& what) {
  return fmt::format("{}\n{}\n{}\n{}", what.path, what.by, what.lease, seconds_of(what.until));
}

}  // namespace

Keys::Keys(std::string key) : key_(std::move(key)) { core::require(key_.size() == 32, "the key is of 32 bytes"); }
Keys::~Keys() { OPENSSL_cleanse(key_.data(), key_.size()); }

std::string Keys::mac(std::string_view purpose, std::string_view text) const {
  std::string whole = std::string(purpose) + "\n" + std::string(text);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned size = 0;
  auto* made = HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                    reinterpret_cast<const unsigned char*>(whole.data()), whole.size(), sum.data(), &size);
  core::require(made != nullptr, "a sum can be made");
  return core::to_base64url(std::as_bytes(std::span(sum).first(size)));
}

std::string Keys::mint(const Holder& holder, core::Time now) const {
  std::string text = core::to_base64url(core::as_bytes(R"({"typ":"JWT","alg":"HS256"})")) + "." +
                     core::to_base64url(core::as_bytes(claims_of(holder, now)));
  return text + "." + mac("runtime token", text);
}

std::optional<Holder> Keys::read(std::string_view token, core::Time now) const {
  auto last = token.rfind('.');
  auto first = token.find('.');
  if (token.size() > token_bytes_max || last == std::string_view::npos || first == last) return std::nullopt;
  auto text = token.substr(0, last);
  if (!core::equal_constant_time(token.substr(last + 1), mac("runtime token", text))) return std::nullopt;
  auto bytes = core::from_base64(text.substr(first + 1));
  if (!bytes) return std::nullopt;
  auto claims = core::parse_json(*bytes);
  if (!claims || core::integer_at(*claims, "exp").value_or(0) < seconds_of(now)) return std::nullopt;
  return holder_of(*claims);
}

std::string Keys::sign(const Signed& what) const {
  return fmt::format("{}?by={}&le={}&se={}&sig={}", what.path, net::percent_encode(what.by), what.lease,
                     seconds_of(what.until), mac("address", words_of(what)));
}

std::optional<Signed> Keys::check(const net::Request& request, core::Time now) const {
  const auto* by = request.parameter("by");
  const auto* lease = request.parameter("le");
  const auto* until = request.parameter("se");
  const auto* signature = request.parameter("sig");
  if (by == nullptr || lease == nullptr || until == nullptr || signature == nullptr) return std::nullopt;
  auto number = number_of<uint64_t>(*lease);
  auto seconds = number_of<int64_t>(*until);
  if (!number || !seconds || *seconds < 0 || *seconds > (int64_t{1} << 33)) return std::nullopt;
  Signed what{request.path, *by, *number, core::Time(std::chrono::seconds(*seconds))};
  if (!core::equal_constant_time(*signature, mac("address", words_of(what)))) return std::nullopt;
  if (what.until < now) return std::nullopt;
  return what;
}

}  // namespace headrace::artifact
