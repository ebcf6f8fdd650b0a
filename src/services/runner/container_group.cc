#include "services/runner/container_group.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/leftovers.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t last_words_max = 2'000;  // of a service that failed, for the message

// A name that no other network of the machine has; every job of this process has its own.
std::string next_name() {
  static uint64_t made = 0;
  return "headrace-" + this_runner() + "-" + std::to_string(++made);
}

}  // namespace

// What the engine is told to make, and what it answered.
struct ContainerGroup::Making {
  explicit Making(const core::Executor& loop) : changed(loop) {}
  std::optional<Result<std::string>> answer;
  core::Signal changed;
};

Task<> ContainerGroup::make_whole(std::shared_ptr<ContainerGroup> group, std::vector<std::string> words,
                                  std::string doing, Variables environment, std::shared_ptr<Making> making) {
  bool network = words.front() == "network";
  std::string name = words.back();
  auto said = co_await group->engine_.run(std::move(words), std::move(doing), std::move(environment));
  if (said) *said = said->substr(said->rfind('\n') + 1);  // what was pulled meanwhile is told before it
  if (said && network) group->network_ = std::move(name);
  if (said && !network) group->containers_.push_back(*said);
  making->answer = std::move(said);
  making->changed.notify_all();
}

Task<Result<std::string>> ContainerGroup::make(std::vector<std::string> words, std::string doing,
                                               Variables environment) {
  auto making = std::make_shared<Making>(engine_.loop());  // shared with the task, which may outlast this one
  making_.spawn(doing, make_whole(shared_from_this(), std::move(words), doing, std::move(environment), making));
  while (!making->answer) co_await making->changed.wait();
  co_return *making->answer;
}

Task<Result<>> ContainerGroup::make_network(bool closed) {
  if (auto noted = note_engine(options_.folder, engine_.program()); !noted) co_return noted;
  std::string name = next_name();
  std::vector<std::string> words{"network", "create"};
  for (auto& word : label_words(options_.folder)) words.push_back(std::move(word));
  if (closed) words.emplace_back("--internal");
  words.push_back(name);
  Variables nothing;
  auto made = co_await make(std::move(words), "making a network for the job", std::move(nothing));
  if (!made) co_return std::unexpected(made.error());
  facts.network = std::move(name);
  co_return Result<>{};
}

Task<Result<>> ContainerGroup::start_services(std::vector<ServiceSpec> services) {
  if (services.size() > services_max)
    co_return core::fail(Code::exhausted, "The job has more than " + std::to_string(services_max) + " services.");
  for (auto& service : services) {
    facts.services.push_back({service.name, {}, {}});
    std::string id;
    std::vector<std::string> more, command;
    auto begun = co_await create(std::move(service.container), service.name, std::move(more), std::move(command), id);
    facts.services.back().id = id;
    if (!begun) {
      if (id.empty()) facts.services.pop_back();
      co_return core::fail(begun.error().code,
                           "The service '" + service.name + "' does not start. " + begun.error().message,
                           begun.error().detail);
    }
  }
  for (auto& service : facts.services)
    if (auto healthy = co_await until_healthy(service); !healthy) co_return healthy;
  co_return Result<>{};
}

namespace {

// Of the credentials of one pull; no other job, and nobody else's sign-in, has to do with them. Beside the folder of
// the job, which a runner that was killed meanwhile removes with the job when it is back.
class LoginFolder {
 public:
  LoginFolder() = default;
  ~LoginFolder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  LoginFolder(const LoginFolder&) = delete;
  LoginFolder& operator=(const LoginFolder&) = delete;
  Result<> make(const std::string& job) {
    std::string name = std::filesystem::path(job).parent_path() / "login-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return std::unexpected(core::error_of_errno(errno, "making a folder", name));
    path = std::move(name);
    return {};
  }
  std::string path;
};

}  // namespace

Task<Result<std::string>> ContainerGroup::pull(ContainerSpec spec) {
  LoginFolder folder;
  Variables login;
  if (!spec.username.empty()) {
    if (auto made = folder.make(job_); !made) co_return std::unexpected(made.error());
    auto in = co_await engine_.login(registry_of(spec.image), spec.username, spec.password, folder.path);
    if (!in) co_return std::unexpected(in.error());
    login = std::move(*in);
  }
  auto image = co_await engine_.pull(spec.image, std::move(login));
  if (!image) co_return std::unexpected(image.error());
  if (!image->remark.empty()) remarks_.push_back(std::move(image->remark));
  co_return std::move(image->name);
}

// create, start; the id is kept before the start, so that it is removed whatever follows.
Task<Result<>> ContainerGroup::create(ContainerSpec spec, std::string alias, std::vector<std::string> more,
                                      std::vector<std::string> command, std::string& id) {
  auto image = co_await pull(spec);
  if (!image) co_return std::unexpected(image.error());
  auto made = container_words(spec, facts.network, alias, options_.volumes_allowed);
  if (!made) co_return std::unexpected(made.error());
  std::vector<std::string> words{"create"};
  words.insert(words.end(), made->words.begin(), made->words.end());
  for (auto& word : label_words(options_.folder)) words.push_back(std::move(word));
  words.insert(words.end(), {"--env", tracking_of(job_)});  // the warden of this process finds its processes by it
  words.insert(words.end(), more.begin(), more.end());
  words.push_back(*image);
  words.insert(words.end(), command.begin(), command.end());
  auto created = co_await make(std::move(words), "making a container of " + spec.image, std::move(made->environment));
  if (!created) co_return std::unexpected(created.error());
  id = *created;
  std::vector<std::string> start{"start", id};
  auto started = co_await engine_.run(std::move(start), "starting a container of " + spec.image);
  if (!started) co_return std::unexpected(started.error());
  co_return Result<>{};
}

