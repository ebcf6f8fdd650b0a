#include "services/runner/step_engine.h"

#include <algorithm>
#include <map>

#include "core/beginning.h"
#include "core/diagnostics.h"
#include "services/runner/step_engine_impl.h"
#include "services/runner/step_script.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::pre: return "pre";
    case Stage::main: return "main";
    case Stage::post: return "post";
  }
  return "main";
}

StepEngine::StepEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->engine = this; }
StepEngine::~StepEngine() = default;

core::Executor StepEngine::loop() const { return impl_->out.loop; }
core::Clock& StepEngine::clock() const { return impl_->out.clock; }
core::Disk& StepEngine::disk() const { return impl_->out.disk; }
const JobOrder& StepEngine::order() const { return impl_->order; }
JobContext& StepEngine::job() const { return impl_->context; }
Surroundings& StepEngine::surroundings() const { return *impl_->around; }
const JobPlace& StepEngine::place() const { return impl_->place; }
const JobDoor* StepEngine::door() const { return impl_->door.get(); }
const ServerWay& StepEngine::server() const { return impl_->out.server; }

// ---- Groups

StepGroup::StepGroup(StepEngine& engine, std::vector<StepSpec> steps, StepScope scope)
    : engine_(engine), scope_(std::move(scope)) {
  for (auto& step : steps) {
    auto record = std::make_unique<StepRecord>();
    record->spec = std::move(step);
    record->group = this;
    if (record->spec.number == 0) record->spec.number = static_cast<int64_t>(records_.size()) + 1;
    records_.push_back(std::move(record));
  }
  engine_.impl_->number_actions(*this);
}

StepGroup::~StepGroup() = default;

StepScope& StepGroup::scope() { return scope_; }

Task<Result<>> StepGroup::open() { return engine_.impl_->open(*this); }

bool StepGroup::has(Stage stage) const {
  if (stage == Stage::main) return true;
  if (stage == Stage::post) return !posts_.empty();
  return std::ranges::any_of(records_,
                             [](const auto& record) { return record->action && record->action->has(Stage::pre); });
}

Task<Conclusion> StepGroup::run(Stage stage) { return engine_.impl_->run_group(*this, stage); }

namespace {

// github.action of a step without an id: "__run", "__owner_repo", and "_2" where there is one of the name.
std::string generated_name(const StepSpec& step) {
  if (!step.is_action()) return "__run";
  std::string uses = step.uses.substr(0, step.uses.find('@'));
  if (uses.starts_with("./")) return "__self";
  std::string name = "__";
  for (char c : uses) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name += plain ? c : '_';
  }
  return name;
}

std::string shortened(std::string text) {
  constexpr size_t shown_max = 512;
  if (text.size() > shown_max) text = std::string(core::beginning(text, shown_max)) + "...";
  return text;
}

}  // namespace

void StepEngine::Impl::number_actions(StepGroup& group) {
  std::map<std::string, int> seen;
  for (auto& record : group.records_) {
    record->github_action = record->spec.id;
    if (!record->github_action.empty()) continue;
    std::string name = generated_name(record->spec);
    int count = ++seen[name];
    record->github_action = count == 1 ? name : name + "_" + std::to_string(count);
  }
}

Task<Result<>> StepEngine::Impl::open(StepGroup& group) {
  if (group.scope_.depth > action_depth_max)
    co_return core::fail(Code::invalid,
                         "Composite actions are nested more than " + std::to_string(action_depth_max) + " deep.");
  for (auto& record : group.records_) {
    if (!record->spec.is_action() || record->action) continue;
    if (out.actions && !out.actions->opens_early(record->spec.uses)) continue;
    if (auto opened = co_await open_action(*record); !opened) co_return opened;
  }
  co_return Result<>{};
}

Task<Result<>> StepEngine::Impl::open_action(StepRecord& record) {
  if (!out.actions)
    co_return core::fail(Code::invalid, "This runner has no actions: '" + record.spec.uses + "' cannot be used.");
  ActionWish wish{.step = &record.spec, .scope = &record.group->scope_, .engine = engine};
  auto opened = co_await out.actions->open(wish);
  if (!opened) co_return std::unexpected(opened.error());
  record.action = std::move(*opened);
  co_return Result<>{};
}

