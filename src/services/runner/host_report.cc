#include "services/runner/host_report.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "services/runner/sandbox_cell.h"
#include "services/runner/sandbox_executor.h"

namespace headrace::runner {

using core::Task;

namespace {

HostAbility limits_of(process::Cgroups& groups) {
  HostAbility found{"limits of jobs", groups.tier() != process::Cgroups::Tier::none, {}};
  switch (groups.tier()) {
    case process::Cgroups::Tier::version2: found.words = "cgroup v2 bounds memory, processes and processors"; break;
    case process::Cgroups::Tier::version1: found.words = "cgroup v1 bounds memory, processes and processors"; break;
    case process::Cgroups::Tier::none:
      found.words = "only by rlimits and a watch of memory, weaker than control groups: " + groups.why();
  }
  return found;
}

HostAbility sandbox_of(const core::Result<std::shared_ptr<Cell>>& cell) {
  HostAbility found{"sandbox", cell.has_value(), {}};
  if (!cell)
    found.words =
        cell.error().message + " Until then jobs of labels that lead to `sandbox` are refused. " + without_sandbox;
  else
    found.words = (*cell)->user ? "jobs are isolated, each as a user of its own"
                                : "jobs are isolated, by user name spaces of this user";
  return found;
}

}  // namespace

Task<std::vector<HostAbility>> report_host(core::Executor loop, core::Clock& clock, core::Disk& disk,
                                           ExecutorOptions options) {
  std::vector<HostAbility> found;
  CellMaker maker(loop, options);
  char path[] = "/tmp/headrace-doctor-XXXXXX";
  if (::mkdtemp(path) == nullptr) co_return found;
  CellWish wish;
  auto cell = co_await maker.make(std::string(path) + "/job", std::move(wish));
  found.push_back(sandbox_of(cell));
  found.push_back(limits_of(maker.groups()));
  if (cell) {
    found.push_back({"network of jobs", (*cell)->egress != nullptr, (*cell)->network});
    co_await Cell::end(*cell, clock);
  }
  std::error_code ignored;  // empty folders in /tmp
  std::filesystem::remove_all(path, ignored);
  auto containers = make_executor("container", loop, clock, disk, std::move(options));
  auto can = co_await containers->available();
  found.push_back({"containers", can.has_value(),
                   can ? "an engine answers: jobs may have container: and services:" : can.error().message});
  co_return found;
}

}  // namespace headrace::runner
