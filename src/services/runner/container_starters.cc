#include "services/runner/container_starters.h"

#include <stdlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/job_context.h"
#include "services/runner/job_files.h"
#include "services/runner/leftovers.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr const char* folder_inside = "/github";
constexpr const char* workspace_inside = "/github/workspace";
constexpr const char* home_inside = "/github/home";
constexpr size_t piece_bytes = 64 * 1024;

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

// ---- A container

ContainerStart::ContainerStart(StepEngine& job, const ContainerEngine& engine, Wish wish)
    : job_(job), engine_(engine), wish_(std::move(wish)) {
  static uint64_t made = 0;
  name_ = "headrace-action-" + this_runner() + "-" + std::to_string(++made);
  const auto& place = job.place();
  places_ = {{place.temporary + "/_runner_file_commands", "/github/file_commands"},
             {place.temporary + "/_github_workflow", "/github/workflow"},
             {place.temporary, "/github/runner_temp"},
             {place.workspace, workspace_inside},
             {place.folder, folder_inside}};
}

// The engine may be root and follows links, so it is given the job's folder alone: what is above that is not the job's
// to replace. GitHub's other places are links in it, which only the container follows.
Result<> ContainerStart::make_places() {
  const auto& folder = job_.place().folder;
  JobFiles files(folder, job_.surroundings().owner());
  if (auto made = files.make_folder(folder + "/home"); !made) return made;
  for (const auto& place : places_) {
    if (place.inside == folder_inside) continue;
    std::string name = place.inside.substr(std::strlen(folder_inside) + 1);
    std::string target = std::filesystem::path(place.host).lexically_relative(folder).string();
    if (target == name) continue;
    if (auto made = files.link(folder + "/" + name, target); !made) return made;
  }
  return {};
}

std::optional<std::string> ContainerStart::to_host(std::string_view inside) const {
  for (const auto& place : places_)
    if (is_within(inside, place.inside)) return place.host + std::string(inside.substr(place.inside.size()));
  return {};
}

std::string ContainerStart::moved(std::string value) const {
  for (const auto& place : places_) {
    auto seen = job_.surroundings().to_inside(place.host);
    if (seen && is_within(value, *seen)) return place.inside + value.substr(seen->size());
  }
  return value;
}

// What the job's surroundings set by themselves (PATH, USER, ...) is the image's to say here.
Variables ContainerStart::translated(Variables environment) const {
  Variables words;
  const Variables usual = job_.surroundings().environment();
  for (auto& [name, value] : environment) {
    const auto* known = find(usual, name);
    if (name == "PATH" || (known && *known == value)) continue;
    words.emplace_back(name, moved(std::move(value)));
  }
  for (const auto& [name, value] : wish_.environment)
    if (!find(words, name)) words.emplace_back(name, value);
  set(words, "HOME", home_inside);
  set(words, "GITHUB_WORKSPACE", workspace_inside);
  return words;
}

Task<Result<std::unique_ptr<process::Child>>> ContainerStart::start(Variables environment) {
  if (auto made = make_places(); !made) co_return std::unexpected(made.error());
  if (auto noted = note_engine(wish_.runner_folder, engine_.program()); !noted)
    co_return std::unexpected(noted.error());
  ContainerWords words;
  words.words = {engine_.program(), "run", "--rm", "--name", name_, "--workdir", workspace_inside};
  auto add = [&words](std::initializer_list<std::string> more) {
    words.words.insert(words.words.end(), more.begin(), more.end());
  };
  for (const auto& word : label_words(wish_.runner_folder)) add({word});
  add({"--env", tracking_of(job_.place().folder)});
  if (!wish_.network.empty()) add({"--network", wish_.network});
  if (!wish_.entrypoint.empty()) add({"--entrypoint", wish_.entrypoint});
  add({"--volume", job_.place().folder + ":" + folder_inside});
  for (const auto& mount : job_.place().mounts)  // what a checkout in the workspace may lean on
    add({"--volume", mount.host + ":" + mount.inside + (mount.read_only ? ":ro" : "")});
  add_environment(translated(std::move(environment)), words);
  add({wish_.image});
  for (const auto& word : wish_.arguments) add({word});
  process::Spec spec;
  spec.argv = std::move(words.words);
  spec.environment = ContainerEngine::environment(words.environment);
  spec.directory = "/";
  spec.out = process::Redirect::pipe();
  spec.err = process::Redirect::same_as_out();
  started_ = true;
  co_return process::spawn(engine_.loop(), std::move(spec));
}

Task<> ContainerStart::remove() {
  if (!std::exchange(started_, false)) co_return;
  // Nearly always it has gone by itself (--rm); an engine that cannot find it says so, and that is good.
  std::vector<std::string> end{"kill", name_};
  auto killed = co_await engine_.run(std::move(end), "ending a container");
  std::vector<std::string> words{"rm", "--force", "--volumes", name_};
  auto gone = co_await engine_.run(std::move(words), "removing a container");
  if (!gone) core::diagnose(core::Level::debug, "runner", gone.error().message);
}