// ---- Steps of a composite action. Those of the job itself go by run_step.

Task<Conclusion> StepEngine::Impl::run_group(StepGroup& group, Stage stage) {
  bool cancelled_one = false;
  if (stage == Stage::main) group.scope_.status = Conclusion::success;
  Conclusion pre_or_post = Conclusion::success;
  std::vector<StepRecord*> all;
  for (auto& record : group.records_) all.push_back(record.get());
  if (stage == Stage::pre)
    std::erase_if(all, [](auto* record) { return !record->action || !record->action->has(Stage::pre); });
  if (stage == Stage::post) {
    all.assign(group.posts_.rbegin(), group.posts_.rend());
    group.posts_.clear();
  }
  for (auto* record : all) {
    auto conclusion = co_await run_nested(*record, stage);
    cancelled_one = cancelled_one || conclusion == Conclusion::cancelled;
    if (conclusion != Conclusion::failure && conclusion != Conclusion::timed_out) continue;
    if (stage == Stage::main) group.scope_.status = Conclusion::failure;
    pre_or_post = Conclusion::failure;
  }
  if (cancelled_one) co_return Conclusion::cancelled;
  co_return stage == Stage::main ? group.scope_.status : pre_or_post;
}

Task<Conclusion> StepEngine::Impl::run_nested(StepRecord& record, Stage stage) {
  record.command_failed = false;
  record.env.clear();
  auto outcome = Conclusion::failure;
  auto evaluated_env = co_await evaluate_step(record);
  if (!evaluated_env) {
    fail(record, evaluated_env.error().message);
  } else {
    auto runs = co_await wanted(record, stage);
    if (!runs) {
      fail(record, runs.error().message);
    } else if (!*runs) {
      outcome = Conclusion::skipped;
    } else if (watching.ending) {
      outcome = Conclusion::cancelled;
    } else {
      outcome = co_await run_stage(record, stage);
      if (record.command_failed && outcome == Conclusion::success) outcome = Conclusion::failure;
    }
  }
  auto conclusion = outcome;
  if (outcome == Conclusion::failure && stage == Stage::main) {
    auto forgiven = co_await continues_on_error(record);
    if (!forgiven) fail(record, forgiven.error().message);
    if (forgiven && *forgiven) conclusion = Conclusion::success;
  }
  if (stage == Stage::main) tell_steps(record, outcome, conclusion);
  co_return conclusion;
}

// ---- Steps of the job

std::string StepEngine::Impl::condition_of(const StepRecord& record, Stage stage) const {
  if (stage == Stage::main) return record.spec.condition;
  return record.action->condition(stage);
}

Task<Result<bool>> StepEngine::Impl::wanted(StepRecord& record, Stage stage) {
  if (at_once) co_return false;
  co_return co_await evaluate_condition(condition_of(record, stage), record.group->scope_, record.env);
}

// `env:` of the step; `with:` waits until it is to run.
Task<Result<>> StepEngine::Impl::evaluate_step(StepRecord& record) {
  Variables env;
  const Variables none;
  for (const auto& [name, text] : record.spec.env) {
    auto value = co_await evaluate_text(text, record.group->scope_, none);
    if (!value) co_return core::fail(Code::invalid, "env." + name + ": " + value.error().message);
    env.emplace_back(name, std::move(*value));
  }
  record.env = std::move(env);
  co_return Result<>{};
}

Task<Result<bool>> StepEngine::Impl::continues_on_error(StepRecord& record) {
  if (record.spec.continue_on_error.empty()) co_return false;
  auto value = co_await evaluate(record.spec.continue_on_error, record.group->scope_, record.env);
  if (!value) co_return std::unexpected(value.error());
  const std::string* text = value->if_string();
  co_return text ? *text == "true" : value->truthy();
}

