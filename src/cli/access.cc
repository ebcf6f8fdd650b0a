// Where a login is kept: {"default": URL, "servers": {URL: {"token"}}}, 0600.
#include <stdlib.h>

#include <algorithm>

#include "cli/api.h"
#include "core/disk.h"

namespace headrace::cli {

using core::Code;
using core::Result;

namespace {

constexpr std::string_view default_url = "http://127.0.0.1:8080";

std::string variable(const char* name) {
  const char* value = ::getenv(name);
  return value ? value : "";
}

Result<std::string> folder() {
  auto config = variable("XDG_CONFIG_HOME");
  if (!config.empty()) return config + "/headrace";
  auto home = variable("HOME");
  if (home.empty())
    return core::fail(
        Code::invalid,
        "Neither HOME nor XDG_CONFIG_HOME is set, so there is no place for a login; set HEADRACE_TOKEN instead.");
  return home + "/.config/headrace";
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// It goes into a header, which may hold no control character. Never shown.
Result<std::string> good_token(std::string token) {
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  bool good = std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; });
  if (!good)
    return core::fail(
        Code::invalid,
        "HEADRACE_TOKEN holds characters that no token has; a token is hr_ and 43 letters, digits, - and _.");
  return token;
}

Result<core::json::object> read_kept() {
  auto where = folder();
  if (!where) return core::json::object();
  core::SystemDisk disk;
  auto text = core::read_file(disk, *where + "/servers.json");
  if (!text && text.error().code == Code::not_found) return core::json::object();
  if (!text) return std::unexpected(text.error());
  auto value = core::parse_json(*text);
  if (!value || !value->is_object())
    return core::fail(Code::corrupt, *where + "/servers.json cannot be read; remove it and sign in again.");
  return value->get_object();
}

std::string token_in(const core::json::value& kept, std::string_view url) {
  const auto* servers = core::find(kept, "servers");
  const auto* server = servers ? core::find(*servers, url) : nullptr;
  return server ? core::string_at(*server, "token").value_or("") : "";
}

}  // namespace

Result<Access> find_access() {
  auto kept = read_kept();
  if (!kept) return std::unexpected(kept.error());
  auto token = good_token(variable("HEADRACE_TOKEN"));
  if (!token) return std::unexpected(token.error());
  Access access{without_slash(variable("HEADRACE_URL")), *token};
  if (access.url.empty()) access.url = core::string_at(*kept, "default").value_or(std::string(default_url));
  if (access.token.empty()) access.token = token_in(*kept, access.url);
  return access;
}

Result<std::string> kept_token(std::string_view url) {
  auto kept = read_kept();
  if (!kept) return std::unexpected(kept.error());
  return token_in(*kept, url);
}

Result<> keep_access(const Access& access) {
  auto kept = read_kept();
  auto where = folder();
  if (!kept) return std::unexpected(kept.error());
  if (!where) return std::unexpected(where.error());
  core::SystemDisk disk;
  if (auto made = disk.make_directories(*where); !made) return made;
  (*kept)["default"] = access.url;
  auto& servers = (*kept)["servers"];
  if (!servers.is_object()) servers = core::json::object();
  servers.get_object()[access.url] = core::json::object{{"token", access.token}};
  return core::write_file(disk, *where + "/servers.json", core::to_pretty_text(*kept));
}

}  // namespace headrace::cli
