#include "services/runner/job_context.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "core/json.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using workflow::Object;
using workflow::Value;

namespace {

// Members of the github context that are variables as well (GitHubContext of actions/runner).
constexpr std::array<std::string_view, 34> shown{"action",
                                                 "action_path",
                                                 "action_ref",
                                                 "action_repository",
                                                 "actor",
                                                 "actor_id",
                                                 "api_url",
                                                 "base_ref",
                                                 "env",
                                                 "event_name",
                                                 "event_path",
                                                 "graphql_url",
                                                 "head_ref",
                                                 "job",
                                                 "output",
                                                 "path",
                                                 "ref",
                                                 "ref_name",
                                                 "ref_protected",
                                                 "ref_type",
                                                 "repository",
                                                 "repository_id",
                                                 "repository_owner",
                                                 "repository_owner_id",
                                                 "retention_days",
                                                 "run_attempt",
                                                 "run_id",
                                                 "run_number",
                                                 "server_url",
                                                 "sha",
                                                 "state",
                                                 "step_summary",
                                                 "triggering_actor",
                                                 "workflow"};
constexpr std::array<std::string_view, 3> shown_too{"workflow_ref", "workflow_sha", "workspace"};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
  return out;
}

std::string_view architecture() {
#if defined(__x86_64__)
  return "X64";
#elif defined(__aarch64__)
  return "ARM64";
#elif defined(__arm__)
  return "ARM";
#else
  return "X86";
#endif
}

std::string cut(std::string text, size_t bytes_max) {
  if (text.size() > bytes_max) text.resize(bytes_max);
  return core::to_valid_utf8(std::move(text));
}

bool switched_on(const Value* context, std::string_view name) {
  const Value* value = context ? context->find(name) : nullptr;
  return value && workflow::equal_in_any_case(value->to_text(), "true");
}

}  // namespace

void set(Variables& variables, std::string name, std::string value) {
  for (auto& [known, old] : variables) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  variables.emplace_back(std::move(name), std::move(value));
}

const std::string* find(const Variables& variables, std::string_view name) {
  for (const auto& [known, value] : variables)
    if (known == name) return &value;
  return nullptr;
}

JobContext::JobContext(const JobOrder& order) : order_(order) {
  if (const Value* given = order.spec.contexts.find("github"); given && given->if_object())
    github_ = *given->if_object();
  auto event = core::parse_json(order.event);
  github_.set("event", event ? Value::from_json(*event) : Value(Object()));
  github_.set("token", order.grant.token);
  if (!github_.find("job")) github_.set("job", order.spec.job);
  if (!order.spec.container.is_null()) job_.set("container", Value(Object()));
  if (!order.spec.services.is_null()) job_.set("services", Value(Object()));
  Object secrets;
  for (const auto& [name, value] : order.grant.secrets) secrets.set(name, value);
  if (!order.grant.token.empty()) secrets.set("GITHUB_TOKEN", order.grant.token);
  secrets_ = Value(std::move(secrets));
  debug_ = order.debug || switched_on(&secrets_, "ACTIONS_STEP_DEBUG") ||
           switched_on(order.spec.contexts.find("vars"), "ACTIONS_STEP_DEBUG");
}

Result<> JobContext::hide_secrets() {
  if (auto added = masks_.add(order_.grant.token); !added) return added;
  if (auto added = masks_.add(order_.grant.runtime_token); !added) return added;
  if (auto added = masks_.add(order_.grant.actions_token); !added) return added;
  for (const auto& [name, value] : order_.grant.secrets)
    if (auto added = masks_.add(value); !added) return core::pass_on(added.error(), "hiding the secret " + name);
  return {};
}

