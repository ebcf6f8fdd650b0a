// A Headrace on a folder of its own: started, asked, killed, started again, and gone with all its processes at the end.
// The program is the one built beside the tests, or the one that the environment variable HEADRACE_BINARY names.
//
// The folder is removed when the test passed; when it failed it stays, and its path is printed. Main thread only, but
// for cli(), git() and http(), which any thread may call while nobody starts or stops the platform.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "support/http.h"
#include "support/process.h"

namespace headrace::support {

std::string program_to_test();  // the one built beside the tests, or that HEADRACE_BINARY names

struct PlatformOptions {
  std::vector<std::string> serve{"--label", "ubuntu-latest=host"};  // further arguments of serve
  std::string data;                                                 // empty: in its own folder
};

class Platform {
 public:
  explicit Platform(PlatformOptions options = PlatformOptions());
  ~Platform();  // headrace down
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  // Starts the server, always on the same port, and waits for its word that it serves. False: it ended, or was too
  // slow.
  bool start();
  void begin();  // starts it and waits for nothing
  bool running() { return server_ && server_->running(); }
  void kill();       // SIGKILL to the server; what it started lives on
  Ran terminate();   // SIGTERM; its end
  Ran server_end();  // of a server that ends by itself
  std::string said() const { return server_ ? server_->out() + server_->err() : ""; }
  pid_t server_pid() const { return server_ ? server_->pid() : -1; }
  pid_t runner_pid() const;  // by its record; -1: none
  bool ready() { return http({"GET", "/readyz", {}, {}}).status == 200; }

  // The command line, signed in as the first administrator.
  Ran cli(std::vector<std::string> arguments, const std::string& in = {}, const std::string& directory = {});
  std::unique_ptr<Process> cli_running(std::vector<std::string> arguments);
  core::json::value json(std::vector<std::string> arguments);  // with --json; the test fails where it is none
  std::vector<core::json::value> log();                        // all events, offsets in order; the server must be down

  Ran git(const std::string& directory, std::vector<std::string> arguments);
  std::unique_ptr<Process> git_running(const std::string& directory, std::vector<std::string> arguments);
  Answer http(Request request);  // with the token

  std::vector<std::string> environment() const;
  const std::string& folder() const { return folder_; }
  const std::string& data() const { return data_; }
  const std::string& token() const { return token_; }
  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string program() const { return program_; }
  std::string streams() const { return folder_ + "/streams"; }

 private:
  std::string folder_, data_, program_, token_;
  std::vector<std::string> arguments_;
  int port_ = 0;
  std::unique_ptr<Process> server_;
};

// A repository of a platform, and a clone of it with a file for its workflow.
class Clone {
 public:
  Clone(Platform& platform, const std::string& repository, const std::string& name);

  void write(const std::string& path, const std::string& text) const;
  std::string commit(const std::string& message) const;  // everything; the commit's id
  Ran push(const std::string& ref = "HEAD:refs/heads/main") const;
  Ran git(std::vector<std::string> arguments) const { return platform_.git(path_, std::move(arguments)); }
  const std::string& path() const { return path_; }

 private:
  Platform& platform_;
  std::string path_;
};

// Makes the repository with one workflow, pushes it and waits for the end of its run, which is returned.
core::json::value run_of(Platform& platform, const std::string& repository, const std::string& workflow);

std::string text_at(const core::json::value& object, std::string_view key);           // empty where absent
std::string conclusion_of_newest(Platform& platform, const std::string& repository);  // empty while it runs

}  // namespace headrace::support
