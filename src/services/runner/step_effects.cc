#include "services/runner/step_effects.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

int64_t number_in(const std::string& text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? number : 0;
}

std::string absolute(const std::string& file, const std::string& workspace) {
  auto path = std::filesystem::path(file);
  return (path.is_absolute() ? path : std::filesystem::path(workspace) / path).lexically_normal().string();
}

bool is_file(const std::string& path) {
  struct stat about{};
  return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

}  // namespace

void StepEffects::print(std::string_view line) { engine_.say(line); }

void StepEffects::debug(std::string_view line) {
  if (engine_.context.debug()) engine_.say("##[debug]" + std::string(line));
}

void StepEffects::annotate(Annotation annotation) {
  if (!annotation.file.empty()) annotation.file = shown_file(annotation.file);
  if (annotation.level == Annotation::Level::error && record_.reason.empty()) record_.reason = annotation.message;
  std::string line = annotation.message;
  engine_.annotate(std::move(annotation), line);
}

void StepEffects::add_mask(std::string_view secret) { check(engine_.context.masks().add(secret)); }

void StepEffects::check(const Result<>& done) {
  if (done) return;
  engine_.fail(record_, done.error().message);
  fail();
}

std::optional<std::string> StepEffects::to_host(const std::string& file) const {
  std::string path = absolute(file, engine_.around->inside().workspace);
  return elsewhere_ ? elsewhere_->to_host(path) : engine_.around->to_host(path);
}

std::string StepEffects::shown_file(const std::string& file) const {
  auto host = to_host(file);
  std::string path = host ? *host : absolute(file, engine_.around->inside().workspace);
  std::string workspace = engine_.place.workspace + "/";
  return path.starts_with(workspace) ? path.substr(workspace.size()) : file;
}

Result<std::string> StepEffects::read(const std::string& file) const {
  auto host = to_host(file);
  if (!host) return core::fail(Code::not_found, "Could not find file '" + file + "'.");
  auto text = engine_.around->read(*host, matcher_file_bytes_max);
  if (!text && text.error().code == Code::not_found)
    return core::fail(Code::not_found, "Could not find file '" + file + "'.");
  return text;
}

Result<> StepEffects::add_matchers(const std::string& file) {
  auto text = read(file);
  if (!text) return std::unexpected(text.error());
  return engine_.context.matchers().add(*text);
}

Result<> StepEffects::remove_matchers(const std::string& file) {
  auto text = read(file);
  if (!text) return std::unexpected(text.error());
  return engine_.context.matchers().remove_those_of(*text);
}

void StepEffects::remove_matcher(std::string_view owner) { engine_.context.matchers().remove(owner); }

void StepEffects::set_output(std::string name, std::string value) {
  engine_.set_output(record_, std::move(name), std::move(value));
}

void StepEffects::save_state(std::string name, std::string value) {
  set(record_.state, std::move(name), std::move(value));
}

void StepEffects::set_variable(std::string name, std::string value) {
  check(engine_.context.set_variable(std::move(name), std::move(value)));
}

void StepEffects::add_path(std::string path) { check(engine_.context.add_path(std::move(path))); }

std::string StepEffects::variable(std::string_view name) const {
  auto env = engine_.env_of(record_.group->scope(), record_.env);
  const auto* value = find(env, name);
  return value ? *value : std::string();
}

void StepEffects::fail() { record_.command_failed = true; }

// A severity that is none of GitHub's makes no annotation, and neither does an empty message: the line stays output.
void StepEffects::problem(const Problem& problem, std::string_view line) {
  auto level = parse_level(problem.severity.empty() ? "error" : problem.severity);
  bool blank = problem.message.find_first_not_of(" \t\r\n") == std::string::npos;
  if (!level || blank) return engine_.say(line);
  Annotation note{.level = *level, .message = problem.message, .title = problem.code, .file = {}};
  note.line = number_in(problem.line);
  note.column = number_in(problem.column);
  if (note.line == 0) note.column = 0;
  if (!problem.file.empty()) {
    bool from = !problem.from_path.empty() && !problem.file.starts_with('/');
    std::string file =
        from ? (std::filesystem::path(problem.from_path).parent_path() / problem.file).string() : problem.file;
    auto host = to_host(file);  // GitHub: a file that is not there, or not of the repository, is not named
    if (host && is_file(*host) && host->starts_with(engine_.place.workspace + "/")) note.file = shown_file(file);
  }
  engine_.annotate(std::move(note), line);
}

void StepEffects::matcher_removed(const std::string& message) {
  engine_.annotate({.level = Annotation::Level::warning, .message = message, .title = {}, .file = {}}, message);
}

}  // namespace headrace::runner
