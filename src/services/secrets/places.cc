#include "services/secrets/places.h"

#include <algorithm>

#include "core/bytes.h"

namespace headrace::secrets {

using core::Code;
using core::fail;
using core::Result;

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_printable(std::string_view text) {
  return core::is_utf8(text) && std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string_view capital_name_of(Kind kind) { return kind == Kind::secret ? "Secret" : "Variable"; }

}  // namespace

std::string_view name_of(Kind kind) { return kind == Kind::secret ? "secret" : "variable"; }

std::string_view name_of(Visibility visibility) {
  switch (visibility) {
    case Visibility::all: return "all";
    case Visibility::only_private: return "private";
    case Visibility::selected: return "selected";
  }
  return "all";
}

bool Audience::includes(int64_t repository) const {
  return visibility != Visibility::selected || std::ranges::find(repositories, repository) != repositories.end();
}

std::string to_text(const Place& place) {
  if (place.environment.empty()) return place.scope;
  return "the environment " + place.environment + " of " + place.scope;
}

std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

Result<std::string> checked_name(Kind kind, std::string_view name) {
  auto what = std::string(capital_name_of(kind));
  bool good = !name.empty() && !is_digit(name.front()) &&
              std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
  if (!good)
    return fail(Code::invalid, what +
                                   " names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or "
                                   "underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) "
                                   "or underscores (_).");
  if (name.size() > name_bytes_max) return fail(Code::invalid, what + " names are at most 255 characters long.");
  auto kept = upper(name);
  if (kept.starts_with("GITHUB_")) return fail(Code::invalid, what + " names must not start with GITHUB_.");
  return kept;
}

Result<> check_value(Kind kind, std::string_view value) {
  auto what = std::string(capital_name_of(kind));
  if (kind == Kind::secret && value.empty())
    return fail(Code::invalid, "The value of a secret may not be empty; delete the secret instead.");
  if (value.size() > value_bytes_max)
    return fail(Code::invalid, what + " values are at most 48 KB; this one has " + std::to_string(value.size()) +
                                   " bytes. Encrypt what is larger, keep it in the repository, and make the "
                                   "passphrase a secret.");
  bool text = core::is_utf8(value) && !value.contains('\0');
  if (!text)
    return fail(Code::invalid, what +
                                   " values are text in UTF-8; encode other bytes in base64, and decode them in "
                                   "the job.");
  return {};
}

Result<> check_environment_name(std::string_view name) {
  if (!name.empty() && name.size() <= name_bytes_max && is_printable(name)) return {};
  return fail(Code::invalid, "The name of an environment is 1 to 255 bytes of printable text.");
}

Result<> check_place(const Place& place) {
  if (place.environment.empty()) return {};
  if (place.is_owner())
    return fail(Code::invalid, "Environments are of a repository; " + place.scope + " is an owner.");
  return check_environment_name(place.environment);
}

size_t count_max(Kind kind, const Place& place) {
  bool secret = kind == Kind::secret;
  if (place.is_owner()) return secret ? secrets_an_owner_max : variables_an_owner_max;
  if (!place.environment.empty()) return secret ? secrets_a_repository_max : variables_an_environment_max;
  return secret ? secrets_a_repository_max : variables_a_repository_max;
}

}  // namespace headrace::secrets
