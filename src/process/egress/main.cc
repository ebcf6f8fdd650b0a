// The way out of jobs: one program a runner, which forks a small process for each job that has a network. That process
// reads what the job sends from its tap device and speaks for it by ordinary sockets (stack.h); it is the job's user,
// without rights, and can do little else (confine.h). Of the C library alone, and of libslirp where that is installed.
//
// What it hears and says is in egress_protocol.h. It ends with its runner; the processes that serve end with it, with
// their lifelines, and with the job's tap.
//
// A process that broke, rather than ended, was given something that breaks it, and all of them have the same layout of
// memory. So the program then takes no more requests and ends with the last that serves: the runner starts another one,
// which is laid out anew.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/egress/confine.h"
#include "process/egress/stack.h"
#include "process/egress_protocol.h"
#include "process/packet.h"

namespace {

using namespace headrace::process::egress;

char no_stack[sizeof Answer::reason] = {};  // why no way out can be made at all
volatile sig_atomic_t a_child_ended = 0;

void answer(int to, int pid, const char* reason) {
  Answer words;
  words.pid = pid;
  snprintf(words.reason, sizeof words.reason, "%s", reason);
  send(to, &words, sizeof words, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// 1: a request; 0: something else, to be passed over; -1: the runner has gone.
int hear(Request& request, int (&given)[descriptors]) {
  size_t taken = 0;
  const ssize_t count =
      headrace::process::receive_packet(control, &request, sizeof request, given, descriptors, taken, MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
  if (taken != descriptors) return -1;
  return static_cast<size_t>(count) == sizeof request && request.magic == magic ? 1 : -1;
}

[[noreturn]] void serve_one(const Request& request, const int (&given)[descriptors], int parent) {
  // The tap comes first: it is gone when the lifeline tells the end.
  constexpr int own_tap = control, own_lifeline = control + 1;
  if (dup3(given[tap], own_tap, 0) < 0) _exit(1);
  if (given[lifeline] != own_lifeline && dup3(given[lifeline], own_lifeline, 0) < 0) _exit(1);
  if (close_range(own_lifeline + 1, ~0U, 0) != 0) _exit(1);
  if (become(request.user, parent)) {
    answer(own_lifeline, getpid(), "");
    serve(own_tap, own_lifeline);
  } else {
    answer(own_lifeline, 0, strerror(errno));
  }
  close(own_tap);
  _exit(0);
}

void take_request(const Request& request, const int (&given)[descriptors]) {
  const pid_t parent = getpid();
  const pid_t pid = no_stack[0] == '\0' ? fork() : -1;
  if (pid == 0) serve_one(request, given, parent);
  if (pid < 0) answer(given[lifeline], 0, no_stack[0] != '\0' ? no_stack : strerror(errno));
  for (int one : given) close(one);
}

// True where none broke. SIGKILL is somebody else's doing.
bool reap() {
  bool sound = true;
  int status = 0;
  while (waitpid(-1, &status, WNOHANG) > 0)
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) sound = false;
  return sound;
}

[[noreturn]] void retire() {
  close(control);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
  }
  _exit(0);
}

void on_child(int) { a_child_ended = 1; }

void prepare() {
  prctl(PR_SET_NAME, "headrace-egress");
  signal(SIGPIPE, SIG_IGN);
  set_limits();
  if (!load_stack(no_stack, sizeof no_stack)) return;
  leave_file_system();
  if (!make_stack()) snprintf(no_stack, sizeof no_stack, "libslirp made no network");
  if (!drop_rights()) snprintf(no_stack, sizeof no_stack, "the rights of the egress program: %s", strerror(errno));
}

}  // namespace

int main() {
  prepare();
  struct sigaction action{};
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, nullptr);
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, &before);
  for (;;) {
    pollfd wait{control, POLLIN, 0};
    ppoll(&wait, 1, nullptr, &before);  // SIGCHLD comes here and nowhere else
    if (a_child_ended != 0) {
      a_child_ended = 0;
      if (!reap()) retire();
    }
    if (wait.revents == 0) continue;
    Request request;
    int given[descriptors];
    const int heard = hear(request, given);
    if (heard < 0) return 0;
    if (heard > 0) take_request(request, given);
  }
}
