// The names of the kernel's mount interface are those of mount_setattr(2), open_tree(2) and move_mount(2): the C
// library of Debian 12 has no words for all of them.
#include "process/init/make.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "process/init/say.h"
#include "process/init_protocol.h"
#include "process/sandbox_steps.h"
#include "process/uplink.h"

// <sys/mount.h> and <linux/mount.h> do not go together in older C libraries.
extern "C" {
int mount(const char*, const char*, const char*, unsigned long, const void*) noexcept;
int umount2(const char*, int) noexcept;
}

namespace headrace::process::init {
namespace {

constexpr int detach = 2;  // MNT_DETACH
constexpr unsigned long all_spaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
constexpr const char* nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};

struct Plan {
  const char* steps = nullptr;
  size_t bytes = 0;
  bool own_network = false;
  bool uplink = false;
};

// The trees of the mounts, in the order of their steps; -1 where one was not there.
int trees[mounts_max];

template <typename Take>
void each(const Plan& plan, Take take) {
  size_t at = 0;
  StepRead read;
  while (next_step(plan.steps, plan.bytes, at, read)) take(read);
}

Plan read_plan() {
  struct stat status{};
  if (fstat(steps_file, &status) != 0) give_up("the steps");
  Plan plan;
  plan.bytes = static_cast<size_t>(status.st_size);
  if (plan.bytes == 0 || plan.bytes > steps_bytes_max) {
    errno = EINVAL;
    give_up("the steps");
  }
  void* text = mmap(nullptr, plan.bytes, PROT_READ, MAP_PRIVATE, steps_file, 0);
  if (text == MAP_FAILED) give_up("the steps");
  plan.steps = static_cast<const char*>(text);
  size_t at = 0;
  StepRead read;
  int mounts = 0;
  bool filter = false;
  while (next_step(plan.steps, plan.bytes, at, read)) {
    if (read.step.kind == StepKind::mount) ++mounts;
    if (read.step.kind == StepKind::filter) filter = true;
    if (read.step.kind == StepKind::loopback) plan.own_network = true;
    if (read.step.kind == StepKind::uplink) plan.uplink = true;
  }
  errno = EINVAL;
  if (at != plan.bytes || mounts > mounts_max || !filter) give_up("the steps");
  close(steps_file);
  return plan;
}

void write_file(const char* path, const char* text, size_t bytes) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, text, bytes) != static_cast<ssize_t>(bytes)) give_up(path);
  close(file);
}
void write_file(const char* path, const char* text) { write_file(path, text, strlen(text)); }

// ---- Mounts

void set_attributes(int at, const char* path, unsigned flags, uint64_t attributes) {
  mount_attr wanted{};
  wanted.attr_set = attributes;
  wanted.propagation = 1UL << 18;  // MS_PRIVATE
  if (syscall(SYS_mount_setattr, at, path, flags, &wanted, sizeof wanted) != 0)
    give_up(errno == ENOSYS ? "mount_setattr (Linux 5.12 or newer is needed)" : path);
}

// A copy of what is mounted there, with all beneath it, attached nowhere yet.
int copy_of(const char* path, uint32_t how) {
  auto tree =
      static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (tree < 0 && (how & mount_if_there) != 0 && (errno == ENOENT || errno == ENOTDIR)) return -1;
  if (tree < 0) give_up(path);
  uint64_t attributes = MOUNT_ATTR_NOSUID;
  if ((how & mount_device) == 0) attributes |= MOUNT_ATTR_NODEV;
  if ((how & mount_writable) == 0) attributes |= MOUNT_ATTR_RDONLY;
  set_attributes(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes);
  return tree;
}

// By the process that can reach them: where the runner is root that is the one outside, as the folders above a job's
// own may be closed to the job's user.
void copy_trees(const Plan& plan) {
  int count = 0;
  each(plan, [&count](const StepRead& read) {
    if (read.step.kind == StepKind::mount) trees[count++] = copy_of(read.text, read.step.flags);
  });
}

