#include "cli/run.h"

#include <array>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/run_name.h"
#include "cli/test.h"
#include "net/url.h"
#include "process/run.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

core::Task<Result<process::Ran>> ask_git(core::Loop& loop) {
  process::Spec spec;
  spec.argv = {"git", "remote", "get-url", "origin"};
  spec.environment = process::inherited_environment({"PATH", "HOME", "XDG_CONFIG_HOME"});
  process::RunLimits limits;
  return process::run(loop.executor(), std::move(spec), {}, limits);
}

std::string status_words(const json::value& thing) {
  auto conclusion = words(thing, "conclusion");
  return conclusion == "-" ? words(thing, "status") : conclusion;
}

std::string suffix(const std::string& at) { return at.empty() ? "" : "?at=" + net::percent_encode(at); }

void show_annotations(const json::value& job) {
  const auto* annotations = core::find(job, "annotations");
  if (annotations == nullptr || !annotations->is_array()) return;
  for (const auto& it : annotations->as_array()) {
    auto file = core::string_at(it, "file").value_or("");
    auto line = core::integer_at(it, "line").value_or(0);
    std::string place = file.empty() ? "" : file + (line > 0 ? ":" + std::to_string(line) : "") + ": ";
    print_line("    " + words(it, "level") + ": " + place + words(it, "message"));
  }
}

// Of the tests of a run, those of a job that failed.
void show_red_tests(const json::value& job, const json::array& tests) {
  const std::string uuid = words(job, "job") + "-" + number(job, "attempt") + "-";  // so a report's name begins
  for (const auto& test : tests) {
    auto outcome = core::string_at(test, "outcome");
    if (outcome != "failed" && outcome != "errored") continue;
    if (words(test, "report").starts_with(uuid))
      print_line("    " + words(test, "outcome") + " test: " + words_of_failure(test));
  }
}

void show_run(const json::value& run, const json::array& tests) {
  print_line(words(run, "repository") + " · " + words(run, "workflow") + " #" + number(run, "number") + " · " +
             status_words(run));
  print_line("  " + words(run, "title") + " · " + words(run, "branch") + " · " + words(run, "commit").substr(0, 10) +
             " · by " + words(run, "actor") + " · id " + number(run, "id"));
  if (auto errors = core::string_at(run, "errors"); errors && !errors->empty()) print_line("  " + *errors);
  for (const auto& job : run.at("jobs").as_array()) {
    print_line("  " + words(job, "name") + ": " + status_words(job));
    if (auto reason = core::string_at(job, "reason"); reason && !reason->empty()) print_line("    " + *reason);
    if (auto waiting = core::string_at(job, "waiting_for")) print_line("    " + *waiting);
    for (const auto& step : job.at("steps").as_array())
      print_line("    " + number(step, "number") + ". " + words(step, "name") + ": " + status_words(step));
    show_red_tests(job, tests);
    show_annotations(job);
  }
}

Result<json::object> inputs_of(const std::vector<std::string>& given) {
  json::object inputs;
  for (const std::string& one : given) {
    auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return core::fail(Code::invalid, "'" + one + "' is no input; write --input NAME=VALUE.");
    inputs[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return inputs;
}

int act(const RunSelection& options, const std::string& verb, const std::string& done, bool as_json) {
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto run = find_run(api, options);
        if (!run) return std::unexpected(run.error());
        return api.post("/api/v1/runs/" + *run + verb);
      },
      [&](const json::value& run) { print_line(done + " " + words_of_run(run)); });
}

}  // namespace

std::string full_name_in(std::string url) {
  while (!url.empty() && (url.back() == '\n' || url.back() == '/')) url.pop_back();
  if (url.ends_with(".git")) url.resize(url.size() - 4);
  auto scheme = url.find("://");
  if (scheme == std::string::npos) return "";  // a folder, or ssh: not served here
  url.erase(0, scheme + 3);
  auto name = url.rfind('/');
  auto owner = name == std::string::npos || name == 0 ? std::string::npos : url.rfind('/', name - 1);
  if (owner == std::string::npos || owner + 1 == name || name + 1 == url.size()) return "";
  return url.substr(owner + 1);
}

