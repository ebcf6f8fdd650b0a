// Escapes: each test is a job that tries to get out of its sandbox, or to take what is not its own. The whole suite is
// run again as an unprivileged user (TheSameHolds...), because the two are isolated by different means.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "process/proc_stat.h"
#include "process/run.h"
#include "process/testing/sandbox_world.h"

namespace headrace::process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::SandboxWorld;
using namespace std::chrono_literals;

class SandboxEscape : public SandboxWorld {
 protected:
  SandboxEscape() {
    for (const char* folder : {"/data", "/other-job"}) {
      std::filesystem::create_directories(top + folder);
      std::ofstream(top + folder + "/treasure") << "treasure\n";
    }
  }

  // What errno a raw system call within the sandbox gives; "0" where it succeeds.
  std::string error_of_call(long number, const std::string& arguments) {
    auto said = python("import ctypes\nc=ctypes.CDLL(None,use_errno=True)\nr=c.syscall(ctypes.c_long(" +
                       std::to_string(number) + ")," + arguments + ")\nprint(ctypes.get_errno() if r==-1 else 0)");
    while (said.text.ends_with('\n')) said.text.pop_back();
    return said.text;
  }
  void expect_call(const char* name, long number, const std::string& arguments, int error) {
    EXPECT_EQ(error_of_call(number, arguments), std::to_string(error)) << name;
  }
};

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Those of the host with this real user.
int processes_of(uid_t user) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    struct stat status{};
    std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (::stat(entry.path().c_str(), &status) == 0 && status.st_uid == user) ++count;
  }
  return count;
}

TEST_F(SandboxEscape, SeesNothingOfTheServersDataNorOfOtherJobs) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_THAT(sh("cat " + top + "/data/treasure " + top + "/other-job/treasure").text,
              ::testing::AllOf(HasSubstr("No such file"), Not(HasSubstr("treasure\ntreasure"))));
  EXPECT_EQ(sh("find / -name treasure 2>/dev/null").text, "");
  EXPECT_EQ(sh("for p in /proc/[0-9]*; do ls $p/root/" + top + " 2>/dev/null; done").text, "");
}

TEST_F(SandboxEscape, FollowsNoLinkOutOfItsFolder) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_THAT(sh("ln -s " + top + "/data/treasure here; cat here; cat ../../../.." + top + "/data/treasure").text,
              Not(HasSubstr("\ntreasure")));
}

TEST_F(SandboxEscape, SeesOfTheHostsFilesTheAllowListAlone) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("ls -d /root /run /srv /boot /mnt /media /opt /etc/shadow /etc/ssh /etc/ssl/private /var/lib /sys/fs "
               "2>/dev/null")
                .text,
            "");
  EXPECT_EQ(sh("ls /home").text, "runner\n");
  EXPECT_EQ(sh("whoami; hostname").text, "runner\nrunner\n");
}

TEST_F(SandboxEscape, WritesNothingButItsOwn) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("for f in / /usr /usr/bin /etc /proc /.headrace /sys /sys/devices/system/cpu; do"
               " touch $f/x 2>/dev/null && echo wrote $f; done")
                .text,
            "");
  EXPECT_EQ(sh("for f in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger "
               "/proc/sys/kernel/hostname /proc/irq/default_smp_affinity; do"
               " (echo 1 > $f) 2>/dev/null && echo wrote $f; done")
                .text,
            "");
}

TEST_F(SandboxEscape, IsNobodyOnTheHost) {
  HEADRACE_SANDBOX_OR_SKIP();
  sh("touch mine");
  struct stat status{};
  ASSERT_EQ(::stat((job() + "/mine").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, user ? user->id() : ::geteuid());
  EXPECT_NE(status.st_uid, 0U);
}

TEST_F(SandboxEscape, HasNoCapabilityAndGainsNone) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("grep -c '^Cap.*:.0000000000000000$' /proc/self/status").text, "5\n");
  EXPECT_EQ(sh("grep NoNewPrivs /proc/self/status").text, "NoNewPrivs:\t1\n");
  EXPECT_THAT(python("import os\nos.setuid(0)").text, HasSubstr("Error"));  // no such user in there: EINVAL
  EXPECT_THAT(python("import os\nos.setgroups([0])").text, HasSubstr("Error"));
  // A set-uid bit is of no use: here on a copy of its own, and on what the distribution has.
  EXPECT_EQ(sh("cp /usr/bin/id own; chmod 6755 own; ./own -u; ./own -g").text, "1001\n1001\n");
  EXPECT_FALSE(sh("su -c id < /dev/null").exit.succeeded());
}

