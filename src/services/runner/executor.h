// Executor makes the surroundings a job runs in: one Surroundings a job, made by prepare(), ended by end(). There is
// more than one maker, and a label of a runner names the one that takes its jobs:
//
//   host        plain child processes of the runner, without isolation; only where the operator gave a label to it
//   sandbox     its own name spaces, an allow-list root, limits; docs/sandbox.md
//   container   an image that the job names, in podman or docker
//
// Jobs of the first two may have services in containers as well; a job that names an image is handed on to `container`.
//
// A maker that cannot do its work on this machine says why and what would help (available()); nothing weaker takes its
// place. Paths: "host" paths are those of this process, "inside" paths what a step sees; the two differ but for `host`.
// Loop thread only. What a job wrote is hostile: read and write its files by the doors of Surroundings alone, which
// follow no link out of the job's folder, wait for no pipe and read no more than they are told.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/result.h"
#include "core/task.h"
#include "process/child.h"
#include "process/descriptor.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

// Something of the host that a job sees as well, such as a cache that jobs share: read-only, but where it says so.
struct Mount {
  std::string host;
  std::string inside;
  bool read_only = true;
  bool operator==(const Mount&) const = default;
};

// Where one job works: host paths, absolute. workspace, temporary and tool_cache are within `folder`. prepare() makes
// all of them; `folder` is not there before, or empty. Its owner removes it after end().
struct JobPlace {
  std::string folder;         // the job's own
  std::string workspace;      // where steps begin: GITHUB_WORKSPACE
  std::string temporary;      // RUNNER_TEMP, scripts of steps
  std::string tool_cache;     // RUNNER_TOOL_CACHE; empty: folder + "/tools"
  std::vector<Mount> mounts;  // besides; `host` ignores them: there every path is where it is
};

// Bounds of one job. 0: none.
struct JobLimits {
  uint64_t memory_bytes = 0;
  int64_t processes = 4'096;
  double processors = 0;
  uint64_t disk_bytes = uint64_t{64} << 30;  // of its folder
  uint64_t file_bytes = 0;                   // of one file
  int64_t open_files = 65'536;
  bool operator==(const JobLimits&) const = default;
};

// Of GitHub Docs, "jobs.<job_id>.container" and "jobs.<job_id>.services"; expressions are evaluated already.
struct ContainerSpec {
  std::string image;
  Variables env;
  std::vector<std::string> ports;    // "8080", "8080:80", "8080:80/udp"
  std::vector<std::string> volumes;  // "name:/inside", "/host:/inside"; of the host only what the operator allows
  std::string options;               // words of `docker create`; some are refused
  std::string username;              // of the registry; empty: without
  std::string password;
};
struct ServiceSpec {
  std::string name;  // its key, and its host name in the network of the job
  ContainerSpec container;
};

// What a job asks of its surroundings.
struct JobNeeds {
  JobLimits limits;
  bool network = true;
  // Where an engine answers.
  std::optional<ContainerSpec> container;
  std::vector<ServiceSpec> services;
};

// One process to run in the surroundings.
struct Command {
  std::vector<std::string> argv;         // argv[0]: an inside path, or a name looked up inside by `environment`'s PATH
  std::vector<std::string> environment;  // "NAME=value", exactly these; see Surroundings::environment()
  std::string directory;                 // inside path; relative: to the workspace; empty: the workspace
  bool input = false;                    // a pipe to write to (Child::write); otherwise it reads the end at once
  // What it leaves in its process group when it ends: killed at once, or left to the end of the job.
  process::Spec::Leftovers leftovers = process::Spec::Leftovers::end;
};

// How a job is seen from inside, and where.
struct InsidePaths {
  std::string workspace;
  std::string temporary;
  std::string tool_cache;
  std::string home;
};

struct Usage {
  std::optional<uint64_t> memory_peak_bytes;
  std::chrono::microseconds processor{0};
};

// What the contexts `job.container` and `job.services` say.
struct ContainerFacts {
  struct Service {
    std::string name, id;
    Variables ports;  // of the container, and of the host: {"5432", "49153"}
  };
  std::string id, network;
  std::vector<Service> services;
};

// A socket that listens on the loopback of the job's network: how a job reaches services the runner lends it (the
// toolkit's, the API) where it cannot reach the server itself.
struct InsideListener {
  process::Descriptor socket;  // TCP, listening, non-blocking
  uint16_t port = 0;           // on 127.0.0.1, as steps see it
};

class Surroundings {
 public:
  enum class Kind { host, sandbox, container };

