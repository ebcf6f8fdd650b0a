// What our jobs are measured beside, live: Buildbot as Debian has it, gitlab-ci-local from npm. Neither isolates jobs
// from each other or the host here. Laminar is in no registry; its recorded figures are told as such.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "platform_parts.h"
#include "report.h"

namespace headrace::bench {

// See buildbot.cfg. Null, and said as a skip, where Buildbot is not installed or does not start.
class Buildbot {
 public:
  struct Seconds {
    double first_line = 0;
    double wall = 0;
  };

  static std::unique_ptr<Buildbot> start(const std::filesystem::path& folder, int slots) {
    const std::string version = first_line_of("buildbot --version");
    if (version.empty()) {
      print_skip("Buildbot", "it is not installed: apt-get install buildbot buildbot-worker");
      return nullptr;
    }
    if (!std::filesystem::exists(configuration)) {
      print_skip("Buildbot", std::string(configuration) + " is not there; run the benchmark from the root of the tree");
      return nullptr;
    }
    const std::string master = folder / "buildbot";
    if (std::system(("buildbot create-master " + master + " >/dev/null 2>&1").c_str()) != 0) {
      print_skip("Buildbot", "create-master fails");
      return nullptr;
    }
    std::filesystem::copy_file(configuration, master + "/master.cfg");
    const int port = free_port();
    ::setenv("BENCH_FOLDER", master.c_str(), 1);
    ::setenv("BENCH_PORT", std::to_string(port).c_str(), 1);
    ::setenv("BENCH_SLOTS", std::to_string(slots).c_str(), 1);
    auto child = std::make_unique<Child>(std::vector<std::string>{"buildbot", "start", "--nodaemon", master});
    for (int tries = 0; tries < 8; ++tries) {  // 4 s each
      if (!listens(port)) continue;
      print_version("Buildbot", version);
      return std::unique_ptr<Buildbot>(new Buildbot(std::move(child), port));
    }
    print_skip("Buildbot", "it does not start");
    return nullptr;
  }

  // So many changes at once, each a build: "noop", "lines" (a million), "steps" (21 of them).
  Seconds run(const std::string& what, int count) {
    wire_.send("run " + what + " " + std::to_string(count) + "\r\n");
    Seconds seconds;
    std::istringstream(wire_.line()) >> seconds.first_line >> seconds.wall;
    return seconds;
  }

 private:
  static constexpr const char* configuration = "bench/buildbot.cfg";
  Buildbot(std::unique_ptr<Child> child, int port) : child_(std::move(child)), wire_(port) {}
  std::unique_ptr<Child> child_;
  Wire wire_;
};

// A program that is started for each run; its start is part of what a user waits for, and so of the figure.
class GitlabCiLocal {
 public:
  static std::unique_ptr<GitlabCiLocal> find(const std::filesystem::path& folder) {
    const char* given = std::getenv("HEADRACE_BENCH_GITLAB_CI_LOCAL");
    const std::string program = given != nullptr ? given : "gitlab-ci-local";
    const std::string version = first_line_of(program + " --version");
    if (version.empty()) {
      print_skip("gitlab-ci-local", "it is not installed: npm install --global gitlab-ci-local");
      return nullptr;
    }
    print_version("gitlab-ci-local", version);
    return std::unique_ptr<GitlabCiLocal>(new GitlabCiLocal(program, folder / "gitlab"));
  }

  // Seconds of a run of so many jobs of the script.
  double run(const std::string& script, int count) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream file(folder_ / ".gitlab-ci.yml");
    for (int number = 0; number < count; ++number) file << "job" << number << ":\n  script: [\"" << script << "\"]\n";
    file.close();
    shell(
        "git init -q && git remote add origin https://example.com/team/hello.git && git add . && "
        "git -c user.name=b -c user.email=b@example.com commit -qm a");
    return seconds([this] { shell(program_); });
  }

 private:
  GitlabCiLocal(std::string program, std::filesystem::path folder)
      : program_(std::move(program)), folder_(std::move(folder)) {}
  void shell(const std::string& command) {
    const std::string here = "cd " + folder_.string() + " && (" + command + ") >/dev/null 2>&1 </dev/null";
    if (std::system(here.c_str()) != 0) Wire::fail("this failed: " + here);
  }
  std::string program_;
  std::filesystem::path folder_;
};

}  // namespace headrace::bench
