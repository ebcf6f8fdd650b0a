#include "services/runner/job_execution.h"

#include <algorithm>
#include <utility>

#include "core/version.h"
#include "services/runner/step_engine_impl.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

JobExecution::JobExecution(Around around, JobOrder order, JobPlace place, Times times)
    : engine_(std::make_shared<StepEngine>(
          std::make_unique<StepEngine::Impl>(std::move(around), std::move(order), std::move(place), times))) {}

JobExecution::~JobExecution() = default;

void JobExecution::cancel(std::string reason, Ending ending) { engine_->impl_->cancel(std::move(reason), ending); }

Task<JobEnd> JobExecution::run() { return engine_->impl_->run(); }

StepEngine::Impl::Impl(JobExecution::Around with, JobOrder what, JobPlace where, JobExecution::Times bounds)
    : out(std::move(with)),
      order(std::move(what)),
      place(std::move(where)),
      times(bounds),
      context(order),
      lines(out.clock),
      watchdogs(out.loop),
      background(out.loop),
      progressed(out.loop) {
  next_number = static_cast<int64_t>(order.spec.steps.size()) + 1;
  for (const auto& step : order.spec.steps) next_number = std::max(next_number, step.number + 1);
}

void StepEngine::Impl::say(std::string_view text) {
  std::string masked = context.masks().masked(text);
  for (std::string_view rest = masked;;) {
    auto newline = rest.find('\n');
    lines.line(rest.substr(0, newline));
    if (newline == std::string_view::npos) return;
    rest.remove_prefix(newline + 1);
  }
}

void StepEngine::Impl::tell() {
  if (lines.ready().empty()) return;
  auto told = out.observer.log(lines.ready());
  lines.clear();
  if (told || log_lost) return;
  log_lost = true;
  failed = true;
  if (end.errors.empty()) end.errors = told.error().message;
  if (watching.body) watchdogs.spawn("end a step whose output cannot be kept", kept(end_stage()));
}

void StepEngine::Impl::error_line(std::string_view message) { say("##[error]" + std::string(message)); }

void StepEngine::Impl::fail_job(std::string_view why) {
  failed = true;
  std::string shown = context.masks().masked(why);
  annotate({.level = Annotation::Level::error, .message = shown, .title = {}, .file = {}}, shown);
  if (end.errors.empty()) end.errors = std::move(shown);
}

// GitHub asks the condition of the step that runs again: one with always() goes on.
void StepEngine::Impl::cancel(std::string reason, Ending ending) {
  bool hurry = ending == Ending::at_once && !at_once;
  if (cancelled && !hurry) return;
  at_once = at_once || hurry;
  if (!std::exchange(cancelled, true)) deadline = out.clock.steady() + times.cleanup;
  cancel_reason = std::move(reason);
  if (preparing) preparing->cancel();
  if (!watching.record) return;
  if (at_once) return watchdogs.spawn("kill a cancelled step", kept(kill_stage()));
  const auto& record = *watching.record;
  if (holds_now(condition_of(record, watching.stage), record.group->scope_, record.env)) {
    watchdogs.spawn("time-out of a cancelled job", kept(expire(times.cleanup, &StageWatch::job_expired)));
  } else {
    watchdogs.spawn("end a cancelled step", kept(end_stage()));
  }
}

void StepEngine::Impl::time_out() {
  timed_out = true;
  deadline = out.clock.steady() + times.cleanup;
  auto minutes =
      std::to_string(order.spec.timeout_minutes) + (order.spec.timeout_minutes == 1 ? " minute" : " minutes");
  fail_job("The job has exceeded the maximum execution time of " + minutes + " (timeout-minutes).");
}

Task<JobEnd> StepEngine::Impl::run() {
  struct Leave {  // cancelled, it lets go of what runs, which ends it
    Impl& self;
    ~Leave() {
      self.watchdogs.cancel();
      self.background.cancel();
      self.children.clear();
      self.door.reset();
    }
  } leave{*this};
  deadline = out.clock.steady() + std::chrono::minutes(order.spec.timeout_minutes);
  auto ready = co_await prepared();
  if (!ready && !cancelled && !timed_out) fail_job(ready.error().message);
  tell();
  if (ready) {
    for (auto& record : steps->records_)
      if (record->action && record->action->has(Stage::pre)) co_await run_step(*record, Stage::pre);
    for (auto& record : steps->records_) co_await run_step(*record, Stage::main);
    while (!steps->posts_.empty()) {
      auto* record = steps->posts_.back();
      steps->posts_.pop_back();
      co_await run_step(*record, Stage::post);
    }
  }
  lines.begin_step(0);
  shown_number = 0;
  if (ready) co_await finish();
  co_await watchdogs.close();
  if (door) co_await door->close();
  if (around) {
    auto ended = co_await around->end();
    if (!ended) say(ended.error().message);
  }
  co_await background.close();
  say("Complete job name: " + (order.spec.name.empty() ? order.spec.job : order.spec.name));
  tell();
  end.conclusion = timed_out   ? Conclusion::timed_out
                   : cancelled ? Conclusion::cancelled
                   : failed    ? Conclusion::failure
                               : Conclusion::success;
  if (cancelled && end.errors.empty()) end.errors = cancel_reason;
  end.annotations = context.annotations();
  co_return std::move(end);
}

