#include "process/sandbox_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace headrace::process {
namespace {

#if defined(__x86_64__)
constexpr uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t machine = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t machine = 0;
#endif

constexpr uint32_t x32_bit = 0x40000000;
constexpr uint32_t own_spaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                CLONE_NEWPID | CLONE_NEWNET | 0x00000080 /* CLONE_NEWTIME, of unshare alone */;

// Calls that kernels later than our headers know: numbers are the same on all processors from 424 on.
constexpr uint32_t call_open_tree = 428, call_move_mount = 429, call_fsopen = 430, call_fsconfig = 431,
                   call_fsmount = 432, call_fspick = 433, call_clone3 = 435, call_mount_setattr = 442,
                   call_open_tree_attr = 467;

// clang-format off
constexpr uint32_t never[] = {
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_swapon, SYS_swapoff, SYS_reboot, SYS_acct,
    SYS_quotactl, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_bpf, SYS_perf_event_open,
    SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
    SYS_clock_adjtime, SYS_syslog, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_sethostname, SYS_setdomainname,
    SYS_vhangup, SYS_fanotify_init, SYS_move_pages, SYS_migrate_pages, SYS_mbind, SYS_set_mempolicy,
    call_open_tree, call_move_mount, call_fsopen, call_fsconfig, call_fsmount, call_fspick, call_mount_setattr,
    call_open_tree_attr,
#if defined(__x86_64__)
    SYS_kexec_file_load, SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_ustat, SYS_sysfs, SYS__sysctl,
#endif
};
// As a kernel that has them not: programs then do without.
constexpr uint32_t unknown[] = {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, call_clone3};
// clang-format on

class Program {
 public:
  void load(uint32_t offset) { add({BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}); }
  void answer(uint32_t what) { add({BPF_RET | BPF_K, 0, 0, what}); }
  // The accumulator holds a number: these answer with `what`, others go on.
  void if_equal(uint32_t value, uint32_t what) {
    add({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value});
    answer(what);
  }
  void unless_equal(uint32_t value, uint32_t what) {
    add({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value});
    answer(what);
  }
  void if_set(uint32_t bits, uint32_t what) {
    add({BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits});
    answer(what);
  }
  // For the call `number`: the next `length` instructions; others jump over them.
  void for_call(uint32_t number, uint8_t length) { add({BPF_JMP | BPF_JEQ | BPF_K, 0, length, number}); }
  std::string bytes() const {
    return {reinterpret_cast<const char*>(code_.data()), code_.size() * sizeof(sock_filter)};
  }

 private:
  void add(sock_filter instruction) { code_.push_back(instruction); }
  std::vector<sock_filter> code_;
};

constexpr uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t number_at = offsetof(seccomp_data, nr);
// The low half of an argument; the processors we know are little-endian. The kernel's own types of these are 32 bit.
constexpr uint32_t argument_at(uint32_t which) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args)) + which * 8;
}

void check_flags(Program& program, uint32_t call) {
  program.for_call(call, 4);
  program.load(argument_at(0));
  program.if_set(own_spaces & (call == SYS_clone ? ~0x80U : ~0U), refused);  // in clone it is part of the signal
  program.answer(SECCOMP_RET_ALLOW);
}

void check_terminal(Program& program) {
  program.for_call(SYS_ioctl, 6);
  program.load(argument_at(1));
  program.if_equal(TIOCSTI, refused);
  program.if_equal(TIOCLINUX, refused);
  program.answer(SECCOMP_RET_ALLOW);
}

void check_family(Program& program, uint32_t call) {
  program.for_call(call, 10);
  program.load(argument_at(0));
  for (int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
    program.if_equal(static_cast<uint32_t>(family), SECCOMP_RET_ALLOW);
  program.answer(SECCOMP_RET_ERRNO | EAFNOSUPPORT);
}

}  // namespace

core::Result<std::string> sandbox_filter() {
  if (machine == 0)
    return core::fail(core::Code::unavailable,
                      "The sandbox knows the system calls of x86_64 and aarch64 only, and this is another processor.");
  Program program;
  program.load(offsetof(seccomp_data, arch));
  program.unless_equal(machine, absent);
  program.load(number_at);
  if (machine == AUDIT_ARCH_X86_64) program.if_set(x32_bit, absent);
  for (uint32_t call : never) program.if_equal(call, refused);
  for (uint32_t call : unknown) program.if_equal(call, absent);
  check_flags(program, SYS_clone);
  check_flags(program, SYS_unshare);
  check_terminal(program);
  check_family(program, SYS_socket);
  check_family(program, SYS_socketpair);
  program.answer(SECCOMP_RET_ALLOW);
  return program.bytes();
}

}  // namespace headrace::process
