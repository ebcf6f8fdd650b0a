#include "cli/exec_asked.h"

#include <filesystem>

#include "cli/exec_variables.h"
#include "cli/output.h"
#include "core/disk.h"
#include "services/runner/executor.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace fs = std::filesystem;

namespace {

Result<core::json::object> inputs_of(const std::vector<std::string>& given) {
  core::json::object inputs;
  for (const auto& one : given) {
    auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return core::fail(Code::invalid, "'" + one + "' is no input; write --input NAME=VALUE.");
    inputs[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return inputs;
}

}  // namespace

Result<AskedExec> understand_exec(const Exec& options, bool json) {
  AskedExec asked;
  asked.options = options;
  asked.json = json;
  for (const auto& [label, executor] : options.labels)
    if (!runner::is_executor(executor))
      return core::fail(Code::invalid, "There is no executor '" + executor + "' for the label '" + label +
                                           "'; this version has: " + std::string(runner::executor_names()) + ".");
  if (!options.event.empty() && !is_event(options.event))
    return core::fail(Code::invalid, "There is no event '" + options.event + "'. Events are: " + event_names() + ".");
  for (auto [path, into] : {std::pair(&options.env_file, &asked.env), std::pair(&options.secret_file, &asked.secrets),
                            std::pair(&options.var_file, &asked.vars)}) {
    auto read = read_variables(*path);
    if (!read) return std::unexpected(read.error());
    *into = std::move(*read);
  }
  if (!options.event_file.empty()) {
    auto text = read_input(options.event_file);
    if (!text) return std::unexpected(text.error());
    auto value = core::parse_json(*text);
    if (!value) return core::fail(Code::invalid, options.event_file + ": " + value.error().message);
    asked.occurrence.file = std::move(*text);
  }
  auto inputs = inputs_of(options.inputs);
  if (!inputs) return std::unexpected(inputs.error());
  asked.occurrence.inputs = std::move(*inputs);
  asked.occurrence.event = options.event;
  asked.occurrence.actor = options.actor;
  asked.labels = runner::with_default_labels(options.labels);
  return asked;
}

Result<std::vector<pipeline::SourceFile>> files_of(const AskedExec& asked, const Folder& folder) {
  if (asked.options.workflows.empty()) return workflow_files(folder.root);
  core::SystemDisk disk;
  std::vector<pipeline::SourceFile> files;
  for (const auto& path : asked.options.workflows) {
    auto text = core::read_file(disk, path, workflow::file_bytes_max + 1);
    if (!text) return std::unexpected(text.error());
    std::error_code error;
    auto within = fs::relative(fs::canonical(path, error), fs::canonical(folder.root, error), error).string();
    bool outside = error || within.empty() || within.starts_with("..");
    files.push_back({outside ? path : within, std::move(*text)});
  }
  return files;
}

}  // namespace headrace::cli