void make_folders_above(const char* place) {
  char path[PATH_MAX];
  size_t length = strlen(place);
  if (place[0] != '/' || length >= sizeof path) {
    errno = EINVAL;
    give_up(place);
  }
  memcpy(path, place, length + 1);
  for (char* at = path + 1; *at != '\0'; ++at) {
    if (*at != '/') continue;
    *at = '\0';
    if (mkdir(path, 0755) != 0 && errno != EEXIST) give_up(path);
    *at = '/';
  }
}

void make_folder(const char* place, mode_t mode) {
  make_folders_above(place);
  if (mkdir(place, mode) != 0 && errno != EEXIST) give_up(place);
}

void make_file(const char* place, mode_t mode, const char* text, size_t bytes) {
  make_folders_above(place);
  int file = open(place, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
  if (file < 0 || write(file, text, bytes) != static_cast<ssize_t>(bytes)) give_up(place);
  close(file);
}

void make_link(const char* place, const char* target) {
  make_folders_above(place);
  if (symlink(target, place) != 0) give_up(place);
}

void attach(int tree, const char* place) {
  struct stat status{};
  if (fstat(tree, &status) != 0) give_up(place);
  if (S_ISDIR(status.st_mode))
    make_folder(place, 0755);
  else
    make_file(place, 0644, "", 0);
  if (syscall(SYS_move_mount, tree, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) != 0) give_up(place);
  close(tree);
}

void mount_new(const char* type, const char* place, unsigned long flags, const char* options) {
  if (mount(type, place, type, flags, options) != 0) give_up(place);
}

constexpr unsigned long no_setuid = 2, no_devices = 4, no_programs = 8;  // MS_NOSUID, MS_NODEV, MS_NOEXEC

// Nothing within makes name spaces, whatever it comes to hold; then /proc/sys is closed.
void show_processes() {
  make_folder("/proc", 0755);
  mount_new("proc", "/proc", no_setuid | no_devices | no_programs, nullptr);
  write_file("/proc/sys/user/max_user_namespaces", "0");
  attach(copy_of("/proc/sys", 0), "/proc/sys");
}

void show_devices(uint64_t shared_bytes) {
  make_folder("/dev", 0755);
  mount_new("tmpfs", "/dev", no_setuid | no_programs, "mode=0755");
  for (const char* node : nodes) {
    char host[32], place[32];
    snprintf(host, sizeof host, "/host/dev/%s", node);
    snprintf(place, sizeof place, "/dev/%s", node);
    attach(copy_of(host, mount_writable | mount_device), place);
  }
  make_link("/dev/fd", "/proc/self/fd");
  make_link("/dev/stdin", "/proc/self/fd/0");
  make_link("/dev/stdout", "/proc/self/fd/1");
  make_link("/dev/stderr", "/proc/self/fd/2");
  make_folder("/dev/pts", 0755);
  mount_new("devpts", "/dev/pts", no_setuid | no_programs, "newinstance,ptmxmode=0666,mode=620");
  make_link("/dev/ptmx", "pts/ptmx");
  make_folder("/dev/shm", 0755);
  char options[64];
  snprintf(options, sizeof options, "mode=1777,size=%llu", static_cast<unsigned long long>(shared_bytes));
  mount_new("tmpfs", "/dev/shm", no_setuid | no_devices, options);
}

// The new root is a file system in memory, the host's stands within until all is shown: the kernel mounts a /proc only
// where a whole one is in sight.
void enter_new_root() {
  mount_new("tmpfs", "/tmp", no_setuid | no_devices, "mode=0755");
  if (chdir("/tmp") != 0 || mkdir("host", 0755) != 0) give_up("the new root");
  if (syscall(SYS_pivot_root, ".", "host") != 0) give_up("pivot_root");
  if (chdir("/") != 0) give_up("the new root");
}

void leave_host() {
  if (umount2("/host", detach) != 0 || rmdir("/host") != 0) give_up("leaving the host's root");
  set_attributes(AT_FDCWD, "/", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

// ---- The rest

ifreq named(const char* device) {
  ifreq wanted{};
  strncpy(wanted.ifr_name, device, IFNAMSIZ - 1);
  return wanted;
}

bool raise(int any, const char* device) {
  ifreq wanted = named(device);
  wanted.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(any, SIOCSIFFLAGS, &wanted) == 0;
}

void put_address(sockaddr& place, uint32_t address) {
  sockaddr_in inet{};
  inet.sin_family = AF_INET;
  inet.sin_addr.s_addr = htonl(address);
  memcpy(&place, &inet, sizeof inet);
}

bool set_address(int any, unsigned long what, uint32_t address) {
  ifreq wanted = named(uplink::device);
  put_address(wanted.ifr_addr, address);
  return ioctl(any, what, &wanted) == 0;
}

void raise_loopback() {
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0 || !raise(any, "lo")) give_up("the loopback");
  close(any);
}

// A device belongs to the network name space of whoever opened /dev/net/tun.
bool make_device(int tap) {
  ifreq wanted = named(uplink::device);
  wanted.ifr_flags = IFF_TAP | IFF_NO_PI;
  return ioctl(tap, TUNSETIFF, &wanted) == 0;
}

bool set_mtu(int any) {
  ifreq wanted = named(uplink::device);
  wanted.ifr_mtu = uplink::mtu;
  return ioctl(any, SIOCSIFMTU, &wanted) == 0;
}

bool set_route(int any) {
  rtentry route{};
  put_address(route.rt_dst, 0);
  put_address(route.rt_genmask, 0);
  put_address(route.rt_gateway, uplink::gateway);
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  return ioctl(any, SIOCADDRT, &route) == 0;
}

void raise_uplink(Made& made) {
  if (made.uplink < 0) return;
  int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any >= 0 && make_device(made.uplink) && set_mtu(any) && set_address(any, SIOCSIFADDR, uplink::guest) &&
      set_address(any, SIOCSIFNETMASK, uplink::mask) && raise(any, uplink::device) && set_route(any)) {
    close(any);
    return;
  }
  made.reason = errno;
  close(made.uplink);
  made.uplink = -1;
  if (any >= 0) close(any);
}

void become(unsigned id) {
  if (syscall(SYS_setresgid, id, id, id) != 0 || syscall(SYS_setresuid, id, id, id) != 0)
    give_up("becoming another user");
}

void give_up_rights() {
  for (int one = 0; prctl(PR_CAPBSET_READ, one, 0, 0, 0) >= 0; ++one)
    if (prctl(PR_CAPBSET_DROP, one, 0, 0, 0) != 0) give_up("dropping capabilities");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 || syscall(SYS_capset, &header, none) != 0)
    give_up("dropping capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("no_new_privs");
}

void set_filter(const char* text, size_t bytes) {
  static sock_filter code[BPF_MAXINSNS];
  if (bytes == 0 || bytes > sizeof code || bytes % sizeof(sock_filter) != 0) {
    errno = EINVAL;
    give_up("the filter of system calls");
  }
  memcpy(code, text, bytes);
  sock_fprog program{static_cast<unsigned short>(bytes / sizeof(sock_filter)), code};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) give_up("the filter of system calls");
}

