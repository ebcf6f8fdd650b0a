// What an action.yml makes: composite actions and those that Node runs.
#include <filesystem>

#include "net/url.h"
#include "services/runner/action_source.h"
#include "services/runner/container_action.h"
#include "services/runner/door.h"
#include "services/runner/job_context.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

Task<Result<Variables>> action_inputs(StepRun& step, const ActionManifest& manifest) {
  Variables inputs = step.with();
  std::string unknown, known;
  for (const auto& [name, value] : step.with()) {
    const auto* input = manifest.input(name);
    if (input && !input->deprecation.empty())
      step.warning("Input '" + name + "' has been deprecated with message: " + input->deprecation);
    if (!input) unknown += (unknown.empty() ? "'" : ", '") + name + "'";
  }
  for (const auto& input : manifest.inputs) {
    known += (known.empty() ? "'" : ", '") + input.name + "'";
    bool given = false;
    for (const auto& [name, value] : inputs) given = given || workflow::equal_in_any_case(name, input.name);
    if (given || (!input.has_fallback && !input.required)) continue;
    if (!input.has_fallback) continue;  // GitHub leaves it to the action to miss it
    auto value = co_await step.evaluate_text(input.fallback, step.scope());
    if (!value)
      co_return core::fail(Code::invalid, "The default of the input '" + input.name + "': " + value.error().message);
    inputs.emplace_back(input.name, std::move(*value));
  }
  if (!unknown.empty() && step.stage() == Stage::main)
    step.warning("Unexpected input(s) " + unknown + ", valid inputs are [" + known + "]");
  co_return inputs;
}

void show_action(StepRun& step, const Variables& inputs) {
  step.group("Run " + step.spec().uses);
  if (!inputs.empty()) step.line("with:");
  for (const auto& [name, value] : inputs) step.line("  " + name + ": " + value);
  Variables env = step.engine().job().env();  // all that the action sees, as GitHub shows it
  for (const auto* more : std::initializer_list<const Variables*>{&step.scope().env, &step.env()})
    for (const auto& [name, value] : *more) set(env, name, value);
  if (!env.empty()) step.line("env:");
  for (const auto& [name, value] : env) step.line("  " + name + ": " + value);
  step.end_group();
}

namespace {

// What both kinds have: a folder, as the job sees it, and where it came from.
class FolderAction : public Action {
 public:
  FolderAction(ActionManifest manifest, std::string inside, ActionName name)
      : manifest_(std::move(manifest)), inside_(std::move(inside)), name_(std::move(name)) {}
  std::string condition(Stage stage) const override {
    return stage == Stage::pre ? manifest_.pre_condition : manifest_.post_condition;
  }
  std::string path() const override { return inside_; }
  std::string repository() const override { return name_.owner.empty() ? "" : name_.repository(); }
  std::string ref() const override { return name_.ref; }

 protected:
  ActionManifest manifest_;
  std::string inside_;
  ActionName name_;
};

class CompositeAction final : public FolderAction {
 public:
  CompositeAction(ActionManifest manifest, std::string inside, ActionName name, StepEngine& engine, StepScope scope)
      : FolderAction(std::move(manifest), std::move(inside), std::move(name)),
        group_(engine, manifest_.steps, std::move(scope)) {}

  Task<Result<>> open() { return group_.open(); }
  bool has(Stage stage) const override { return group_.has(stage); }
  std::string condition(Stage) const override { return "always()"; }  // each of its steps has its own

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    auto given = co_await action_inputs(step, manifest_);
    if (!given) co_return step.fail(given.error().message);
    if (stage == Stage::main) show_action(step, *given);
    Object inputs;
    for (const auto& [name, value] : *given) inputs.set(name, value);
    auto& scope = group_.scope();
    scope.inputs = Value(std::move(inputs));
    scope.env = step.scope().env;
    for (const auto& [name, value] : step.env()) set(scope.env, name, value);
    auto conclusion = co_await group_.run(stage);
    if (stage != Stage::main) co_return conclusion;
    for (const auto& [name, text] : manifest_.outputs) {
      auto value = co_await step.evaluate_text(text, scope);
      if (!value) co_return step.fail("outputs." + name + ": " + value.error().message);
      step.set_output(name, std::move(*value));
    }
    co_return conclusion;
  }

 private:
  StepGroup group_;
};

class NodeAction final : public FolderAction {
 public:
  NodeAction(ActionManifest manifest, std::string inside, ActionName name, JobActions& actions)
      : FolderAction(std::move(manifest), std::move(inside), std::move(name)), actions_(actions) {}

