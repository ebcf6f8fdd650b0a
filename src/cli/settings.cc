// Secrets and variables of workflows. The value of a secret is sealed here for the server's key, and is never an
// argument: those are there for every process of the machine to see.
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "net/url.h"
#include "services/secrets/sealed_box.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

constexpr size_t a_page = 100;

// What a path and people call the place.
struct Where {
  std::string path;  // "/api/v3/repos/team/hello/actions"
  std::string scope;
  std::string environment;
};

// "team/hello" -> with each part fit for a path.
std::string encoded(const std::string& full_name) {
  auto slash = full_name.find('/');
  if (slash == std::string::npos) return net::percent_encode(full_name);
  return net::percent_encode(full_name.substr(0, slash)) + "/" + net::percent_encode(full_name.substr(slash + 1));
}

Result<Where> where(const SettingPlace& place) {
  if (!place.owner.empty())
    return Where{"/api/v3/orgs/" + net::percent_encode(place.owner) + "/actions", place.owner, {}};
  RunSelection selection;
  selection.repository = place.repository;
  auto repository = repository_here(selection);
  if (!repository) return std::unexpected(repository.error());
  std::string path = "/api/v3/repos/" + encoded(*repository);
  if (place.environment.empty()) return Where{path + "/actions", *repository, {}};
  return Where{path + "/environments/" + net::percent_encode(place.environment), *repository, place.environment};
}

std::string shown(const Where& where) {
  return where.environment.empty() ? where.scope : where.scope + ", environment " + where.environment;
}

json::object described(const Where& where, const std::string& name) {
  json::object answer{{"name", name}, {"scope", where.scope}};
  answer["environment"] = where.environment.empty() ? json::value() : json::value(where.environment);
  return answer;
}

// Asked for at a terminal, which then shows nothing of it.
Result<std::string> type_in(const std::string& name) {
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0)
    return std::unexpected(core::error_of_errno(errno, "Asking for the value"));
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::cerr << "Value of " << name << " (not shown): " << std::flush;
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::string value;
  std::getline(std::cin, value);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << "\n";
  return value;
}

// A file is taken as it is; the line ends that a shell puts at the end of what it pipes are not part of the value.
Result<std::string> value_of(const SettingPlace& place, const std::string& name) {
  if (!place.file.empty() && place.file != "-") return read_input(place.file);
  if (::isatty(STDIN_FILENO) == 1) return type_in(name);
  auto text = read_input("-");
  while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
  return text;
}

Result<json::array> selected_ids(Api& api, const SettingPlace& place) {
  json::array ids;
  for (const auto& name : place.selected) {
    auto full = name.contains('/') ? name : place.owner + "/" + name;
    auto repository = api.get("/api/v1/repositories/" + encoded(full));
    if (!repository) return std::unexpected(repository.error());
    ids.push_back(repository->at("id"));
  }
  return ids;
}

// `visibility` and the selected repositories, where an owner's is set.
Result<> add_audience(Api& api, const SettingPlace& place, json::object& body) {
  if (place.owner.empty() && !place.selected.empty()) return core::fail(Code::invalid, "--select goes with --owner.");
  if (place.owner.empty()) return {};
  auto ids = selected_ids(api, place);
  if (!ids) return std::unexpected(ids.error());
  body["visibility"] = place.selected.empty() ? place.visibility : "selected";
  if (!ids->empty()) body["selected_repository_ids"] = std::move(*ids);
  return {};
}

Result<json::value> seal_and_send(Api& api, const SettingPlace& place, const Where& at, const std::string& name,
                                  const std::string& value) {
  auto key = api.get(at.path + "/secrets/public-key");
  if (!key) return key;
  auto box = secrets::seal(core::string_at(*key, "key").value_or(""), value);
  if (!box) return std::unexpected(box.error());
  json::object body{{"encrypted_value", *box}, {"key_id", core::string_at(*key, "key_id").value_or("")}};
  if (auto added = add_audience(api, place, body); !added) return std::unexpected(added.error());
  auto answer = api.put(at.path + "/secrets/" + net::percent_encode(name), core::to_text(body));
  if (!answer) return answer;
  auto said = described(at, name);
  said["created"] = !answer->is_null();
  return said;
}

