#include "services/runner/container_action.h"

#include "services/runner/container_starters.h"
#include "services/runner/door.h"
#include "services/runner/job_context.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

namespace {

constexpr std::string_view image_prefix = "docker://";
constexpr size_t dockerfile_bytes_max = size_t{1} << 20;

class ContainerAction final : public Action {
 public:
  ContainerAction(JobActions& actions, ActionManifest manifest, std::string folder, std::string inside, ActionName name)
      : actions_(actions),
        manifest_(std::move(manifest)),
        folder_(std::move(folder)),
        inside_(std::move(inside)),
        name_(std::move(name)) {}

  bool has(Stage stage) const override {
    return stage == Stage::main ||
           !(stage == Stage::pre ? manifest_.pre_entrypoint : manifest_.post_entrypoint).empty();
  }
  std::string condition(Stage stage) const override {
    return stage == Stage::pre ? manifest_.pre_condition : manifest_.post_condition;
  }
  std::string path() const override { return inside_; }
  std::string repository() const override { return name_.owner.empty() ? "" : name_.repository(); }
  std::string ref() const override { return name_.ref; }

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    auto inputs = co_await inputs_of(step);
    if (!inputs) co_return step.fail(inputs.error().message);
    if (stage == Stage::main) show_action(step, *inputs);
    auto engine = co_await actions_.engine();
    if (!engine) co_return step.fail(engine.error().message);
    if (image_.empty()) {
      auto ready = co_await make_image(step, **engine);
      if (ready != Conclusion::success) co_return ready;
    }
    auto start = co_await container_of(step, stage, **engine, *inputs);
    if (!start) co_return step.fail(start.error().message);
    Variables environment;
    for (const auto& [name, value] : *inputs) set(environment, input_variable(name), value);
    // The runner's door is on the loopback of the job, which this container does not share.
    if (step.engine().door() != nullptr && step.engine().server().whole)
      set(environment, "GITHUB_API_URL", step.engine().order().grant.server_url + "/api/v3");
    auto conclusion = co_await step.execute(**start, std::move(environment));
    co_await (*start)->remove();
    if (auto given = co_await actions_.give_back(step.engine()); !given) co_return step.fail(given.error().message);
    co_return conclusion;
  }

 private:
  Task<Result<Variables>> inputs_of(StepRun& step) {
    if (folder_.empty()) co_return step.with();
    co_return co_await action_inputs(step, manifest_);
  }

  // Once a job: another stage has the same.
  Task<Conclusion> make_image(StepRun& step, const ContainerEngine& engine) {
    if (!manifest_.image.starts_with(image_prefix)) co_return co_await build(step, engine);
    step.line("Pull image " + manifest_.image.substr(image_prefix.size()));
    auto pulled = co_await engine.pull(manifest_.image.substr(image_prefix.size()));
    if (!pulled) co_return step.fail(pulled.error().message);
    if (!pulled->remark.empty()) step.line(pulled->remark);
    image_ = std::move(pulled->name);
    co_return Conclusion::success;
  }

  // The Dockerfile and what stands beside it leave the job's folder as an archive, made where the job's rights end.
  Task<Conclusion> build(StepRun& step, const ContainerEngine& engine) {
    auto file = path_within(folder_, manifest_.image);
    if (!file || *file == folder_)
      co_return step.fail("'" + manifest_.image + "' leads out of the folder of the action.");
    auto text = step.engine().surroundings().read(*file, dockerfile_bytes_max);
    if (!text) co_return step.fail("The image of the action cannot be built: " + text.error().message);
    step.line("Build container for action use: '" + manifest_.image + "'");
    BuildStart builder(step.engine(), engine, *file, *text);
    if (auto made = builder.make(); !made) co_return step.fail(made.error().message);
    Variables nothing;
    auto built = co_await step.execute(builder, std::move(nothing));
    if (built != Conclusion::success) co_return built;
    auto image = builder.image();
    if (!image) co_return step.fail(image.error().message);
    image_ = std::move(*image);
    co_return Conclusion::success;
  }

  Task<Result<std::unique_ptr<ContainerStart>>> container_of(StepRun& step, Stage stage, const ContainerEngine& engine,
                                                             const Variables& inputs) {
    auto wish = ContainerStart::Wish{.image = image_,
                                     .entrypoint = entrypoint_of(stage, step),
                                     .network = actions_.network_of(step.engine()),
                                     .runner_folder = actions_.runner_folder()};
    StepScope scope = step.scope();  // `inputs` of the action stand beside what its step sees
    Object given;
    for (const auto& [name, value] : inputs) given.set(name, value);
    scope.inputs = Value(std::move(given));
    for (const auto& [name, text] : manifest_.env) {
      auto value = co_await step.evaluate_text(text, scope);
      if (!value) co_return core::fail(Code::invalid, "runs.env." + name + ": " + value.error().message);
      wish.environment.emplace_back(name, std::move(*value));
    }
    for (const auto& text : manifest_.arguments) {
      auto value = co_await step.evaluate_text(text, scope);
      if (!value) co_return core::fail(Code::invalid, "runs.args: " + value.error().message);
      wish.arguments.push_back(std::move(*value));
    }
    if (manifest_.arguments.empty()) {
      auto words = split_options(given_in(step.with(), "args"));
      if (!words) co_return std::unexpected(words.error());
      wish.arguments = std::move(*words);
    }
    co_return std::make_unique<ContainerStart>(step.engine(), engine, std::move(wish));
  }

  std::string entrypoint_of(Stage stage, const StepRun& step) const {
    if (stage == Stage::pre) return manifest_.pre_entrypoint;
    if (stage == Stage::post) return manifest_.post_entrypoint;
    return manifest_.entrypoint.empty() ? given_in(step.with(), "entrypoint") : manifest_.entrypoint;
  }
  static std::string given_in(const Variables& with, std::string_view name) {
    for (const auto& [key, value] : with)
      if (workflow::equal_in_any_case(key, name)) return value;
    return {};
  }

  JobActions& actions_;
  ActionManifest manifest_;
  std::string folder_, inside_;
  ActionName name_;
  std::string image_;  // what the engine knows it by, once it is there
};

}  // namespace

std::unique_ptr<Action> make_container_action(JobActions& actions, ActionManifest manifest, std::string folder,
                                              std::string inside, ActionName name) {
  return std::make_unique<ContainerAction>(actions, std::move(manifest), std::move(folder), std::move(inside),
                                           std::move(name));
}

Result<std::unique_ptr<Action>> make_image_action(JobActions& actions, std::string_view uses) {
  ActionManifest manifest;
  manifest.kind = ActionManifest::Kind::container;
  manifest.image = uses;
  if (uses.size() == image_prefix.size())
    return core::fail(Code::invalid, "'docker://' names no image; write docker://NAME:TAG.");
  return make_container_action(actions, std::move(manifest), {}, {}, {});
}

}  // namespace headrace::runner
