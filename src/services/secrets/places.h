// Where a secret or variable holds, and the rules for its name and value. GitHub Docs, "Using secrets in GitHub
// Actions", "Naming your secrets", "Limits for secrets"; "Store information in variables", "Naming conventions".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::secrets {

inline constexpr size_t value_bytes_max = 48 * 1024;
inline constexpr size_t name_bytes_max = 255;
inline constexpr size_t secrets_an_owner_max = 1'000;
inline constexpr size_t secrets_a_repository_max = 100;  // and as many an environment
inline constexpr size_t variables_an_owner_max = 1'000;
inline constexpr size_t variables_a_repository_max = 500;
inline constexpr size_t variables_an_environment_max = 100;
inline constexpr size_t variables_bytes_max = 256 * 1024;  // names and values at one place
inline constexpr size_t environments_a_repository_max = 1'000;

enum class Kind { secret, variable };
std::string_view name_of(Kind kind);  // "secret"

struct Place {
  std::string scope;             // an owner, or "owner/name"
  std::string environment = {};  // of the repository; empty: none

  bool is_owner() const { return !scope.contains('/'); }
  std::string owner() const { return scope.substr(0, scope.find('/')); }
  bool operator==(const Place&) const = default;
};
// For people: "team", "team/hello", "the environment prod of team/hello".
std::string to_text(const Place& place);

// Which repositories of an owner have what is the owner's. GitHub tells `all` from `private`; here every repository is
// somebody's own, so both mean all of them.
enum class Visibility { all, only_private, selected };
std::string_view name_of(Visibility visibility);  // "private"
struct Audience {
  Visibility visibility = Visibility::all;
  std::vector<int64_t> repositories = {};  // numbers, where it is `selected`
  bool includes(int64_t repository) const;
  bool operator==(const Audience&) const = default;
};

// The name in upper case, as it is kept. invalid: what a name is made of.
core::Result<std::string> checked_name(Kind kind, std::string_view name);
core::Result<> check_value(Kind kind, std::string_view value);
core::Result<> check_place(const Place& place);
core::Result<> check_environment_name(std::string_view name);
size_t count_max(Kind kind, const Place& place);

std::string folded(std::string_view name);  // lower case, ASCII
std::string upper(std::string_view name);

}  // namespace headrace::secrets
