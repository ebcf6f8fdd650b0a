#include "services/runner/container_engine.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "services/runner/container_facts.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t words_bytes_max = 4'096;  // of an engine that failed, for the message
constexpr size_t output_bytes_max = size_t{1} << 20;

// Options of `create` that a job may choose. Others would give it the host (--privileged, --volume, --device, --pid),
// or take what the runner relies on (--network, --entrypoint, --name).
struct AllowedOption {
  const char* name;
  bool takes_value;
};
constexpr std::array<AllowedOption, 40> allowed_options{{{"--add-host", true},
                                                         {"--cap-drop", true},
                                                         {"--cpu-shares", true},
                                                         {"--cpus", true},
                                                         {"--cpuset-cpus", true},
                                                         {"--dns", true},
                                                         {"--dns-search", true},
                                                         {"--env", true},
                                                         {"-e", true},
                                                         {"--expose", true},
                                                         {"--health-cmd", true},
                                                         {"--health-interval", true},
                                                         {"--health-retries", true},
                                                         {"--health-start-period", true},
                                                         {"--health-timeout", true},
                                                         {"--hostname", true},
                                                         {"-h", true},
                                                         {"--init", false},
                                                         {"--interactive", false},
                                                         {"-i", false},
                                                         {"--label", true},
                                                         {"-l", true},
                                                         {"--memory", true},
                                                         {"-m", true},
                                                         {"--memory-reservation", true},
                                                         {"--memory-swap", true},
                                                         {"--no-healthcheck", false},
                                                         {"--pids-limit", true},
                                                         {"--platform", true},
                                                         {"--pull", true},
                                                         {"--read-only", false},
                                                         {"--shm-size", true},
                                                         {"--stop-signal", true},
                                                         {"--stop-timeout", true},
                                                         {"--tmpfs", true},
                                                         {"--tty", false},
                                                         {"-t", false},
                                                         {"--ulimit", true},
                                                         {"--user", true},
                                                         {"--workdir", true}}};

// What the engine's own program, its helpers, the loader and a shell read. A container's value of such a name stands
// among the words instead: in the environment of that program, which may be root's, it would be an order to it.
constexpr std::array<std::string_view, 48> engine_variables{"ALL_PROXY",
                                                            "BASHOPTS",
                                                            "BASH_ENV",
                                                            "CDPATH",
                                                            "CONTAINER_CONNECTION",
                                                            "CONTAINER_HOST",
                                                            "CONTAINER_PROXY",
                                                            "CONTAINER_SSHKEY",
                                                            "DOCKER_API_VERSION",
                                                            "DOCKER_AUTH_CONFIG",
                                                            "DOCKER_BUILDKIT",
                                                            "DOCKER_CERT_PATH",
                                                            "DOCKER_CONFIG",
                                                            "DOCKER_CONTENT_TRUST",
                                                            "DOCKER_CONTENT_TRUST_SERVER",
                                                            "DOCKER_CONTEXT",
                                                            "DOCKER_CUSTOM_HEADERS",
                                                            "DOCKER_DEFAULT_PLATFORM",
                                                            "DOCKER_HOST",
                                                            "DOCKER_TLS",
                                                            "DOCKER_TLS_VERIFY",
                                                            "DOCKER_TMPDIR",
                                                            "ENV",
                                                            "FTP_PROXY",
                                                            "GCONV_PATH",
                                                            "GETCONF_DIR",
                                                            "GNUPGHOME",
                                                            "GODEBUG",
                                                            "GOTRACEBACK",
                                                            "HOME",
                                                            "HOSTALIASES",
                                                            "HTTPS_PROXY",
                                                            "HTTP_PROXY",
                                                            "IFS",
                                                            "LOCALDOMAIN",
                                                            "LOCPATH",
                                                            "NLSPATH",
                                                            "NOTIFY_SOCKET",
                                                            "NO_PROXY",
                                                            "PATH",
                                                            "PS4",
                                                            "REGISTRY_AUTH_FILE",
                                                            "RES_OPTIONS",
                                                            "SHELLOPTS",
                                                            "SSH_AUTH_SOCK",
                                                            "STORAGE_DRIVER",
                                                            "STORAGE_OPTS",
                                                            "TMPDIR"};
