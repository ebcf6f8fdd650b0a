// Signing in, tokens, accounts.
#include <iostream>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "net/url.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

// "http://host/sign-in#CODE" -> the server and the code.
Result<std::pair<std::string, std::string>> parts_of(const std::string& link) {
  auto hash = link.find('#');
  auto path = link.rfind("/sign-in", hash);
  if (hash == std::string::npos || path == std::string::npos || hash + 1 == link.size())
    return core::fail(
        Code::invalid,
        "This is not a sign-in link; serve prints one as long as nobody has signed in: http://HOST/sign-in#CODE");
  return std::pair{link.substr(0, path), link.substr(hash + 1)};
}

int sign_in_by_link(const std::string& link, bool as_json) {
  auto parts = parts_of(link);
  if (!parts) return report(parts.error(), as_json);
  Api api({parts->first, {}});
  auto token = api.post("/api/v1/login", core::to_text(json::object{{"code", parts->second}}));
  if (!token) return report(token.error(), as_json);
  Access access{parts->first, core::string_at(*token, "token").value_or("")};
  if (auto kept = keep_access(access); !kept) return report(kept.error(), as_json);
  auto user = core::string_at(*token, "user").value_or("");
  if (as_json) {
    print_json(json::object{{"url", access.url}, {"user", user}});
  } else {
    print_line("Signed in at " + access.url + " as " + user + ", an administrator.");
    print_line("To let git use this login:\n  git config --global credential." + access.url +
               ".helper '!headrace git-credential'");
  }
  return 0;
}

int sign_in_by_token(const std::string& token, bool as_json) {
  auto access = find_access();
  if (!access) return report(access.error(), as_json);
  access->token = token;
  Api api(*access);
  auto who = api.get("/api/v1/whoami");
  if (!who) return report(who.error(), as_json);
  if (auto kept = keep_access(*access); !kept) return report(kept.error(), as_json);
  auto name = core::string_at(*who, "name").value_or("");
  if (as_json) {
    print_json(json::object{{"url", access->url}, {"user", name}});
  } else {
    print_line("Signed in at " + access->url + " as " + name + ".");
  }
  return 0;
}

}  // namespace

int login(const std::string& link, bool as_json) {
  std::string given = link;
  if (link == "-") {
    auto text = read_input("-");
    if (!text) return report(text.error(), as_json);
    given = trimmed(std::move(*text));
  }
  // Neither a link nor a token holds a space or a control character, and both go into requests.
  for (char c : given)
    if (c <= ' ' || c >= 0x7f)
      return report(core::Error{Code::invalid, "This is neither a sign-in link nor a token.", {}}, as_json);
  return given.starts_with("hr_") ? sign_in_by_token(given, as_json) : sign_in_by_link(given, as_json);
}

// git-credential(1): attributes come and go as lines "key=value".
int git_credential(const std::string& operation) {
  if (operation != "get") return 0;  // login keeps and replaces tokens, not git
  std::string line, protocol, host;
  while (std::getline(std::cin, line) && !line.empty()) {
    if (line.starts_with("protocol=")) protocol = line.substr(9);
    if (line.starts_with("host=")) host = line.substr(5);
  }
  auto token = kept_token(protocol + "://" + host);
  if (!token) return report(token.error(), false);
  if (!token->empty()) print("username=headrace\npassword=" + *token + "\n");
  return 0;
}

int token_create(const TokenCreate& options, bool as_json) {
  json::object wish{{"name", options.name}, {"days", options.days}};
  if (!options.user.empty()) wish["user"] = options.user;
  json::array scopes;
  for (const auto& scope : options.scopes) scopes.emplace_back(scope);
  wish["scopes"] = std::move(scopes);
  return asked(
      as_json, [&](Api& api) { return api.post("/api/v1/tokens", core::to_text(wish)); },
      [](const json::value& token) { print_line(words(token, "token")); });
}

int token_list(bool as_json) {
  return asked(
      as_json, [](Api& api) { return api.get("/api/v1/tokens"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"ID", "NAME", "SCOPES", "EXPIRES", "LAST USED"}};
        for (const auto& token : answer.at("tokens").as_array()) {
          std::string scopes;
          for (const auto& scope : token.at("scopes").as_array())
            scopes.append(scopes.empty() ? "" : " ").append(scope.as_string());
          rows.push_back({words(token, "id"), words(token, "name"), scopes, words(token, "expires_at"),
                          words(token, "last_used_at")});
        }
        print(table(rows));
      });
}

int token_revoke(const std::string& id, bool as_json) {
  return asked(
      as_json, [&](Api& api) { return api.remove("/api/v1/tokens/" + net::percent_encode(id)); },
      [&](const json::value&) { print_line("revoked " + id); });
}

int user_create(const std::string& name, bool administrator, bool as_json) {
  json::object wish{{"name", name}, {"administrator", administrator}};
  return asked(
      as_json, [&](Api& api) { return api.post("/api/v1/users", core::to_text(wish)); },
      [&](const json::value&) {
        print_line("made the account " + name + "; give it a token with: headrace token create NAME --user " + name);
      });
}

int user_list(bool as_json) {
  return asked(
      as_json, [](Api& api) { return api.get("/api/v1/users"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"NAME", "STATE"}};
        for (const auto& user : answer.at("users").as_array()) {
          bool disabled = core::boolean_at(user, "disabled").value_or(false);
          bool administrator = core::boolean_at(user, "administrator").value_or(false);
          rows.push_back({words(user, "name"), disabled ? "disabled" : administrator ? "administrator" : "enabled"});
        }
        print(table(rows));
      });
}

}  // namespace headrace::cli