// ---- An image

BuildStart::BuildStart(StepEngine& job, const ContainerEngine& engine, std::string file, std::string text)
    : job_(job), engine_(engine), file_(std::move(file)), text_(std::move(text)), passing_(job.loop()) {}

BuildStart::~BuildStart() {
  std::error_code ignored;  // two small files in /tmp
  if (!own_.empty()) std::filesystem::remove_all(own_, ignored);
}

Result<> BuildStart::make() {
  char path[] = "/tmp/headrace-build-XXXXXX";
  if (::mkdtemp(path) == nullptr) return std::unexpected(core::error_of_errno(errno, "making a folder", path));
  own_ = path;
  std::ofstream file(own_ + "/Dockerfile", std::ios::binary);
  file << text_;
  file.close();
  if (!file) return std::unexpected(core::error_of_errno(errno, "writing a Dockerfile", own_));
  return {};
}

namespace {

Task<> pass(std::shared_ptr<process::Child> from, std::shared_ptr<process::Child> to) {
  std::array<std::byte, piece_bytes> piece;
  while (true) {
    auto got = co_await from->read(process::Stream::out, piece);
    if (!got || *got == 0) break;
    std::span<const std::byte> bytes(piece.data(), *got);
    if (auto written = co_await to->write(bytes); !written) break;
  }
  to->close_in();
}

// The engine's client, fed by a program of the job; it is the step's program, and what it is to the step.
class FedChild final : public process::Child {
 public:
  explicit FedChild(std::shared_ptr<process::Child> inner) : inner_(std::move(inner)) {}
  pid_t pid() const override { return inner_->pid(); }
  uint64_t start_time() const override { return inner_->start_time(); }
  Task<Result<size_t>> read(process::Stream stream, std::span<std::byte> bytes) override {
    return inner_->read(stream, bytes);
  }
  Task<Result<>> write(std::span<const std::byte> bytes) override { return inner_->write(bytes); }
  void close_in() override { inner_->close_in(); }
  void close(process::Stream stream) override { inner_->close(stream); }
  Task<Result<process::Exit>> wait() override { return inner_->wait(); }
  bool ended() const override { return inner_->ended(); }
  void signal(int number) override { inner_->signal(number); }
  void signal_group(int number) override { inner_->signal_group(number); }
  Task<Result<process::Exit>> end(std::chrono::milliseconds grace) override { return inner_->end(grace); }

 private:
  std::shared_ptr<process::Child> inner_;  // shared with what feeds it
};

}  // namespace

Task<Result<std::unique_ptr<process::Child>>> BuildStart::start(Variables) {
  namespace fs = std::filesystem;
  auto& around = job_.surroundings();
  auto folder = around.to_inside(fs::path(file_).parent_path().string());
  if (!folder) co_return core::fail(Code::unavailable, "The job cannot see the folder of the action.", file_);
  Command pack;
  pack.argv = {"tar", "-cf", "-", "."};
  pack.directory = std::move(*folder);
  for (const auto& [name, value] : around.environment()) pack.environment.push_back(name + "=" + value);
  auto packing = co_await around.run(std::move(pack));
  if (!packing) co_return core::pass_on(packing.error(), "packing the files of an action");
  process::Spec spec;
  // podman takes the Dockerfile from beside the archive, which no link of the job can lead elsewhere; docker only from
  // within it, where its own rule is that links stay within.
  std::string named = engine_.is_podman() ? own_ + "/Dockerfile" : fs::path(file_).filename().string();
  spec.argv = {engine_.program(), "build", "--iidfile", own_ + "/id", "--file", named, "--tag", tag(), "-"};
  Variables nothing;
  spec.environment = ContainerEngine::environment(nothing);
  spec.directory = "/";
  spec.in = process::Redirect::pipe();
  spec.out = process::Redirect::pipe();
  spec.err = process::Redirect::same_as_out();
  auto started = process::spawn(engine_.loop(), std::move(spec));
  if (!started) co_return std::unexpected(started.error());
  std::shared_ptr<process::Child> from = std::move(*packing), to = std::move(*started);
  passing_.spawn("files of an action to a build", pass(std::move(from), to));
  co_return std::make_unique<FedChild>(std::move(to));
}

// One name for one action, so that an engine keeps no more than its newest; what runs is found by its id.
std::string BuildStart::tag() const {
  std::string path = std::filesystem::path(file_).lexically_relative(job_.place().folder).string();
  return "localhost/headrace-action:" + core::sha256_hex(job_.job().github("repository") + "\n" + path).substr(0, 32);
}

Result<std::string> BuildStart::image() const {
  std::ifstream file(own_ + "/id");
  std::string id;
  if (!std::getline(file, id) || id.empty())
    return core::fail(Code::unavailable, "The container engine built an image and did not say which.");
  return id;
}

}  // namespace headrace::runner
