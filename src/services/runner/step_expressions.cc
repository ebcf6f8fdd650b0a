// Expressions where a step stands: its contexts, the status functions, hashFiles.
#include <array>

#include "services/runner/step_engine_impl.h"
#include "services/runner/step_hash_files.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

namespace {

// GitHub Docs, "Contexts reference", "Context availability", jobs.<job_id>.steps.
constexpr std::array<std::string_view, 12> names{"github", "needs", "strategy", "matrix", "job",    "runner",
                                                 "env",    "vars",  "secrets",  "steps",  "inputs", "jobs"};
const workflow::Language language{.contexts = names, .functions = workflow::step_functions};

// What the job's state answers, taken before the evaluation begins: it may run on another thread.
class Answers final : public workflow::Host {
 public:
  bool success = false, failure = false, cancelled = false;
  bool reads_files = true;
  std::string workspace, inside;

  std::expected<Value, std::string> call(std::string_view function, std::span<const Value> arguments) override {
    if (function == "success") return Value(success);
    if (function == "failure") return Value(failure);
    if (function == "cancelled") return Value(cancelled);
    if (function == "always") return Value(true);
    if (function != "hashFiles" || !reads_files) return std::unexpected(std::string("files cannot be read here"));
    std::vector<std::string> patterns;
    for (const auto& argument : arguments) patterns.push_back(argument.to_text());
    auto hashed = hash_files(workspace, inside, patterns);
    if (!hashed) return std::unexpected(hashed.error().message);
    return Value(std::move(*hashed));
  }
};

core::Error error_of(const workflow::ExpressionError& error) { return {Code::invalid, error.message, {}}; }

Answers answers_of(const StepEngine::Impl& engine, const StepScope& scope) {
  Answers answers;
  answers.cancelled = engine.cancelled || engine.timed_out;
  bool bad = scope.depth > 0 ? scope.status == Conclusion::failure : engine.failed;
  answers.success = !bad && !answers.cancelled;
  answers.failure = bad && !answers.cancelled;
  answers.workspace = engine.place.workspace;
  if (engine.around) answers.inside = engine.around->inside().workspace;
  return answers;
}

struct Evaluation {  // all it needs, so that it may run beside the loop
  workflow::Template text;
  Object contexts;
  Answers answers;
  Result<Value> run() {
    auto value = text.evaluate(contexts, &answers);
    if (!value) return std::unexpected(error_of(value.error()));
    return std::move(*value);
  }
};

}  // namespace

std::string_view StepEngine::Impl::status() const {
  return cancelled || timed_out ? "cancelled" : failed ? "failure" : "success";
}

core::Pool& StepEngine::Impl::pool() {
  if (!files_pool)
    files_pool = std::make_unique<core::Pool>(
        "files of a job", core::Pool::Limits{.threads = 1, .queue_max = 16, .wait_max = hash_files_time_max});
  return *files_pool;
}

Variables StepEngine::Impl::env_of(const StepScope& scope, const Variables& step) const {
  Variables env = context.env();
  for (const auto& [name, value] : scope.env) set(env, name, value);
  for (const auto& [name, value] : step) set(env, name, value);
  return env;
}

Object StepEngine::Impl::github_of(const StepScope& scope) const {
  Object github = context.github();
  github.set("action", running_action);
  github.set("action_path", scope.action_path);
  github.set("action_repository", scope.action_repository);
  github.set("action_ref", scope.action_ref);
  if (scope.depth > 0) github.set("action_status", scope.status == Conclusion::failure ? "failure" : "success");
  return github;
}

Object StepEngine::Impl::contexts(const StepScope& scope, const Variables& env) const {
  Object all = context.contexts(status());
  all.set("github", Value(github_of(scope)));
  all.set("inputs", scope.inputs);
  all.set("steps", Value(scope.steps));
  Object variables(Object::Keys::exact);
  for (const auto& [name, value] : env_of(scope, env)) variables.set(name, value);
  all.set("env", Value(std::move(variables)));
  return all;
}

Task<Result<Value>> StepEngine::Impl::evaluate(std::string text, const StepScope& scope, const Variables& env) {
  if (!workflow::holds_expression(text)) co_return Value(std::move(text));
  auto parsed = workflow::Template::parse(text, language);
  if (!parsed) co_return std::unexpected(error_of(parsed.error()));
  bool reads_files = parsed->calls("hashFiles");
  auto work =
      std::make_shared<Evaluation>(Evaluation{std::move(*parsed), contexts(scope, env), answers_of(*this, scope)});
  if (!reads_files) co_return work->run();
  auto call = [work] { return work->run(); };
  co_return co_await core::blocking(pool(), std::move(call));
}

Task<Result<std::string>> StepEngine::Impl::evaluate_text(std::string text, const StepScope& scope,
                                                          const Variables& env) {
  auto value = co_await evaluate(std::move(text), scope, env);
  if (!value) co_return std::unexpected(value.error());
  co_return value->to_text();
}

Task<Result<bool>> StepEngine::Impl::evaluate_condition(std::string text, const StepScope& scope,
                                                        const Variables& env) {
  auto condition = workflow::parse_condition(text, language);
  if (!condition) co_return std::unexpected(error_of(condition.error()));
  auto all = std::make_shared<Object>(contexts(scope, env));
  auto answers = std::make_shared<Answers>(answers_of(*this, scope));
  auto call = [all, answers, held = *condition]() -> Result<bool> {
    auto value = held.evaluate(*all, answers.get());
    if (!value) return std::unexpected(error_of(value.error()));
    return value->truthy();
  };
  if (!condition->calls("hashFiles")) co_return call();
  co_return co_await core::blocking(pool(), std::move(call));
}

// For a step that runs while the job is cancelled; a condition that reads files does not hold.
bool StepEngine::Impl::holds_now(const std::string& text, const StepScope& scope, const Variables& env) const {
  auto condition = workflow::parse_condition(text, language);
  if (!condition) return false;
  auto answers = answers_of(*this, scope);
  answers.reads_files = false;
  auto value = condition->evaluate(contexts(scope, env), &answers);
  return value && value->truthy();
}

}  // namespace headrace::runner
