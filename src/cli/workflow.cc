#include "workflow/workflow.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "core/disk.h"

namespace headrace::cli {

namespace {

void show(const workflow::Reading& reading, const std::string& file) {
  for (const auto& error : reading.errors)
    print_line(file + ":" + std::to_string(error.at.line) + ":" + std::to_string(error.at.column) + ": " +
               error.message);
  for (const auto& missing : reading.unsupported)
    print_line(file + ":" + std::to_string(missing.at.line) + ":" + std::to_string(missing.at.column) +
               ": not supported yet: " + missing.feature);
  if (reading.errors.empty() && reading.unsupported.empty()) print_line(file + ": good");
}

}  // namespace

int workflow_check(const std::vector<std::string>& files, bool json) {
  core::SystemDisk disk;
  std::string list;
  bool good = true;
  for (const auto& file : files) {
    auto text = core::read_file(disk, file, workflow::file_bytes_max);
    if (!text) return report(text.error(), json);
    auto reading = workflow::read(*text, file);
    good = good && reading.errors.empty();
    if (!json) show(reading, file);
    list.append(list.empty() ? "" : ",").append(workflow::to_json(reading, file));
  }
  if (json) print_line("{\"files\":[" + list + "]}");
  return good ? 0 : 1;
}

}  // namespace headrace::cli
