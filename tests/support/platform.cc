#include "support/platform.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace headrace::support {

namespace json = core::json;

namespace {

std::string make_folder() {
  std::string pattern = std::filesystem::temp_directory_path().string() + "/headrace-XXXXXX";
  if (!::mkdtemp(pattern.data())) ADD_FAILURE() << "no temporary folder: " << pattern;
  return pattern;
}

}  // namespace

std::string program_to_test() {
  const char* named = std::getenv("HEADRACE_BINARY");
  return named && *named ? named : HEADRACE_PROGRAM;
}

Platform::Platform(PlatformOptions options)
    : folder_(make_folder()),
      data_(options.data.empty() ? folder_ + "/data" : options.data),
      program_(program_to_test()),
      arguments_(std::move(options.serve)) {
  std::filesystem::create_directories(streams());
  std::filesystem::create_directories(folder_ + "/home");
}

Platform::~Platform() {
  cli({"down", "--data", data_});
  server_.reset();
  std::error_code ignored;
  if (!testing::Test::HasFailure()) {
    std::filesystem::remove_all(folder_, ignored);
  } else {
    std::cout << "The folder of this test stays: " << folder_ << "\n";
  }
}

std::vector<std::string> Platform::environment() const {
  std::vector<std::string> list{"HOME=" + folder_ + "/home", "LANG=C.UTF-8",
                                "GIT_CONFIG_NOSYSTEM=1",     "GIT_TERMINAL_PROMPT=0",
                                "GIT_AUTHOR_NAME=Ada",       "GIT_AUTHOR_EMAIL=ada@example.org",
                                "GIT_COMMITTER_NAME=Ada",    "GIT_COMMITTER_EMAIL=ada@example.org",
                                "HEADRACE_URL=" + url(),     "HEADRACE_TOKEN=" + token_};
  for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) list.push_back(std::string(name) + "=" + value);
  return list;
}

void Platform::begin() {
  server_.reset();
  std::vector<std::string> argv{
      program_, "serve", "--data", data_, "--listen", address(), "--bootstrap-token-file", folder_ + "/token"};
  argv.insert(argv.end(), arguments_.begin(), arguments_.end());
  server_ = std::make_unique<Process>(Command{std::move(argv), environment(), folder_, {}, true}, streams());
}

bool Platform::start() {
  begin();
  const std::string word = " serves http://127.0.0.1:";
  if (!eventually([&] { return server_->out().find(word) != std::string::npos || !server_->running(); })) return false;
  auto out = server_->out();
  auto at = out.find(word);
  if (at == std::string::npos) return false;
  if (port_ != 0) return true;  // other threads may read port and token from the first start on
  port_ = std::atoi(out.c_str() + at + word.size());
  token_ = read_file(folder_ + "/token");
  while (token_.ends_with('\n')) token_.pop_back();
  return true;
}

void Platform::kill() {
  server_->signal(SIGKILL);
  server_->wait();
}

Ran Platform::terminate() {
  server_->signal(SIGTERM);
  return server_->wait();
}

Ran Platform::server_end() { return server_->wait(); }

pid_t Platform::runner_pid() const {
  auto record = core::parse_json(read_file(data_ + "/run/runner.json"));
  return record ? static_cast<pid_t>(core::integer_at(*record, "pid").value_or(-1)) : -1;
}

std::unique_ptr<Process> Platform::cli_running(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), program_);
  return std::make_unique<Process>(Command{std::move(arguments), environment(), folder_, {}, false}, streams());
}

Ran Platform::cli(std::vector<std::string> arguments, const std::string& in, const std::string& directory) {
  arguments.insert(arguments.begin(), program_);
  return run(Command{std::move(arguments), environment(), directory.empty() ? folder_ : directory, in, false},
             streams());
}

json::value Platform::json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  auto ran = cli(arguments);
  auto value = core::parse_json(ran.out);
  if (!value) ADD_FAILURE() << arguments[0] << " " << arguments[1] << " printed no JSON: " << ran.out << ran.err;
  return value ? *value : json::value();
}

std::vector<json::value> Platform::log() {
  auto ran = cli({"log", "export", "--data", data_});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  std::vector<json::value> events;
  for (size_t at = 0, end = 0; (end = ran.out.find('\n', at)) != std::string::npos; at = end + 1) {
    auto event = core::parse_json(ran.out.substr(at, end - at));
    if (event)
      events.push_back(std::move(*event));
    else
      ADD_FAILURE() << "not JSON: " << ran.out.substr(at, end - at);
  }
  return events;
}

std::unique_ptr<Process> Platform::git_running(const std::string& directory, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"git", "-c", "gc.auto=0", "-c", "init.defaultBranch=main"});
  return std::make_unique<Process>(Command{std::move(arguments), environment(), directory, {}, false}, streams());
}

Ran Platform::git(const std::string& directory, std::vector<std::string> arguments) {
  return git_running(directory, std::move(arguments))->wait();
}

Answer Platform::http(Request request) {
  request.headers.push_back("Authorization: Bearer " + token_);
  return ask(port_, request);
}

Clone::Clone(Platform& platform, const std::string& repository, const std::string& name)
    : platform_(platform), path_(platform.folder() + "/clones/" + name) {
  std::filesystem::create_directories(platform.folder() + "/clones");
  auto url = "http://x:" + platform.token() + "@" + platform.address() + "/" + repository + ".git";
  auto cloned = platform.git(platform.folder(), {"clone", "--quiet", url, path_});
  EXPECT_EQ(cloned.exit, 0) << cloned.err;
}

void Clone::write(const std::string& path, const std::string& text) const { write_file(path_ + "/" + path, text); }

std::string Clone::commit(const std::string& message) const {
  git({"add", "--all"});
  auto made = git({"commit", "--quiet", "--allow-empty", "--message", message});
  EXPECT_EQ(made.exit, 0) << made.err;
  auto id = git({"rev-parse", "HEAD"}).out;
  return id.substr(0, id.find('\n'));
}

Ran Clone::push(const std::string& ref) const { return git({"push", "--quiet", "origin", ref}); }

json::value run_of(Platform& platform, const std::string& repository, const std::string& workflow) {
  EXPECT_EQ(platform.cli({"repo", "create", repository}).exit, 0);
  Clone clone(platform, repository, repository.substr(repository.find('/') + 1));
  clone.write(".github/workflows/ci.yml", workflow);
  clone.commit("a workflow");
  auto pushed = clone.push();
  EXPECT_EQ(pushed.exit, 0) << pushed.err;
  EXPECT_TRUE(eventually([&] { return !conclusion_of_newest(platform, repository).empty(); })) << "its run did not end";
  return platform.json({"run", "view", "--repo", repository});
}

std::string text_at(const json::value& object, std::string_view key) {
  return core::string_at(object, key).value_or("");
}

std::string conclusion_of_newest(Platform& platform, const std::string& repository) {
  auto answer = platform.http({"GET", "/api/v1/runs?limit=1&repository=" + repository, {}, {}});
  auto runs = core::parse_json(answer.body);
  const auto* list = runs ? core::find(*runs, "runs") : nullptr;
  if (!list || !list->is_array() || list->get_array().empty()) return {};
  return text_at(list->get_array().front(), "conclusion");
}

}  // namespace headrace::support
