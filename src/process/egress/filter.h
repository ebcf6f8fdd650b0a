// The system calls that the egress program and those that serve may make: a constant program for seccomp(2). What is
// not listed fails with EPERM.
//
// One filter for both, so that a start costs none: what the program needs beyond a server (fork, the change of the
// user) is nothing to a process without rights whose RLIMIT_NPROC is 0.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <initializer_list>

namespace headrace::process::egress {

#if defined(__x86_64__)
constexpr uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t machine = AUDIT_ARCH_AARCH64;
#else
#error "The filter of the egress program knows the system calls of x86_64 and aarch64 only."
#endif

constexpr int call_close_range = 436;  // our headers know it not; one number on all processors

struct Filter {
  sock_filter code[256] = {};
  size_t length = 0;

  constexpr void add(unsigned what, uint32_t value, uint8_t yes = 0, uint8_t no = 0) {
    code[length++] = {static_cast<uint16_t>(what), yes, no, value};
  }
  constexpr void load(size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  constexpr void answer(uint32_t what) { add(BPF_RET | BPF_K, what); }
  constexpr void allow(uint32_t call) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    answer(SECCOMP_RET_ALLOW);
  }
  // The low halves of arguments: the kernel's own types of these are 32 bit, and the processors little-endian.
  constexpr void load_argument(size_t which) { load(offsetof(seccomp_data, args) + which * 8); }
  // The call with one of these values in that argument, as far as `mask` goes.
  template <size_t N>
  constexpr void allow_values(uint32_t call, size_t argument, uint32_t mask, const uint32_t (&values)[N]) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<uint8_t>(3 + 2 * N));
    load_argument(argument);
    add(BPF_ALU | BPF_AND | BPF_K, mask);
    for (uint32_t value : values) allow(value);
    answer(SECCOMP_RET_ERRNO | EPERM);
  }
};

constexpr Filter make_filter() {
  constexpr uint32_t all = UINT32_MAX;
  Filter made;
  made.load(offsetof(seccomp_data, arch));
  made.add(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0);
  made.answer(SECCOMP_RET_KILL_PROCESS);
  made.load(offsetof(seccomp_data, nr));
  // The library at work: sockets, the tap, memory, resolv.conf.
  for (int call :
       {SYS_read, SYS_write, SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_close, SYS_connect,
        SYS_bind, SYS_shutdown, SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_clock_gettime,
        SYS_gettimeofday, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom, SYS_fstat,
        SYS_newfstatat, SYS_lseek, SYS_writev, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
        SYS_poll, SYS_time,
#endif
        // Besides, what makes a process that serves.
        SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_getpid, SYS_getppid, SYS_gettid, SYS_geteuid,
        SYS_set_robust_list, SYS_dup3, call_close_range, SYS_wait4, SYS_setgroups, SYS_setresgid, SYS_setresuid,
        SYS_prlimit64})
    made.allow(static_cast<uint32_t>(call));
  constexpr uint32_t executable[] = {0};
  made.allow_values(SYS_mmap, 2, PROT_EXEC, executable);
  made.allow_values(SYS_mprotect, 2, PROT_EXEC, executable);
  constexpr uint32_t reading[] = {O_RDONLY};
  made.allow_values(SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY), reading);
  constexpr uint32_t asking[] = {FIONREAD};
  made.allow_values(SYS_ioctl, 1, all, asking);
  constexpr uint32_t flags[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
  made.allow_values(SYS_fcntl, 1, all, flags);
  constexpr uint32_t settings[] = {PR_SET_PDEATHSIG, PR_SET_DUMPABLE};
  made.allow_values(SYS_prctl, 0, all, settings);
  constexpr uint32_t plain_fork[] = {0};
  constexpr uint32_t fork_flags = 0x00200000U | 0x01000000U;  // CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID
  made.allow_values(SYS_clone, 0, ~(fork_flags | 0xffU), plain_fork);
  // A socket of the Internet that is no raw one; the flags of its type are not looked at.
  made.add(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 9);
  made.load_argument(0);
  made.add(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 0, 6);
  made.load_argument(1);
  made.add(BPF_ALU | BPF_AND | BPF_K, 0xf);
  made.allow(SOCK_STREAM);
  made.allow(SOCK_DGRAM);
  made.answer(SECCOMP_RET_ERRNO | EPERM);
  made.answer(SECCOMP_RET_ERRNO | EPERM);
  return made;
}

constexpr Filter filter = make_filter();

}  // namespace headrace::process::egress
