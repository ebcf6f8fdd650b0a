// Sandbox: name spaces, a root of its own and an init of ours, so that one sandbox runs all steps of a job. DESIGN,
// section 9; what is seen within and what is refused is listed in docs/sandbox.md, why it is ours in docs/adr/0022.
//
// Never as user 0 of the host: where we are root, each sandbox gets a user of its own (SandboxUser) and the job's
// folder is given to it; else it is ours. Everything within dies with it, and it dies with us: the kernel is told so,
// and the init ends when our end of its socket is closed, however that happens. Loop thread only.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "process/descriptor.h"
#include "process/init_client.h"
#include "process/sandbox_steps.h"

namespace headrace::process {

// A user of the host that nobody else has, as long as this exists: of a range that no tool hands out, marked as taken
// by an abstract Unix socket (which goes with the process). user_ids.7 of systemd: "Users, Groups, UIDs and GIDs".
class SandboxUser {
 public:
  static constexpr uid_t first = 1'900'000'000;
  static constexpr uid_t count = 4'096;
  static core::Result<SandboxUser> take();  // exhausted where none is free
  uid_t id() const { return id_; }

 private:
  SandboxUser(uid_t id, Descriptor mark) : id_(id), mark_(std::move(mark)) {}
  uid_t id_;
  Descriptor mark_;
};

struct SandboxMount {
  std::string host;  // a folder
  std::string inside;
  bool read_only = true;
};

struct SandboxOptions {
  std::vector<SandboxMount> mounts;       // in order: later ones may lie within earlier ones
  std::string directory = "/";            // where the init stands
  std::optional<uid_t> user;              // of the host; as root it must be given
  std::vector<std::string> cgroup_doors;  // Cgroup::doors()
  bool host_network = false;              // else a network of its own, with a loopback and nothing else
  bool uplink = false;                    // in that network a device lent outside: InitClient::take_uplink
  bool name_service = true;               // resolv.conf, as far as there is a way out
  std::string resolver;                   // name server within, for resolv.conf; empty: the host's file
  int64_t processes = 0;                  // limits of each process, or of the user within; 0: as we have them
  int64_t open_files = 0;
  uint64_t file_bytes = 0;
  uint64_t memory_watch_bytes = 0;                   // the init's watch, where no control group bounds memory
  uint64_t shared_memory_bytes = uint64_t{1} << 30;  // of /dev/shm
};

class Sandbox {
 public:
  static constexpr uid_t user_inside = init::user_inside;
  static constexpr std::chrono::milliseconds start_limit{10'000};

  // Errors: unavailable, with the reason and the remedy.
  static core::Task<core::Result<std::unique_ptr<Sandbox>>> start(core::Executor loop, SandboxOptions options);
  virtual ~Sandbox() = default;  // kills all within

  virtual InitClient& init() = 0;
  virtual pid_t pid() const = 0;  // of its parent outside, leader of its group: killed, all within is
  // Kills all within; when it returns nothing runs there any more.
  virtual core::Task<> quiet() = 0;
  // The same, and waits until the sandbox itself is gone, which takes the kernel longer; at most a few seconds.
  virtual core::Task<> end() = 0;

 protected:
  Sandbox() = default;
};

// One step of what is made, for headrace-init to take: sandbox_steps.h.
struct SandboxStep {
  init::StepKind kind;
  uint32_t flags = 0;
  uint64_t number = 0;
  std::string place{};
  std::string text{};
};
using SandboxPlan = std::vector<SandboxStep>;

// All but the filter of system calls, for tests and for who wants to know.
SandboxPlan plan_sandbox(const SandboxOptions& options);
std::string encode(const SandboxPlan& plan);

}  // namespace headrace::process
