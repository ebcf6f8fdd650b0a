#include "services/runner/container_leftovers.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "services/runner/container_engine.h"
#include "services/runner/leftovers.h"

namespace headrace::runner {

using core::Result;
using core::Task;

namespace {

constexpr const char* folder_label = "dev.headrace.runner";
constexpr const char* process_label = "dev.headrace.process";
constexpr std::chrono::seconds removal_limit{60};

std::string note_of(const std::string& folder) { return folder + "/containers"; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

// One kind of thing that an engine has, and the words for it.
struct Kind {
  std::vector<std::string> list, inspect, remove;
  const char* labels;  // where inspect has them
};

Task<Result<size_t>> remove_all(const ContainerEngine& engine, Kind kind, std::string folder) {
  std::vector<std::string> list = kind.list;
  list.insert(list.end(), {"--quiet", "--filter", std::string("label=") + folder_label + "=" + folder});
  auto listed = co_await engine.run(std::move(list), "listing what jobs left");
  if (!listed) co_return std::unexpected(listed.error());
  size_t removed = 0;
  for (const auto& id : lines_of(*listed)) {
    std::vector<std::string> ask = kind.inspect;
    ask.insert(ask.end(), {"--format", std::string("{{index ") + kind.labels + " \"" + process_label + "\"}}", id});
    auto maker = co_await engine.run(std::move(ask), "asking who made what a job left");
    if (!maker || *maker == this_runner()) continue;  // it has just gone, or is of a job of today
    std::vector<std::string> words = kind.remove;
    words.push_back(id);
    Variables nothing;
    std::string no_input;
    auto gone = co_await engine.run(std::move(words), "removing what a job left", std::move(nothing),
                                    std::move(no_input), removal_limit);
    if (!gone) co_return std::unexpected(gone.error());
    ++removed;
  }
  co_return removed;
}

}  // namespace

std::vector<std::string> label_words(const std::string& folder) {
  std::vector<std::string> words{"--label", std::string(process_label) + "=" + this_runner()};
  if (!folder.empty()) words.insert(words.end(), {"--label", std::string(folder_label) + "=" + folder});
  return words;
}

Result<> note_engine(const std::string& folder, const std::string& engine) {
  if (folder.empty()) return {};
  std::ofstream file(note_of(folder), std::ios::trunc);
  file << engine << '\n';
  file.close();
  if (!file) return std::unexpected(core::error_of_errno(errno, "noting the container engine", note_of(folder)));
  return {};
}

Task<Result<size_t>> remove_left_containers(core::Executor loop, std::string folder) {
  std::ifstream note(note_of(folder));
  std::string program;
  if (!std::getline(note, program) || program.empty()) co_return size_t{0};
  auto engine = co_await ContainerEngine::find(loop, program);
  if (!engine) co_return std::unexpected(engine.error());
  Kind containers{{"ps", "--all"}, {"inspect"}, {"rm", "--force", "--volumes"}, ".Config.Labels"};
  Kind networks{{"network", "ls"}, {"network", "inspect"}, {"network", "rm"}, ".Labels"};
  auto first = co_await remove_all(*engine, std::move(containers), folder);
  if (!first) co_return std::unexpected(first.error());
  auto second = co_await remove_all(*engine, std::move(networks), folder);
  if (!second) co_return std::unexpected(second.error());
  co_return *first + *second;
}

}  // namespace headrace::runner