void take(const Plan& plan, Made& made) {
  int mounts = 0;
  each(plan, [&mounts, &made](const StepRead& read) {
    switch (read.step.kind) {
      case StepKind::hostname:
        if (sethostname(read.text, read.bytes) != 0) give_up("the host name");
        return;
      case StepKind::loopback: return raise_loopback();
      case StepKind::uplink: return raise_uplink(made);
      case StepKind::mount: {
        int tree = trees[mounts++];
        if (tree >= 0) attach(tree, read.place);
        return;
      }
      case StepKind::file: return make_file(read.place, static_cast<mode_t>(read.step.number), read.text, read.bytes);
      case StepKind::link: return make_link(read.place, read.text);
      case StepKind::processes: return show_processes();
      case StepKind::devices: return show_devices(read.step.number);
      case StepKind::directory:
      case StepKind::filter: return;
    }
    errno = EINVAL;
    give_up("a step that is none");
  });
}

void finish(const Plan& plan) {
  each(plan, [](const StepRead& read) {
    if (read.step.kind == StepKind::directory && chdir(read.text) != 0) give_up(read.text);
  });
  give_up_rights();
  each(plan, [](const StepRead& read) {
    if (read.step.kind == StepKind::filter) set_filter(read.text, read.bytes);
  });
}

