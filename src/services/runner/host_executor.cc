#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <cstdlib>
#include <filesystem>

#include "services/runner/container_executor.h"
#include "services/runner/job_files.h"
#include "services/runner/leftovers.h"
#include "services/runner/service_surroundings.h"

namespace headrace::runner {

using core::Result;
using core::Task;

namespace {

class HostSurroundings final : public Surroundings {
 public:
  HostSurroundings(core::Executor loop, std::shared_ptr<core::Pool> looking, JobPlace place)
      : loop_(std::move(loop)), looking_(std::move(looking)), place_(std::move(place)), files_(place_.folder, {}) {
    const char* home = std::getenv("HOME");
    inside_ = {place_.workspace, place_.temporary, place_.tool_cache, home ? home : "/"};
  }

  Result<> make() {
    std::error_code error;
    std::filesystem::create_directories(place_.folder, error);
    if (error) return std::unexpected(core::error_of_errno(error.value(), "making the folder of a job", place_.folder));
    for (const auto& folder : {place_.workspace, place_.temporary, place_.tool_cache})
      if (auto made = files_.make_folder(folder); !made) return made;
    return {};
  }

  Kind what() const override { return Kind::host; }

  std::vector<std::string> description() const override {
    utsname about{};
    std::string machine =
        ::uname(&about) == 0 ? std::string(about.sysname) + " " + about.release + " " + about.machine : "this machine";
    return {"Runs on the host (" + machine + ") without isolation, as the operator allowed for this label."};
  }

  const InsidePaths& inside() const override { return inside_; }
  std::optional<std::string> to_inside(std::string_view host) const override { return std::string(host); }
  std::optional<std::string> to_host(std::string_view inside) const override { return std::string(inside); }

  // A few words about the machine and its user. The runner's own variables, its token above all, are not among them.
  Variables environment() const override {
    Variables words;
    for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ"})
      if (const char* value = std::getenv(name)) words.emplace_back(name, value);
    return words;
  }

  Task<Result<std::unique_ptr<process::Child>>> run(Command command) override {
    process::Spec spec;
    spec.argv = std::move(command.argv);
    spec.environment = std::move(command.environment);
    mark(spec.environment, place_.folder);
    bool absolute = command.directory.starts_with("/");
    spec.directory = command.directory.empty() ? place_.workspace
                     : absolute                ? std::move(command.directory)
                                               : place_.workspace + "/" + command.directory;
    spec.leftovers = command.leftovers;
    if (command.input) spec.in = process::Redirect::pipe();
    spec.out = process::Redirect::pipe(process::output_pipe_bytes);
    spec.err = process::Redirect::same_as_out();
    auto started = process::spawn(loop_, std::move(spec));
    if (started) leader_ = (*started)->pid();
    co_return started;
  }
  pid_t leader() const override { return leader_; }

  Result<> write(const std::string& path, std::string_view text) override { return files_.write(path, text); }
  Result<> make_folder(const std::string& path) override { return files_.make_folder(path); }
  Result<std::string> read(const std::string& path, size_t bytes_max) const override {
    return files_.read(path, bytes_max);
  }

  Task<Result<InsideListener>> listen() override { co_return listen_on_loopback(0); }
  Task<Result<InsideListener>> listen_at(uint16_t port) override { co_return listen_on_loopback(port); }

  std::optional<std::string> limit_hit() const override { return {}; }
  // What its steps left running has no place of its own to end with. Beside the loop: it looks at every process here.
  Task<Result<Usage>> end() override {
    auto work = [folder = place_.folder] { return end_leftovers_of_job(folder); };
    auto ended = co_await core::blocking(*looking_, std::move(work));
    if (!ended) co_return core::pass_on(ended.error(), "ending what the steps of a job left running");
    co_return Usage{};
  }

 private:
  static Result<InsideListener> listen_on_loopback(uint16_t port) {
    InsideListener listener;
    listener.socket = process::Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (!listener.socket || ::bind(listener.socket.get(), any, length) != 0 ||
        ::listen(listener.socket.get(), SOMAXCONN) != 0 || ::getsockname(listener.socket.get(), any, &length) != 0)
      return std::unexpected(core::error_of_errno(errno, "listening for a job"));
    listener.port = ntohs(address.sin_port);
    return listener;
  }

  core::Executor loop_;
  std::shared_ptr<core::Pool> looking_;  // of the executor, which may go first
  JobPlace place_;
  JobFiles files_;
  InsidePaths inside_;
  pid_t leader_ = 0;
};

class HostExecutor final : public Executor {
 public:
  HostExecutor(core::Executor loop, ExecutorOptions options)
      : loop_(std::move(loop)),
        options_(std::move(options)),
        containers_(make_container_executor(loop_, clock_, options_)) {}

  std::string_view name() const override { return "host"; }
  Task<Result<>> available() override { co_return Result<>{}; }

  Task<Result<std::unique_ptr<Surroundings>>> prepare(JobPlace place, JobNeeds needs) override {
    if (needs.container) co_return co_await containers_->prepare(std::move(place), std::move(needs));
    if (place.tool_cache.empty()) place.tool_cache = place.folder + "/tools";
    std::string folder = place.folder;
    auto made = std::make_unique<HostSurroundings>(loop_, looking_, std::move(place));
    if (auto folders = made->make(); !folders) co_return std::unexpected(folders.error());
    if (needs.services.empty()) co_return made;
    ServiceParts parts{loop_, clock_, options_};
    co_return co_await with_services(std::move(parts), std::move(made), std::move(folder), std::move(needs.services),
                                     PortsOf::host);
  }
  Task<> keep_ready(size_t, std::string, JobNeeds) override { co_return; }

 private:
  core::Executor loop_;
  core::SystemClock clock_;  // an engine's containers know no other
  ExecutorOptions options_;
  std::unique_ptr<Executor> containers_;
  std::shared_ptr<core::Pool> looking_ =
      std::make_shared<core::Pool>("processes of jobs", core::Pool::Limits{.threads = 1, .queue_max = 1024});
};

}  // namespace

std::unique_ptr<Executor> make_host_executor(core::Executor loop, ExecutorOptions options) {
  return std::make_unique<HostExecutor>(std::move(loop), std::move(options));
}

}  // namespace headrace::runner