Result<std::string> repository_here(const RunSelection& options) {
  if (!options.repository.empty()) return options.repository;
  core::Loop loop;
  auto ran = loop.run(ask_git(loop));
  auto name = ran && ran->exit.succeeded() ? full_name_in(ran->out) : "";
  if (name.empty())
    return core::fail(Code::invalid,
                      "Which repository? This folder has no remote 'origin' to tell; give --repo OWNER/NAME.");
  return name;
}

// Its id, if there is such a run, of the repository that --repo names; an empty text if not.
static Result<std::string> run_with_id(Api& api, const RunName& name, const RunSelection& options) {
  if (!name.may_be_id) return std::string();
  auto run = api.get("/api/v1/runs/" + name.digits + suffix(options.at));
  if (run && (options.repository.empty() || words(*run, "repository") == options.repository)) return name.digits;
  if (run || run.error().code == Code::not_found) return std::string();
  return std::unexpected(run.error());
}

static Result<std::string> find_named_run(Api& api, const RunSelection& options) {
  auto name = parse_run_name(options.run);
  if (!name) return std::unexpected(name.error());
  if (!name->uuid.empty()) return name->uuid;
  auto id = run_with_id(api, *name, options);
  const bool denied = !id && id.error().code == Code::denied;  // a run of others may have it, and ours the number
  if (id ? !id->empty() : !denied) return id;
  auto repository = name->repository.empty() ? repository_here(options) : name->repository;
  if (!repository && denied) return id;
  if (!repository)
    return core::fail(Code::not_found, "There is no run with the id " + name->digits +
                                           ". To name it by its number, say of which repository: OWNER/NAME#" +
                                           name->digits + ", or --repo OWNER/NAME.");
  auto found = api.get("/api/v1/runs?repository=" + net::percent_encode(*repository) + "&number=" + name->digits +
                       (options.at.empty() ? "" : "&at=" + net::percent_encode(options.at)));
  if (!found) return std::unexpected(found.error());
  return run_with_number(found->at("runs"), name->digits, *repository);
}

Result<std::string> find_run(Api& api, const RunSelection& options) {
  if (!options.run.empty()) return find_named_run(api, options);
  auto repository = repository_here(options);
  if (!repository) return std::unexpected(repository.error());
  auto newest = api.get("/api/v1/runs?limit=1&repository=" + net::percent_encode(*repository));
  if (!newest) return std::unexpected(newest.error());
  const auto& runs = newest->at("runs").as_array();
  if (runs.empty())
    return core::fail(Code::not_found,
                      *repository + " has no run yet; push a commit with a file in .github/workflows.");
  return number(runs.front(), "id");
}

// As many runs as were asked for: an answer may end before, where the server looked at too many that do not fit.
static Result<json::value> all_runs(Api& api, const std::string& path, int64_t limit) {
  json::object all;
  json::array runs;
  std::string cursor;
  while (true) {
    auto left = std::to_string(limit - static_cast<int64_t>(runs.size()));
    auto page = api.get(path + "&limit=" + left + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (!page) return page;
    for (auto& run : page->at("runs").as_array()) runs.push_back(std::move(run));
    cursor = core::string_at(*page, "next").value_or("");
    if (!cursor.empty() && static_cast<int64_t>(runs.size()) < limit) continue;
    all["runs"] = std::move(runs);
    all["next"] = page->at("next");
    return all;
  }
}

int run_list(const RunSelection& options, bool as_json) {
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto repository = repository_here(options);
        if (!repository) return std::unexpected(repository.error());
        std::string path = "/api/v1/runs?repository=" + net::percent_encode(*repository);
        for (const auto& [name, value] : {std::pair{"at", options.at},
                                          {"branch", options.branch},
                                          {"actor", options.actor},
                                          {"event", options.event},
                                          {"result", options.result},
                                          {"workflow", options.workflow},
                                          {"commit", options.commit},
                                          {"q", options.words},
                                          {"status", options.status}})
          if (!value.empty()) path += std::string("&") + name + "=" + net::percent_encode(value);
        return all_runs(api, path, options.limit);
      },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"ID", "RESULT", "WORKFLOW", "NUMBER", "BRANCH", "COMMIT", "TITLE"}};
        for (const auto& run : answer.at("runs").as_array())
          rows.push_back({number(run, "id"), status_words(run), words(run, "workflow"), number(run, "number"),
                          words(run, "branch"), words(run, "commit").substr(0, 10), words(run, "title")});
        print(table(rows));
      });
}

