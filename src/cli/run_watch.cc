// A run followed live: its log as it comes, its end as the exit code.
#include <map>
#include <set>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "cli/test.h"

namespace headrace::cli {

namespace json = core::json;

namespace {

constexpr std::chrono::seconds patience{60};  // for a server that is started again

// "2026-11-23T07:16:00.123456Z 1 text" -> text
std::string_view text_of(std::string_view line) {
  auto time = line.find(' ');
  auto step = time == std::string_view::npos ? time : line.find(' ', time + 1);
  return step == std::string_view::npos ? line : line.substr(step + 1);
}

class Screen {
 public:
  explicit Screen(bool as_json) : json_(as_json) {}

  bool hear(const net::ServerSentEvent& event) {
    auto value = core::parse_json(event.data);
    if (!value) return true;
    if (event.name == "log") log(*value);
    if (event.name == "run") state(*value);
    if (event.name == "test") test(*value);
    if (event.name != "end") return true;
    last_ = *value;
    return false;
  }
  // The run as it ended.
  const json::value& last() const { return last_; }

 private:
  // After a lost connection the log comes from its beginning again: lines that were shown are left out. Counted by
  // lines, for the text may have been mended on its way and is then not of the length of the log.
  struct Shown {
    uint64_t lines = 0;  // shown
    uint64_t at = 0;     // of this connection
  };

  void log(const json::value& piece) {
    auto text = core::string_at(piece, "text").value_or("");
    auto& shown = shown_[words(piece, "job") + "/" + number(piece, "attempt")];
    if (core::integer_at(piece, "offset") == 0) shown.at = 0;
    auto name = words(piece, "name");
    std::string fresh;
    for (size_t begin = 0; begin < text.size();) {
      auto end = std::min(text.find('\n', begin), text.size());
      auto line = std::string_view(text).substr(begin, end - begin);
      begin = end + 1;
      if (++shown.at <= shown.lines) continue;
      shown.lines = shown.at;
      if (json_) {
        fresh.append(line).push_back('\n');
      } else {
        print_line(name + " | " + std::string(text_of(line)));
      }
    }
    if (!fresh.empty())
      print_json(json::object{{"log", {{"job", words(piece, "job")}, {"key", words(piece, "key")}, {"text", fresh}}}});
  }

  void state(const json::value& run) {
    if (json_) {
      json::object told;
      told["run"] = run;
      return print_json(told);
    }
    for (const auto& job : run.at("jobs").as_array()) {
      auto now = words(job, "conclusion") == "-" ? words(job, "status") : words(job, "conclusion");
      if (auto waiting = core::string_at(job, "waiting_for")) now += ": " + *waiting;
      names_[words(job, "key")] = words(job, "name");
      auto& before = states_[words(job, "key")];
      if (now != before && now != "waiting") print_line(words(job, "name") + ": " + now);
      before = now;
    }
  }

  // One that failed; after a lost connection all of them come again.
  void test(const json::value& failed) {
    if (!tests_.insert(words(failed, "report") + "/" + words(failed, "id")).second) return;
    if (json_) {
      json::object told;
      told["test"] = failed;
      return print_json(told);
    }
    const std::string key = words(failed, "key");
    auto name = names_.find(key);
    print_line((name == names_.end() ? key : name->second) + ": " + words(failed, "outcome") + " test " +
               words_of_failure(failed));
  }

  bool json_;
  json::value last_;
  std::map<std::string, Shown> shown_;
  std::map<std::string, std::string> states_, names_;  // by the job's key
  std::set<std::string> tests_;                        // that were shown
};

}  // namespace

int run_watch(const RunSelection& options, bool as_json) {
  auto access = find_access();
  if (!access) return report(access.error(), as_json);
  Api api(*access);
  auto run = find_run(api, options);
  if (!run) return report(run.error(), as_json);
  Screen screen(as_json);
  auto followed = api.follow(
      "/api/v1/runs/" + *run + "/watch", [&](const net::ServerSentEvent& event) { return screen.hear(event); },
      patience);
  if (!followed) return report(followed.error(), as_json);
  auto conclusion = words(screen.last(), "conclusion");
  if (!as_json) {
    print_line(words(screen.last(), "workflow") + " #" + number(screen.last(), "number") + ": " + conclusion);
    if (auto errors = core::string_at(screen.last(), "errors"); errors && !errors->empty()) print_line(*errors);
  }
  return conclusion == "success" || conclusion == "skipped" || conclusion == "neutral" ? 0 : 1;
}

int run_log(const RunSelection& options, bool as_json) {
  auto access = find_access();
  if (!access) return report(access.error(), as_json);
  Api api(*access);
  auto name = find_run(api, options);
  if (!name) return report(name.error(), as_json);
  auto run = api.get("/api/v1/runs/" + *name);
  if (!run) return report(run.error(), as_json);
  bool found = false;
  for (const auto& job : run->at("jobs").as_array()) {
    bool wanted = options.job.empty() || options.job == words(job, "key") || options.job == number(job, "id") ||
                  options.job == words(job, "job");
    if (!wanted || words(job, "runner") == "-") continue;
    found = true;
    auto show = [&](std::string_view piece) {
      if (as_json)
        print_json(json::object{{"job", words(job, "key")}, {"text", piece}});
      else
        print(piece);
      return true;
    };
    if (auto printed = api.stream("/api/v1/jobs/" + words(job, "job") + "/log", show); !printed)
      return report(printed.error(), as_json);
  }
  if (found) return 0;
  return report(core::Error{core::Code::not_found,
                            options.job.empty() ? "No job of this run has begun."
                                                : "No job '" + options.job + "' of this run has begun.",
                            {}},
                as_json);
}

}  // namespace headrace::cli
