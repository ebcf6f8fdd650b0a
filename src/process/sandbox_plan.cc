#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/sandbox.h"

namespace headrace::process {
namespace {

// Of /etc: what programs want, and nothing that says who lives here. Keys (ssl/private) and passwords are not among it.
constexpr const char* shown_of_etc[] = {
    "alternatives", "ssl/certs", "ssl/openssl.cnf", "ca-certificates", "pki/tls/certs", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "timezone",        "mime.types",      "protocols",     "services",    "debian_version",
    "fonts",        "perl",      "magic",
};
constexpr const char* families_of_etc[] = {"java-", "python3", "php", "ImageMagick-"};

constexpr off_t copied_bytes_max = 256 * 1024;

constexpr const char* links_of_root[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

std::string text_of(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

class Planner {
 public:
  Planner(const SandboxOptions& options, int first_file) : options_(options), next_file_(first_file) {}

  SandboxPlan plan() {
    spaces();
    programs();
    kernel();
    etc();
    for (size_t i = 0; i < options_.mounts.size(); ++i) mount(options_.mounts[i], i);
    add({"--remount-ro", "/", "--chdir", options_.directory});
    return std::move(plan_);
  }

 private:
  void add(std::initializer_list<std::string> words) {
    plan_.arguments.insert(plan_.arguments.end(), words.begin(), words.end());
  }

  void spaces() {
    std::string user = std::to_string(Sandbox::user_inside);
    add({"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"});
    if (!options_.host_network) add({"--unshare-net"});
    add({"--uid", user, "--gid", user, "--hostname", "runner", "--disable-userns", "--cap-drop", "ALL"});
    add({"--die-with-parent", "--as-pid-1", "--new-session"});
  }

  // A distribution with a merged /usr has links at the top, another one folders.
  void programs() {
    add({"--ro-bind", "/usr", "/usr"});
    for (const std::string name : links_of_root) {
      std::error_code error;
      auto target = std::filesystem::read_symlink("/" + name, error);
      if (!error)
        add({"--symlink", target.string(), "/" + name});
      else
        add({"--ro-bind-try", "/" + name, "/" + name});
    }
  }

  void kernel() {
    add({"--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev"});
    add({"--size", std::to_string(options_.shared_memory_bytes), "--perms", "1777", "--tmpfs", "/dev/shm"});
    add({"--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"});
    add({"--symlink", "/tmp", "/var/tmp"});
  }

  void etc() {
    std::string id = std::to_string(Sandbox::user_inside);
    file("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nrunner:x:" + id + ":" + id +
                            ":runner:/home/runner:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
    file("/etc/group", "root:x:0:\nrunner:x:" + id + ":\nnogroup:x:65534:\n");
    file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    file("/etc/hosts", hosts());
    if (options_.name_service) file("/etc/resolv.conf", resolver());
    for (const std::string name : shown_of_etc) show("/etc/" + name);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/etc", error))
      for (const char* family : families_of_etc)
        if (entry.path().filename().string().starts_with(family)) show(entry.path().string());
    add({"--symlink", "../usr/lib/os-release", "/etc/os-release"});
  }

  std::string hosts() const {
    std::string own = "127.0.0.1 localhost runner headrace.localhost\n::1 localhost ip6-localhost ip6-loopback\n";
    return options_.name_service ? own + text_of("/etc/hosts") : own;
  }

  std::string resolver() const {
    std::string host = text_of("/etc/resolv.conf");
    if (options_.resolver.empty()) return host;
    std::string text = "nameserver " + options_.resolver + "\n";
    std::istringstream lines(host);
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("search ") || line.starts_with("domain ")) text += line + "\n";
    return text;
  }

  // For each mount bubblewrap reads the list of all mounts, which takes longer than a copy of a small file.
  void show(const std::string& path) {
    if (::access(path.c_str(), R_OK) != 0) return;
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= copied_bytes_max)
      file(path, text_of(path.c_str()));
    else
      add({"--ro-bind", path, path});
  }

  void file(const std::string& path, std::string text) {
    plan_.files.push_back(std::move(text));
    add({"--perms", "0444", "--file", std::to_string(next_file_++), path});
  }

  // As another user, folders are shown to bubblewrap where that user can reach them: headrace-init, "enter".
  void mount(const SandboxMount& mount, size_t number) {
    std::string source = options_.user ? "/mnt/" + std::to_string(number) : mount.host;
    add({mount.read_only ? "--ro-bind" : "--bind", source, mount.inside});
  }

  const SandboxOptions& options_;
  int next_file_;
  SandboxPlan plan_;
};

}  // namespace

SandboxPlan plan_sandbox(const SandboxOptions& options, int first_file) { return Planner(options, first_file).plan(); }

}  // namespace headrace::process