TEST_F(SandboxEscape, SeesAndReachesNoProcessOfTheHost) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("cat /proc/[0-9]*/comm | sort -u | grep -v -e sh -e cat -e sort -e grep").text, "headrace-init\n");
  EXPECT_FALSE(sh("kill -0 " + std::to_string(::getpid())).exit.succeeded());
  EXPECT_FALSE(sh("kill -0 " + std::to_string(sandbox->pid())).exit.succeeded());
}

TEST_F(SandboxEscape, CannotTouchItsInit) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_THAT(sh("cat /proc/1/environ; ls /proc/1/fd; cat /proc/1/mem").text,
              ::testing::AllOf(HasSubstr("Permission denied"), Not(HasSubstr("socket"))));
  constexpr int attach = 16;
  expect_call("ptrace", SYS_ptrace, std::to_string(attach) + ",1,0,0", EPERM);
  auto stolen = python(
      "import ctypes,os\nc=ctypes.CDLL(None,use_errno=True)\nf=c.syscall(434,1,0)\n"
      "r=c.syscall(438,f,3,0)\nprint(ctypes.get_errno() if r==-1 else 'stolen')");
  EXPECT_EQ(stolen.text, std::to_string(EPERM) + "\n");
  sh("kill -9 1; kill -STOP 1; kill -TERM -1");
  EXPECT_EQ(sh("echo still there").text, "still there\n");
}

TEST_F(SandboxEscape, CommandLinesTellNothing) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_THAT(text_of("/proc/" + std::to_string(sandbox->pid()) + "/cmdline"), Not(HasSubstr(job())));
  EXPECT_THAT(sh("cat /proc/1/cmdline").text, Not(HasSubstr(job())));
}

TEST_F(SandboxEscape, MountsNothing) {
  HEADRACE_SANDBOX_OR_SKIP();
  expect_call("mount", SYS_mount, "b'none',b'/tmp',b'tmpfs',0,0", EPERM);
  expect_call("remount", SYS_mount, "b'none',b'/usr',b'',32,0", EPERM);
  expect_call("umount2", SYS_umount2, "b'/proc/sys',0", EPERM);
  expect_call("pivot_root", SYS_pivot_root, "b'/',b'/home'", EPERM);
  expect_call("chroot", SYS_chroot, "b'/home/runner'", EPERM);
  expect_call("fsopen", 430, "b'tmpfs',0", EPERM);
  expect_call("open_tree", 428, "-100,b'/',1", EPERM);
  expect_call("move_mount", 429, "-100,b'/usr',-100,b'/home',0", EPERM);
  expect_call("open_by_handle_at", SYS_open_by_handle_at, "-100,0,0", EPERM);
}

TEST_F(SandboxEscape, MakesNoNameSpaces) {
  HEADRACE_SANDBOX_OR_SKIP();
  for (long space : {0x10000000L, 0x20000L, 0x20000000L, 0x40000000L, 0x80L})
    expect_call("unshare", SYS_unshare, std::to_string(space), EPERM);
  expect_call("clone", SYS_clone, std::to_string(0x10000000L | SIGCHLD) + ",0,0,0,0", EPERM);
  expect_call("clone3", 435, "0,0", ENOSYS);
  expect_call("setns", SYS_setns, "0,0", EPERM);
  EXPECT_EQ(sh("cat /proc/sys/user/max_user_namespaces").text.size() > 0, true);
}

TEST_F(SandboxEscape, MakesNoDeviceAndSeesOnlyHarmlessOnes) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_FALSE(sh("mknod disk b 8 0").exit.succeeded());
  EXPECT_FALSE(sh("mknod /dev/kmsg c 1 11").exit.succeeded());
  EXPECT_EQ(
      sh("cd /dev; for f in *; do [ -h $f ] && continue; [ -c $f ] || [ -b $f ] && echo $f; done | sort | tr '\\n' ' '")
          .text,
      "full null random tty urandom zero ");
}

