// `workflow check` and `workflow plan`: workflow files without a server.
#include "workflow/workflow.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "core/disk.h"
#include "workflow/plan.h"

namespace headrace::cli {

namespace {

std::string place(const std::string& file, const workflow::Position& at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
}

void show(const workflow::Reading& reading, const std::string& file) {
  for (const auto& error : reading.errors) print_line(place(file, error.at) + error.message);
  for (const auto& warning : reading.warnings) print_line(place(file, warning.at) + "warning: " + warning.message);
  for (const auto& missing : reading.unsupported)
    print_line(place(file, missing.at) + "not supported yet: " + missing.feature);
  if (reading.errors.empty() && reading.unsupported.empty()) print_line(file + ": good");
}

// The folder that holds .github or .headrace: where "./" in a `uses` begins.
std::string root_of(const std::string& file) {
  for (const char* folder : {".github/workflows/", ".headrace/workflows/"}) {
    size_t at = file.rfind(folder);
    if (at != std::string::npos) return at == 0 ? "./" : file.substr(0, at);
  }
  return "./";
}

core::Result<workflow::Source> called(const std::string& root, const std::string& reference,
                                      const workflow::Source& from) {
  bool local = reference.starts_with("./") || reference.starts_with("$/");
  if (!local || !from.repository.empty()) {
    return core::fail(core::Code::unavailable, "Only workflows of this repository are read here.");
  }
  core::SystemDisk disk;
  auto text = core::read_file(disk, root + reference.substr(2), workflow::file_bytes_max);
  if (!text) return std::unexpected(text.error());
  return workflow::Source{.path = reference.substr(2), .yaml = std::move(*text)};
}

// A file that cannot be read is one with an error: the others are told of nevertheless. Where it lies in its folder of
// workflows, what it calls there is looked at too.
workflow::Reading reading_of(const std::string& file) {
  core::SystemDisk disk;
  auto text = core::read_file(disk, file, workflow::file_bytes_max);
  if (!text) {
    workflow::Reading unread;
    unread.errors.push_back({{1, 1}, text.error().message});
    return unread;
  }
  auto reading = workflow::read(*text, file);
  if (!file.contains(".github/workflows/") && !file.contains(".headrace/workflows/")) return reading;
  std::string root = root_of(file);
  workflow::check_calls(reading, [&root](const std::string& reference, const workflow::Source& from) {
    return called(root, reference, from);
  });
  return reading;
}

int refuse(const std::vector<workflow::Finding>& errors, const std::string& file, bool json) {
  core::json::array list;
  for (const auto& error : errors) {
    std::string in = error.file.empty() ? file : error.file;
    if (!json) print_line(place(in, error.at) + error.message);
    list.push_back(core::json::object{
        {"file", in}, {"line", error.at.line}, {"column", error.at.column}, {"message", error.message}});
  }
  if (json) print_json(core::json::object{{"errors", std::move(list)}});
  return 1;
}

void show_plan(const core::json::value& plan) {
  std::vector<std::vector<std::string>> rows{{"JOB", "NEEDS", "RUNS"}};
  for (const auto& job : plan.at("jobs").as_array()) {
    std::string needs;
    for (const auto& need : job.at("needs").as_array())
      needs.append(needs.empty() ? "" : ", ").append(need.as_string());
    std::string runs = job.at("will_run").as_bool() ? "yes" : "no";
    if (auto error = core::string_at(job, "error")) runs += ": " + *error;
    rows.push_back({std::string(job.at("name").as_string()), needs, runs});
  }
  print(table(rows));
}

}  // namespace

int workflow_check(const std::vector<std::string>& files, bool json) {
  std::string list;
  bool good = true;
  for (const auto& file : files) {
    auto reading = reading_of(file);
    good = good && reading.errors.empty();
    if (!json) show(reading, file);
    list.append(list.empty() ? "" : ",").append(workflow::to_json(reading, file));
  }
  if (json) print_line("{\"files\":[" + list + "]}");
  return good ? 0 : 1;
}

int workflow_plan(const std::string& file, const std::string& event_file, bool json) {
  core::SystemDisk disk;
  auto text = core::read_file(disk, file, workflow::file_bytes_max);
  if (!text) return report(text.error(), json);
  auto event = read_input(event_file);
  if (!event) return report(event.error(), json);
  auto reading = workflow::read(*text, file);
  if (!reading.workflow) return refuse(reading.errors, file, json);
  auto happening = workflow::read_happening(*event, *reading.workflow);
  if (!happening) return report(happening.error(), json);
  std::string root = root_of(file);
  auto resolver = [&](const std::string& reference, const workflow::Source& from) {
    return called(root, reference, from);
  };
  auto program = workflow::link(std::move(*reading.workflow), {.path = file, .yaml = *text}, resolver);
  std::erase_if(program.errors, [](const workflow::Finding& error) {  // its jobs are not shown, its caller is
    return error.message.starts_with("Unable to find reusable workflow");
  });
  if (!program.errors.empty()) return refuse(program.errors, file, json);
  std::string plan = workflow::plan_json(program, *happening);
  if (json)
    print_line(plan);
  else
    show_plan(core::parse_json(plan).value());
  return 0;
}

}  // namespace headrace::cli
