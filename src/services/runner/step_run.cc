// What a step's action may ask for: see step_engine.h.
#include "services/runner/step_engine_impl.h"

namespace headrace::runner {

using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Value;

void StepEngine::say(std::string_view text) {
  impl_->say(text);
  impl_->tell();
}

const StepSpec& StepRun::spec() const { return record_.spec; }
Stage StepRun::stage() const { return stage_; }
StepEngine& StepRun::engine() const { return engine_; }
StepScope& StepRun::scope() const { return record_.group->scope(); }
const Variables& StepRun::with() const { return record_.with; }
const Variables& StepRun::env() const { return record_.env; }
const Variables& StepRun::state() const { return record_.state; }

void StepRun::save_state(std::string name, std::string value) { set(record_.state, std::move(name), std::move(value)); }

Task<Result<Value>> StepRun::evaluate(std::string text, const StepScope& scope) const {
  return engine_.impl_->evaluate(std::move(text), scope, record_.env);
}

Task<Result<std::string>> StepRun::evaluate_text(std::string text, const StepScope& scope) const {
  return engine_.impl_->evaluate_text(std::move(text), scope, record_.env);
}

Task<Conclusion> StepRun::execute(StepCommand command) {
  return engine_.impl_->execute(record_, stage_, std::move(command));
}

Task<Conclusion> StepRun::execute(ProgramStarter& starter, Variables more) {
  return engine_.impl_->execute(record_, stage_, starter, std::move(more));
}

void StepRun::set_output(std::string name, std::string value) {
  engine_.impl_->set_output(record_, std::move(name), std::move(value));
}

void StepRun::line(std::string_view text) {
  engine_.impl_->say(text);
  engine_.impl_->tell();
}

void StepRun::group(std::string_view title) { line("##[group]" + std::string(title)); }
void StepRun::end_group() { line("##[endgroup]"); }

void StepRun::debug(std::string_view text) {
  if (engine_.impl_->context.debug()) line("##[debug]" + std::string(text));
}

void StepRun::warning(std::string_view message) {
  engine_.impl_->annotate(
      {.level = Annotation::Level::warning, .message = std::string(message), .title = {}, .file = {}}, message);
}

Conclusion StepRun::fail(std::string_view message) { return engine_.impl_->fail(record_, message); }

void StepRun::mask(std::string_view secret) {
  if (auto added = engine_.impl_->context.masks().add(secret); !added) {
    fail(added.error().message);
    record_.command_failed = true;
  }
}

bool StepRun::ending() const { return engine_.impl_->watching.ending; }

}  // namespace headrace::runner
