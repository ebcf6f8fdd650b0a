// A program of a step: what is around it, its output, and the files it writes to say something.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>

#include "core/bytes.h"
#include "services/runner/step_effects.h"
#include "services/runner/step_files.h"
#include "services/runner/step_script.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
using workflow::Object;
using workflow::Value;

namespace {

constexpr size_t read_bytes = process::output_pipe_bytes;  // at once
constexpr std::string_view usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string path_of(const Variables& environment) {
  const auto* path = find(environment, "PATH");
  return path ? *path : std::string(usual_path);
}

// Masking may have made it longer. What is cut ends on a whole character.
std::string within_bounds(std::string markdown) {
  markdown = core::to_valid_utf8(std::move(markdown));
  if (markdown.size() <= step_summary_bytes_max) return markdown;
  size_t end = step_summary_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(markdown[end]) & 0xC0U) == 0x80U) --end;
  markdown.resize(end);
  return markdown;
}

}  // namespace

// ---- What is around it

Result<StepEngine::Impl::Files> StepEngine::Impl::make_files() {
  std::string folder = place.temporary + "/_runner_file_commands/", number = std::to_string(next_file++);
  Files files{.env = folder + "set_env_" + number,
              .path = folder + "add_path_" + number,
              .output = folder + "set_output_" + number,
              .state = folder + "save_state_" + number,
              .summary = folder + "step_summary_" + number};
  for (const auto* file : {&files.env, &files.path, &files.output, &files.state, &files.summary})
    if (auto made = around->write(*file, ""); !made) return std::unexpected(made.error());
  return files;
}

// Later ones win: the surroundings', the job's and the steps' variables, those of GitHub, which nobody can overwrite
// (GitHub Docs, "Variables reference", "Naming conventions"), and what the action was given.
Variables StepEngine::Impl::environment_of(const StepRecord& record, Stage stage, const Files& files,
                                           const Variables& more) const {
  const Variables of_surroundings = around->environment();
  Variables environment = of_surroundings;
  set(environment, "CI", "true");
  set(environment, "HEADRACE", "true");
  for (auto& [name, value] : env_of(record.group->scope_, record.env)) set(environment, name, value);
  auto inside = [&](const std::string& path) { return around->to_inside(path).value_or(path); };
  Object github = github_of(record.group->scope_);
  if (record.action) {
    github.set("action_path", record.action->path());
    github.set("action_repository", record.action->repository());
    github.set("action_ref", record.action->ref());
  }
  github.set("env", inside(files.env));
  github.set("path", inside(files.path));
  github.set("output", inside(files.output));
  github.set("state", inside(files.state));
  github.set("step_summary", inside(files.summary));
  for (auto& [name, value] : context.default_variables(github)) set(environment, name, value);
  set(environment, "HEADRACE_REPORTS", inside(place.temporary + "/reports"));
  std::string path;
  for (const auto& folder : context.paths()) path += folder + ":";
  if (!path.empty()) set(environment, "PATH", path + path_of(environment));
  if (record.spec.is_action() && stage != Stage::pre)
    for (const auto& [name, value] : record.state) set(environment, "STATE_" + name, value);
  for (const auto& [name, value] : more) set(environment, name, value);
  if (const auto* mark = find(of_surroundings, "RUNNER_TRACKING_ID"))  // what ends them after a crash
    set(environment, "RUNNER_TRACKING_ID", *mark);
  return environment;
}

// Where the program is; nothing where this process cannot look (a container's image), or there is none.
std::optional<std::string> StepEngine::Impl::host_program(std::string_view name, const Variables& environment) const {
  if (around->what() == Surroundings::Kind::container) return std::nullopt;
  if (name.contains('/')) return std::string(name);
  std::string path = path_of(environment);
  for (std::string_view rest = path; !rest.empty();) {
    auto colon = rest.find(':');
    std::string inside = std::string(rest.substr(0, colon)) + "/" + std::string(name);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    auto host = around->to_host(inside);
    if (::access((host ? *host : inside).c_str(), X_OK) == 0) return inside;
  }
  return std::nullopt;
}

// ---- run: scripts

Task<Result<StepCommand>> StepEngine::Impl::script_command(StepRecord& record) {
  const auto& scope = record.group->scope_;
  const auto& spec = record.spec;
  std::string shell_text = spec.shell, folder_text = spec.working_directory;
  if (scope.depth == 0 && shell_text.empty()) shell_text = order.spec.shell;
  if (scope.depth == 0 && folder_text.empty()) folder_text = order.spec.working_directory;
  auto run = co_await evaluate_text(spec.run, scope, record.env);
  if (!run) co_return std::unexpected(run.error());
  auto shell = co_await evaluate_text(shell_text, scope, record.env);
  if (!shell) co_return std::unexpected(shell.error());
  auto folder = co_await evaluate_text(folder_text, scope, record.env);
  if (!folder) co_return std::unexpected(folder.error());
  Variables environment = environment_of(record, Stage::main, {}, {});
  auto chosen = choose_shell(*shell, host_program("bash", environment).has_value());
  if (!chosen) co_return std::unexpected(chosen.error());
  bool here = around->what() != Surroundings::Kind::container;
  if (here && chosen->program == "python" && !host_program("python", environment)) chosen->program = "python3";
  auto program = host_program(chosen->program, environment);
  show_script(record, *run, program.value_or(chosen->program) + " " + chosen->arguments);
  if (here && !program)
    co_return core::fail(Code::not_found,
                         chosen->program + ": command not found. The shell of this step is not there.");
  std::string path = place.temporary + "/step-" + std::to_string(next_file++) + chosen->extension;
  if (auto written = around->write(path, script_text(*chosen, *run)); !written)
    co_return std::unexpected(written.error());
  StepCommand command;
  command.argv = shell_command(*chosen, around->to_inside(path).value_or(path));
  command.directory = std::move(*folder);
  co_return command;
}

