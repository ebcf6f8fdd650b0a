#include "services/runner/action_source.h"

#include <algorithm>
#include <filesystem>

#include "services/runner/container_action.h"
#include "services/runner/job_context.h"
#include "services/runner/job_files.h"
#include "services/runner/native_actions.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

// Served here.
bool is_action_of_github(const ActionName& name, std::string_view action) {
  return workflow::equal_in_any_case(name.repository(), action) && name.path.empty();
}

bool is_name(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text != "." && text != ".." && text.find_first_not_of(good) == std::string_view::npos;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

Result<ActionName> parse_action_name(std::string_view uses) {
  auto wrong = [&] {
    return core::fail(Code::invalid, "Expected format {org}/{repo}[/path]@ref. Actual '" + std::string(uses) + "'");
  };
  size_t at = uses.find('@');
  if (at == std::string_view::npos || at + 1 == uses.size() || uses.find('@', at + 1) != std::string_view::npos)
    return wrong();
  ActionName name;
  name.ref = uses.substr(at + 1);
  std::string_view front = uses.substr(0, at);
  size_t first = front.find('/');
  if (first == std::string_view::npos) return wrong();
  size_t second = front.find('/', first + 1);
  name.owner = front.substr(0, first);
  name.name = front.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  if (second != std::string_view::npos) name.path = front.substr(second + 1);
  if (!is_name(name.owner) || !is_name(name.name)) return wrong();
  return name;
}

std::optional<std::string> path_within(std::string_view folder, std::string_view path) {
  std::filesystem::path top = std::filesystem::path(folder).lexically_normal();
  auto whole = (top / std::filesystem::path(path).relative_path()).lexically_normal().string();
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  std::string front = top.string();
  if (whole == front || whole.starts_with(front + "/")) return whole;
  return {};
}

JobActions::JobActions(Repositories& repositories, ActionOptions options)
    : repositories_(repositories), options_(std::move(options)) {}

bool JobActions::opens_early(std::string_view uses) const {
  return !uses.starts_with("./") && !uses.starts_with(".\\");
}

Task<Result<std::unique_ptr<Action>>> JobActions::open(ActionWish wish) {
  const std::string uses = wish.step->uses;
  if (++opened_ > actions_in_job_max)
    co_return core::fail(Code::exhausted, "The steps of this job use more than " + std::to_string(actions_in_job_max) +
                                              " actions, those within composite actions counted.");
  if (uses.starts_with("docker://")) co_return make_image_action(*this, uses);
  if (!opens_early(uses)) {
    auto folder = path_within(wish.engine->place().workspace, uses.substr(2));
    if (!folder)
      co_return core::fail(Code::invalid,
                           "'" + uses + "' leads out of the workspace. An action with ./ is a folder of it.");
    co_return co_await open_folder(wish, std::move(*folder), ActionName());
  }
  auto name = parse_action_name(uses);
  if (!name) co_return std::unexpected(name.error());
  if (is_action_of_github(*name, "actions/checkout")) co_return make_checkout(*this);
  if (auto native = make_native(*name)) co_return native;
  auto folder = co_await bring(*wish.engine, *name);
  if (!folder) co_return std::unexpected(folder.error());
  auto within = path_within(*folder, name->path);
  if (!within) co_return core::fail(Code::invalid, "'" + uses + "' leads out of its repository.");
  co_return co_await open_folder(wish, std::move(*within), std::move(*name));
}

Task<Result<std::unique_ptr<Action>>> JobActions::open_folder(ActionWish wish, std::string folder, ActionName name) {
  co_return co_await make_action(*this, wish, std::move(folder), std::move(name));
}

std::vector<RepositoryPlace> JobActions::places_of(const JobOrder& order, const std::string& repository,
                                                   bool upstream) const {
  std::vector<RepositoryPlace> places;
  if (options_.places) places = options_.places(repository);
  if (!options_.places && !order.grant.server_url.empty())
    places.push_back({without_slash(order.grant.server_url) + "/" + repository + ".git", order.grant.token, false});
  if (upstream && !options_.upstream.empty())
    places.push_back({without_slash(options_.upstream) + "/" + repository + ".git", {}, true});
  return places;
}

// Of the job; empty: none.
static std::string own_repository(const JobOrder& order) {
  const auto* github = order.spec.contexts.find("github");
  const auto* name = github ? github->find("repository") : nullptr;
  return name ? name->to_text() : std::string();
}

std::vector<Mount> JobActions::shared(const JobOrder& order) {
  const std::string own = own_repository(order);
  if (own.empty()) return {};
  for (const auto& place : places_of(order, own, false)) {
    shared_ = repositories_.hold_large(place, options_.shared_bytes);
    if (!shared_) continue;
    auto key = std::filesystem::path(*shared_).stem().string();
    return {{*shared_ + "/objects", "/headrace/objects/" + key, true}};
  }
  return {};
}

Task<Result<FetchedCommit>> JobActions::fetch(StepEngine& engine, ActionName name) {
  auto places = places_of(engine.order(), name.repository(), true);
  std::string tried, remedy = " Check its name, or bring it to this server.";
  const std::string& reader = engine.order().grant.actions_token;  // of other repositories
  const bool other = !workflow::equal_in_any_case(name.repository(), own_repository(engine.order()));
  for (auto& place : places) {
    if (other && !place.open && !reader.empty()) place.token = reader;
    auto found = co_await repositories_.fetch(place, name.ref, false);
    if (found) co_return found;
    tried += "\n  " + found.error().message;
    if (found.error().code == Code::unavailable)
      remedy =
          " Where this machine cannot reach it, bring the repository to this server (headrace repo create, git "
          "push --mirror), or start the runner with --actions-upstream and an address it can reach.";
  }
  if (options_.upstream.empty()) remedy += " No upstream is configured (--actions-upstream).";
  co_return core::fail(Code::not_found, "Unable to resolve action '" + name.repository() + "@" + name.ref +
                                            "', unable to find it." + remedy +
                                            " Tried:" + (tried.empty() ? " nothing." : tried));
}

// Its files in the job's folder; the host path.
Task<Result<std::string>> JobActions::bring(StepEngine& engine, ActionName name) {
  std::string key = name.repository() + "@" + name.ref;
  if (auto known = brought_.find(key); known != brought_.end()) co_return known->second;
  auto found = co_await fetch(engine, name);
  if (!found) co_return std::unexpected(found.error());
  engine.say("Download action repository '" + key + "' (SHA:" + found->commit + ")");
  std::string folder = engine.place().folder + "/actions/" + name.owner + "/" + name.name + "/" + found->commit;
  auto inside = engine.surroundings().to_inside(folder);
  if (!inside) co_return core::fail(Code::unavailable, "The job cannot see the folder of its actions.", folder);
  Command unpack;
  unpack.argv = {"/bin/sh", "-c", "mkdir -p \"$0\" && cd \"$0\" && exec tar -xf -", *inside};
  for (const auto& [variable, value] : engine.surroundings().environment())
    unpack.environment.push_back(variable + "=" + value);
  std::vector<std::string> archive{"git", "-C", found->mirror, "archive", "--format=tar", found->commit};
  auto ran = co_await run_between(repositories_, engine.surroundings(), std::move(unpack), std::move(archive), false);
  if (!ran) co_return core::pass_on(ran.error(), "bringing an action into the job");
  if (!ran->exit.succeeded())
    co_return core::fail(Code::unavailable, "The files of '" + key + "' could not be unpacked: " + ran->out);
  brought_[key] = folder;
  co_return folder;
}

// ---- Containers

Task<Result<const ContainerEngine*>> JobActions::engine() {
  if (!engine_) {
    auto found = co_await ContainerEngine::find(repositories_.loop(), options_.containers.engine);
    if (!found) co_return std::unexpected(found.error());
    engine_.emplace(std::move(*found));
  }
  co_return &*engine_;
}

std::string JobActions::network_of(StepEngine& engine) const {
  const auto* facts = engine.surroundings().containers();
  if (facts && !facts->network.empty()) return facts->network;
  return options_.containers.network == ExecutorOptions::Network::none ? "none" : "";
}

Task<Result<>> JobActions::give_back(StepEngine& engine) {
  auto owner = engine.surroundings().owner();
  if (!owner) co_return Result<>{};
  JobFiles files(engine.place().folder, owner);
  auto work = [files, place = engine.place()]() -> Result<> {
    for (const auto& folder : {place.workspace, place.temporary, place.folder + "/home", place.folder + "/tools"})
      if (auto given = files.give_back(folder); !given) return given;
    return {};
  };
  core::Pool::Limits one{.threads = 1, .queue_max = 16};
  if (!giving_) giving_ = std::make_unique<core::Pool>("files of container actions", one);
  co_return co_await core::blocking(*giving_, std::move(work));
}

}  // namespace headrace::runner
