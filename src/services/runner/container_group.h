// ContainerGroup is what one job has of a container engine: a network of its own, the services in it, and, for a job
// with container:, the job's container. Everything is removed at its end, whatever failed before.
//
// Loop thread only. Shared by the surroundings of the job and its own tasks: what the engine is making, and removing,
// comes to its end also where the job is cancelled meanwhile. Its owner begins the removal before it lets go of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "services/runner/container_engine.h"
#include "services/runner/container_facts.h"
#include "services/runner/executor.h"

namespace headrace::runner {

class ContainerGroup : public std::enable_shared_from_this<ContainerGroup> {
 public:
  static constexpr std::chrono::minutes health_limit{10};        // of one service, from its start
  static constexpr std::chrono::milliseconds health_first{100};  // between questions, doubled up to
  static constexpr std::chrono::milliseconds health_most{2'000};
  static constexpr size_t services_max = 64;

  // The clock outlives it. `job`: the folder of the job, by which its processes are marked.
  ContainerGroup(core::Clock& clock, ExecutorOptions options, ContainerEngine engine, std::string job)
      : clock_(clock),
        options_(std::move(options)),
        engine_(std::move(engine)),
        job_(std::move(job)),
        making_(engine_.loop()),
        removing_(engine_.loop()),
        gone_(engine_.loop()) {}

  // A network; `closed`: without a way out of it.
  core::Task<core::Result<>> make_network(bool closed);
  // Starts all, then waits until each is healthy; one without a health check is when it runs. Its ports are then known.
  core::Task<core::Result<>> start_services(std::vector<ServiceSpec> services);
  // Pulls, makes and starts one container; its id is in `id` as soon as there is one. `more`: further words of create.
  core::Task<core::Result<>> create(ContainerSpec spec, std::string alias, std::vector<std::string> more,
                                    std::vector<std::string> command, std::string& id);
  // Everything goes, whether or not whoever asked for it is cancelled meanwhile. Twice is once.
  void begin_removal();
  static core::Task<> remove(std::shared_ptr<ContainerGroup> group);  // the same, until it has gone

  const ContainerEngine& engine() const { return engine_; }
  std::vector<std::string> lines() const;  // for the job's log: of images and services

  ContainerFacts facts;

 private:
  struct Making;
  core::Task<core::Result<std::string>> make(std::vector<std::string> words, std::string doing, Variables environment);
  static core::Task<> make_whole(std::shared_ptr<ContainerGroup> group, std::vector<std::string> words,
                                 std::string doing, Variables environment, std::shared_ptr<Making> making);
  static core::Task<> remove_whole(std::shared_ptr<ContainerGroup> group);
  core::Task<core::Result<std::string>> pull(ContainerSpec spec);
  core::Task<core::Result<>> until_healthy(ContainerFacts::Service& service);
  core::Task<core::Duration> patience_with(std::string id);
  core::Task<core::Result<>> not_healthy(const ContainerFacts::Service& service, ContainerHealth health,
                                         std::string state);
  core::Task<std::string> last_words(std::string id);

  core::Clock& clock_;
  ExecutorOptions options_;
  ContainerEngine engine_;
  std::string job_;
  core::Scope making_;                   // not cancelled: see above
  std::vector<std::string> containers_;  // ids, of all that were made
  std::string network_;                  // that was made
  std::vector<std::string> remarks_;     // of images
  core::Scope removing_;                 // likewise
  core::Signal gone_;
  bool removal_begun_ = false;
  bool removed_ = false;
};

}  // namespace headrace::runner