TEST_F(SandboxEscape, ReachesNoSocketOfTheHost) {
  Descriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(tcp.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(tcp.get(), 8), 0);
  ASSERT_EQ(::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  Descriptor abstract(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::string text = "headrace/escape/" + std::to_string(::getpid());
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<sockaddr*>(&name),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size())),
            0);
  ASSERT_EQ(::listen(abstract.get(), 8), 0);
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_THAT(
      python("import socket\nsocket.create_connection(('127.0.0.1'," + std::to_string(ntohs(address.sin_port)) + "),2)")
          .text,
      HasSubstr("ConnectionRefused"));
  EXPECT_THAT(python("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0" + text + "')").text,
              HasSubstr("ConnectionRefused"));
  EXPECT_EQ(sh("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").text, "lo\n");
}

TEST_F(SandboxEscape, HasOnlyOrdinaryFamiliesOfSockets) {
  HEADRACE_SANDBOX_OR_SKIP();
  for (int family : {AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH, AF_KEY})
    expect_call("socket", SYS_socket, std::to_string(family) + ",3,0", EAFNOSUPPORT);
  EXPECT_THAT(error_of_call(SYS_socket, std::to_string(AF_INET) + ",3,1"), Not("0")) << "raw";
}

TEST_F(SandboxEscape, UsesNoneOfTheKernelsSharpTools) {
  HEADRACE_SANDBOX_OR_SKIP();
  expect_call("keyctl", SYS_keyctl, "0,-3,1", EPERM);
  expect_call("add_key", SYS_add_key, "b'user',b'a',b'b',1,-3", EPERM);
  expect_call("request_key", SYS_request_key, "b'user',b'a',0,0", EPERM);
  expect_call("bpf", SYS_bpf, "0,0,0", EPERM);
  expect_call("perf_event_open", SYS_perf_event_open, "0,0,-1,-1,0", EPERM);
  expect_call("userfaultfd", SYS_userfaultfd, "0", EPERM);
  expect_call("io_uring_setup", 425, "1,0", ENOSYS);
  expect_call("kexec_load", SYS_kexec_load, "0,0,0,0", EPERM);
  expect_call("init_module", SYS_init_module, "0,0,b''", EPERM);
  expect_call("reboot", SYS_reboot, "0,0,0,0", EPERM);
  expect_call("settimeofday", SYS_settimeofday, "0,0", EPERM);
  expect_call("syslog", SYS_syslog, "3,0,0", EPERM);
#if defined(__x86_64__)
  expect_call("getpid of x32", 0x40000000 + SYS_getpid, "0", ENOSYS);
#endif
}

TEST_F(SandboxEscape, TypesIntoNoTerminal) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto typed = python("import os,fcntl\nm,s=os.openpty()\ntry:\n  fcntl.ioctl(s," + std::to_string(TIOCSTI) +
                      ",b'x')\n  print('typed')\nexcept OSError as e: print(e.errno)");
  EXPECT_EQ(typed.text, std::to_string(EPERM) + "\n");
  EXPECT_THAT(sh("echo x > /dev/tty").text, HasSubstr("No such device"));
}

TEST_F(SandboxEscape, AForkBombStaysWithinAndGoesWithTheSandbox) {
  auto wanted = options();
  wanted.processes = 64;
  if (!start(wanted)) GTEST_SKIP() << "no sandbox on this machine: " << why;
  auto bomb = begin({"sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 0.3; echo over"});
  ASSERT_TRUE(bomb);
  auto said = loop.run(read_all(**bomb));
  loop.run(sandbox->end());
  sandbox.reset();
  if (user) {
    EXPECT_EQ(processes_of(user->id()), 0);
  }
}

TEST_F(SandboxEscape, SharedMemoryIsBounded) {
  auto wanted = options();
  wanted.shared_memory_bytes = 8 << 20;
  if (!start(wanted)) GTEST_SKIP() << "no sandbox on this machine: " << why;
  EXPECT_THAT(sh("dd if=/dev/zero of=/dev/shm/big bs=1M count=32 2>&1; stat -c %s /dev/shm/big").text,
              ::testing::AllOf(HasSubstr("No space left"), HasSubstr("8388608")));
}

