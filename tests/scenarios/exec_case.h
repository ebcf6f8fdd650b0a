// A folder under git, and `headrace exec` in it: what the scenarios of exec begin with.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "support/platform.h"

namespace headrace {

class ExecCase : public ::testing::Test {
 protected:
  ExecCase() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/headrace-exec-XXXXXX";
    top_ = ::mkdtemp(pattern.data());
    for (const char* name : {"/work", "/home", "/streams"}) std::filesystem::create_directories(top_ + name);
    git({"init", "-q", "-b", "main"});
  }
  ~ExecCase() override {
    if (HasFailure()) return;
    std::error_code ignored;
    std::filesystem::remove_all(top_, ignored);
  }

  std::vector<std::string> environment() const {
    std::vector<std::string> list{"HOME=" + top_ + "/home",
                                  "XDG_CACHE_HOME=" + top_ + "/cache",
                                  "LANG=C.UTF-8",
                                  "USER=ada",
                                  "GIT_CONFIG_NOSYSTEM=1",
                                  "GIT_AUTHOR_NAME=Ada",
                                  "GIT_AUTHOR_EMAIL=ada@example.org",
                                  "GIT_COMMITTER_NAME=Ada",
                                  "GIT_COMMITTER_EMAIL=ada@example.org"};
    for (const char* name : {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
      if (const char* value = std::getenv(name)) list.push_back(std::string(name) + "=" + value);
    return list;
  }
  std::string folder() const { return top_ + "/work"; }
  support::Command command(std::vector<std::string> arguments, const std::string& sub) const {
    arguments.insert(arguments.begin(), {support::program_to_test(), "exec"});
    return {std::move(arguments), environment(), folder() + sub, {}, true};
  }
  // On the host, for speed; sandboxes have tests of their own.
  support::Ran exec(std::vector<std::string> arguments = {}, const std::string& sub = "") const {
    arguments.insert(arguments.end(), {"--label", "ubuntu-latest=host"});
    return support::run(command(std::move(arguments), sub), top_ + "/streams");
  }
  support::Ran git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "git");
    return support::run({std::move(arguments), environment(), folder(), {}, false}, top_ + "/streams");
  }
  void write(const std::string& path, const std::string& text) const {
    support::write_file(folder() + "/" + path, text);
  }
  void workflow(const std::string& text, const std::string& name = "ci.yml") const {
    write(".github/workflows/" + name, text);
  }
  void steps(const std::string& lines, const std::string& on = "push") const {
    workflow("name: CI\non: " + on + "\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n" + lines);
  }
  void commit() const {
    git({"add", "-A"});
    ASSERT_EQ(git({"commit", "-qm", "Title"}).exit, 0);
  }
  static core::json::value object(const support::Ran& ran) {
    auto read = core::parse_json(ran.out);
    EXPECT_TRUE(read) << ran.out << ran.err;
    return read ? *read : core::json::value(core::json::object());
  }
  static core::json::value job(const core::json::value& whole, const std::string& key) {
    for (const auto& run : whole.at("runs").as_array())
      for (const auto& job : run.at("jobs").as_array())
        if (support::text_at(job, "key") == key) return job;
    ADD_FAILURE() << "no job " << key << " in " << core::to_text(whole);
    return core::json::object();
  }
  // What execs leave behind while they run: folders of the workshop.
  size_t left() const {
    size_t count = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(top_ + "/cache/headrace/exec", error))
      if (entry.path().filename() != "lock") ++count;
    return count;
  }

  std::string top_;
};

}  // namespace headrace