Task<Conclusion> StepEngine::Impl::run_script(StepRecord& record) {
  auto command = co_await script_command(record);
  if (!command) co_return fail(record, command.error().message);
  co_return co_await execute(record, Stage::main, std::move(*command));
}

void StepEngine::Impl::show_script(const StepRecord& record, std::string_view run, std::string_view shell) {
  say("##[group]Run " + first_line(run));
  while (run.ends_with('\n')) run.remove_suffix(1);
  for (bool more = true; more;) {
    auto newline = run.find('\n');
    auto line = run.substr(0, newline);
    more = newline != std::string_view::npos;
    if (more) run.remove_prefix(newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    say("\x1b[36;1m" + std::string(line) + "\x1b[0m");
  }
  say("shell: " + std::string(shell));
  auto env = env_of(record.group->scope_, record.env);
  if (!env.empty()) say("env:");
  for (const auto& [name, value] : env) say("  " + name + ": " + value);
  say("##[endgroup]");
}

// ---- Running it

Task<Conclusion> StepEngine::Impl::execute(StepRecord& record, Stage stage, StepCommand command) {
  if (watching.ending) co_return Conclusion::cancelled;
  auto files = make_files();
  if (!files) co_return fail(record, files.error().message);
  Variables environment = environment_of(record, stage, *files, command.environment);
  auto child = co_await start(std::move(command), std::move(environment));
  if (!child) co_return fail(record, child.error().message);
  std::shared_ptr<process::Child> shared = std::move(*child);
  co_return co_await watch(record, shared, *files, nullptr);
}

Task<Conclusion> StepEngine::Impl::execute(StepRecord& record, Stage stage, ProgramStarter& starter, Variables more) {
  if (watching.ending) co_return Conclusion::cancelled;
  auto files = make_files();
  if (!files) co_return fail(record, files.error().message);
  Variables environment = environment_of(record, stage, *files, more);
  auto child = co_await starter.start(std::move(environment));
  if (!child) co_return fail(record, child.error().message);
  std::shared_ptr<process::Child> shared = std::move(*child);
  co_return co_await watch(record, shared, *files, &starter);
}

Task<Result<std::unique_ptr<process::Child>>> StepEngine::Impl::start(StepCommand command, Variables environment) {
  Command process;
  process.argv = std::move(command.argv);
  process.directory = std::move(command.directory);
  for (const auto& [name, value] : environment) {
    if (name.empty() || name.contains('=') || name.contains('\0') || value.contains('\0'))
      co_return core::fail(Code::invalid, "The environment variable '" + name + "' cannot be given to a program.");
    process.environment.push_back(name + "=" + value);
  }
  // As on GitHub: a server that a step starts serves the steps behind it.
  process.leftovers = process::Spec::Leftovers::keep;
  co_return co_await around->run(std::move(process));
}

Task<Conclusion> StepEngine::Impl::watch(StepRecord& record, std::shared_ptr<process::Child> child, Files files,
                                         const ProgramStarter* starter) {
  StepEffects effects(*this, record, starter);
  StepCommands commands(effects, context.debug());
  context.matchers().forget_lines();
  StepOutput output(lines, context.masks(), context.matchers(), commands, effects);
  auto exit = co_await supervised(child, output);
  output.end();
  if (exit && exit->signal == 0) record.exit_code = exit->code;
  read_files(record, files);
  if (watching.ending) co_return Conclusion::cancelled;
  if (!exit) co_return fail(record, exit.error().message);
  if (!exit->succeeded()) {
    std::string why = "Process completed with exit code " + std::to_string(exit->shell_code()) + ".";
    if (exit->signal != 0) why = "Process was " + process::to_string(*exit) + ".";
    if (auto limit = around->limit_hit()) why += " " + *limit;
    record.reason = why;
    co_return fail(record, why);
  }
  co_return record.command_failed ? Conclusion::failure : Conclusion::success;
}

Task<Result<process::Exit>> StepEngine::Impl::supervised(std::shared_ptr<process::Child> child, StepOutput& output) {
  struct Among {  // the children that are ended when the step is to end
    std::vector<std::shared_ptr<process::Child>>& all;
    std::shared_ptr<process::Child> child;
    ~Among() { std::erase(all, child); }
  };
  children.push_back(child);
  Among among{children, child};
  out.observer.group(around->leader() > 0 ? around->leader() : child->pid());
  auto flow = std::make_shared<Flow>();
  flow->into = &output;
  struct LetGo {
    std::shared_ptr<process::Child> child;
    std::shared_ptr<Flow> flow;
    ~LetGo() {
      flow->into = nullptr;
      child->signal_group(SIGKILL);  // nothing, but where the step was given up before it ended
    }
  } let_go{child, flow};
  background.spawn("output of a step", kept(pump(child, flow)));
  auto exit = co_await child->wait();
  progressed.notify_all();
  auto patience = out.clock.steady() + times.drain;
  while (flow->open && out.clock.steady() < patience) co_await progressed.wait_for(patience - out.clock.steady());
  out.observer.group(0);
  co_return exit;
}

Task<> StepEngine::Impl::pump(std::shared_ptr<process::Child> child, std::shared_ptr<Flow> flow) {
  auto buffer = std::make_unique_for_overwrite<std::byte[]>(read_bytes);
  const std::span<std::byte> room(buffer.get(), read_bytes);
  while (true) {
    auto got = co_await child->read(process::Stream::out, room);
    if (!got || *got == 0) break;
    if (flow->into == nullptr) continue;
    flow->into->add(std::string_view(reinterpret_cast<const char*>(buffer.get()), *got));
    tell();
  }
  flow->open = false;
  progressed.notify_all();
}

// ---- The files it wrote

void StepEngine::Impl::file_error(StepRecord& record, std::string_view name, const core::Error& error) {
  fail(record, "Unable to process file command '" + std::string(name) + "' successfully.");
  fail(record, error.code == Code::exhausted ? "The file is larger than " + std::to_string(step_file_bytes_max / 1024) +
                                                   " KiB, or holds too much: " + error.message
                                             : error.message);
  record.command_failed = true;
}

void StepEngine::Impl::read_files(StepRecord& record, const Files& files) {
  auto values_of = [&](const std::string& path, std::string_view name) -> Variables {
    auto text = around->read(path, step_file_bytes_max);
    if (!text && text.error().code == Code::not_found) return {};
    auto values = text ? parse_values_file(*text) : Result<Variables>(std::unexpected(text.error()));
    if (!values) file_error(record, name, values.error());
    return values.value_or(Variables{});
  };
  for (auto& [name, value] : values_of(files.env, "env")) {
    if (workflow::equal_in_any_case(name, "NODE_OPTIONS")) {
      fail(record, "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
    } else if (auto done = context.set_variable(name, value); !done) {
      file_error(record, "env", done.error());
      break;
    }
  }
  for (auto& [name, value] : values_of(files.output, "output")) set_output(record, name, value);
  for (auto& [name, value] : values_of(files.state, "state")) set(record.state, name, value);
  auto paths = around->read(files.path, step_file_bytes_max);
  if (!paths && paths.error().code != Code::not_found) file_error(record, "path", paths.error());
  for (auto& path : parse_path_file(paths.value_or("")))
    if (auto done = context.add_path(std::move(path)); !done) {
      file_error(record, "path", done.error());
      break;
    }
  read_summary(files);
}

void StepEngine::Impl::read_summary(const Files& files) {
  auto text = around->read(files.summary, step_summary_bytes_max);
  if (text && !text->empty()) out.observer.summary(shown_number, within_bounds(context.masks().masked(*text)));
  if (text || text.error().code == Code::not_found) return;
  std::string message = "$GITHUB_STEP_SUMMARY upload aborted, " + text.error().message;
  if (text.error().code == Code::exhausted)
    message = "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of " +
              std::to_string(step_summary_bytes_max / 1024) + "k. For more information see: https://docs.github.com/" +
              "actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary";
  annotate({.level = Annotation::Level::error, .message = message, .title = {}, .file = {}}, message);
}

// ---- What it says

Conclusion StepEngine::Impl::fail(StepRecord& record, std::string_view message) {
  if (record.reason.empty()) record.reason = message;
  annotate({.level = Annotation::Level::error, .message = std::string(message), .title = {}, .file = {}}, message);
  return Conclusion::failure;
}

void StepEngine::Impl::annotate(Annotation note, std::string_view line) {
  say("##[" + std::string(runner::name_of(note.level)) + "]" + std::string(line));
  note.step = shown_number;
  if (const Annotation* kept = context.keep(std::move(note))) out.observer.annotated(*kept);
}

void StepEngine::Impl::set_output(StepRecord& record, std::string name, std::string value) {
  record.output_bytes += name.size() + value.size();
  if (record.output_bytes > step_output_bytes_max) {
    fail(record, "The outputs of this step are larger than " + std::to_string(step_output_bytes_max / 1024) + " KiB.");
    record.command_failed = true;
    return;
  }
  record.outputs.set(std::move(name), Value(std::move(value)));
}

}  // namespace headrace::runner