// Dies with the process outside: the kernel is asked to see to it, again after each change of the user, which makes it
// forget; and the end of that process's pipe says whether it was too late.
void die_with(int lifeline) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up("prctl");
  char byte = 0;
  ssize_t count = read(lifeline, &byte, 1);
  if (count == 0) _exit(exit_protocol);
}

void within(const Plan& plan, const int* lifeline, bool trees_are_there, Made& made) {
  close(lifeline[1]);
  die_with(lifeline[0]);  // waits for the map of users
  if (plan.uplink) {
    made.uplink = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    made.reason = made.uplink < 0 ? errno : 0;
  }
  if (fcntl(lifeline[0], F_SETFL, O_NONBLOCK) != 0) give_up("fcntl");
  become(user_inside);
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) give_up("prctl");  // else its files in /proc are not its own
  die_with(lifeline[0]);
  close(lifeline[0]);
  setsid();
  const mode_t mask = umask(0);
  if (!trees_are_there) copy_trees(plan);
  enter_new_root();
  take(plan, made);
  leave_host();
  umask(mask);
  finish(plan);
  munmap(const_cast<char*>(plan.steps), plan.bytes);
}

void write_map(pid_t pid, const char* name, unsigned outside) {
  char path[48], text[48];
  snprintf(path, sizeof path, "/proc/%d/%s", static_cast<int>(pid), name);
  snprintf(text, sizeof text, "%u %u 1", user_inside, outside);
  write_file(path, text);
}

// The process outside: a map for the one within, and no more than to wait for its end.
[[noreturn]] void watch_over(pid_t pid, const int* lifeline, unsigned user, unsigned group, bool root) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/setgroups", static_cast<int>(pid));
  write_file(path, "deny");
  write_map(pid, "uid_map", user);
  write_map(pid, "gid_map", group);
  if (root) become(user);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) give_up("prctl");
  if (write(lifeline[1], "", 1) != 1) give_up("the first process of the sandbox");
  dup2(lifeline[1], STDIN_FILENO);  // what stays open: this, for as long as we live, and where errors are told
  close(STDOUT_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void join_cgroup(const char* file) { write_file(file, "0"); }

}  // namespace

Made make_sandbox(char** words) {
  const char* user = *words++;
  for (; *words != nullptr && strcmp(*words, "--") != 0; words += 2) {
    if (words[1] == nullptr || strcmp(*words, "--cgroup") != 0) _exit(exit_usage);
    join_cgroup(words[1]);
  }
  if (*words == nullptr) _exit(exit_usage);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up("prctl");
  const bool root = strcmp(user, "-") != 0;
  const auto outside = root ? static_cast<unsigned>(strtoul(user, nullptr, 10)) : geteuid();
  if (outside == 0) _exit(exit_usage);
  const Plan plan = read_plan();
  if (root) {
    if (setgroups(0, nullptr) != 0) give_up("leaving groups");
    copy_trees(plan);
  }
  int lifeline[2];
  if (pipe2(lifeline, O_CLOEXEC) != 0) give_up("a pipe");
  unsigned long flags = all_spaces | (plan.own_network ? CLONE_NEWNET : 0UL) | SIGCHLD;
  auto pid = static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (pid < 0) give_up("name spaces of its own");
  if (pid > 0) watch_over(pid, lifeline, outside, root ? outside : getegid(), root);
  Made made{words + 1};
  within(plan, lifeline, root, made);
  return made;
}

}  // namespace headrace::process::init