  bool has(Stage stage) const override { return !file(stage).empty(); }

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    auto inputs = co_await action_inputs(step, manifest_);
    if (!inputs) co_return step.fail(inputs.error().message);
    if (stage == Stage::main) show_action(step, *inputs);
    auto script = path_within(inside_, file(stage));
    if (!script) co_return step.fail("'" + file(stage) + "' leads out of the folder of the action.");
    std::string remark;
    auto node = co_await actions_.node(step.engine(), manifest_.node_version, remark);
    if (!node) co_return step.fail(node.error().message);
    if (!manifest_.written_for_older_node.empty() && !remarked_)
      step.warning("The action is written for " + manifest_.written_for_older_node +
                   ", which is not maintained any more; it is run as one for node20. Use a newer version of it.");
    if (!remark.empty() && !remarked_) step.line(remark);
    remarked_ = true;
    StepCommand command;
    command.argv = {*node, *script};
    for (const auto& [name, value] : *inputs) set(command.environment, input_variable(name), value);
    add_services(step.engine(), command.environment);
    co_return co_await step.execute(std::move(command));
  }

 private:
  const std::string& file(Stage stage) const {
    return stage == Stage::pre ? manifest_.pre : stage == Stage::post ? manifest_.post : manifest_.main;
  }
  // Whether the toolkit serves jobs of a server of that name: see door_host. That of `exec` is mostly github.com.
  static bool toolkit_takes(const std::string& server_url) {
    auto read = net::parse_url(server_url.empty() ? "https://github.com" : server_url);
    return read &&
           (read->host == "github.com" || read->host.ends_with(".ghe.com") || read->host.ends_with(".localhost"));
  }
  // What @actions/artifact and @actions/cache look for.
  static void add_services(const StepEngine& engine, Variables& environment) {
    const JobGrant& grant = engine.order().grant;
    if (!grant.runtime_token.empty()) set(environment, "ACTIONS_RUNTIME_TOKEN", grant.runtime_token);
    if (!grant.results_url.empty()) set(environment, "ACTIONS_RESULTS_URL", grant.results_url);
    if (!grant.results_url.empty()) set(environment, "ACTIONS_RUNTIME_URL", grant.results_url);
    if (!grant.cache_url.empty()) set(environment, "ACTIONS_CACHE_URL", grant.cache_url);
    if (!grant.cache_url.empty()) set(environment, "ACTIONS_CACHE_SERVICE_V2", "true");
    const JobDoor* door = engine.door();
    if (door != nullptr && !toolkit_takes(grant.server_url)) set(environment, "GITHUB_SERVER_URL", door->named_url());
  }

  JobActions& actions_;
  bool remarked_ = false;
};

}  // namespace

Task<Result<std::unique_ptr<Action>>> make_action(JobActions& actions, ActionWish wish, std::string folder,
                                                  ActionName name) {
  auto& around = wish.engine->surroundings();
  const auto& place = wish.engine->place();
  std::string shown = std::filesystem::path(folder)
                          .lexically_relative(name.owner.empty() ? place.workspace : place.folder + "/actions")
                          .string();
  Result<std::string> text = core::fail(Code::not_found, "");
  std::string file;
  for (const char* candidate : {"action.yml", "action.yaml"}) {
    file = shown + "/" + candidate;
    text = around.read(folder + "/" + candidate, action_manifest_bytes_max);
    if (text || text.error().code != Code::not_found) break;
  }
  if (!text && text.error().code != Code::not_found)
    co_return core::fail(Code::invalid, file + ": " + text.error().message);
  auto inside = around.to_inside(folder);
  if (!text || !inside)
    co_return core::fail(Code::not_found,
                         "Can't find 'action.yml' or 'action.yaml' under '" + inside.value_or(folder) +
                             "'. Did you forget to run actions/checkout before running your local action?");
  auto manifest = parse_action_manifest(*text, file);
  if (!manifest) co_return std::unexpected(manifest.error());
  if (manifest->kind == ActionManifest::Kind::container)
    co_return make_container_action(actions, std::move(*manifest), std::move(folder), std::move(*inside),
                                    std::move(name));
  if (manifest->kind == ActionManifest::Kind::node)
    co_return std::make_unique<NodeAction>(std::move(*manifest), std::move(*inside), std::move(name), actions);
  StepScope scope;
  scope.outer = wish.scope;
  scope.depth = wish.scope->depth + 1;
  scope.action_path = *inside;
  scope.action_repository = name.owner.empty() ? wish.scope->action_repository : name.repository();
  scope.action_ref = name.owner.empty() ? wish.scope->action_ref : name.ref;
  auto composite = std::make_unique<CompositeAction>(std::move(*manifest), std::move(*inside), std::move(name),
                                                     *wish.engine, std::move(scope));
  if (auto opened = co_await composite->open(); !opened) co_return std::unexpected(opened.error());
  co_return composite;
}

}  // namespace headrace::runner
