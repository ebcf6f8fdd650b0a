// The small program within a sandbox or container: static, of the C library alone, so that it starts in no time and
// wants nothing of what is around it. The headrace binary carries it (init_image.h). Two trades:
//
//   headrace-init make UID [--cgroup FILE]... -- OPTION...   makes a sandbox (make.h) and is pid 1 of it; descriptor 3
//                                                            is its end of the control socket
//   headrace-init listen PATH OPTION...    pid 1 of a container; waits for one connection at the Unix socket PATH
//
// OPTION: --open-files N, --processes N, --file-bytes N (limits of all it starts), --memory-watch BYTES. What it says
// and hears is in init_protocol.h. It is not dumpable: the job, which has its uid, cannot trace it or take its
// descriptors; as pid 1 it ignores the signals of the job.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "process/init/make.h"
#include "process/init/say.h"
#include "process/init_payload.h"
#include "process/init_protocol.h"
#include "process/packet.h"

namespace {

using namespace headrace::process::init;
using headrace::process::receive_packet;
using headrace::process::send_packet;

constexpr int watch_milliseconds = 200;
constexpr int listen_milliseconds = 60'000;  // for the runner to connect
constexpr size_t candidate_bytes_max = 4'096;

int control_socket = control;
uint64_t memory_watch = 0;

// ---- Messages

void say(const Message& message, int descriptor = -1) {
  // Waits while the runner is slow; where it has gone, the next receive says so.
  while (send_packet(control_socket, &message, sizeof message, &descriptor, descriptor >= 0 ? 1 : 0, 0) < 0 &&
         errno == EINTR) {
  }
}

struct Heard {
  Message message;
  int descriptors[descriptors_max] = {-1, -1, -1, -1};
  size_t count = 0;
};

// False where the runner has gone. Anything but a whole message of this protocol ends the init, and the job with it.
bool hear(Heard& heard) {
  ssize_t count = 0;
  do {
    count = receive_packet(control_socket, &heard.message, sizeof heard.message, heard.descriptors, descriptors_max,
                           heard.count, 0);
  } while (count < 0 && errno == EINTR);
  if (count == 0 || (count < 0 && errno != EBADMSG)) return false;
  if (static_cast<size_t>(count) != sizeof heard.message || heard.message.magic != magic) {
    errno = EBADMSG;
    give_up("a message that is not of this protocol");
  }
  return true;
}

// ---- What runs

struct Run {
  uint32_t id = 0;
  pid_t pid = 0;
  uint32_t flags = 0;
};
Run runs[runs_max];

Run* run_of_id(uint32_t id) {
  for (Run& run : runs)
    if (run.id == id && run.id != 0) return &run;
  return nullptr;
}
Run* run_of_pid(pid_t pid) {
  for (Run& run : runs)
    if (run.id != 0 && run.pid == pid) return &run;
  return nullptr;
}
Run* free_run() {
  for (Run& run : runs)
    if (run.id == 0) return &run;
  return nullptr;
}

void forget(Wanted& wanted) {
  if (wanted.text != nullptr) munmap(wanted.text, wanted.bytes);
  forget_words(wanted);
}

// A private copy of the file: nobody changes it while it is read.
bool load(int file, Wanted& wanted) {
  struct stat status{};
  if (fstat(file, &status) != 0) return false;
  auto bytes = static_cast<size_t>(status.st_size);
  if (bytes <= sizeof(Payload) || bytes > payload_bytes_max) return false;
  void* text = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (text == MAP_FAILED) return false;
  wanted.text = static_cast<char*>(text);
  wanted.bytes = bytes;
  return true;
}

const char* path_of(char** environment) {
  for (; *environment != nullptr; ++environment)
    if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
  return "/usr/local/bin:/usr/bin:/bin";
}

// execve, by PATH where the name has no slash. Returns errno. Runs in the child of vfork: on the stack alone.
int execute(const Wanted& wanted) {
  const char* name = wanted.arguments[0];
  if (strchr(name, '/') != nullptr) {
    execve(name, wanted.arguments, wanted.environment);
    return errno;
  }
  int reason = ENOENT;
  for (const char* from = path_of(wanted.environment); *from != '\0';) {
    size_t length = strcspn(from, ":");
    char candidate[candidate_bytes_max];
    int written = snprintf(candidate, sizeof candidate, "%.*s/%s", static_cast<int>(length), from, name);
    if (length > 0 && written > 0 && static_cast<size_t>(written) < sizeof candidate) {
      execve(candidate, wanted.arguments, wanted.environment);
      if (errno != ENOENT && errno != ENOTDIR) reason = errno;
    }
    from += length + (from[length] == ':' ? 1 : 0);
  }
  return reason;
}

struct Outcome {
  pid_t pid = -1;
  int error = 0;
  Stage stage = Stage::process;
};

// In the child: its streams, its session, its place, its program. Returns only where one of them failed.
void become(const Wanted& wanted, const int* streams, volatile Outcome* outcome) {
  setsid();
  for (int stream = 0; stream < 3; ++stream) dup2(streams[stream], stream);
  close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  outcome->stage = Stage::directory;
  if (chdir(wanted.directory) != 0) {
    outcome->error = errno;
    _exit(127);
  }
  outcome->stage = Stage::program;
  outcome->error = execute(wanted);
  _exit(127);
}

Outcome start(const Wanted& wanted, const int* streams) {
  volatile Outcome shared;
  shared.error = 0;
  shared.stage = Stage::process;
  pid_t pid =
      vfork();  // NOLINT: the child shares the memory until it runs its program, which is what tells us of errors
  if (pid == 0) become(wanted, streams, &shared);
  Outcome outcome;
  outcome.pid = pid;
  outcome.error = pid < 0 ? errno : shared.error;
  outcome.stage = shared.stage;
  if (pid > 0 && outcome.error != 0) waitpid(pid, nullptr, 0);
  return outcome;
}

// Descriptors of a message are numbered above the standard streams, so no dup2 overwrites the next one.
void do_run(const Heard& heard) {
  Message answer;
  answer.id = heard.message.id;
  answer.kind = Kind::failed;
  answer.number = EAGAIN;
  answer.value = static_cast<uint32_t>(Stage::process);
  Run* place = free_run();
  if (heard.count != descriptors_max || heard.message.id == 0) give_up("a run without its descriptors");
  if (place == nullptr) return say(answer);
  Wanted wanted;
  if (load(heard.descriptors[0], wanted) && take_apart(wanted)) {
    Outcome outcome = start(wanted, heard.descriptors + 1);
    answer.number = static_cast<uint32_t>(outcome.error != 0 ? outcome.error : outcome.pid);
    answer.value = static_cast<uint32_t>(outcome.stage);
    if (outcome.error == 0) {
      answer.kind = Kind::started;
      *place = {heard.message.id, outcome.pid, heard.message.flags};
    }
  } else {
    answer.number = EINVAL;
    answer.value = static_cast<uint32_t>(Stage::payload);
  }
  forget(wanted);
  say(answer);
}

// A socket on the loopback of the network that the job sees.
void do_listen(const Heard& heard) {
  Message answer;
  answer.kind = Kind::listening;
  answer.id = heard.message.id;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(heard.message.number));
  socklen_t length = sizeof address;
  int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int reused = 1;  // of a job that listened there just before
  if (made >= 0) setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &reused, sizeof reused);
  if (made >= 0 && bind(made, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(made, SOMAXCONN) == 0 &&
      getsockname(made, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    answer.number = ntohs(address.sin_port);
    say(answer, made);
  } else {
    answer.value = static_cast<uint32_t>(errno);
    say(answer);
  }
  if (made >= 0) close(made);
}

void handle(const Heard& heard) {
  const Run* run = run_of_id(heard.message.id);
  auto number = static_cast<int>(heard.message.number);
  switch (heard.message.kind) {
    case Kind::run: return do_run(heard);
    case Kind::listen: return do_listen(heard);
    case Kind::signal:
      if (run != nullptr) kill(run->pid, number);
      return;
    case Kind::signal_group:
      if (run != nullptr && kill(-run->pid, number) != 0) kill(run->pid, number);
      return;
    default: give_up("a message that is not for an init");
  }
}

void tell_exit(Run& run, int status, const rusage& used) {
  Message message;
  message.kind = Kind::exited;
  message.id = run.id;
  message.number = static_cast<uint32_t>(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
  message.value = static_cast<uint32_t>(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  message.processor = static_cast<uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 +
                      static_cast<uint64_t>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  message.memory = static_cast<uint64_t>(used.ru_maxrss) * 1024;
  run = Run{};
  say(message);
}

// Whoever has ended. Until it is reaped its pid, and so the name of its group, is its own.
void reap() {
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    Run* run = run_of_pid(info.si_pid);
    if (run != nullptr && (run->flags & keep_leftovers) == 0) kill(-run->pid, SIGKILL);
    int status = 0;
    rusage used{};
    if (wait4(info.si_pid, &status, 0, &used) == info.si_pid && run != nullptr) tell_exit(*run, status, used);
  }
}

// ---- The watch of memory, where no cgroup bounds it

uint64_t resident_bytes(const char* pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/statm", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128];
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return 0;
  text[count] = '\0';
  const char* second = strchr(text, ' ');
  return second == nullptr ? 0 : strtoull(second, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void watch_memory() {
  DIR* processes = opendir("/proc");
  if (processes == nullptr) return;
  uint64_t sum = 0;
  while (const dirent* entry = readdir(processes))
    if (entry->d_name[0] >= '2' || (entry->d_name[0] == '1' && entry->d_name[1] != '\0'))
      if (entry->d_name[0] <= '9') sum += resident_bytes(entry->d_name);
  closedir(processes);
  if (sum <= memory_watch) return;
  kill(-1, SIGKILL);
  Message message;
  message.kind = Kind::memory_exceeded;
  message.memory = sum;
  say(message);
}

// ---- The trades

void bound(__rlimit_resource what, uint64_t value) {
  rlimit now{};
  if (getrlimit(what, &now) != 0) return;
  rlimit wanted{value, value};
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) wanted = {now.rlim_max, now.rlim_max};
  if (setrlimit(what, &wanted) != 0) give_up("setting a limit");
}

void read_options(char** words) {
  bound(RLIMIT_CORE, 0);
  for (; *words != nullptr; words += 2) {
    if (words[1] == nullptr) _exit(exit_usage);
    uint64_t value = strtoull(words[1], nullptr, 10);
    if (strcmp(*words, "--open-files") == 0) {
      bound(RLIMIT_NOFILE, value);
    } else if (strcmp(*words, "--processes") == 0) {
      bound(RLIMIT_NPROC, value);
    } else if (strcmp(*words, "--file-bytes") == 0) {
      bound(RLIMIT_FSIZE, value);
    } else if (strcmp(*words, "--memory-watch") == 0) {
      memory_watch = value;
    } else {
      _exit(exit_usage);
    }
  }
}

void write_word(const char* path, const char* word) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t written = write(file, word, strlen(word));
  static_cast<void>(written);
  close(file);
}

// Everything the job started is a candidate before anything of the host where memory runs out.
void introduce(int uplink, int reason) {
  write_word("/proc/self/oom_score_adj", "500");
  Message ready;
  ready.kind = Kind::ready;
  ready.value = static_cast<uint32_t>(reason);
  if (prctl(PR_SET_DUMPABLE, 0) != 0) give_up("prctl");
  say(ready, uplink);
  if (uplink >= 0) close(uplink);  // it is the runner's: with its last descriptor the device goes
}

[[noreturn]] void end_all(bool asked) {
  kill(-1, SIGKILL);
  while (wait(nullptr) > 0) {
  }
  Message ended;
  ended.kind = Kind::ended;
  if (asked) say(ended);
  _exit(0);
}

[[noreturn]] void serve(int uplink = -1, int reason = 0) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0 || fcntl(control_socket, F_SETFD, FD_CLOEXEC) != 0) give_up("the control socket");
  introduce(uplink, reason);
  for (;;) {
    pollfd waits[2] = {{control_socket, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(waits, 2, memory_watch > 0 ? watch_milliseconds : -1) < 0 && errno != EINTR) give_up("poll");
    if (waits[1].revents != 0) {
      signalfd_siginfo ignored[8];
      while (read(signals, ignored, sizeof ignored) > 0) {
      }
      reap();
    }
    if (memory_watch > 0) watch_memory();
    if (waits[0].revents == 0) continue;
    Heard heard;
    if (!hear(heard)) end_all(false);
    if (heard.message.kind == Kind::end) end_all(true);
    handle(heard);
    for (int descriptor : heard.descriptors)
      if (descriptor >= 0) close(descriptor);
  }
}

void accept_runner(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) _exit(exit_usage);
  memcpy(address.sun_path, path, strlen(path));
  int door = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  unlink(path);
  if (door < 0 || bind(door, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || chmod(path, 0666) != 0 ||
      listen(door, 1) != 0)
    give_up("listening for the runner");
  pollfd waits{door, POLLIN, 0};
  if (poll(&waits, 1, listen_milliseconds) <= 0) give_up("no runner came");
  control_socket = accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
  if (control_socket < 0) give_up("accepting the runner");
  unlink(path);
  close(door);
}

}  // namespace

int main(int, char** words) {
  if (words[0] == nullptr || words[1] == nullptr) return exit_usage;
  if (words[2] == nullptr) return exit_usage;
  prctl(PR_SET_NAME, "headrace-init");  // else the number of a descriptor
  if (strcmp(words[1], "make") == 0) {
    const Made made = make_sandbox(words + 2);
    read_options(made.options);
    serve(made.uplink, made.reason);
  }
  if (strcmp(words[1], "listen") != 0) return exit_usage;
  read_options(words + 3);
  accept_runner(words[2]);
  serve();
}