constexpr std::array<std::string_view, 20> engine_prefixes{
    "BASH_FUNC_",  "BUILDAH_", "BUILDKIT_", "CONTAINERD_", "CONTAINERS_", "CNI_",    "DBUS_",
    "DOCKER_CLI_", "GLIBC_",   "LD_",       "LIBPOD_",     "LISTEN_",     "MALLOC_", "NETAVARK_",
    "OCICRYPT_",   "PODMAN_",  "PYTHON",    "SSL_CERT_",   "XDG_",        "_"};

bool engine_reads(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return std::ranges::find(engine_variables, name) != engine_variables.end() ||
         std::ranges::any_of(engine_prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// "*" at the end of a name would ask podman for all that begin so, and "=" within one would begin its value early.
bool is_variable_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return c > ' ' && c != '=' && c != '*'; });
}

// docker's last line is often where to read more, or that what it said just before has failed.
bool is_advertisement(std::string_view line) {
  return line.starts_with("See 'docker") || line.starts_with("Run 'docker") ||
         line.starts_with("Error: failed to start containers");
}

std::string last_line(std::string text) {
  for (;;) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    if (text.size() > words_bytes_max) text = text.substr(text.size() - words_bytes_max);
    size_t newline = text.rfind('\n');
    std::string line = newline == std::string::npos ? text : text.substr(newline + 1);
    if (newline == std::string::npos || !is_advertisement(line)) return line;
    text.resize(newline);
  }
}

Result<> check_options(const std::vector<std::string>& options) {
  for (size_t i = 0; i < options.size(); ++i) {
    const std::string& word = options[i];
    size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    auto found = std::ranges::find_if(
        allowed_options, [name = word.substr(0, equals)](const AllowedOption& option) { return name == option.name; });
    bool complete = found != allowed_options.end() &&
                    (!found->takes_value || equals != std::string::npos || i + 1 < options.size());
    if (!complete)
      return core::fail(Code::invalid, "The option '" + word +
                                           "' of a container is not among those that a job may choose: it could give "
                                           "the job the host, or take away what the runner needs. Leave it out.");
    if (found->takes_value && equals == std::string::npos) ++i;
  }
  return {};
}

// "name:/inside[:mode]" of an engine's volume, "/host:/inside[:mode]" of a folder that the operator allows, "/inside".
Result<> check_volume(const std::string& volume, const std::vector<std::string>& allowed) {
  if (volume.find(',') != std::string::npos || volume.empty())
    return core::fail(Code::invalid, "The volume '" + volume + "' is not SOURCE:/PATH.");
  size_t colon = volume.find(':');
  std::string source = colon == std::string::npos ? std::string() : volume.substr(0, colon);
  bool named =
      std::ranges::all_of(source, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
  if (named && !source.starts_with(".")) return {};
  bool plain = source.starts_with("/") && source.find("/..") == std::string::npos;
  for (const auto& folder : allowed)
    if (plain && (source == folder || source.starts_with(folder + "/"))) return {};
  return core::fail(Code::invalid, "The volume '" + volume +
                                       "' mounts a folder of the host, which containers of jobs are not given. Use a "
                                       "named volume, as in NAME:/PATH.");
}

}  // namespace

Task<Result<ContainerEngine>> ContainerEngine::find(core::Executor loop, std::string named) {
  std::vector<std::string> candidates{"podman", "docker"};
  if (!named.empty()) candidates = {named};
  std::string said;
  for (const auto& program : candidates) {
    ContainerEngine engine(loop, program);
    // A client alone has a version; this wants its engine. Not `ps`: podman looks into each running container for it
    // and fails where one of them, anybody's, is just being removed.
    std::vector<std::string> ask{"volume", "ls", "--quiet"};
    auto answers = co_await engine.run(std::move(ask), "asking " + program + " whether it is there");
    if (answers) {
      std::vector<std::string> name{"--version"};  // "podman version 4.3.1", "Docker version 28.2.2, build ..."
      auto version = co_await engine.run(std::move(name), "asking " + program + " for its version");
      engine.podman_ = version && version->contains("podman");
      co_return engine;
    }
    said += (said.empty() ? "" : "; ") + program + ": " + answers.error().message;
  }
  co_return core::fail(Code::unavailable,
                       "No container engine answers here, so a job with container: or services: cannot run. Install "
                       "podman (apt-get install podman), or let this user reach docker. (" +
                           said + ")");
}

