#include "services/runner/container_executor.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/diagnostics.h"
#include "core/json.h"
#include "process/init_client.h"
#include "process/init_image.h"
#include "services/runner/container_engine.h"
#include "services/runner/job_files.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

// GitHub's places of a job in a container ("Accessing the default working directory", actions/runner).
constexpr const char* inside_work = "/__w";
constexpr const char* inside_home = "/github/home";
constexpr const char* inside_init = "/__headrace/init";
constexpr const char* inside_control = "/__headrace/control";
constexpr std::chrono::seconds init_limit{60};          // from start to the init's first word
constexpr std::chrono::minutes health_limit{10};        // of one service
constexpr std::chrono::milliseconds health_first{100};  // doubled up to
constexpr std::chrono::milliseconds health_most{2'000};
constexpr std::chrono::milliseconds connect_pause{10};

// What a job has of the engine; removed in any order of failures.
struct Kept {
  explicit Kept(ContainerEngine by) : engine(std::move(by)) {}
  ContainerEngine engine;
  ContainerFacts facts;
  std::string control;  // folder of the socket
  std::unique_ptr<process::InitClient> init;
  std::vector<std::string> logged_in;  // registries
  bool removed = false;
};

Task<> remove_all(std::shared_ptr<Kept> kept) {
  if (std::exchange(kept->removed, true)) co_return;
  if (kept->init) co_await kept->init->end(std::chrono::milliseconds(2'000));
  std::vector<std::string> ids;
  if (!kept->facts.id.empty()) ids.push_back(kept->facts.id);
  for (const auto& service : kept->facts.services) ids.push_back(service.id);
  for (const auto& id : ids) {
    std::vector<std::string> words{"rm", "--force", "--volumes", id};
    auto gone = co_await kept->engine.run(std::move(words), "removing a container");
    if (!gone) core::diagnose(core::Level::warning, "runner", gone.error().message);
  }
  if (!kept->facts.network.empty()) {
    std::vector<std::string> words{"network", "rm", kept->facts.network};
    auto gone = co_await kept->engine.run(std::move(words), "removing a network");
    if (!gone) core::diagnose(core::Level::warning, "runner", gone.error().message);
  }
  for (const auto& registry : kept->logged_in) {
    std::vector<std::string> words{"logout", registry};
    auto out = co_await kept->engine.run(std::move(words), "signing out of a registry");
    if (!out) core::diagnose(core::Level::warning, "runner", out.error().message);
  }
  std::error_code ignored;  // a socket's folder in /tmp
  std::filesystem::remove_all(kept->control, ignored);
}

class ContainerSurroundings final : public Surroundings {
 public:
  ContainerSurroundings(core::Executor loop, JobPlace place, JobLimits limits, std::string image,
                        std::shared_ptr<Kept> kept, Variables environment)
      : cleaning_(std::move(loop)),
        place_(std::move(place)),
        limits_(limits),
        image_(std::move(image)),
        kept_(std::move(kept)),
        environment_(std::move(environment)),
        files_(place_.folder, {}) {
    auto within = [this](const std::string& host) { return to_inside(host).value_or(inside_work); };
    inside_ = {within(place_.workspace), within(place_.temporary), within(place_.tool_cache), inside_home};
  }
  // The engine's containers are no children of ours: where end() was not awaited they are removed all the same, as long
  // as the loop runs.
  ~ContainerSurroundings() override {
    if (!kept_->removed) cleaning_.spawn("remove the containers of a job", remove_all(kept_));
  }

  Kind what() const override { return Kind::container; }
  std::vector<std::string> description() const override {
    std::vector<std::string> lines{"Runs in a container of " + image_ + " (" + kept_->engine.program() + ", " +
                                   kept_->facts.id.substr(0, 12) + "); its limits and its network are the engine's."};
    for (const auto& service : kept_->facts.services) {
      std::string line = "Service " + service.name + " is up";
      for (const auto& [inner, outer] : service.ports)
        line += ", port " + inner + " of it is " + outer + " of the host";
      lines.push_back(line + ".");
    }
    return lines;
  }
  const InsidePaths& inside() const override { return inside_; }
  std::optional<std::string> to_inside(std::string_view host) const override {
    if (auto found = moved(host, place_.folder, inside_work)) return found;
    for (const auto& mount : place_.mounts)
      if (auto found = moved(host, mount.host, mount.inside)) return found;
    return {};
  }
  std::optional<std::string> to_host(std::string_view inside) const override {
    for (const auto& mount : place_.mounts)
      if (auto found = moved(inside, mount.inside, mount.host)) return found;
    if (auto found = moved(inside, inside_work, place_.folder)) return found;
    return moved(inside, inside_home, place_.folder + "/home");
  }
  Variables environment() const override { return environment_; }

  Task<Result<std::unique_ptr<process::Child>>> run(Command command) override {
    process::InitClient::Run wanted;
    wanted.argv = std::move(command.argv);
    wanted.environment = std::move(command.environment);
    bool absolute = command.directory.starts_with("/");
    wanted.directory = command.directory.empty() ? inside_.workspace
                       : absolute                ? std::move(command.directory)
                                                 : inside_.workspace + "/" + command.directory;
    wanted.input = command.input;
    wanted.leftovers = command.leftovers;
    co_return co_await kept_->init->run(std::move(wanted));
  }
  pid_t leader() const override { return 0; }  // the init ends with our socket, and the container with the init

  Result<> write(const std::string& path, std::string_view text) override { return files_.write(path, text); }
  Result<> make_folder(const std::string& path) override { return files_.make_folder(path); }
  Result<std::string> read(const std::string& path, size_t bytes_max) const override {
    return files_.read(path, bytes_max);
  }
  const ContainerFacts* containers() const override { return &kept_->facts; }

  Task<Result<InsideListener>> listen() override {
    auto listener = co_await kept_->init->listen();
    if (!listener) co_return std::unexpected(listener.error());
    InsideListener lent{std::move(listener->socket), listener->port};
    co_return lent;
  }
  std::optional<std::string> limit_hit() const override {
    if (kept_->init->alive() || limits_.memory_bytes == 0) return {};
    return "The container ended by itself; where that was for lack of memory, the engine's limit of the job is " +
           std::to_string(limits_.memory_bytes >> 20) + " MiB.";
  }
  Task<Result<Usage>> end() override {
    auto used = kept_->init->usage();
    Usage usage;
    usage.processor = used.processor;
    if (used.memory_peak_bytes > 0) usage.memory_peak_bytes = used.memory_peak_bytes;
    co_await remove_all(kept_);
    co_return usage;
  }

 private:
  static std::optional<std::string> moved(std::string_view path, std::string_view from, std::string_view to) {
    if (!path.starts_with(from) || (path.size() > from.size() && path[from.size()] != '/')) return {};
    return std::string(to) + std::string(path.substr(from.size()));
  }

  core::Scope cleaning_;
  JobPlace place_;
  JobLimits limits_;
  std::string image_;
  std::shared_ptr<Kept> kept_;  // shared with the task that removes it all
  Variables environment_;
  JobFiles files_;
  InsidePaths inside_;
};

// Makes the surroundings of one job, step by step; what was made is in `kept`, so it is removed where a step fails.
class Preparation {
 public:
  Preparation(core::Executor loop, core::Clock& clock, const ExecutorOptions& options, JobPlace place, JobNeeds needs,
              std::shared_ptr<Kept> kept, std::string init)
      : loop_(std::move(loop)),
        clock_(clock),
        options_(options),
        place_(std::move(place)),
        needs_(std::move(needs)),
        kept_(std::move(kept)),
        init_(std::move(init)) {}

  Task<Result<std::unique_ptr<Surroundings>>> run() {
    if (auto made = make_folders(); !made) co_return std::unexpected(made.error());
    if (auto made = co_await make_network(); !made) co_return std::unexpected(made.error());
    for (const auto& service : needs_.services)
      if (auto begun = co_await start_service(service); !begun) co_return std::unexpected(begun.error());
    for (auto& service : kept_->facts.services)
      if (auto healthy = co_await wait_for(service); !healthy) co_return std::unexpected(healthy.error());
    if (auto begun = co_await start_job(); !begun) co_return std::unexpected(begun.error());
    auto environment = co_await environment_of_image();
    if (!environment) co_return std::unexpected(environment.error());
    co_return std::make_unique<ContainerSurroundings>(loop_, place_, needs_.limits, needs_.container->image, kept_,
                                                      std::move(*environment));
  }

 private:
  Result<> make_folders() {
    std::error_code error;
    std::filesystem::create_directories(place_.folder, error);
    if (error) return std::unexpected(core::error_of_errno(error.value(), "making the folder of a job", place_.folder));
    JobFiles files(place_.folder, {});
    for (const auto& folder : {place_.workspace, place_.temporary, place_.tool_cache, place_.folder + "/home"})
      if (auto made = files.make_folder(folder); !made) return made;
    return {};
  }

  Task<Result<>> make_network() {
    std::string name =
        "headrace-" + std::to_string(::getpid()) + "-" + std::filesystem::path(kept_->control).filename().string();
    std::vector<std::string> words{"network", "create", name};
    auto made = co_await kept_->engine.run(std::move(words), "making a network for the job");
    if (!made) co_return std::unexpected(made.error());
    kept_->facts.network = std::move(name);
    co_return Result<>{};
  }

  Task<Result<>> pull(const ContainerSpec& spec) {
    if (!spec.username.empty()) {
      std::string registry = registry_of(spec.image);
      std::vector<std::string> login{"login", "--username", spec.username, "--password-stdin", registry};
      Variables nothing;
      auto in =
          co_await kept_->engine.run(std::move(login), "signing in at " + registry, std::move(nothing), spec.password);
      if (!in) co_return std::unexpected(in.error());
      kept_->logged_in.push_back(registry);
    }
    std::vector<std::string> words{"pull", "--quiet", spec.image};
    Variables nothing;
    std::string no_input;
    auto pulled = co_await kept_->engine.run(std::move(words), "pulling the image " + spec.image, std::move(nothing),
                                             std::move(no_input), ContainerEngine::pull_limit);
    if (!pulled) co_return std::unexpected(pulled.error());
    co_return Result<>{};
  }

  // create, start; the id is kept before the start, so that it is removed whatever follows.
  Task<Result<>> create(const ContainerSpec& spec, const std::string& alias, std::vector<std::string> more,
                        std::vector<std::string> command, std::string& id) {
    if (auto pulled = co_await pull(spec); !pulled) co_return pulled;
    auto made = container_words(spec, kept_->facts.network, alias, options_.volumes_allowed);
    if (!made) co_return std::unexpected(made.error());
    std::vector<std::string> words{"create"};
    words.insert(words.end(), made->words.begin(), made->words.end());
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(spec.image);
    words.insert(words.end(), command.begin(), command.end());
    auto created = co_await kept_->engine.run(std::move(words), "making a container of " + spec.image,
                                              std::move(made->environment));
    if (!created) co_return std::unexpected(created.error());
    id = created->substr(created->rfind('\n') + 1);  // what was pulled meanwhile is told before it
    std::vector<std::string> start{"start", id};
    auto started = co_await kept_->engine.run(std::move(start), "starting a container of " + spec.image);
    if (!started) co_return std::unexpected(started.error());
    co_return Result<>{};
  }

  Task<Result<>> start_service(const ServiceSpec& service) {
    kept_->facts.services.push_back({service.name, {}, {}});
    std::string id;
    std::vector<std::string> none;
    auto begun = co_await create(service.container, service.name, none, none, id);
    kept_->facts.services.back().id = id;
    if (id.empty()) kept_->facts.services.pop_back();
    co_return begun;
  }

  // Until it is healthy; one without a health check is when it runs.
  Task<Result<>> wait_for(ContainerFacts::Service& service) {
    auto deadline = clock_.steady() + health_limit;
    for (auto pause = health_first;; pause = std::min(pause * 2, health_most)) {
      std::vector<std::string> ask{"inspect", "--format", "{{json .State}}", service.id};
      auto said = co_await kept_->engine.run(std::move(ask), "asking for the health of service " + service.name);
      if (!said) co_return std::unexpected(said.error());
      std::string health = health_in(*said);
      if (health == "healthy" || health.empty()) break;
      if (health == "unhealthy" || health == "exited" || clock_.steady() > deadline)
        co_return core::fail(Code::unavailable, "The service '" + service.name + "' did not become healthy: it is " +
                                                    health + ". Look at its image and its --health-cmd.");
      co_await clock_.sleep_for(pause);
    }
    std::vector<std::string> ask{"port", service.id};
    auto ports = co_await kept_->engine.run(std::move(ask), "asking for the ports of service " + service.name);
    if (ports) read_ports(*ports, service.ports);
    co_return Result<>{};
  }

  // podman before 4.0 says Healthcheck where docker says Health.
  static std::string health_in(const std::string& text) {
    auto state = core::parse_json(text);
    if (!state || !state->is_object()) return "unknown";
    const auto& object = state->get_object();
    for (const char* name : {"Health", "Healthcheck"})
      if (const auto* health = object.if_contains(name); health && health->is_object())
        if (auto status = core::string_at(health->get_object(), "Status"); status && !status->empty()) return *status;
    auto status = core::string_at(object, "Status").value_or("");
    return status == "exited" || status == "dead" ? "exited" : "";
  }

  // "5432/tcp -> 0.0.0.0:49153"
  static void read_ports(const std::string& text, Variables& ports) {
    for (size_t from = 0; from < text.size();) {
      size_t to = std::min(text.find('\n', from), text.size());
      std::string line = text.substr(from, to - from);
      from = to + 1;
      size_t slash = line.find('/');
      size_t colon = line.rfind(':');
      if (slash == std::string::npos || colon == std::string::npos) continue;
      std::string inner = line.substr(0, slash);
      bool known = false;
      for (const auto& [name, outer] : ports) known = known || name == inner;
      if (!known) ports.emplace_back(inner, line.substr(colon + 1));
    }
  }

  Task<Result<>> start_job() {
    const JobLimits& limits = needs_.limits;
    std::vector<std::string> more{"--workdir", inside_work, "--entrypoint", inside_init};
    auto mount = [&more](const std::string& host, const std::string& inside, bool read_only) {
      more.insert(more.end(), {"--volume", host + ":" + inside + (read_only ? ":ro" : "")});
    };
    mount(place_.folder, inside_work, false);
    mount(place_.folder + "/home", inside_home, false);
    mount(init_, inside_init, true);
    mount(kept_->control, inside_control, false);
    for (const auto& one : place_.mounts) mount(one.host, one.inside, one.read_only);
    if (limits.memory_bytes > 0) more.insert(more.end(), {"--memory", std::to_string(limits.memory_bytes)});
    if (limits.processes > 0) more.insert(more.end(), {"--pids-limit", std::to_string(limits.processes)});
    if (limits.processors > 0) more.insert(more.end(), {"--cpus", std::to_string(limits.processors)});
    std::vector<std::string> command{"listen", std::string(inside_control) + "/socket"};
    if (limits.file_bytes > 0) command.insert(command.end(), {"--file-bytes", std::to_string(limits.file_bytes)});
    std::string id;
    const std::string no_alias;
    auto begun = co_await create(*needs_.container, no_alias, std::move(more), std::move(command), id);
    kept_->facts.id = std::move(id);
    if (!begun) co_return begun;
    co_return co_await connect();
  }

  Task<Result<>> connect() {
    auto deadline = clock_.steady() + init_limit;
    for (;; co_await clock_.sleep_for(connect_pause)) {
      auto socket = connect_once(kept_->control + "/socket");
      if (socket) {
        kept_->init = std::make_unique<process::InitClient>(loop_, std::move(*socket), std::nullopt);
        co_return co_await kept_->init->ready(init_limit);
      }
      if (clock_.steady() > deadline) break;
    }
    std::vector<std::string> ask{"logs", kept_->facts.id};
    auto said = co_await kept_->engine.run(std::move(ask), "asking what the container said");
    co_return core::fail(Code::unavailable, "The container of the job did not come up: " +
                                                (said && !said->empty() ? *said : std::string("it said nothing")));
  }

  static Result<process::Descriptor> connect_once(const std::string& path) {
    process::Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return core::fail(Code::invalid, "The path of a socket is too long.");
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return std::unexpected(core::error_of_errno(errno, "connecting to a container", path));
    return socket;
  }

  // What the image sets, then what the job says of its container, then HOME as GitHub has it.
  Task<Result<Variables>> environment_of_image() {
    std::vector<std::string> ask{"inspect", "--format", "{{json .Config.Env}}", kept_->facts.id};
    auto said = co_await kept_->engine.run(std::move(ask), "asking for the environment of the image");
    if (!said) co_return std::unexpected(said.error());
    Variables words;
    auto list = core::parse_json(*said);
    if (list && list->is_array())
      for (const auto& one : list->get_array())
        if (one.is_string()) {
          std::string word(one.get_string());
          size_t equals = word.find('=');
          if (equals != std::string::npos && word.substr(0, equals) != "HOME")
            words.emplace_back(word.substr(0, equals), word.substr(equals + 1));
        }
    words.emplace_back("HOME", inside_home);
    co_return words;
  }

  core::Executor loop_;
  core::Clock& clock_;
  const ExecutorOptions& options_;
  JobPlace place_;
  JobNeeds needs_;
  std::shared_ptr<Kept> kept_;
  std::string init_;
};

class ContainerExecutor final : public Executor {
 public:
  ContainerExecutor(core::Executor loop, core::Clock& clock, ExecutorOptions options)
      : loop_(std::move(loop)), clock_(clock), options_(std::move(options)) {}
  ~ContainerExecutor() override {
    std::error_code ignored;  // sockets and a copy of the init
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  std::string_view name() const override { return "container"; }
  Task<Result<>> available() override {
    if (engine_) co_return Result<>{};
    auto found = co_await ContainerEngine::find(loop_, options_.engine);
    if (!found) co_return std::unexpected(found.error());
    engine_.emplace(std::move(*found));
    co_return Result<>{};
  }

  Task<Result<std::unique_ptr<Surroundings>>> prepare(JobPlace place, JobNeeds needs) override {
    if (!needs.container)
      co_return core::fail(Code::invalid,
                           "The job names no image in container:, so the executor container does not know where to run "
                           "it. Name one, or choose a label with the executor sandbox.");
    if (auto can = co_await available(); !can) co_return std::unexpected(can.error());
    if (auto made = make_folder(); !made) co_return std::unexpected(made.error());
    if (place.tool_cache.empty()) place.tool_cache = place.folder + "/tools";
    auto kept = std::make_shared<Kept>(*engine_);
    kept->control = folder_ + "/" + std::to_string(++jobs_);
    if (::mkdir(kept->control.c_str(), 0777) != 0 || ::chmod(kept->control.c_str(), 0777) != 0)
      co_return std::unexpected(core::error_of_errno(errno, "making a folder for a container", kept->control));
    Preparation preparation(loop_, clock_, options_, std::move(place), std::move(needs), kept, folder_ + "/init");
    auto made = co_await preparation.run();
    if (!made) co_await remove_all(kept);
    co_return made;
  }
  Task<> keep_ready(size_t, std::string, JobNeeds) override { co_return; }  // images differ from job to job

 private:
  // The init as a file that the engine can mount, and the folder of the sockets; 0711, so that a user of a container
  // passes.
  Result<> make_folder() {
    if (!folder_.empty()) return {};
    char path[] = "/tmp/headrace-containers-XXXXXX";
    if (::mkdtemp(path) == nullptr) return std::unexpected(core::error_of_errno(errno, "making a folder", path));
    auto image = process::init_image();
    std::ofstream file(std::string(path) + "/init", std::ios::binary);
    file.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    file.close();
    if (!file || ::chmod((std::string(path) + "/init").c_str(), 0555) != 0 || ::chmod(path, 0711) != 0)
      return std::unexpected(core::error_of_errno(errno, "writing the init for containers", path));
    folder_ = path;
    return {};
  }

  core::Executor loop_;
  core::Clock& clock_;
  ExecutorOptions options_;
  std::optional<ContainerEngine> engine_;
  std::string folder_;
  uint64_t jobs_ = 0;
};

}  // namespace

std::unique_ptr<Executor> make_container_executor(core::Executor loop, core::Clock& clock, ExecutorOptions options) {
  return std::make_unique<ContainerExecutor>(std::move(loop), clock, std::move(options));
}

}  // namespace headrace::runner
