#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/sandbox.h"

namespace headrace::process {

using init::StepKind;

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
  explicit Planner(const SandboxOptions& options) : options_(options) {}

  SandboxPlan plan() {
    if (!options_.host_network) add({.kind = StepKind::loopback});
    if (options_.uplink) add({.kind = StepKind::uplink});
    add({.kind = StepKind::hostname, .text = "runner"});
    programs();
    add({.kind = StepKind::processes});
    add({.kind = StepKind::devices, .number = options_.shared_memory_bytes});
    show("/sys/devices/system/cpu", init::mount_if_there);
    link("/var/tmp", "/tmp");
    etc();
    for (const auto& one : options_.mounts)
      add({.kind = StepKind::mount,
           .flags = one.read_only ? 0 : init::mount_writable,
           .place = one.inside,
           .text = one.host});
    add({.kind = StepKind::directory, .text = options_.directory});
    return std::move(plan_);
  }

 private:
  void add(SandboxStep step) { plan_.push_back(std::move(step)); }
  void link(std::string place, std::string target) {
    add({.kind = StepKind::link, .place = std::move(place), .text = std::move(target)});
  }
  void file(std::string place, std::string text) {
    add({.kind = StepKind::file, .number = 0444, .place = std::move(place), .text = std::move(text)});
  }
  void show(const std::string& path, uint32_t flags = 0) {
    add({.kind = StepKind::mount, .flags = flags, .place = path, .text = path});
  }

  // A distribution with a merged /usr has links at the top, another one folders.
  void programs() {
    show("/usr");
    for (const std::string name : links_of_root) {
      std::error_code error;
      auto target = std::filesystem::read_symlink("/" + name, error);
      if (!error)
        link("/" + name, target.string());
      else
        show("/" + name, init::mount_if_there);
    }
  }

  void etc() {
    std::string id = std::to_string(Sandbox::user_inside);
    file("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\nrunner:x:" + id + ":" + id +
                            ":runner:/home/runner:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
    file("/etc/group", "root:x:0:\nrunner:x:" + id + ":\nnogroup:x:65534:\n");
    file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
    file("/etc/hosts", hosts());
    if (options_.name_service) file("/etc/resolv.conf", resolver());
    for (const std::string name : shown_of_etc) show_or_copy("/etc/" + name);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/etc", error))
      for (const char* family : families_of_etc)
        if (entry.path().filename().string().starts_with(family)) show_or_copy(entry.path().string());
    link("/etc/os-release", "../usr/lib/os-release");
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

  // A mount costs its making and its end: a small file is copied.
  void show_or_copy(const std::string& path) {
    struct stat status{};
    if (::access(path.c_str(), R_OK) != 0 || ::stat(path.c_str(), &status) != 0) return;
    if (S_ISREG(status.st_mode) && status.st_size <= copied_bytes_max)
      file(path, text_of(path.c_str()));
    else
      show(path, init::mount_if_there);
  }

  const SandboxOptions& options_;
  SandboxPlan plan_;
};

}  // namespace

SandboxPlan plan_sandbox(const SandboxOptions& options) { return Planner(options).plan(); }

std::string encode(const SandboxPlan& plan) {
  std::string text;
  for (const auto& one : plan) {
    init::Step step;
    step.kind = one.kind;
    step.flags = one.flags;
    step.number = one.number;
    step.place_bytes = static_cast<uint32_t>(one.place.size() + 1);
    step.text_bytes = static_cast<uint32_t>(one.text.size() + 1);
    text.append(reinterpret_cast<const char*>(&step), sizeof step);
    text.append(one.place).push_back('\0');
    text.append(one.text).push_back('\0');
  }
  return text;
}

}  // namespace headrace::process
