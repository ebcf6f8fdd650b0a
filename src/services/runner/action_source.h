// JobActions opens what the steps of one job use:
//
//   ./path              an action in the workspace
//   actions/checkout    served by this program, at any ref; nothing is fetched for it; so are those of native_actions.h
//   docker://IMAGE      a container of that image
//   OWNER/NAME[/path]@REF   from this server where it has such a repository, else from the upstream; its files, at the
//                       commit that REF names, are put into the job's folder, so that the job has its own
//
// Actions are composite, run by Node, or containers. docs/actions.md says how each behaves. One for each job; loop
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/runner/action_manifest.h"
#include "services/runner/action_repositories.h"
#include "services/runner/container_engine.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

inline constexpr size_t actions_in_job_max = 1'000;              // opened, those within composite actions counted
inline constexpr uint64_t shared_bytes_min = uint64_t{8} << 20;  // of a mirror whose objects a job is shown
inline constexpr std::string_view actions_upstream_default = "https://github.com";

struct ActionOptions {
  // Where actions come from that this server has not: the front of their address. "": nowhere.
  std::string upstream{actions_upstream_default};
  // Where "OWNER/NAME" may be had, the first first; empty: from the server of the grant, with its token. `exec` names
  // the folder at hand here.
  std::function<std::vector<RepositoryPlace>(const std::string& name)> places = {};
  uint64_t shared_bytes = shared_bytes_min;
  // Of container actions: the engine, the runner's folder, whether they have a network.
  ExecutorOptions containers = {};
};

// "OWNER/NAME/path@ref" taken apart.
struct ActionName {
  std::string owner, name, path, ref;
  std::string repository() const { return owner + "/" + name; }
};
core::Result<ActionName> parse_action_name(std::string_view uses);

// A path within a folder, "." and ".." resolved; nothing where it leads out of it.
std::optional<std::string> path_within(std::string_view folder, std::string_view path);

class JobActions final : public ActionSource {
 public:
  JobActions(Repositories& repositories, ActionOptions options);  // repositories outlive it
  bool opens_early(std::string_view uses) const override;
  core::Task<core::Result<std::unique_ptr<Action>>> open(ActionWish wish) override;

  // For actions:
  Repositories& repositories() { return repositories_; }
  // Where a repository may be had, best first; `upstream` ones too where it is asked for.
  std::vector<RepositoryPlace> places_of(const JobOrder& order, const std::string& repository, bool upstream) const;
  // The engine for container actions, found once a job. unavailable: none answers, and what each said.
  core::Task<core::Result<const ContainerEngine*>> engine();
  std::string network_of(StepEngine& engine) const;  // of a container action: "" is the engine's own
  const std::string& runner_folder() const { return options_.containers.folder; }
  // Files that a container made as root belong to the job again.
  core::Task<core::Result<>> give_back(StepEngine& engine);
  const std::string& upstream() const { return options_.upstream; }
  // For the job's surroundings, before they are made: the objects of the mirror of its own repository, read-only, where
  // that is large enough for copying to matter. They stay as long as this lives.
  std::vector<Mount> shared(const JobOrder& order);
  // Which Node runs actions that ask for `version`: its path inside. Looked for once a job and PATH.
  core::Task<core::Result<std::string>> node(StepEngine& engine, int version, std::string& remark);

 private:
  struct Node {  // node_program.cc
    int major = 0;
    std::string version;  // as it says it
    std::string place;    // its path inside
  };
  core::Task<core::Result<Node>> look_for_node(StepEngine& engine, std::string program, std::string path);
  core::Task<core::Result<std::unique_ptr<Action>>> open_folder(ActionWish wish, std::string folder, ActionName name);
  core::Task<core::Result<std::string>> bring(StepEngine& engine, ActionName name);
  core::Task<core::Result<FetchedCommit>> fetch(StepEngine& engine, ActionName name);

  Repositories& repositories_;
  ActionOptions options_;
  std::optional<ContainerEngine> engine_;
  MirrorHold shared_;
  std::unique_ptr<core::Pool> giving_;  // made when it is needed
  size_t opened_ = 0;
  std::map<std::string, std::string> brought_;  // "owner/name@ref" -> host folder
  std::map<std::string, Node> nodes_;           // "program in PATH" -> what is there
};

// An action of a folder of the job. Host path; `name` is empty for "./".
core::Task<core::Result<std::unique_ptr<Action>>> make_action(JobActions& actions, ActionWish wish, std::string folder,
                                                              ActionName name);
std::unique_ptr<Action> make_checkout(JobActions& actions);

// What was given in `with`, and the defaults of what was not, evaluated. Missing and unknown inputs are warned of.
core::Task<core::Result<Variables>> action_inputs(StepRun& step, const ActionManifest& manifest);
// "Run NAME" with its inputs, as a group of the log.
void show_action(StepRun& step, const Variables& inputs);

}  // namespace headrace::runner
