// A sandbox with all that belongs to it: its user, its control group, its way out, its folder. Made for a job, or ahead
// of one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "process/cgroup.h"
#include "process/egress.h"
#include "process/sandbox.h"
#include "services/runner/executor.h"
#include "services/runner/job_files.h"

namespace headrace::runner {

// What a cell is made of; two jobs with the same can use the same kind of cell.
struct CellWish {
  JobLimits limits;
  bool network = true;
  std::vector<Mount> mounts;
  bool operator==(const CellWish&) const = default;
};

// What a job may take that asks for no bound of its own: what the machine has, but for what keeps the machine alive.
uint64_t memory_of_a_job();
uint64_t memory_of_a_job(uint64_t machine_bytes);

// Where a cell's folder is seen within.
inline constexpr const char* cell_home = "/home/runner";
inline constexpr const char* cell_work = "/home/runner/work";

struct Cell {
  CellWish wish;
  JobLimits limits;    // as wished; where nothing bounds its memory, and a control group can, memory_of_a_job()
  std::string folder;  // on the host: the job's, with home and tmp in it
  std::optional<process::SandboxUser> user;
  std::unique_ptr<process::Cgroup> group;  // null: limits by rlimits and the init's watch
  std::unique_ptr<process::Egress> egress;
  std::unique_ptr<process::Sandbox> sandbox;
  std::string network;  // a sentence for the job's log
  process::Cgroups::Tier tier = process::Cgroups::Tier::none;
  std::string no_group;  // why there is no control group

  FileOwner owner() const { return user ? FileOwner(user->id()) : FileOwner(); }
  // Kills all within; nothing of the job runs when it returns.
  static core::Task<> quiet(std::shared_ptr<Cell> cell);
  // The same, and gives back what it took, which the kernel makes wait for; the folder stays.
  static core::Task<> end(std::shared_ptr<Cell> cell, core::Clock& clock);
};

class CellMaker {
 public:
  CellMaker(core::Executor loop, ExecutorOptions options)
      : loop_(std::move(loop)), egress_(loop_), options_(std::move(options)) {}

  // `folder` is not there, or empty.
  core::Task<core::Result<std::shared_ptr<Cell>>> make(std::string folder, CellWish wish);
  process::Cgroups& groups();

 private:
  core::Task<> connect(Cell& cell);

  core::Executor loop_;
  process::EgressServer egress_;
  ExecutorOptions options_;
  std::unique_ptr<process::Cgroups> groups_;
};

}  // namespace headrace::runner
