// podman or docker, by the words of their command lines that both know (podman-create(1), docker container create).
// Secrets (environment, passwords) are never words of a command: they go by the engine's environment or its input.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "process/run.h"
#include "services/runner/executor.h"

namespace headrace::runner {

class ContainerEngine {
 public:
  static constexpr std::chrono::minutes pull_limit{30};
  static constexpr std::chrono::seconds command_limit{120};

  // The one that is named, else the first of podman and docker that answers. unavailable, with what each said.
  static core::Task<core::Result<ContainerEngine>> find(core::Executor loop, std::string named);

  // What it prints, without the last newline. An exit other than 0 is unavailable, with the engine's last words;
  // `doing` ("pulling the image alpine") names it.
  core::Task<core::Result<std::string>> run(std::vector<std::string> words, std::string doing,
                                            Variables environment = Variables(), std::string input = {},
                                            std::chrono::milliseconds limit = command_limit) const;
  // The same, of both its outputs.
  core::Task<core::Result<std::string>> run_both(std::vector<std::string> words, std::string doing) const;

  // An image that is here now, newly asked for where it has a registry. Where that cannot be reached, one of that name
  // that is here already does, and `remark` says so for the job's log; where the registry refuses it, none does.
  // `login`: where the engine finds the credentials (login()).
  struct Image {
    std::string name;  // for create and run
    std::string remark;
  };
  core::Task<core::Result<Image>> pull(std::string image, Variables login = Variables()) const;

  // Signs in at a registry, for whoever has the environment that comes back and for nobody else: credentials are kept
  // in `folder` alone, which is the caller's to remove.
  core::Task<core::Result<Variables>> login(std::string registry, std::string username, std::string password,
                                            std::string folder) const;

  // podman asks a container for its health by timers of systemd, which is not everywhere: this asks it now. True: it is
  // healthy; false where it is not, and with docker, which asks by itself.
  core::Task<bool> check_health(std::string id) const;

  const std::string& program() const { return program_; }
  bool is_podman() const { return podman_; }
  const core::Executor& loop() const { return loop_; }
  // What the engine's own processes are started with, besides `more`: no more of ours than it needs.
  static std::vector<std::string> environment(const Variables& more);

 private:
  ContainerEngine(core::Executor loop, std::string program) : loop_(std::move(loop)), program_(std::move(program)) {}
  core::Task<core::Result<process::Ran>> ran(std::vector<std::string> words, std::string doing, Variables environment,
                                             std::string input, std::chrono::milliseconds limit) const;
  core::Task<bool> is_here(std::string image) const;

  core::Executor loop_;
  std::string program_;
  bool podman_ = false;
};

// The words of `create` for one container, but its image and command. invalid: an option, volume or port that a job may
// not have; it is named.
struct ContainerWords {
  std::vector<std::string> words;
  Variables environment;  // of the engine's process: values of --env NAME
};
core::Result<ContainerWords> container_words(const ContainerSpec& spec, const std::string& network,
                                             const std::string& alias, const std::vector<std::string>& volumes_allowed);
// Words of `options`, split as a shell does (blanks, quotes, backslashes). invalid: a quote that does not end.
core::Result<std::vector<std::string>> split_options(const std::string& options);
std::string registry_of(const std::string& image);    // "ghcr.io" of ghcr.io/owner/name:tag; "docker.io" by default
std::string with_registry(const std::string& image);  // docker.io/library/alpine:3 of alpine:3
// --env NAME for each, and `environment` of the engine's process where it finds the values; a name that the engine
// itself reads stands with its value.
void add_environment(const Variables& env, ContainerWords& made);

}  // namespace headrace::runner