std::vector<std::string> ContainerEngine::environment(const Variables& more) {
  auto words = process::inherited_environment({"PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "TMPDIR"});
  for (const auto& [name, value] : more) {
    std::erase_if(words, [&name](const auto& word) { return word.starts_with(name + "="); });
    words.push_back(name + "=" + value);
  }
  return words;
}

Task<Result<process::Ran>> ContainerEngine::ran(std::vector<std::string> words, std::string doing, Variables more,
                                                std::string input, std::chrono::milliseconds limit) const {
  process::Spec spec;
  spec.argv = {program_};
  for (auto& word : words) spec.argv.push_back(std::move(word));
  spec.environment = environment(more);
  process::RunLimits limits;
  limits.output_bytes_max = output_bytes_max;
  limits.deadline = limit;
  auto done = co_await process::run(loop_, std::move(spec), std::move(input), limits);
  if (!done) co_return core::pass_on(done.error(), doing);
  if (!done->exit.succeeded()) {
    std::string said = last_line(done->err.empty() ? done->out : done->err);
    co_return core::fail(Code::unavailable, "The container engine failed in " + doing + ": " +
                                                (said.empty() ? process::to_string(done->exit) : said));
  }
  co_return std::move(*done);
}

Task<Result<std::string>> ContainerEngine::run(std::vector<std::string> words, std::string doing, Variables environment,
                                               std::string input, std::chrono::milliseconds limit) const {
  auto done = co_await ran(std::move(words), std::move(doing), std::move(environment), std::move(input), limit);
  if (!done) co_return std::unexpected(done.error());
  while (done->out.ends_with('\n')) done->out.pop_back();
  co_return std::move(done->out);
}

Task<Result<std::string>> ContainerEngine::run_both(std::vector<std::string> words, std::string doing) const {
  Variables nothing;
  std::string no_input;
  auto done = co_await ran(std::move(words), std::move(doing), std::move(nothing), std::move(no_input), command_limit);
  if (!done) co_return std::unexpected(done.error());
  co_return done->out + done->err;
}

Task<bool> ContainerEngine::check_health(std::string id) const {
  if (!podman_) co_return false;
  std::vector<std::string> words{"healthcheck", "run", std::move(id)};
  auto healthy = co_await run(std::move(words), "asking for the health of a service");
  co_return healthy.has_value();
}

Task<bool> ContainerEngine::is_here(std::string image) const {
  std::vector<std::string> ask{"image", "inspect", "--format", "{{.Id}}", std::move(image)};
  auto found = co_await run(std::move(ask), "looking for an image");
  co_return found.has_value();
}

// podman keeps them in a file that has a name, docker in its folder of settings; what that says of where its engine is
// comes along.
Task<Result<Variables>> ContainerEngine::login(std::string registry, std::string username, std::string password,
                                               std::string folder) const {
  Variables where{{"REGISTRY_AUTH_FILE", folder + "/auth.json"}};
  if (!podman_) {
    std::vector<std::string> ask{"context", "inspect", "--format", "{{.Endpoints.docker.Host}}"};
    auto host = co_await run(std::move(ask), "asking " + program_ + " where its engine is");
    where = {{"DOCKER_CONFIG", folder}};
    if (host && !host->empty()) where.emplace_back("DOCKER_HOST", *host);
  }
  std::vector<std::string> words{"login", "--username", std::move(username), "--password-stdin", registry};
  auto in = co_await run(std::move(words), "signing in at " + registry, where, std::move(password));
  if (in) co_return where;
  in.error().message +=
      ". Look at the username and password of credentials:, and at whether this machine reaches " + registry + ".";
  co_return std::unexpected(in.error());
}

namespace {

// What a registry's answer is to whoever wants an image, by the words of the engines, which have no other sign.
enum class Refusal { denied, absent, unreachable };
Refusal read_refusal(const std::string& words) {
  std::string text = words;
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto says = [&text](std::initializer_list<const char*> any) {
    return std::ranges::any_of(any, [&](const char* one) { return text.find(one) != std::string::npos; });
  };
  if (says({"unauthorized", "denied", "forbidden", "authentication required", "no basic auth", "incorrect username"}))
    return Refusal::denied;
  if (says({"manifest unknown", "name unknown", "not found", "does not exist"})) return Refusal::absent;
  return Refusal::unreachable;
}

std::string remedy_for(Refusal refusal, const std::string& image) {
  std::string registry = registry_of(image);
  switch (refusal) {
    case Refusal::denied:
      return " " + registry +
             " does not give it to this job: look at the name of the image, and at the username and "
             "password of its credentials:, where it is not for everybody.";
    case Refusal::absent: return " Look at its name and its tag.";
    case Refusal::unreachable: break;
  }
  if (registry == "localhost") return " An image of localhost/ is one that was made or loaded on this machine.";
  return " Look at its name, and at whether this machine reaches " + registry + ".";
}

}  // namespace

Task<Result<ContainerEngine::Image>> ContainerEngine::pull(std::string image, Variables login) const {
  Image found{image, {}};
  if (image.empty() || image.starts_with('-'))
    co_return core::fail(Code::invalid, "'" + image + "' is no name of an image.");
  bool local = registry_of(image) == "localhost";  // podman's name for what was made here and has no registry
  if (local && co_await is_here(image)) co_return found;
  std::string full = with_registry(image);
  std::vector<std::string> words{"pull", "--quiet", full};
  std::string no_input;
  auto pulled =
      co_await run(std::move(words), "pulling the image " + image, std::move(login), std::move(no_input), pull_limit);
  if (pulled) {
    found.name = std::move(full);
    co_return found;
  }
  // An image that is here because another job may have it is not this job's by that.
  auto refusal = read_refusal(pulled.error().message);
  for (const auto& name : {full, image}) {
    if (refusal != Refusal::unreachable || !co_await is_here(name)) continue;
    found.name = name;
    found.remark =
        "The image " + image + " could not be pulled; the one that is here is used. " + pulled.error().message;
    co_return found;
  }
  pulled.error().message += "." + remedy_for(refusal, image);
  co_return std::unexpected(pulled.error());
}

void add_environment(const Variables& env, ContainerWords& made) {
  for (const auto& [name, value] : env) {
    if (!is_variable_name(name)) continue;
    bool engines = engine_reads(name);
    made.words.insert(made.words.end(), {"--env", engines ? name + "=" + value : name});
    if (!engines) made.environment.emplace_back(name, value);  // where the engine finds the value of --env NAME
  }
}

Result<ContainerWords> container_words(const ContainerSpec& spec, const std::string& network, const std::string& alias,
                                       const std::vector<std::string>& volumes_allowed) {
  auto options = split_options(spec.options);
  if (!options) return std::unexpected(options.error());
  if (auto good = check_options(*options); !good) return std::unexpected(good.error());
  ContainerWords made;
  if (!network.empty()) made.words = {"--network", network};
  if (!alias.empty()) made.words.insert(made.words.end(), {"--network-alias", alias});
  add_environment(spec.env, made);
  for (const auto& port : spec.ports) {
    auto wish = read_port_wish(port);
    if (!wish) return std::unexpected(wish.error());
    made.words.insert(made.words.end(), {"--publish", wish->words()});
  }
  for (const auto& volume : spec.volumes) {
    if (auto good = check_volume(volume, volumes_allowed); !good) return std::unexpected(good.error());
    made.words.insert(made.words.end(), {"--volume", volume});
  }
  made.words.insert(made.words.end(), options->begin(), options->end());
  return made;
}

Result<std::vector<std::string>> split_options(const std::string& options) {
  std::vector<std::string> words;
  std::string word;
  bool within = false;
  char quote = '\0';
  for (size_t i = 0; i < options.size(); ++i) {
    char c = options[i];
    bool escapes = c == '\\' && quote != '\'' && i + 1 < options.size();
    if (escapes) {
      word += options[++i];
      within = true;
    } else if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      within = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (within) words.push_back(std::exchange(word, {}));
      within = false;
    } else {
      word += c;
      within = true;
    }
  }
  if (quote != '\0')
    return core::fail(Code::invalid, "The options of a container have a quote that does not end: " + options);
  if (within) words.push_back(std::move(word));
  return words;
}

std::string registry_of(const std::string& image) {
  std::string first = image.substr(0, image.find('/'));
  bool host = first != image &&
              (first.find('.') != std::string::npos || first.find(':') != std::string::npos || first == "localhost");
  return host ? first : "docker.io";
}

// Docker's rules: without a registry it is of Docker Hub, and without an owner it is one of its own ("library").
std::string with_registry(const std::string& image) {
  if (registry_of(image) != "docker.io" || image.starts_with("docker.io/")) return image;
  return "docker.io/" + std::string(image.find('/') == std::string::npos ? "library/" : "") + image;
}

}  // namespace headrace::runner
