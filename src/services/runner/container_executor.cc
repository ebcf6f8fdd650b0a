#include "services/runner/container_executor.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>

#include "process/init_client.h"
#include "process/init_image.h"
#include "services/runner/container_facts.h"
#include "services/runner/container_group.h"
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
constexpr std::chrono::seconds init_limit{60};         // from start to the init's first word
constexpr std::chrono::milliseconds end_limit{2'000};  // for the init to end what runs
constexpr std::chrono::milliseconds connect_pause{10};

// What a job in a container has; whoever lets go of it last, in whatever order of failures, has it removed.
struct Kept {
  explicit Kept(std::shared_ptr<ContainerGroup> of) : group(std::move(of)) {}
  ~Kept() {
    group->begin_removal();  // as long as the loop runs; what is left then is the next runner's (container_leftovers.h)
    std::error_code ignored;  // a socket's folder in /tmp
    std::filesystem::remove_all(control, ignored);
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  std::shared_ptr<ContainerGroup> group;  // shared with the tasks that remove it
  std::string control;                    // folder of the socket
  FileOwner owner;                        // whom files of the job belong to, where that is another than the runner
  std::unique_ptr<process::InitClient> init;
};

class ContainerSurroundings final : public Surroundings {
 public:
  ContainerSurroundings(JobPlace place, JobLimits limits, std::string image, std::shared_ptr<Kept> kept,
                        Variables environment)
      : place_(std::move(place)),
        limits_(limits),
        image_(std::move(image)),
        kept_(std::move(kept)),
        environment_(std::move(environment)),
        files_(place_.folder, kept_->owner) {
    auto within = [this](const std::string& host) { return to_inside(host).value_or(inside_work); };
    inside_ = {within(place_.workspace), within(place_.temporary), within(place_.tool_cache), inside_home};
  }

  Kind what() const override { return Kind::container; }
  std::vector<std::string> description() const override {
    const auto& group = *kept_->group;
    std::vector<std::string> lines{"Runs in a container of " + image_ + " (" + group.engine().program() + ", " +
                                   group.facts.id.substr(0, 12) + "); its limits and its network are the engine's."};
    for (auto& line : group.lines()) lines.push_back(std::move(line));
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
  const ContainerFacts* containers() const override { return &kept_->group->facts; }
  std::optional<uid_t> owner() const override { return kept_->owner; }

  Task<Result<InsideListener>> listen() override {
    auto listener = co_await kept_->init->listen();
    if (!listener) co_return std::unexpected(listener.error());
    InsideListener lent{std::move(listener->socket), listener->port};
    co_return lent;
  }
  Task<Result<InsideListener>> listen_at(uint16_t port) override {
    auto listener = co_await kept_->init->listen(port);
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
    co_await kept_->init->end(end_limit);
    co_await ContainerGroup::remove(kept_->group);
    co_return usage;
  }

 private:
  static std::optional<std::string> moved(std::string_view path, std::string_view from, std::string_view to) {
    if (!path.starts_with(from) || (path.size() > from.size() && path[from.size()] != '/')) return {};
    return std::string(to) + std::string(path.substr(from.size()));
  }

  JobPlace place_;
  JobLimits limits_;
  std::string image_;
  std::shared_ptr<Kept> kept_;  // shared with its preparation
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
    auto& group = *kept_->group;
    if (auto made = make_folders(); !made) co_return std::unexpected(made.error());
    bool closed = options_.network == ExecutorOptions::Network::none || !needs_.network;
    if (auto made = co_await group.make_network(closed); !made) co_return std::unexpected(made.error());
    if (auto begun = co_await group.start_services(needs_.services); !begun) co_return std::unexpected(begun.error());
    if (auto begun = co_await start_job(); !begun) co_return std::unexpected(begun.error());
    auto environment = co_await environment_of_image();
    if (!environment) co_return std::unexpected(environment.error());
    co_return std::make_unique<ContainerSurroundings>(place_, needs_.limits, needs_.container->image, kept_,
                                                      std::move(*environment));
  }

 private:
  Result<> make_folders() {
    std::error_code error;
    std::filesystem::create_directories(place_.folder, error);
    if (error) return std::unexpected(core::error_of_errno(error.value(), "making the folder of a job", place_.folder));
    JobFiles files(place_.folder, {});
    for (const auto& folder : own_folders())
      if (auto made = files.make_folder(folder); !made) return made;
    return {};
  }
  std::vector<std::string> own_folders() const {
    return {place_.workspace, place_.temporary, place_.tool_cache, place_.folder + "/home"};
  }

  // An image, or --user, may have another user than root; the kernel says which. Nothing of the job runs yet.
  Result<> give_folders(int socket) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
      return std::unexpected(core::error_of_errno(errno, "asking whose a container is", place_.folder));
    if (::geteuid() != 0 || peer.uid == 0) return {};
    kept_->owner = peer.uid;
    auto folders = own_folders();
    folders.push_back(place_.folder);
    for (const auto& folder : folders)
      if (::lchown(folder.c_str(), peer.uid, peer.uid) != 0)
        return std::unexpected(core::error_of_errno(errno, "giving its folder to a job", folder));
    return {};
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
    auto begun = co_await kept_->group->create(*needs_.container, no_alias, std::move(more), std::move(command), id);
    kept_->group->facts.id = std::move(id);
    if (!begun) co_return begun;
    co_return co_await connect();
  }

  Task<Result<>> connect() {
    auto deadline = clock_.steady() + init_limit;
    for (;; co_await clock_.sleep_for(connect_pause)) {
      auto socket = connect_once(kept_->control + "/socket");
      if (socket) {
        if (auto given = give_folders(socket->get()); !given) co_return given;
        kept_->init = std::make_unique<process::InitClient>(loop_, std::move(*socket), kept_->owner);
        co_return co_await kept_->init->ready(init_limit);
      }
      if (clock_.steady() > deadline) break;
    }
    std::vector<std::string> ask{"logs", kept_->group->facts.id};
    auto said = co_await kept_->group->engine().run_both(std::move(ask), "asking what the container said");
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
    std::vector<std::string> ask{"inspect", "--format", "{{json .Config.Env}}", kept_->group->facts.id};
    auto said = co_await kept_->group->engine().run(std::move(ask), "asking for the environment of the image");
    if (!said) co_return std::unexpected(said.error());
    auto words = read_environment(*said);
    std::erase_if(words, [](const auto& word) { return word.first == "HOME"; });
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
    auto kept = std::make_shared<Kept>(std::make_shared<ContainerGroup>(clock_, options_, *engine_, place.folder));
    kept->control = folder_ + "/" + std::to_string(++jobs_);
    if (::mkdir(kept->control.c_str(), 0777) != 0 || ::chmod(kept->control.c_str(), 0777) != 0)
      co_return std::unexpected(core::error_of_errno(errno, "making a folder for a container", kept->control));
    Preparation preparation(loop_, clock_, options_, std::move(place), std::move(needs), kept, folder_ + "/init");
    Result<std::unique_ptr<Surroundings>> made;
    std::exception_ptr ended;
    try {
      made = co_await preparation.run();
    } catch (...) {
      ended = std::current_exception();
    }
    if (!ended && made) co_return made;
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    co_await ContainerGroup::remove(kept->group);  // the job has not ended before that has
    if (ended) std::rethrow_exception(ended);
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
