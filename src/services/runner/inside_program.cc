#include "services/runner/inside_program.h"

#include <array>

#include "services/runner/job_context.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t said_max = 4 * 1024;
constexpr std::string_view usual_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> environment_of(const StepEngine& engine) {
  Variables environment = engine.surroundings().environment();
  std::string path;
  for (const auto& folder : engine.job().paths()) path += folder + ":";
  const auto* usual = find(environment, "PATH");
  set(environment, "PATH", path + (usual ? *usual : std::string(usual_path)));
  std::vector<std::string> words;
  for (const auto& [name, value] : environment) words.push_back(name + "=" + value);
  return words;
}

std::string last_words(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.size() > said_max / 4) text = "..." + text.substr(text.size() - said_max / 4);
  return text;
}

}  // namespace

std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

InsideProgram::InsideProgram(StepEngine& engine, std::unique_ptr<process::Child> child, std::string said)
    : engine_(engine), child_(std::move(child)), said_(std::move(said)) {}
InsideProgram::~InsideProgram() = default;

Task<Result<std::unique_ptr<InsideProgram>>> InsideProgram::start(StepEngine& engine, std::string script,
                                                                  std::vector<std::string> arguments, Input input) {
  auto& around = engine.surroundings();
  std::string said = engine.place().temporary + "/_action_said";
  if (auto written = around.write(said, ""); !written) co_return std::unexpected(written.error());
  Command command;
  std::string whole = "exec 2>" + shell_word(around.to_inside(said).value_or(said)) + "\n" + script;
  command.argv = {"/bin/sh", "-c", std::move(whole), "sh"};
  for (auto& argument : arguments) command.argv.push_back(std::move(argument));
  command.environment = environment_of(engine);
  command.input = input == Input::pipe;
  auto child = co_await around.run(std::move(command));
  if (!child) co_return std::unexpected(child.error());
  co_return std::unique_ptr<InsideProgram>(new InsideProgram(engine, std::move(*child), std::move(said)));
}

Task<Result<size_t>> InsideProgram::read(std::span<std::byte> into) {
  co_return co_await child_->read(process::Stream::out, into);
}

Task<Result<>> InsideProgram::write(std::span<const std::byte> bytes) { co_return co_await child_->write(bytes); }

void InsideProgram::close_in() { child_->close_in(); }

Task<Result<>> InsideProgram::finish() {
  auto exit = co_await child_->wait();
  if (!exit) co_return std::unexpected(exit.error());
  if (exit->succeeded()) co_return Result<>{};
  auto words = engine_.surroundings().read(said_, said_max);
  std::string why = words ? last_words(*words) : words.error().message;
  if (auto limit = engine_.surroundings().limit_hit()) why += " " + *limit;
  co_return core::fail(Code::unavailable, "It failed with " + process::to_string(*exit) + ": " + why);
}

Task<Result<std::string>> output_inside(StepEngine& engine, std::string script, std::vector<std::string> arguments,
                                        size_t bytes_max) {
  auto program = co_await InsideProgram::start(engine, std::move(script), std::move(arguments), Input::none);
  if (!program) co_return std::unexpected(program.error());
  std::string text;
  std::array<std::byte, 64 * 1024> piece;
  while (true) {
    auto got = co_await (*program)->read(piece);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    if (text.size() + *got > bytes_max)
      co_return core::fail(Code::exhausted,
                           "There is more of it than the " + std::to_string(bytes_max) + " bytes that are read here.");
    text.append(reinterpret_cast<const char*>(piece.data()), *got);
  }
  if (auto finished = co_await (*program)->finish(); !finished) co_return std::unexpected(finished.error());
  co_return text;
}

}  // namespace headrace::runner