// ---- Before the first step

// An image that is pulled, or a service that does not come up, is not waited for once nobody wants the job any more.
Task<Result<>> StepEngine::Impl::prepared() {
  std::optional<Result<>> result;
  core::Scope body(out.loop), limits(out.loop);
  auto surprise = [&result](std::exception_ptr error) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& what) {
      result = core::fail(Code::unavailable, std::string("The job could not be set up: ") + what.what());
    }
  };
  preparing = &body;
  body.spawn("set up a job", kept(set_up_into(result)), std::move(surprise));
  limits.spawn("time-out of a job", kept(expire_set_up()));
  co_await body.until_idle();
  preparing = nullptr;
  co_await limits.close();
  if (result) co_return std::move(*result);
  co_return core::fail(Code::unavailable, "The job was ended before its first step.");
}

Task<> StepEngine::Impl::set_up_into(std::optional<Result<>>& result) { result = co_await set_up(); }

Task<> StepEngine::Impl::expire_set_up() {
  co_await out.clock.sleep_for(deadline - out.clock.steady());
  time_out();
  if (preparing) preparing->cancel();
}

Task<Result<>> StepEngine::Impl::set_up() {
  say("Runner: Headrace " + std::string(core::version()) + ", '" + order.runner_name + "'");
  if (auto hidden = context.hide_secrets(); !hidden) co_return hidden;
  auto wanted_needs = co_await needs();
  if (!wanted_needs) co_return std::unexpected(wanted_needs.error());
  auto made = co_await out.executor.prepare(place, std::move(*wanted_needs));
  if (!made) co_return std::unexpected(made.error());
  around = std::move(*made);
  for (const auto& line : around->description()) say(line);
  std::string event = place.temporary + "/_github_workflow/event.json";
  if (auto written = around->write(event, order.event); !written) co_return written;
  context.settle(*around, around->to_inside(event).value_or(event));
  co_await open_door();
  if (auto evaluated_env = co_await evaluate_job_env(); !evaluated_env) co_return evaluated_env;
  StepScope scope;
  if (const Value* inputs = order.spec.contexts.find("inputs")) scope.inputs = *inputs;
  steps = std::make_unique<StepGroup>(*engine, order.spec.steps, std::move(scope));
  if (auto opened = co_await steps->open(); !opened) co_return opened;
  co_await expect_reports();
  co_return Result<>{};
}

// Without it the job is left to what network it has: on the host that is often enough.
Task<> StepEngine::Impl::open_door() {
  if (out.server.empty() || order.grant.runtime_token.empty()) co_return;
  auto listener = co_await around->listen();
  Result<std::unique_ptr<JobDoor>> opened = core::fail(Code::unavailable, "");
  if (listener) opened = JobDoor::open(out.loop, out.clock, std::move(*listener), out.server);
  if (!listener || !opened) {
    say("Artifacts, caches and the API may be out of reach of this job: " +
        (listener ? opened.error().message : listener.error().message));
    co_return;
  }
  door = std::move(*opened);
  order.grant.results_url = order.grant.cache_url = door->url() + "/";
  if (out.server.whole) context.reach(door->url() + "/api/v3");
}

// env of the workflow and the job; a layer sees those before it.
Task<Result<>> StepEngine::Impl::evaluate_job_env() {
  StepScope scope;
  if (const Value* inputs = order.spec.contexts.find("inputs")) scope.inputs = *inputs;
  const Variables none;
  for (const auto& layer : order.spec.env) {
    Variables env = context.env();
    for (const auto& [name, text] : layer) {
      auto value = co_await evaluate_text(text, scope, none);
      if (!value) co_return core::fail(Code::invalid, "env." + name + " of the job: " + value.error().message);
      set(env, name, std::move(*value));
    }
    context.env(std::move(env));
  }
  co_return Result<>{};
}