  virtual ~Surroundings() = default;  // what is left of the job is killed; use end() where there is time
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  virtual Kind what() const = 0;
  // Lines for the job's log: what these surroundings are, which limits hold and by what, whether there is a network.
  virtual std::vector<std::string> description() const = 0;

  virtual const InsidePaths& inside() const = 0;
  // The inside path of something in the job's folder or its mounts; nothing where a step does not see it.
  virtual std::optional<std::string> to_inside(std::string_view host) const = 0;
  virtual std::optional<std::string> to_host(std::string_view inside) const = 0;
  // What every process of the job finds set before the workflow says a word: PATH, HOME, USER, LANG, ... A Command's
  // environment starts from these.
  virtual Variables environment() const = 0;

  // Starts a process; both its outputs come by one pipe, in their order (Stream::out). Its Child's pid() and
  // start_time() are those of leader(). Errors: not_found (no such program or working directory, named), denied,
  // exhausted, unavailable (the surroundings have ended).
  virtual core::Task<core::Result<std::unique_ptr<process::Child>>> run(Command command) = 0;
  // The process whose group, killed, ends all that runs at this moment: for whoever cleans up after a crash. 0: nothing
  // is left behind by a crash, or nothing runs.
  virtual pid_t leader() const = 0;

  // Files of the job, by host path within its folder. write replaces the file, which then is the job's own; folders on
  // the way are made. read: not_found, exhausted (more than bytes_max), invalid (a link out of the folder, no file).
  virtual core::Result<> write(const std::string& path, std::string_view text) = 0;
  virtual core::Result<> make_folder(const std::string& path) = 0;  // likewise; twice is once
  virtual core::Result<std::string> read(const std::string& path, size_t bytes_max) const = 0;

  virtual const ContainerFacts* containers() const { return nullptr; }  // null: there are none

  // Unavailable where the surroundings have no network of their own to listen in and none is shared.
  virtual core::Task<core::Result<InsideListener>> listen() = 0;
  // The same at this port, 0 for any; conflict: it is taken there.
  virtual core::Task<core::Result<InsideListener>> listen_at(uint16_t port) {
    co_return core::fail(core::Code::unavailable, "Nothing can listen at port " + std::to_string(port) + " here.");
  }

  // Whom files of the job belong to, where that is not this process' own user.
  virtual std::optional<uid_t> owner() const { return {}; }

  // Which limit ended something of this job, as a sentence ("It was killed: over its memory limit of 2 GiB."); asked
  // when a process failed. Nothing: none did.
  virtual std::optional<std::string> limit_hit() const = 0;

  // Ends whatever is left and tells what was used; nothing of the job runs when it returns. What was made for it is
  // freed by then or soon after. Twice is once.
  virtual core::Task<core::Result<Usage>> end() = 0;

 protected:
  Surroundings() = default;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;
  // Tries it, once: unavailable or denied, with the reason and the remedy.
  virtual core::Task<core::Result<>> available() = 0;
  // Errors: as available(); invalid where the job asks for what this maker has not.
  virtual core::Task<core::Result<std::unique_ptr<Surroundings>>> prepare(JobPlace place, JobNeeds needs) = 0;
  // Surroundings made before a job asks for them, at most `count`, with these bounds; 0 by default. Where a job's needs
  // differ it gets its own. `folder` is the executor's, on the file system of the jobs' folders.
  virtual core::Task<> keep_ready(size_t count, std::string folder, JobNeeds needs) = 0;
};

// What an operator chose for all jobs of this runner.
struct ExecutorOptions {
  enum class Network {
    own,   // a network of the job's own with a way out where libslirp is installed, else without one: said in the log
    host,  // the host's, its loopback included: `--sandbox-network host`
    none,
  };
  Network network = Network::own;
  std::string engine;                        // "podman", "docker" or a path; empty: the first that answers
  std::vector<std::string> volumes_allowed;  // folders of the host that containers may mount
  // The runner's folder: what is made of an engine bears its name, and is removed by whoever has that folder next
  // (container_leftovers.h). Empty: nobody comes after us.
  std::string folder;
  std::string cgroup_root = "/sys/fs/cgroup";
};

// Null where there is no executor of that name. Clock and disk outlive it.
std::unique_ptr<Executor> make_executor(std::string_view name, core::Executor loop, core::Clock& clock,
                                        core::Disk& disk, ExecutorOptions options);
std::unique_ptr<Executor> make_host_executor(core::Executor loop, ExecutorOptions options = ExecutorOptions());
bool is_executor(std::string_view name);  // one that this version has
std::string_view executor_names();        // "host, sandbox, container", for messages

}  // namespace headrace::runner