void JobContext::settle(const Surroundings& around, std::string event_path) {
  const auto& inside = around.inside();
  github_.set("workspace", inside.workspace);
  github_.set("event_path", std::move(event_path));
  runner_.set("name", order_.runner_name);
  runner_.set("os", "Linux");
  runner_.set("arch", architecture());
  runner_.set("environment", order_.runner_environment);
  runner_.set("temp", inside.temporary);
  runner_.set("tool_cache", inside.tool_cache);
  runner_.set("workspace", inside.workspace.substr(0, inside.workspace.rfind('/')));
  if (debug_) runner_.set("debug", "1");
  if (const auto* facts = around.containers()) know(*facts);
}

// GitHub Docs, "Contexts reference", "job context". job.container.network is there for services without container: too.
void JobContext::know(const ContainerFacts& facts) {
  Object container, services;
  if (!facts.id.empty()) container.set("id", facts.id);
  container.set("network", facts.network);
  for (const auto& service : facts.services) {
    Object ports, one;
    for (const auto& [inner, outer] : service.ports) ports.set(inner, outer);
    one.set("id", service.id);
    one.set("network", facts.network);
    one.set("ports", Value(std::move(ports)));
    services.set(service.name, Value(std::move(one)));
  }
  job_.set("container", Value(std::move(container)));
  job_.set("services", Value(std::move(services)));
}

Object JobContext::contexts(std::string_view status) const {
  Object all;
  for (const auto& [name, value] : order_.spec.contexts) all.set(name, value);
  all.set("github", Value(github_));
  all.set("runner", Value(runner_));
  all.set("secrets", secrets_);
  Object job = job_;
  job.set("status", status);
  all.set("job", Value(std::move(job)));
  return all;
}

std::string JobContext::github(std::string_view key) const {
  const Value* value = github_.find(key);
  return value ? value->to_text() : std::string();
}

Variables JobContext::default_variables(const Object& github) const {
  Variables variables{{"GITHUB_ACTIONS", "true"}};
  auto put = [&](std::string_view name) {
    const Value* value = github.find(name);
    std::string text = value && value->is_primitive() ? value->to_text() : std::string();
    const bool unknown = text.empty() && name.ends_with("_url");  // the toolkit knows GitHub's own where there is none
    if (value && value->is_primitive() && !unknown) variables.emplace_back("GITHUB_" + upper(name), std::move(text));
  };
  for (auto name : shown) put(name);
  for (auto name : shown_too) put(name);
  for (const auto& [name, value] : runner_) variables.emplace_back("RUNNER_" + upper(name), value.to_text());
  return variables;
}

Result<> JobContext::set_variable(std::string name, std::string value) {
  if (name.contains('\0') || value.contains('\0'))
    return core::fail(Code::invalid, "The variable '" + name + "' holds a NUL byte, which no program can be given.");
  variable_bytes_ += name.size() + value.size();
  if (variable_bytes_ > job_variables_bytes_max)
    return core::fail(Code::exhausted, "The steps of this job have set more than " +
                                           std::to_string(job_variables_bytes_max >> 20) + " MiB of variables.");
  set(env_, std::move(name), std::move(value));
  return {};
}

Result<> JobContext::add_path(std::string path) {
  variable_bytes_ += path.size();
  if (variable_bytes_ > job_variables_bytes_max)
    return core::fail(Code::exhausted, "The steps of this job have added too many folders to PATH.");
  std::erase(paths_, path);
  paths_.insert(paths_.begin(), std::move(path));
  return {};
}

const Annotation* JobContext::keep(Annotation note) {
  auto like = std::ranges::count_if(
      annotations_, [&](const auto& other) { return other.step == note.step && other.level == note.level; });
  note.message = cut(masks_.masked(note.message), annotation_message_max);
  note.title = cut(masks_.masked(note.title), 255);
  note.file = cut(masks_.masked(note.file), 1024);
  size_t bytes = note.message.size() + note.title.size() + note.file.size();
  if (annotations_.size() >= annotations_max || like >= static_cast<std::ptrdiff_t>(annotations_a_step_max) ||
      annotation_bytes_ + bytes > annotations_bytes_max)
    return nullptr;
  annotation_bytes_ += bytes;
  return &annotations_.emplace_back(std::move(note));
}

}  // namespace headrace::runner