TEST_F(SandboxEscape, DaemonsDoNotOutliveIt) {
  HEADRACE_SANDBOX_OR_SKIP();
  sh("setsid sh -c 'touch up; exec sleep 1000' >/dev/null 2>&1 & while [ ! -e up ]; do sleep 0.01; done");
  EXPECT_EQ(sh("ps ax | grep -c '[s]leep 1000'").text, "1\n");
  loop.run(sandbox->end());
  sandbox.reset();
  if (user) {
    EXPECT_EQ(processes_of(user->id()), 0);
  }
}

TEST_F(SandboxEscape, DiesWithARunnerThatIsKilled) {
  HEADRACE_SANDBOX_OR_SKIP();  // that there can be one
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  pid_t runner = ::fork();
  if (runner == 0) {
    core::Loop other;
    auto made = other.run(Sandbox::start(other.executor(), options()));
    pid_t pid = made ? (*made)->pid() : 0;
    ssize_t told = ::write(ends[1], &pid, sizeof pid);
    ::kill(::getpid(), told > 0 ? SIGKILL : SIGTERM);
  }
  pid_t pid = 0;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::close(ends[0]);
  ::close(ends[1]);
  ::waitpid(runner, nullptr, 0);
  ASSERT_GT(pid, 0);
  auto lives = [pid] {
    auto stat = read_proc_stat(pid);
    return stat && stat->state != 'Z' && stat->state != 'X';
  };
  for (int round = 0; round < 1000 && lives(); ++round) loop.run(clock.sleep_for(5ms));
  EXPECT_FALSE(lives());
}

TEST_F(SandboxEscape, EveryMountIsReadOnlyButTheJobsOwnAndNoneHasSetUserIds) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto mounts = sh("cat /proc/self/mountinfo").text;
  std::istringstream lines(mounts);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::istringstream words(line);
    std::string skipped, place, options;
    words >> skipped >> skipped >> skipped >> skipped >> place >> options;
    EXPECT_THAT(options, HasSubstr("nosuid")) << line;
    bool own = place == "/home/runner" || place == "/proc" || place.starts_with("/dev");
    EXPECT_EQ(options.starts_with("rw"), own) << line;
    EXPECT_TRUE(options.find("nodev") != std::string::npos || place.starts_with("/dev")) << line;
    EXPECT_THAT(line, Not(HasSubstr("shared:"))) << "what is mounted within or without stays there";
  }
  EXPECT_GT(count, 8U);
  EXPECT_EQ(sh("ls -a / | grep -i -e host -e old; cat /proc/sys/user/max_user_namespaces").text, "0\n");
}

TEST_F(SandboxEscape, HasNoCapabilityAndGetsNone) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("grep -e ^Cap /proc/self/status | grep -v 0000000000000000; grep -e ^NoNewPrivs -e ^Seccomp: "
               "/proc/self/status | tr -d '\\t '")
                .text,
            "NoNewPrivs:1\nSeccomp:2\n");
}

// The program itself again, as nobody: all then stands on user name spaces alone.
TEST(SandboxOfAnUnprivilegedRunner, TheSameHolds) {
  if (::geteuid() != 0) GTEST_SKIP() << "this is the unprivileged run";
  Descriptor program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(program);
  Spec spec;
  spec.argv = {"setpriv",         "--reuid=65534",   "--regid=65534",
               "--clear-groups",  "/proc/self/fd/3", "--gtest_filter=SandboxEscape.*:SandboxTest.*:SandboxStart.*",
               "--gtest_brief=1", "--gtest_output="};
  spec.environment = inherited_environment({"PATH"});
  spec.extra = {program.get()};
  spec.directory = "/";
  core::Loop loop;
  RunLimits limits;
  limits.deadline = 300s;
  auto ran = loop.run(run(loop.executor(), std::move(spec), {}, limits));
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_TRUE(ran->exit.succeeded()) << ran->out << ran->err;
}

}  // namespace
}  // namespace headrace::process
