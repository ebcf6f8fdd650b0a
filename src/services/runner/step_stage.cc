// One stage of one of the job's steps, under its time-out, the job's, and cancellation.
#include <signal.h>

#include <charconv>

#include "core/diagnostics.h"
#include "services/runner/step_engine_impl.h"

namespace headrace::runner {

using core::Result;
using core::Task;
using events::Conclusion;

// Its post waits from the moment the stage has begun; of a composite action it is known when its steps have begun.
void StepEngine::Impl::note_post(StepRecord& record) {
  if (record.post_waits || !record.action || !record.action->has(Stage::post)) return;
  record.post_waits = true;
  record.group->posts_.push_back(&record);
}

Task<Conclusion> StepEngine::Impl::run_stage(StepRecord& record, Stage stage) {
  if (!record.spec.is_action()) co_return co_await run_script(record);
  if (!record.action) {
    if (auto opened = co_await open_action(record); !opened) co_return fail(record, opened.error().message);
  }
  record.with.clear();
  for (const auto& [name, text] : record.spec.with) {
    auto value = co_await evaluate_text(text, record.group->scope_, record.env);
    if (!value) co_return fail(record, "with." + name + ": " + value.error().message);
    record.with.emplace_back(name, std::move(*value));
  }
  struct Note {
    Impl& self;
    StepRecord& record;
    Stage stage;
    void post() {
      if (stage != Stage::post) self.note_post(record);
    }
    ~Note() { post(); }
  } note{*this, record, stage};
  note.post();
  StepRun run(*engine, record, stage);
  co_return co_await record.action->run(stage, run);
}

Task<> StepEngine::Impl::stage_body(StepRecord& record, Stage stage, std::optional<Conclusion>& result) {
  result = co_await run_stage(record, stage);
}

Task<Conclusion> StepEngine::Impl::bounded(StepRecord& record, Stage stage,
                                           std::optional<std::chrono::nanoseconds> limit) {
  core::Scope body(out.loop), limits(out.loop);
  watching = StageWatch{.record = &record, .stage = stage, .body = &body};
  std::optional<Conclusion> result;
  auto surprise = [this, &record](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& what) {
      fail(record, std::string("The step ended unexpectedly: ") + what.what());
    } catch (...) {
      fail(record, "The step ended unexpectedly.");
    }
  };
  body.spawn("a step", kept(stage_body(record, stage, result)), std::move(surprise));
  if (limit) limits.spawn("time-out of a step", kept(expire(*limit, &StageWatch::step_expired)));
  limits.spawn("time-out of a job", kept(expire(deadline - out.clock.steady(), &StageWatch::job_expired)));
  co_await body.until_idle();
  co_await limits.close();
  co_await watchdogs.close();
  auto watched = watching;
  watching = StageWatch{};
  bool good = result && *result == Conclusion::success && !record.command_failed;
  if (watched.step_expired) co_return Conclusion::timed_out;
  if (watched.job_expired) co_return cancelled ? Conclusion::cancelled : Conclusion::timed_out;
  if (watched.ending && !good) co_return Conclusion::cancelled;
  if (log_lost) co_return Conclusion::failure;
  co_return good ? Conclusion::success : Conclusion::failure;
}

Task<> StepEngine::Impl::expire(std::chrono::nanoseconds after, bool StageWatch::* which) {
  co_await out.clock.sleep_for(after);
  watching.*which = true;
  if (which == &StageWatch::job_expired && !cancelled && !timed_out) time_out();
  co_await end_stage();
}

// Interrupts what runs, ends it, and then the stage itself where it has not ended by that.
Task<> StepEngine::Impl::end_stage() {
  watching.ending = true;
  while (!children.empty()) {
    auto child = children.front();
    co_await end_gently(child);
    std::erase(children, child);
  }
  co_await out.clock.sleep_for(std::chrono::milliseconds(action_grace) + times.drain);
  if (watching.body) watching.body->cancel();
}

// Nobody waits for it in good order any more. What it printed until now is still told.
Task<> StepEngine::Impl::kill_stage() {
  watching.ending = true;
  for (const auto& child : children) child->signal_group(SIGKILL);
  co_await out.clock.sleep_for(times.drain);
  if (watching.body) watching.body->cancel();
}

Task<> StepEngine::Impl::end_gently(std::shared_ptr<process::Child> child) {
  child->signal_group(SIGINT);
  auto patience = out.clock.steady() + times.interrupt;
  while (!child->ended() && out.clock.steady() < patience) co_await progressed.wait_for(patience - out.clock.steady());
  if (!child->ended()) auto ended = co_await child->end(times.terminate);
}

// timeout-minutes of the step; nothing: it has none.
Task<Result<std::optional<std::chrono::nanoseconds>>> StepEngine::Impl::limit_of(StepRecord& record) {
  using Limit = std::optional<std::chrono::nanoseconds>;
  if (record.spec.timeout_minutes.empty()) co_return Limit();
  auto value = co_await evaluate(record.spec.timeout_minutes, record.group->scope(), record.env);
  if (!value) co_return std::unexpected(value.error());
  double minutes = value->to_number();
  if (!(minutes > 0)) co_return Limit();
  minutes = std::min(minutes, static_cast<double>(timeout_minutes_max));
  co_return Limit(std::chrono::nanoseconds(static_cast<int64_t>(minutes * 60e9)));
}

}  // namespace headrace::runner
