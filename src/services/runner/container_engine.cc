#include "services/runner/container_engine.h"

#include <algorithm>
#include <array>
#include <cctype>

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

// The engine reads these itself; a container's value of them cannot come by its environment.
constexpr std::array<const char*, 5> engine_variables{"PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "TMPDIR"};

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  if (text.size() > words_bytes_max) text = text.substr(text.size() - words_bytes_max);
  size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text : text.substr(newline + 1);
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

bool is_port(const std::string& port) {
  return !port.empty() && std::ranges::all_of(port, [](unsigned char c) {
    return std::isdigit(c) || c == ':' || c == '-' || c == '/' || c == '.' || (c >= 'a' && c <= 'z');
  }) && std::isdigit(static_cast<unsigned char>(port.front()));
}

}  // namespace

Task<Result<ContainerEngine>> ContainerEngine::find(core::Executor loop, std::string named) {
  std::vector<std::string> candidates{"podman", "docker"};
  if (!named.empty()) candidates = {named};
  std::string said;
  for (const auto& program : candidates) {
    ContainerEngine engine(loop, program);
    std::vector<std::string> ask{"ps", "--quiet"};  // a client alone has a version; this wants its engine
    auto answers = co_await engine.run(std::move(ask), "asking " + program + " whether it is there");
    if (answers) co_return engine;
    said += (said.empty() ? "" : "; ") + program + ": " + answers.error().message;
  }
  co_return core::fail(Code::unavailable,
                       "No container engine answers here, so a job with container: or services: cannot run. Install "
                       "podman (apt-get install podman), or let this user reach docker. (" +
                           said + ")");
}

Task<Result<std::string>> ContainerEngine::run(std::vector<std::string> words, std::string doing, Variables environment,
                                               std::string input, std::chrono::milliseconds limit) const {
  process::Spec spec;
  spec.argv = {program_};
  for (auto& word : words) spec.argv.push_back(std::move(word));
  spec.environment = process::inherited_environment({"PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "TMPDIR"});
  for (const auto& [name, value] : environment) spec.environment.push_back(name + "=" + value);
  process::RunLimits limits;
  limits.output_bytes_max = output_bytes_max;
  limits.deadline = limit;
  auto ran = co_await process::run(loop_, std::move(spec), std::move(input), limits);
  if (!ran) co_return core::pass_on(ran.error(), doing);
  if (!ran->exit.succeeded()) {
    std::string words_said = last_line(ran->err.empty() ? ran->out : ran->err);
    co_return core::fail(Code::unavailable, "The container engine failed in " + doing + ": " +
                                                (words_said.empty() ? process::to_string(ran->exit) : words_said));
  }
  while (ran->out.ends_with('\n')) ran->out.pop_back();
  co_return std::move(ran->out);
}

Result<ContainerWords> container_words(const ContainerSpec& spec, const std::string& network, const std::string& alias,
                                       const std::vector<std::string>& volumes_allowed) {
  auto options = split_options(spec.options);
  if (!options) return std::unexpected(options.error());
  if (auto good = check_options(*options); !good) return std::unexpected(good.error());
  ContainerWords made;
  made.words = {"--network", network};
  if (!alias.empty()) made.words.insert(made.words.end(), {"--network-alias", alias});
  for (const auto& [name, value] : spec.env) {
    bool engines = std::ranges::find(engine_variables, name) != engine_variables.end();
    made.words.insert(made.words.end(), {"--env", engines ? name + "=" + value : name});
    if (!engines) made.environment.emplace_back(name, value);  // where the engine finds the value of --env NAME
  }
  for (const auto& port : spec.ports) {
    if (!is_port(port)) return core::fail(Code::invalid, "'" + port + "' is no port, as 8080 or 8080:80/tcp are.");
    made.words.insert(made.words.end(), {"--publish", port});
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

}  // namespace headrace::runner