namespace {

std::string text_at(const Value& node, std::string_view key) {
  const Value* member = node.find(key);
  return member ? member->to_text() : std::string();
}

std::vector<std::string> texts_at(const Value& node, std::string_view key) {
  std::vector<std::string> texts;
  const Value* member = node.find(key);
  if (const auto* list = member ? member->if_array() : nullptr)
    for (const auto& entry : *list) texts.push_back(entry.to_text());
  return texts;
}

ContainerSpec container_spec(const Value& node) {
  ContainerSpec spec;
  spec.image = node.if_object() ? text_at(node, "image") : node.to_text();
  spec.options = text_at(node, "options");
  spec.ports = texts_at(node, "ports");
  spec.volumes = texts_at(node, "volumes");
  const Value* env = node.find("env");
  if (const auto* variables = env ? env->if_object() : nullptr)
    for (const auto& [name, value] : *variables) spec.env.emplace_back(name, value.to_text());
  if (const Value* credentials = node.find("credentials")) {
    spec.username = text_at(*credentials, "username");
    spec.password = text_at(*credentials, "password");
  }
  return spec;
}

}  // namespace

// A node of YAML with every text in it evaluated.
Task<Result<Value>> StepEngine::Impl::evaluated(Value node) {
  const StepScope scope;
  const Variables none;
  if (const auto* text = node.if_string()) co_return co_await evaluate(*text, scope, none);
  if (const auto* list = node.if_array()) {
    workflow::Array out_list;
    for (const auto& member : *list) {
      auto value = co_await evaluated(member);
      if (!value) co_return value;
      out_list.push_back(std::move(*value));
    }
    co_return Value(std::move(out_list));
  }
  if (const auto* object = node.if_object()) {
    Object members;
    for (const auto& [name, member] : *object) {
      auto value = co_await evaluated(member);
      if (!value) co_return value;
      members.set(name, std::move(*value));
    }
    co_return Value(std::move(members));
  }
  co_return node;
}

Task<Result<ContainerSpec>> StepEngine::Impl::container_of(Value node) {
  auto value = co_await evaluated(std::move(node));
  if (!value) co_return std::unexpected(value.error());
  co_return container_spec(*value);
}

Task<Result<JobNeeds>> StepEngine::Impl::needs() {
  JobNeeds wanted_needs;
  wanted_needs.limits = out.limits;
  wanted_needs.network = out.network;
  if (!order.spec.container.is_null()) {
    auto container = co_await container_of(order.spec.container);
    if (!container) co_return std::unexpected(container.error());
    if (!container->image.empty()) wanted_needs.container = std::move(*container);
  }
  if (!order.spec.services.is_null()) {
    auto services = co_await evaluated(order.spec.services);
    if (!services) co_return std::unexpected(services.error());
    if (const auto* all = services->if_object())
      for (const auto& [name, node] : *all) {
        auto container = container_spec(node);  // GitHub: a service without an image is not started
        if (!container.image.empty()) wanted_needs.services.push_back({name, std::move(container)});
      }
  }
  co_return wanted_needs;
}

// ---- After the last step

Task<> StepEngine::Impl::finish() {
  const auto& scope = steps->scope();
  const Variables none;
  size_t bytes = 0;
  for (const auto& [name, text] : order.spec.outputs) {
    auto value = co_await evaluate_text(text, scope, none);
    if (!value) {
      fail_job("outputs." + name + ": " + value.error().message);
      continue;
    }
    if (value->empty()) continue;
    if (context.masks().holds_secret(*value)) {
      std::string skipped = "Skip output '" + name + "' since it may contain secret.";
      annotate({.level = Annotation::Level::warning, .message = skipped, .title = {}, .file = {}}, skipped);
      continue;
    }
    bytes += name.size() + value->size();
    if (bytes > job_output_bytes_max) {
      fail_job("The outputs of this job are larger than " + std::to_string(job_output_bytes_max / 1024) + " KiB.");
      end.outputs.clear();
      break;
    }
    end.outputs.emplace_back(name, std::move(*value));
  }
  if (order.spec.environment_url.empty()) co_return;
  auto url = co_await evaluate_text(order.spec.environment_url, scope, none);
  if (!url) fail_job("environment.url: " + url.error().message);
  if (url) end.environment_url = context.masks().masked(*url);
}

}  // namespace headrace::runner
