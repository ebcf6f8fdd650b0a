// How a step's program runs by a container engine: its container, and the build of its image. A step ends them as it
// ends any program: the engine's client passes an interrupt on, and what is left when the client has gone is removed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/runner/container_engine.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

// One container of a container action. The engine outlives it.
class ContainerStart final : public ProgramStarter {
 public:
  struct Wish {
    std::string image;
    std::string entrypoint;  // "": the image's
    std::string network;     // "": the engine's own
    std::string runner_folder;
    Variables environment = {};  // of the action; what the step has goes before it
    std::vector<std::string> arguments = {};
  };
  ContainerStart(StepEngine& job, const ContainerEngine& engine, Wish wish);

  core::Task<core::Result<std::unique_ptr<process::Child>>> start(Variables environment) override;
  std::optional<std::string> to_host(std::string_view inside) const override;
  core::Task<> remove();  // whatever is left of it

 private:
  struct Place {
    std::string host, inside;  // on the host; in the container
  };
  core::Result<> make_places();
  Variables translated(Variables environment) const;
  std::string moved(std::string value) const;

  StepEngine& job_;
  const ContainerEngine& engine_;
  Wish wish_;
  std::string name_;
  std::vector<Place> places_;  // the narrowest first
  bool started_ = false;
};

// The build of an image from a Dockerfile in the job's folder and what is beside it.
class BuildStart final : public ProgramStarter {
 public:
  // `file` is a host path within the job's folder; `text` what it holds.
  BuildStart(StepEngine& job, const ContainerEngine& engine, std::string file, std::string text);
  ~BuildStart() override;

  core::Result<> make();  // a folder of its own, that no job sees
  core::Task<core::Result<std::unique_ptr<process::Child>>> start(Variables environment) override;
  std::optional<std::string> to_host(std::string_view) const override { return {}; }
  core::Result<std::string> image() const;  // its id, once it is built

 private:
  std::string tag() const;

  StepEngine& job_;
  const ContainerEngine& engine_;
  std::string file_, text_, own_;
  core::Scope passing_;
};

}  // namespace headrace::runner
