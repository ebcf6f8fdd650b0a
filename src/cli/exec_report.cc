#include "cli/exec_report.h"

#include "cli/output.h"
#include "services/pipeline/rows.h"

namespace headrace::cli {

namespace json = core::json;

namespace {

json::array errors_json(const std::vector<workflow::Finding>& errors, const std::string& file) {
  json::array list;
  for (const auto& error : errors)
    list.push_back(json::object{{"file", error.file.empty() ? file : error.file},
                                {"line", error.at.line},
                                {"column", error.at.column},
                                {"message", error.message}});
  return list;
}

void add_story(json::object& job, const JobStory& story) {
  json::array tail, failed;
  for (const auto& line : story.tail) tail.emplace_back(line);
  for (const auto& test : story.failed_tests)
    failed.push_back(json::object{{"name", test.name}, {"message", test.message}, {"file", test.file}});
  job["unserved"] = story.unserved;
  job["failed_step"] = story.failed_step;
  job["log_tail"] = std::move(tail);
  job["tests"] = story.tests;
  job["failed_tests"] = std::move(failed);
  job["summary_file"] = story.summary_file;
}

json::object run_json(const pipeline::RunRow& row, const std::map<std::string, JobStory>& stories) {
  const pipeline::Run& told = row;
  pipeline::Run run = told;
  run.jobs = pipeline::shown(row.rows);
  auto read = core::parse_json(pipeline::to_json(run));
  core::require(read.has_value(), "a run is JSON");
  for (auto& job : read->as_object()["jobs"].as_array()) {
    auto story = stories.find(core::string_at(job, "job").value_or(""));
    add_story(job.as_object(), story == stories.end() ? JobStory() : story->second);
  }
  return std::move(read->as_object());
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

}  // namespace

std::string in_words(const workflow::Finding& finding, const std::string& file) {
  return (finding.file.empty() ? file : finding.file) + ":" + std::to_string(finding.at.line) + ":" +
         std::to_string(finding.at.column) + ": " + finding.message;
}

json::object to_json(const Account& account) {
  json::array runs, others;
  for (const auto* run : account.runs) runs.push_back(run_json(*run, account.stories));
  for (const auto& one : account.not_started) {
    json::object told{{"file", one.file}, {"reason", one.reason}};
    told["errors"] = errors_json(one.errors, one.file);
    others.push_back(std::move(told));
  }
  json::object whole{{"event", account.event},
                     {"ref", account.folder.ref},
                     {"commit", account.snapshot.commit},
                     {"changed", account.snapshot.changed},
                     {"repository", account.folder.full_name},
                     {"exit", account.exit}};
  whole["runs"] = std::move(runs);
  whole["not_started"] = std::move(others);
  return whole;
}

std::string list_of(const std::vector<pipeline::SourceFile>& files) {
  std::vector<std::vector<std::string>> rows{{"FILE", "ON", "JOB", "NEEDS", "RUNS-ON"}};
  std::string errors;
  for (const auto& file : files) {
    auto reading = workflow::read(file.text, file.path);
    for (const auto& error : reading.errors) errors += in_words(error, file.path) + "\n";
    if (!reading.workflow) continue;
    std::vector<std::string> events;
    for (const auto& trigger : reading.workflow->on) events.push_back(trigger.event);
    for (const auto& job : reading.workflow->jobs) {
      std::vector<std::string> needs;
      for (const auto& need : job.needs) needs.push_back(need.value);
      rows.push_back({file.path, joined(events), job.id, needs.empty() ? "-" : joined(needs),
                      job.uses.empty() ? joined(job.runs_on) : "calls " + job.uses});
    }
  }
  return (rows.size() > 1 ? table(rows) : "") + errors;
}

json::object list_json(const std::vector<pipeline::SourceFile>& files) {
  std::string list;
  for (const auto& file : files)
    list.append(list.empty() ? "" : ",").append(workflow::to_json(workflow::read(file.text, file.path), file.path));
  auto read = core::parse_json("{\"files\":[" + list + "]}");
  core::require(read.has_value(), "a list of files is JSON");
  return std::move(read->as_object());
}

}  // namespace headrace::cli
