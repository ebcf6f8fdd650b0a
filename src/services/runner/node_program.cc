// Which Node runs an action: the one of the surroundings, as GitHub's runner has one of its own. What a step put before
// it (actions/setup-node) is for the job's own programs, and runs actions only where the surroundings have none.
#include <charconv>

#include "services/runner/action_source.h"
#include "services/runner/job_context.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view usual_path = "/usr/local/bin:/usr/bin:/bin";

std::string path_of(const Variables& environment) {
  const auto* path = find(environment, "PATH");
  return path ? *path : std::string(usual_path);
}

}  // namespace

Task<Result<JobActions::Node>> JobActions::look_for_node(StepEngine& engine, std::string program, std::string path) {
  std::string key = program + " in " + path;
  if (auto known = nodes_.find(key); known != nodes_.end()) co_return known->second;
  Command ask;
  ask.argv = {"/bin/sh", "-c", "p=$(command -v \"$0\") && \"$p\" --version 2>/dev/null && echo \"$p\"", program};
  Variables environment = engine.surroundings().environment();
  set(environment, "PATH", path);
  for (const auto& [variable, value] : environment) ask.environment.push_back(variable + "=" + value);
  std::vector<std::string> alone;
  auto ran = co_await run_between(repositories_, engine.surroundings(), std::move(ask), std::move(alone), false);
  if (!ran) co_return std::unexpected(ran.error());
  Node node;
  std::string_view said = ran->out;
  if (ran->exit.succeeded() && said.starts_with('v')) {
    std::from_chars(said.data() + 1, said.data() + said.size(), node.major);
    size_t line = said.find_first_of("\r\n");
    node.version = said.substr(0, line);
    size_t begin = said.find_first_not_of("\r\n", line);
    if (begin != std::string_view::npos) node.place = said.substr(begin, said.find_first_of("\r\n", begin) - begin);
  }
  co_return nodes_.emplace(std::move(key), std::move(node)).first->second;
}

Task<Result<std::string>> JobActions::node(StepEngine& engine, int version, std::string& remark) {
  std::string exact = "node" + std::to_string(version);
  std::string own = path_of(engine.surroundings().environment()), added;
  for (const auto& folder : engine.job().paths()) added += folder + ":";
  std::vector<std::string> paths{own};
  if (!added.empty()) paths.push_back(added + own);
  Node seen;  // the newest of those that are too old
  for (const std::string& path : paths) {
    for (const std::string& program : {exact, std::string("node")}) {
      auto found = co_await look_for_node(engine, program, path);
      if (!found) co_return std::unexpected(found.error());
      if (found->major < version || found->place.empty()) {
        if (found->major > seen.major) seen = std::move(*found);
        continue;
      }
      if (found->major > version)
        remark = "The action asks for " + exact + "; it runs on Node " + found->version + ", which is here.";
      co_return found->place;
    }
  }
  std::string here = seen.major > 0 ? "Here is Node " + seen.version + ", which is older." : "No Node is here.";
  co_return core::fail(Code::not_found, "This action needs Node " + std::to_string(version) + ". " + here +
                                            " Install Node " + std::to_string(version) +
                                            " or newer where the job runs, so that `node` is in its PATH.");
}

}  // namespace headrace::runner