int run_start(const RunSelection& options, bool as_json) {
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto repository = repository_here(options);
        if (!repository) return std::unexpected(repository.error());
        // "team/hello": each part is a segment of its own.
        auto slash = repository->find('/');
        if (slash == std::string::npos) return core::fail(Code::invalid, "A repository is named OWNER/NAME.");
        auto path = "/api/v1/repositories/" + net::percent_encode(repository->substr(0, slash)) + "/" +
                    net::percent_encode(repository->substr(slash + 1));
        auto inputs = inputs_of(options.inputs);
        if (!inputs) return std::unexpected(inputs.error());
        auto ref = options.ref;
        if (ref.empty()) {
          auto home = api.get(path);
          if (!home) return home;
          ref = "refs/heads/" + words(*home, "default_branch");
        }
        json::object asked{{"workflow", options.file}, {"ref", ref}, {"inputs", std::move(*inputs)}};
        return api.post(path + "/dispatches", core::to_text(asked));
      },
      [](const json::value& run) { print_line("started " + words_of_run(run)); });
}

// What the steps wrote, as it is.
static int show_summary(Api& api, const std::string& run, const RunSelection& options, bool as_json) {
  std::string path = "/api/v1/runs/" + run + "/summary";
  if (!options.job.empty()) path += "?job=" + net::percent_encode(options.job);
  std::string kept;
  bool any = false;
  auto show = [&](std::string_view piece) {
    any = true;
    as_json ? void(kept.append(piece)) : print(piece);
    return true;
  };
  if (auto shown = api.stream(path, show); !shown) return report(shown.error(), as_json);
  if (as_json) print_json(json::object{{"summary", kept}});
  if (!as_json && !any) print_line("No step of this run wrote to GITHUB_STEP_SUMMARY.");
  return 0;
}

int run_view(const RunSelection& options, bool as_json) {
  auto access = find_access();
  if (!access) return report(access.error(), as_json);
  Api api(*access);
  auto name = find_run(api, options);
  if (!name) return report(name.error(), as_json);
  if (options.summary) return show_summary(api, *name, options, as_json);
  auto run = api.get("/api/v1/runs/" + *name + suffix(options.at));
  if (!run) return report(run.error(), as_json);
  if (as_json) return print_json(*run), 0;
  auto tests = api.get("/api/v1/runs/" + *name + "/tests" + suffix(options.at));
  if (!tests) return report(tests.error(), as_json);
  show_run(*run, tests->at("tests").as_array());
  return 0;
}

int run_cancel(const RunSelection& options, bool as_json) {
  return act(options, options.force ? "/cancel?force=true" : "/cancel", "cancelling", as_json);
}

int run_rerun(const RunSelection& options, bool as_json) {
  std::string path = options.failed ? "/rerun?failed=true" : "/rerun";
  if (!options.job.empty()) path += (options.failed ? "&job=" : "?job=") + net::percent_encode(options.job);
  return act(options, path, "running again:", as_json);
}

}  // namespace headrace::cli
