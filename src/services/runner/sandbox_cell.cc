#include "services/runner/sandbox_cell.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace headrace::runner {

using core::Result;
using core::Task;

namespace {

constexpr int removals_max = 100;  // of a control group whose last process is just leaving
constexpr std::chrono::milliseconds removal_pause{5};

Result<> make_folders(const std::string& folder, FileOwner owner) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return std::unexpected(core::error_of_errno(error.value(), "making the folder of a job", folder));
  if (::chmod(folder.c_str(), 0700) != 0 || (owner && ::chown(folder.c_str(), *owner, *owner) != 0))
    return std::unexpected(core::error_of_errno(errno, "giving its folder to a job", folder));
  JobFiles files(folder, owner);
  for (const char* name : {"/home", "/tmp"})
    if (auto made = files.make_folder(folder + name); !made) return made;
  return {};
}

process::Bounds bounds_of(const JobLimits& limits) {
  return {.memory_bytes = limits.memory_bytes, .processes = limits.processes, .processors = limits.processors};
}

process::SandboxOptions options_of(const Cell& cell, const ExecutorOptions& options, bool own_network) {
  process::SandboxOptions wanted;
  wanted.mounts = {{cell.folder + "/home", cell_home, false},
                   {cell.folder + "/tmp", "/tmp", false},
                   {cell.folder, cell_work, false}};
  for (const auto& mount : cell.wish.mounts) wanted.mounts.push_back({mount.host, mount.inside, mount.read_only});
  wanted.directory = cell_work;
  if (cell.user) wanted.user = cell.user->id();
  if (cell.group) wanted.cgroup_doors = cell.group->doors();
  wanted.host_network = cell.wish.network && options.network == ExecutorOptions::Network::host;
  wanted.uplink = own_network;
  wanted.name_service = wanted.host_network || own_network;
  if (own_network) wanted.resolver = process::Egress::resolver;
  wanted.open_files = cell.limits.open_files;
  wanted.file_bytes = cell.limits.file_bytes;
  if (!cell.group) {
    wanted.processes = cell.limits.processes;
    wanted.memory_watch_bytes = cell.limits.memory_bytes;
  }
  return wanted;
}

std::string without_way_out(const core::Error& why) {
  return "Network: none but its own loopback. " + why.message +
         " Or let jobs use the host's network: --sandbox-network host.";
}

}  // namespace

// Server, runner and the kernel's own go on while one job takes all that it gets.
uint64_t memory_of_a_job(uint64_t machine_bytes) {
  constexpr uint64_t reserve_min = uint64_t{1} << 30;
  const uint64_t reserve = std::max(reserve_min, machine_bytes / 8);
  return std::max(machine_bytes > reserve ? machine_bytes - reserve : 0, machine_bytes / 2);
}

uint64_t memory_of_a_job() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? memory_of_a_job(static_cast<uint64_t>(pages) * static_cast<uint64_t>(page)) : 0;
}

process::Cgroups& CellMaker::groups() {
  if (!groups_) groups_ = process::Cgroups::find(options_.cgroup_root);
  return *groups_;
}

Task<Result<std::shared_ptr<Cell>>> CellMaker::make(std::string folder, CellWish wish) {
  auto cell = std::make_shared<Cell>();
  cell->wish = std::move(wish);
  cell->limits = cell->wish.limits;
  cell->folder = std::move(folder);
  if (::geteuid() == 0) {
    auto user = process::SandboxUser::take();
    if (!user) co_return std::unexpected(user.error());
    cell->user.emplace(std::move(*user));
  }
  if (auto made = make_folders(cell->folder, cell->owner()); !made) co_return std::unexpected(made.error());
  cell->tier = groups().tier();
  cell->no_group = groups().why();
  if (cell->tier != process::Cgroups::Tier::none) {
    if (cell->limits.memory_bytes == 0) cell->limits.memory_bytes = memory_of_a_job();
    auto group = groups().make(bounds_of(cell->limits));
    if (!group) co_return core::pass_on(group.error(), "making a control group for a job");
    cell->group = std::move(*group);
  }
  bool own_network = cell->wish.network && options_.network == ExecutorOptions::Network::own;
  auto wanted = options_of(*cell, options_, own_network);
  auto sandbox = co_await process::Sandbox::start(loop_, std::move(wanted));
  if (!sandbox) co_return std::unexpected(sandbox.error());
  cell->sandbox = std::move(*sandbox);
  co_await connect(*cell);
  co_return cell;
}

// The network, or why there is none: said in the job's log, never a silent fall to something weaker.
Task<> CellMaker::connect(Cell& cell) {
  using Network = ExecutorOptions::Network;
  if (!cell.wish.network || options_.network == Network::none) {
    cell.network = "Network: none but its own loopback.";
    co_return;
  }
  if (options_.network == Network::host) {
    cell.network = "Network: the host's own, its loopback included, as the operator allowed (--sandbox-network host).";
    co_return;
  }
  auto uplink = cell.sandbox->init().take_uplink();
  if (!uplink) {
    cell.network = without_way_out(uplink.error());
    co_return;
  }
  auto egress = co_await process::Egress::start(loop_, egress_, std::move(*uplink), cell.owner());
  if (!egress) {
    cell.network = without_way_out(egress.error());
    co_return;
  }
  cell.egress = std::move(*egress);
  cell.network = "Network: its own, with a way out; the host's loopback is not reachable.";
}

Task<> Cell::quiet(std::shared_ptr<Cell> cell) {
  if (cell->sandbox) co_await cell->sandbox->quiet();
}

Task<> Cell::end(std::shared_ptr<Cell> cell, core::Clock& clock) {
  if (cell->egress) co_await cell->egress->end();
  cell->egress = nullptr;
  if (cell->sandbox) co_await cell->sandbox->end();
  for (int tries = 0; cell->group && tries < removals_max && !cell->group->remove(); ++tries)
    co_await clock.sleep_for(removal_pause);
  cell->sandbox = nullptr;
}

}  // namespace headrace::runner