Task<std::string> StepEngine::Impl::name_of(StepRecord& record, Stage stage) {
  std::string name = record.spec.name;
  if (name.empty()) name = "Run " + (record.spec.is_action() ? record.spec.uses : first_template_line(record.spec.run));
  auto shown = co_await evaluate_text(name, record.group->scope_, record.env);
  // What an expression comes to may have many lines (toJSON has); a name has the first.
  std::string text = shortened(first_line(shown ? context.masks().masked(*shown) : name));
  co_return stage == Stage::pre ? "Pre " + text : stage == Stage::post ? "Post " + text : text;
}

void StepEngine::Impl::tell_steps(StepRecord& record, Conclusion outcome, Conclusion conclusion) {
  if (record.spec.id.empty()) return;
  auto plain = [](Conclusion result) { return result == Conclusion::timed_out ? Conclusion::failure : result; };
  Object step;
  step.set("outputs", Value(record.outputs));
  step.set("outcome", Value(events::name_of(plain(outcome))));
  step.set("conclusion", Value(events::name_of(plain(conclusion))));
  record.group->scope_.steps.set(record.spec.id, Value(std::move(step)));
}

Task<> StepEngine::Impl::run_step(StepRecord& record, Stage stage) {
  StepSpec shown = record.spec;
  shown.number = stage == Stage::main ? record.spec.number : next_number++;
  shown_number = shown.number;
  running_action = record.github_action;
  record.command_failed = false;
  record.exit_code.reset();
  record.reason.clear();
  record.env.clear();
  Result<> evaluated_env;
  if (!at_once) evaluated_env = co_await evaluate_step(record);
  Result<bool> runs = false;
  if (evaluated_env) {
    runs = co_await wanted(record, stage);
  } else {
    runs = std::unexpected(evaluated_env.error());
  }
  shown.name = co_await name_of(record, stage);
  record.shown_name = shown.name;
  events::StepResult result;
  result.number = shown.number;
  result.name = shown.name;
  if (runs && !*runs) {
    result.conclusion = Conclusion::skipped;
    end.steps.push_back(result);
    if (stage == Stage::main) tell_steps(record, Conclusion::skipped, Conclusion::skipped);
    out.observer.step_ended(shown, Conclusion::skipped);
    co_return;
  }
  lines.begin_step(shown.number);
  out.observer.step_began(shown);
  result.started_at = out.clock.now();
  auto begun = out.clock.steady();  // how long it took is no matter of the wall clock, which may be set meanwhile
  result.conclusion = Conclusion::failure;
  if (!runs) {
    fail(record, runs.error().message);
  } else {
    auto limit = co_await limit_of(record);
    if (!limit) {
      fail(record, "timeout-minutes: " + limit.error().message);
    } else if (at_once) {  // since its condition was asked
      result.conclusion = Conclusion::cancelled;
    } else {
      result.conclusion = co_await bounded(record, stage, *limit);
      if (result.conclusion == Conclusion::timed_out && !timed_out && *limit)
        fail(record, "The action '" + shown.name + "' has timed out after " +
                         workflow::text_of(std::chrono::duration<double, std::ratio<60>>(**limit).count()) +
                         " minutes.");
      if (result.conclusion == Conclusion::cancelled) error_line("The operation was canceled.");
    }
  }
  auto outcome = result.conclusion;
  bool bad = outcome == Conclusion::failure || outcome == Conclusion::timed_out;
  if (bad && stage == Stage::main && !log_lost && !timed_out) {
    auto forgiven = co_await continues_on_error(record);
    if (!forgiven) fail(record, "continue-on-error: " + forgiven.error().message);
    if (forgiven && *forgiven) result.conclusion = Conclusion::success;
  }
  if (stage == Stage::main) tell_steps(record, outcome, result.conclusion);
  if (bad && result.conclusion != Conclusion::success) {
    failed = true;
    if (end.errors.empty())
      end.errors = shortened("Step " + std::to_string(shown.number) + " '" + shown.name + "' failed: " +
                             context.masks().masked(record.reason.empty() ? "no reason was given." : record.reason));
  }
  result.exit_code = record.exit_code;
  result.completed_at = *result.started_at + (out.clock.steady() - begun);
  lines.end();
  tell();
  co_await find_reports(shown);
  tell();
  end.steps.push_back(result);
  out.observer.step_ended(shown, result.conclusion);
}

}  // namespace headrace::runner
