#include "process/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "process/pidfd.h"

namespace headrace::process {
namespace {

using core::Code;
using core::Result;

constexpr int standard_streams = 3;

// The attributes and actions of one posix_spawn.
class Plan {
 public:
  Plan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Plan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  int describe(const Spec& spec, const std::vector<Descriptor>& descriptors) {
    if (const int error = set_signals_and_group(spec.group)) return error;
    for (size_t target = 0; target < descriptors.size(); ++target)
      if (const int error =
              posix_spawn_file_actions_adddup2(&actions_, descriptors[target].get(), static_cast<int>(target)))
        return error;
    if (const int error = posix_spawn_file_actions_addclosefrom_np(&actions_, static_cast<int>(descriptors.size())))
      return error;
    if (spec.directory.empty()) return 0;
    return posix_spawn_file_actions_addchdir_np(&actions_, spec.directory.c_str());
  }

  int start(pid_t& pid, const std::string& program, const Spec& spec) {
    auto argv = pointers(spec.argv);
    auto environment = pointers(spec.environment);
    return posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environment.data());
  }

 private:
  // Defaults for every signal and an empty mask: ours (SIGPIPE ignored) are no business of the child.
  int set_signals_and_group(Spec::Group group) {
    sigset_t all{};
    sigset_t none{};
    sigfillset(&all);
    sigemptyset(&none);
    int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    if (group == Spec::Group::own) flags |= POSIX_SPAWN_SETPGROUP;
    if (group == Spec::Group::session) flags |= POSIX_SPAWN_SETSID;
    if (const int error = posix_spawnattr_setsigdefault(&attributes_, &all)) return error;
    if (const int error = posix_spawnattr_setsigmask(&attributes_, &none)) return error;
    if (const int error = posix_spawnattr_setpgroup(&attributes_, 0)) return error;
    return posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }

  static std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const auto& text : texts)
      result.push_back(const_cast<char*>(text.c_str()));  // NOLINT: posix_spawn's signature
    result.push_back(nullptr);
    return result;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// The descriptors a child is given, in order, all numbered above what they become: then no dup2 overwrites the next.
class Wiring {
 public:
  explicit Wiring(size_t count) : floor_(static_cast<int>(count)) {}

  Result<> borrow(int number) {
    Descriptor copy(::fcntl(number, F_DUPFD_CLOEXEC, floor_));
    if (!copy) return std::unexpected(core::error_of_errno(errno, "giving a descriptor to a child"));
    descriptors_.push_back(std::move(copy));
    return {};
  }
  Result<> take(Descriptor descriptor) {
    if (descriptor.get() < floor_) return borrow(descriptor.get());
    descriptors_.push_back(std::move(descriptor));
    return {};
  }
  const std::vector<Descriptor>& descriptors() const { return descriptors_; }

 private:
  int floor_;
  std::vector<Descriptor> descriptors_;
};

Result<> open_file(Wiring& wiring, const std::string& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!file) return std::unexpected(core::error_of_errno(errno, "opening a file for a child", path));
  return wiring.take(std::move(file));
}

Result<> open_pipe(Wiring& wiring, const Redirect& redirect, Descriptor& ours, bool child_reads) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(core::error_of_errno(errno, "making a pipe for a child"));
  if (redirect.holds > 0) widen_pipe(ends[0], redirect.holds);
  ours = Descriptor(ends[child_reads ? 1 : 0]);
  return wiring.take(Descriptor(ends[child_reads ? 0 : 1]));
}

Result<> connect(Wiring& wiring, const Redirect& redirect, Descriptor& ours, bool child_reads) {
  switch (redirect.kind) {
    case Redirect::Kind::null: return open_file(wiring, "/dev/null", child_reads ? O_RDONLY : O_WRONLY);
    case Redirect::Kind::pipe: return open_pipe(wiring, redirect, ours, child_reads);
    case Redirect::Kind::file:
      return open_file(wiring, redirect.path, child_reads ? O_RDONLY : O_WRONLY | O_APPEND | O_CREAT);
    case Redirect::Kind::descriptor: return wiring.borrow(redirect.descriptor);
    case Redirect::Kind::same_as_out: return wiring.borrow(wiring.descriptors().at(1).get());
  }
  return core::fail(Code::invalid, "A stream of a child is redirected to nowhere known.");
}

Result<> connect_all(Wiring& wiring, const Spec& spec, Launched& launched) {
  if (auto done = connect(wiring, spec.in, launched.in, true); !done) return done;
  if (auto done = connect(wiring, spec.out, launched.out, false); !done) return done;
  if (auto done = connect(wiring, spec.err, launched.err, false); !done) return done;
  for (const int number : spec.extra)
    if (auto done = wiring.borrow(number); !done) return done;
  return {};
}

Result<> check_directory(const std::string& directory) {
  struct stat status{};
  if (directory.empty() || (::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode))) return {};
  return core::fail(Code::not_found,
                    fmt::format("The working directory '{}' does not exist. Make it, or name another one.", directory));
}

core::Error start_error(int number, const std::string& program) {
  const auto detail = fmt::format("posix_spawn {}: errno {}", program, number);
  if (number == EAGAIN || number == ENOMEM || number == EMFILE || number == ENFILE)
    return {Code::exhausted,
            "The machine has no process or memory left to start a program with. Try again when it is less busy.",
            detail};
  if (number == EACCES || number == EPERM)
    return {Code::denied, fmt::format("'{}' may not be run by this user.", program), detail};
  if (number == ENOENT)
    return {Code::not_found,
            fmt::format("'{}' cannot be started: the interpreter its first line names is missing.", program), detail};
  if (number == ENOEXEC)
    return {Code::invalid, fmt::format("'{}' is not a program for this machine, nor a script with a #! line.", program),
            detail};
  if (number == E2BIG)
    return {Code::invalid, "The command line and environment are too long for the kernel. Use a file instead.", detail};
  return core::error_of_errno(number, "starting a program", program);
}

}  // namespace

Result<Launched> launch(const Spec& spec) {
  auto program = find_program(spec);
  if (!program) return std::unexpected(program.error());
  if (auto known = check_directory(spec.directory); !known) return std::unexpected(known.error());
  Launched launched;
  Wiring wiring(standard_streams + spec.extra.size());
  if (auto connected = connect_all(wiring, spec, launched); !connected) return std::unexpected(connected.error());
  Plan plan;
  int error = plan.describe(spec, wiring.descriptors());
  if (error == 0) error = plan.start(launched.pid, *program, spec);
  if (error != 0) return std::unexpected(start_error(error, *program));
  launched.pidfd = Descriptor(open_pidfd(launched.pid));
  if (launched.pidfd) return launched;
  error = errno;
  ::kill(launched.pid, SIGKILL);
  ::waitpid(launched.pid, nullptr, 0);
  return std::unexpected(start_error(error, *program));
}

}  // namespace headrace::process
