// A registry of images on this machine's loopback, for tests: Debian's docker-registry, that knows one person. An image
// of `engine` is in it as the image of a team. Tests skip with `why_not` where there is none.
#pragma once

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "services/runner/testing/real_engine.h"

namespace headrace::runner::testing {

class RealRegistry {
 public:
  explicit RealRegistry(const RealEngine& engine) {
    char path[] = "/tmp/headrace-registry-XXXXXX";
    folder_ = ::mkdtemp(path);
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    program = folder_ + "/" + (engine.is_podman() ? "podman" : "docker");
    host = "127.0.0.1:" + std::to_string(free_port());
    image = host + "/team/private:1";
    write_files(engine);
    if (!succeeds("command -v docker-registry")) {
      why_not = "no registry of images (apt-get install docker-registry)";
      return;
    }
    start();
    if (!filled(engine)) why_not = "the registry of images does not take one: " + text_of("push");
  }
  ~RealRegistry() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RealRegistry(const RealRegistry&) = delete;
  RealRegistry& operator=(const RealRegistry&) = delete;

  void stop() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // The image is not here any more, but in the registry.
  void forget_image() const { succeeds(program + " rmi " + image); }

  static constexpr const char* username = "alice";
  static constexpr const char* password = "sesame open";
  std::string program;  // the engine, told that this registry speaks without TLS
  std::string host, image;
  std::string why_not;

 private:
  static bool succeeds(const std::string& command) {
    return std::system(("(" + command + ") >/dev/null 2>&1 </dev/null").c_str()) == 0;
  }
  static int free_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length);
    ::close(socket);
    return ntohs(address.sin_port);
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write_files(const RealEngine& engine) const {
    // htpasswd(1): alice, "sesame open"
    std::ofstream(folder_ + "/people") << "alice:$2y$05$abcdefghijklmnopqrstuujwF/qPLasscy/il2FgzADefEVa1khT2\n";
    std::ofstream(folder_ + "/config.yml")
        << "version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: " << folder_
        << "/images}\nhttp:\n  addr: " << host << "\nauth:\n  htpasswd: {realm: team, path: " << folder_
        << "/people}\n";
    std::ofstream(folder_ + "/registries.conf") << "[[registry]]\nlocation = \"" << host << "\"\ninsecure = true\n";
    // By its path: this one may stand first in a PATH.
    int made =
        std::system(("printf '#!/bin/sh\\nexport CONTAINERS_REGISTRIES_CONF=" + folder_ +
                     "/registries.conf\\nexec %s \"$@\"\\n' \"$(command -v " + engine.program + ")\" > " + program)
                        .c_str());
    static_cast<void>(made);
    std::filesystem::permissions(program, std::filesystem::perms(0755));
  }
  void start() {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string config = folder_ + "/config.yml";
    std::freopen((folder_ + "/said").c_str(), "w", stderr);
    std::freopen("/dev/null", "w", stdout);
    ::execlp("docker-registry", "docker-registry", "serve", config.c_str(), nullptr);
    ::_exit(127);
  }
  bool filled(const RealEngine& engine) const {
    std::string own = "REGISTRY_AUTH_FILE=" + folder_ + "/auth.json DOCKER_CONFIG=" + folder_ + "/config " + program;
    std::string push = "for n in $(seq 50); do printf '%s' '" + std::string(password) + "' | " + own +
                       " login --username " + username + " --password-stdin " + host + " && break; sleep 0.1; done; " +
                       program + " tag " + engine.image + " " + image + " && " + own + " push " + image;
    bool pushed = std::system(("(" + push + ") >" + folder_ + "/push 2>&1 </dev/null").c_str()) == 0;
    forget_image();
    return pushed;
  }

  std::string folder_;
  pid_t pid_ = 0;
};

}  // namespace headrace::runner::testing
