#include "cli/ask.h"
#include "cli/commands.h"
#include "net/url.h"

namespace headrace::cli {

int repo_create(const std::string& full_name, bool json) {
  auto body = core::to_text(core::json::object{{"full_name", full_name}});
  return asked(
      json, [&](Api& api) { return api.post("/api/v1/repositories", body); },
      [](const core::json::value& repo) {
        print_line("made " + words(repo, "full_name") + "\n  git clone " + words(repo, "clone_url"));
      });
}

int repo_list(const std::string& at, bool json) {
  std::string path = "/api/v1/repositories" + (at.empty() ? "" : "?at=" + net::percent_encode(at));
  return asked(
      json, [&](Api& api) { return api.get(path); },
      [](const core::json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"NAME", "DEFAULT BRANCH", "CLONE URL"}};
        for (const auto& repo : answer.at("repositories").as_array())
          rows.push_back({words(repo, "full_name"), words(repo, "default_branch"), words(repo, "clone_url")});
        print(table(rows));
      });
}

}  // namespace headrace::cli
