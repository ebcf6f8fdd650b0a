#include "git/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

// Pages (WEB, section 2), interfaces, and words we may want.
constexpr std::array<std::string_view, 66> reserved = {
    "about",       "account",       "admin",       "agents",        "api",          "apis",       "artifacts",
    "assets",      "audit",         "auth",        "blob",          "branches",     "changes",    "channels",
    "commits",     "dead-letters",  "deployments", "docs",          "environments", "events",     "explore",
    "favicon.ico", "feed",          "git",         "graphql",       "headrace",     "healthz",    "help",
    "home",        "hooks",         "inbox",       "incidents",     "live",         "login",      "logout",
    "measures",    "metrics",       "new",         "notifications", "oauth",        "policies",   "proxy",
    "queue",       "raw",           "readyz",      "repos",         "repositories", "robots.txt", "runners",
    "runs",        "search",        "services",    "settings",      "sign-in",      "sign-out",   "static",
    "status",      "subscriptions", "system",      "tasks",         "teams",        "tokens",     "twirp",
    "users",       "webhooks",      "ws"};
static_assert(std::ranges::is_sorted(reserved));

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_name_character(char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string_view fault_of_name(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > name_bytes_max) return "it is longer than 100 characters";
  if (name.front() == '.' || name.front() == '-') return "it begins with a dot or a dash";
  if (!std::ranges::all_of(name, is_name_character)) return "it may hold letters, digits, '.', '_' and '-' only";
  const auto small = lower(name);
  if (small.ends_with(".git") || small.ends_with(".lock")) return "it ends in .git or .lock";
  return {};
}

Result<> check_name(std::string_view what, std::string_view name) {
  const auto fault = fault_of_name(name);
  if (fault.empty()) return {};
  return core::fail(Code::invalid,
                    fmt::format("'{}' cannot be the name of {}: {}.", name.substr(0, name_bytes_max), what, fault));
}

bool is_forbidden_in_ref(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || std::string_view(" ~^:?*[\\").find(c) != std::string_view::npos;
}

// The rules of one slash-separated part.
std::string_view fault_of_part(std::string_view part) {
  if (part.empty()) return "it has an empty part: two slashes in a row, or one at its end";
  if (part.front() == '.') return "a part of it begins with a dot";
  if (part.ends_with(".lock")) return "a part of it ends in .lock";
  return {};
}

std::string_view fault_of_ref(std::string_view ref) {
  if (ref.size() > ref_bytes_max) return "it is longer than 1024 bytes";
  if (std::ranges::any_of(ref, is_forbidden_in_ref))
    return "it holds a space, a control character or one of ~ ^ : ? * [ \\";
  if (ref.find("..") != std::string_view::npos) return "it holds two dots in a row";
  if (ref.find("@{") != std::string_view::npos) return "it holds @{";
  if (ref.ends_with('.')) return "it ends with a dot";
  if (!ref.starts_with("refs/")) return "it does not begin with refs/";
  size_t parts = 0;
  for (size_t begin = 0; begin <= ref.size(); ++parts) {
    const size_t end = std::min(ref.find('/', begin), ref.size());
    if (const auto fault = fault_of_part(ref.substr(begin, end - begin)); !fault.empty()) return fault;
    begin = end + 1;
  }
  return parts < 3 ? "it has fewer than three parts, as refs/heads/main has" : std::string_view();
}

std::string_view after(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}

}  // namespace

Result<> check_owner(std::string_view owner) {
  if (auto good = check_name("an owner", owner); !good) return good;
  if (std::ranges::binary_search(reserved, lower(owner)))
    return core::fail(
        Code::invalid,
        fmt::format("No owner can be named '{}': pages of Headrace live under this name. Choose another.", owner));
  return {};
}

Result<FullName> parse_full_name(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos)
    return core::fail(Code::invalid, fmt::format("'{}' does not name a repository: write OWNER/NAME, as in team/hello.",
                                                 text.substr(0, name_bytes_max)));
  const auto owner = text.substr(0, slash);
  const auto name = text.substr(slash + 1);
  if (auto good = check_owner(owner); !good) return std::unexpected(good.error());
  if (auto good = check_name("a repository", name); !good) return std::unexpected(good.error());
  return FullName{std::string(owner), std::string(name)};
}

std::span<const std::string_view> reserved_names() { return reserved; }

Result<> check_ref(std::string_view ref) {
  const auto fault = fault_of_ref(ref);
  if (fault.empty()) return {};
  std::string shown(ref.substr(0, name_bytes_max));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return core::fail(Code::invalid, fmt::format("'{}' cannot be the name of a ref: {}.", shown, fault));
}

bool is_commit_id(std::string_view text) {
  return text.size() == 40 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view branch_of(std::string_view ref) { return after(ref, "refs/heads/"); }
std::string_view tag_of(std::string_view ref) { return after(ref, "refs/tags/"); }

}  // namespace headrace::git
