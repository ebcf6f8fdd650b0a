// A container engine of this machine that really runs containers, for tests, and a small image for it: nothing but a
// static busybox, imported, so no registry is needed. Tests skip with `why_not` where there is none.
//
// HEADRACE_TEST_ENGINE names the one to take; else podman is tried as it is, then docker, then podman with what an old
// one needs on a machine that is a container itself (docs/containers.md, "Where podman needs help"): limits within
// ours, and /sys/fs/cgroup/unified out of its sight, in a mount name space that lives as long as this process.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace headrace::runner::testing {

class RealEngine {
 public:
  static const RealEngine& of_this_machine() {
    static const RealEngine engine;
    return engine;
  }

  std::string folder;   // of the program, so that it may stand first in a PATH
  std::string program;  // "": there is none, and
  std::string why_not;
  std::string image = "localhost/headrace-test:1";
  std::string web = "localhost/headrace-test-web:1";  // the same, serving "hello $WHO" at port 8080

  bool is_podman() const { return output(program + " --version 2>/dev/null").find("podman") != std::string::npos; }
  // What a command of the engine prints.
  std::string ask(const std::string& words) const { return output(program + " " + words + " 2>/dev/null"); }
  // Containers, and networks, that bear the label of this runner's folder.
  std::string left_of(const std::string& runner) const {
    std::string filter = " --quiet --filter label=dev.headrace.runner=" + runner;
    return ask("ps --all" + filter) + ask("network ls" + filter);
  }

 private:
  RealEngine() {
    char path[] = "/tmp/headrace-real-engine-XXXXXX";
    folder = ::mkdtemp(path);
    if (!make_image_archive()) {
      why_not = "no static busybox to make an image of (apt-get install busybox-static)";
      return;
    }
    const char* only = std::getenv("HEADRACE_TEST_ENGINE");
    auto wanted = [only](const std::string& name) { return (!only || name == only) && succeeds("command -v " + name); };
    for (const char* plain : {"podman", "docker"})
      if (wanted(plain) && tried(plain)) return;
    if (wanted("podman") && help_podman() && tried(folder + "/podman")) return;
    why_not = "no container engine runs a container here (apt-get install podman)";
  }
  ~RealEngine() {
    if (holder_) ::pclose(holder_);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  static bool succeeds(const std::string& command) {
    return std::system(("(" + command + ") >/dev/null 2>&1 </dev/null").c_str()) == 0;
  }
  static std::string output(const std::string& command) {
    std::string text;
    std::array<char, 4096> piece{};
    FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return text;
    while (size_t count = std::fread(piece.data(), 1, piece.size(), pipe)) text.append(piece.data(), count);
    ::pclose(pipe);
    return text;
  }

  bool make_image_archive() const {
    return succeeds("cd " + folder +
                    " && mkdir -p root/bin root/tmp && cp \"$(command -v busybox)\" root/bin/busybox && "
                    "root/bin/busybox true && ! ldd root/bin/busybox && "
                    "for name in $(root/bin/busybox --list); do [ $name = busybox ] || ln -s busybox root/bin/$name; "
                    "done && chmod 1777 root/tmp && tar -C root -cf image.tar .");
  }
  bool tried(const std::string& candidate) {
    std::string serve =
        R"(CMD ["/bin/sh","-c","mkdir -p /tmp/w; echo hello $WHO > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"])";
    if (!is_there(candidate, image, "") || !is_there(candidate, web, "--change '" + serve + "' ")) return false;
    if (!succeeds(candidate + " run --rm " + image + " /bin/true")) return false;
    program = candidate;
    return true;
  }
  bool is_there(const std::string& candidate, const std::string& name, const std::string& options) const {
    return succeeds(candidate + " image inspect " + name) ||
           succeeds(candidate + " import " + options + folder + "/image.tar " + name);
  }
  bool help_podman() {
    std::ofstream(folder + "/containers.conf")
        << "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n";
    // It holds the name space until its input ends, which is when this process does.
    std::string holding = "exec unshare -m sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; echo $$ > " + folder +
                          "/holder; read -r end'";
    holder_ = ::popen(holding.c_str(), "we");
    if (!holder_) return false;
    for (int tries = 0; tries < 500 && !std::filesystem::exists(folder + "/holder"); ++tries) ::usleep(10'000);
    std::ofstream(folder + "/podman") << "#!/bin/sh\nexport CONTAINERS_CONF=" << folder
                                      << "/containers.conf\nexec nsenter --mount=/proc/$(cat " << folder
                                      << "/holder)/ns/mnt /usr/bin/podman \"$@\"\n";
    std::filesystem::permissions(folder + "/podman", std::filesystem::perms(0755));
    return true;
  }

  FILE* holder_ = nullptr;
};

}  // namespace headrace::runner::testing