// All pages of a list, as {"secrets":[...]}.
Result<json::value> all_of(Api& api, const Where& at, const std::string& kind) {
  json::array all;
  for (size_t page = 1;; ++page) {
    auto answer =
        api.get(at.path + "/" + kind + "?per_page=" + std::to_string(a_page) + "&page=" + std::to_string(page));
    if (!answer) return answer;
    const auto& part = answer->at(kind).as_array();
    all.insert(all.end(), part.begin(), part.end());
    if (part.size() < a_page) break;
  }
  json::object list;
  list[kind] = std::move(all);
  return list;
}

int remove(const SettingPlace& place, const std::string& kind, const std::string& name, bool as_json) {
  auto at = where(place);
  if (!at) return report(at.error(), as_json);
  auto ask = [&](Api& api) -> Result<json::value> {
    auto removed = api.remove(at->path + "/" + kind + "/" + net::percent_encode(name));
    if (!removed) return removed;
    auto said = described(*at, name);
    said["deleted"] = true;
    return said;
  };
  return asked(as_json, ask, [&](const json::value&) { print_line("deleted " + name + " of " + shown(*at)); });
}

}  // namespace

int secret_set(const SettingPlace& place, const std::string& name, bool as_json) {
  auto at = where(place);
  if (!at) return report(at.error(), as_json);
  auto value = value_of(place, name);
  if (!value) return report(value.error(), as_json);
  return asked(
      as_json, [&](Api& api) { return seal_and_send(api, place, *at, name, *value); },
      [&](const json::value& said) {
        print_line((said.at("created").as_bool() ? "set " : "replaced ") + name + " of " + shown(*at));
      });
}

int secret_list(const SettingPlace& place, bool as_json) {
  auto at = where(place);
  if (!at) return report(at.error(), as_json);
  return asked(
      as_json, [&](Api& api) { return all_of(api, *at, "secrets"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"NAME", "UPDATED"}};
        for (const auto& secret : answer.at("secrets").as_array())
          rows.push_back({words(secret, "name"), words(secret, "updated_at")});
        print(table(rows));
      });
}

int secret_delete(const SettingPlace& place, const std::string& name, bool as_json) {
  return remove(place, "secrets", name, as_json);
}

int variable_set(const SettingPlace& place, const std::string& name, const std::string& value, bool as_json) {
  auto at = where(place);
  if (!at) return report(at.error(), as_json);
  auto ask = [&](Api& api) -> Result<json::value> {
    json::object body{{"name", name}, {"value", value}};
    if (auto added = add_audience(api, place, body); !added) return std::unexpected(added.error());
    auto changed = api.patch(at->path + "/variables/" + net::percent_encode(name), core::to_text(body));
    bool is_new = !changed && changed.error().code == Code::not_found;
    if (is_new) changed = api.post(at->path + "/variables", core::to_text(body));
    if (!changed) return changed;
    auto said = described(*at, name);
    said["value"] = value;
    said["created"] = is_new;
    return said;
  };
  return asked(as_json, ask, [&](const json::value& said) {
    print_line((said.at("created").as_bool() ? "set " : "replaced ") + name + " of " + shown(*at));
  });
}

int variable_list(const SettingPlace& place, bool as_json) {
  auto at = where(place);
  if (!at) return report(at.error(), as_json);
  return asked(
      as_json, [&](Api& api) { return all_of(api, *at, "variables"); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"NAME", "VALUE", "UPDATED"}};
        for (const auto& variable : answer.at("variables").as_array())
          rows.push_back({words(variable, "name"), words(variable, "value"), words(variable, "updated_at")});
        print(table(rows));
      });
}

int variable_delete(const SettingPlace& place, const std::string& name, bool as_json) {
  return remove(place, "variables", name, as_json);
}

}  // namespace headrace::cli
