#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "process/launch.h"

namespace headrace::process {
namespace {

using core::Code;

constexpr std::string_view usual_path = "/usr/local/bin:/usr/bin:/bin";

std::string search_path(const Spec& spec) {
  for (const auto& entry : spec.environment)
    if (entry.starts_with("PATH=")) return entry.substr(5);
  const char* ours = std::getenv("PATH");
  return ours != nullptr ? ours : std::string(usual_path);
}

bool is_program(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

core::Result<std::string> checked_path(const Spec& spec) {
  const std::string& name = spec.argv.front();
  std::string path = name.front() == '/' || spec.directory.empty() ? name : spec.directory + "/" + name;
  if (is_program(path)) return path;
  if (::access(path.c_str(), F_OK) == 0)
    return core::fail(Code::denied,
                      fmt::format("'{}' cannot be run: it is not an executable file. Check it with ls -l.", path));
  return core::fail(Code::not_found,
                    fmt::format("The program '{}' does not exist. Install it or correct its path.", path));
}

}  // namespace

core::Result<std::string> find_program(const Spec& spec) {
  if (spec.argv.empty() || spec.argv.front().empty())
    return core::fail(Code::invalid, "There is no program to run: the command line is empty.");
  const std::string& name = spec.argv.front();
  if (name.find('/') != std::string::npos) return checked_path(spec);
  const std::string path = search_path(spec);
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (end > begin && is_program(candidate)) return candidate;
    begin = end + 1;
  }
  return core::fail(
      Code::not_found,
      fmt::format("The program '{}' is not installed: it was looked for in {}. Install it or mend PATH.", name, path));
}

}  // namespace headrace::process
