#include "process/egress/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "process/egress/filter.h"
#include "process/egress/stack.h"
#include "process/egress_protocol.h"

namespace headrace::process::egress {
namespace {

constexpr rlim_t memory_bytes_max = rlim_t{1} << 30;  // of addresses: buffers of sockets_max connections, and to spare

bool write_file(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  const bool written = file >= 0 && write(file, text, strlen(text)) == static_cast<ssize_t>(strlen(text));
  if (file >= 0) close(file);
  return written;
}

bool own_users() {
  char users[64];
  char groups[64];
  snprintf(users, sizeof users, "%u %u 1\n", geteuid(), geteuid());
  snprintf(groups, sizeof groups, "%u %u 1\n", getegid(), getegid());
  return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/uid_map", users) &&
         write_file("/proc/self/setgroups", "deny\n") && write_file("/proc/self/gid_map", groups);
}

// Like mkdir -p, of an absolute path.
void make_folders(char* path) {
  for (char* at = path + 1; *at != '\0'; ++at) {
    if (*at != '/') continue;
    *at = '\0';
    mkdir(path, 0755);
    *at = '/';
  }
  mkdir(path, 0755);
}

// Shows `folder` at the same path beneath the working directory; nothing where it is not there.
void show(const char* folder) {
  struct stat status{};
  if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)) return;
  char at[PATH_MAX];
  if (snprintf(at, sizeof at, "/tmp%s", folder) >= static_cast<int>(sizeof at)) return;
  make_folders(at);
  constexpr unsigned long kind = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount(folder, at, nullptr, MS_BIND | MS_REC, nullptr) == 0)
    mount(nullptr, at, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kind, nullptr);
}

// resolv.conf is read again while jobs run, and whoever writes it puts a new file in its place: so it is its folders
// that are shown. These are where systemd-resolved, resolvconf and NetworkManager have it.
void show_name_servers() {
  for (const char* folder : {"/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager"}) show(folder);
  char target[PATH_MAX];
  if (realpath("/etc/resolv.conf", target) == nullptr) return;
  char* name = strrchr(target, '/');
  if (name == target) return;
  *name = '\0';
  if (strncmp(target, "/etc/", 5) != 0 && strcmp(target, "/etc") != 0) show(target);
}

}  // namespace

void leave_file_system() {
  if (geteuid() == 0 ? unshare(CLONE_NEWNS) != 0 : !own_users()) return;
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return;
  if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=64k") != 0) return;
  show_name_servers();
  if (chdir("/tmp") != 0) return;
  if (syscall(SYS_pivot_root, ".", ".") != 0) return;
  umount2(".", MNT_DETACH);  // the old root, which lies upon the new one
  if (chdir("/") != 0) return;
  mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

void set_limits() {
  auto limit = [](auto resource, rlim_t most) {
    const rlimit wanted{most, most};
    setrlimit(resource, &wanted);
  };
  limit(RLIMIT_NOFILE, sockets_max);
  limit(RLIMIT_AS, memory_bytes_max);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
}

bool drop_rights() {
  prctl(PR_SET_DUMPABLE, 0);
  for (int right = 0; prctl(PR_CAPBSET_READ, right) >= 0; ++right) prctl(PR_CAPBSET_DROP, right);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct rights[2] = {};
  if (geteuid() == 0) rights[0].permitted = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_KILL;
  rights[0].effective = rights[0].permitted;
  if (syscall(SYS_capset, &header, rights) != 0) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  const sock_fprog program{static_cast<unsigned short>(filter.length), const_cast<sock_filter*>(filter.code)};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

bool become(unsigned user, int parent) {
  if (geteuid() == 0) {
    if (user == 0 || user == same_user) {
      errno = EPERM;
      return false;
    }
    if (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
      return false;
  }
  const rlimit none{0, 0};
  // A change of the user forgets the signal and shows the process to others of that user.
  if (setrlimit(RLIMIT_NPROC, &none) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
    return false;
  return getppid() == parent;
}

}  // namespace headrace::process::egress