Task<Result<>> ContainerGroup::until_healthy(ContainerFacts::Service& service) {
  auto begun = clock_.steady();
  std::optional<core::Duration> patience;  // of a container whose health we ask for
  for (auto pause = health_first;; pause = std::min(pause * 2, health_most)) {
    std::vector<std::string> ask{"inspect", "--format", "{{json .State}}", service.id};
    auto said = co_await engine_.run(std::move(ask), "asking for the health of the service " + service.name);
    if (!said) co_return std::unexpected(said.error());
    auto health = read_health(*said);
    if (health == ContainerHealth::healthy || health == ContainerHealth::running) break;
    bool starts = health == ContainerHealth::starting || health == ContainerHealth::unknown ||
                  (health == ContainerHealth::unhealthy && engine_.is_podman());
    if (starts && co_await engine_.check_health(service.id)) break;
    if (starts && !patience) patience = co_await patience_with(service.id);
    auto waited = clock_.steady() - begun;
    if (!starts || waited > health_limit || waited > *patience)
      co_return co_await not_healthy(service, health, std::move(*said));
    co_await clock_.sleep_for(pause);
  }
  std::vector<std::string> ask{"port", service.id};
  auto ports = co_await engine_.run(std::move(ask), "asking for the ports of the service " + service.name);
  if (ports) service.ports = read_ports(*ports);
  co_return Result<>{};
}

// Docker counts by itself and says unhealthy.
Task<core::Duration> ContainerGroup::patience_with(std::string id) {
  if (!engine_.is_podman()) co_return health_limit;
  std::vector<std::string> ask{"inspect", "--format", "{{json .Config.Healthcheck}}", std::move(id)};
  auto said = co_await engine_.run(std::move(ask), "asking for the health check of a service");
  co_return read_patience(said.value_or(""));
}

Task<Result<>> ContainerGroup::not_healthy(const ContainerFacts::Service& service, ContainerHealth health,
                                           std::string state) {
  std::string end = health == ContainerHealth::ended ? read_end(state) : std::string();
  if (health == ContainerHealth::starting) health = ContainerHealth::unhealthy;  // it had its time
  std::string words = co_await last_words(service.id);
  co_return core::fail(Code::unavailable, "The service '" + service.name + "' did not become healthy: it is " +
                                              std::string(name_of(health)) + (end.empty() ? "" : ", " + end) +
                                              ". Look at its image, its env and its --health-cmd." + words);
}

// What a service printed before it failed: what a person would look at next.
Task<std::string> ContainerGroup::last_words(std::string id) {
  std::vector<std::string> ask{"logs", "--tail", "20", id};
  auto said = co_await engine_.run_both(std::move(ask), "asking what a service said");
  if (!said || said->empty()) co_return std::string();
  std::string words = said->size() > last_words_max ? said->substr(said->size() - last_words_max) : *said;
  co_return " It said:\n" + core::to_valid_utf8(std::move(words));
}

std::vector<std::string> ContainerGroup::lines() const {
  std::vector<std::string> lines = remarks_;
  for (const auto& service : facts.services) {
    std::string line = "Service " + service.name + " is up";
    for (const auto& [inner, outer] : service.ports) line += ", its port " + inner + " is localhost:" + outer;
    lines.push_back(line + ".");
  }
  return lines;
}

void ContainerGroup::begin_removal() {
  if (std::exchange(removal_begun_, true)) return;
  removing_.spawn("remove the containers of a job", remove_whole(shared_from_this()));
}

Task<> ContainerGroup::remove(std::shared_ptr<ContainerGroup> group) {
  group->begin_removal();
  while (!group->removed_) co_await group->gone_.wait();
}

Task<> ContainerGroup::remove_whole(std::shared_ptr<ContainerGroup> group) {
  co_await group->making_.until_idle();
  const auto& ids = group->containers_;
  if (!ids.empty()) {
    std::vector<std::string> words{"rm", "--force", "--volumes"};
    words.insert(words.end(), ids.begin(), ids.end());
    // At once: podman's rm gives them ten seconds otherwise. One that has ended cannot be killed, which is no matter.
    std::vector<std::string> end{"kill"};
    end.insert(end.end(), ids.begin(), ids.end());
    auto killed = co_await group->engine_.run(std::move(end), "ending the containers of a job");
    auto gone = co_await group->engine_.run(std::move(words), "removing the containers of a job");
    if (!gone) core::diagnose(core::Level::warning, "runner", gone.error().message);
  }
  if (!group->network_.empty()) {
    std::vector<std::string> words{"network", "rm", group->network_};
    auto gone = co_await group->engine_.run(std::move(words), "removing the network of a job");
    if (!gone) core::diagnose(core::Level::warning, "runner", gone.error().message);
  }
  group->removed_ = true;
  group->gone_.notify_all();
}

}  // namespace headrace::runner
