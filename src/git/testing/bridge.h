// A place where real git clients meet a git::Server in a test: repositories in a folder of their own, HTTP by net,
// clients as child processes on the same loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/task.h"
#include "git/serve.h"
#include "process/run.h"

namespace headrace::net {
class Exchange;
class Server;
}  // namespace headrace::net

namespace headrace::git::testing {

// Accepts everything unless told otherwise, and remembers what it heard.
class Recorder : public Gatekeeper {
 public:
  core::Task<core::Result<>> accept(Push push, Say say) override;
  core::Task<> received(Received received, Say say) override;

  std::vector<Push> accepted;
  std::vector<std::vector<RefChange>> moved;
  bool durable = false;  // what moved last already was
  std::string refuse;    // why every push is refused; empty: it is not
  std::vector<std::string> says;
  std::function<core::Task<>()> before_answer;  // runs in accept, after it was recorded
};

class Bridge {
 public:
  // Serves repositories of the folder root() under /<name>.git.
  explicit Bridge(core::Loop& loop, ServeOptions options = {});
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  std::string make_repository(const std::string& name);  // returns its URL
  std::string url(const std::string& name) const;
  std::string path(const std::string& name) const;
  const std::string& root() const { return folder; }

  // A git client in `directory`, below root() unless it is absolute, with an identity and no configuration of the
  // machine's.
  process::Ran git(std::vector<std::string> arguments, const std::string& directory = {});
  core::Task<core::Result<process::Ran>> git_task(std::vector<std::string> arguments, std::string directory = {});
  // The same, returns what it printed and fails the test if it failed.
  std::string good_git(std::vector<std::string> arguments, const std::string& directory = {});
  void write(const std::string& file, const std::string& text);
  std::string commit(const std::string& clone, const std::string& file, const std::string& text);  // its id

  const std::string folder;  // root(), a fresh one
  // Answers instead of the server and gatekeeper below, where it is set; `name` is what stands before ".git".
  std::function<core::Task<core::Result<>>(std::string name, Service service, bool advertisement, Request request,
                                           ReadBody read, WriteChunk write)>
      route;
  Recorder recorder;
  Gatekeeper* gatekeeper = &recorder;
  Server server;
  std::vector<std::string> requests;     // "POST /x.git/git-upload-pack gzip"
  std::vector<std::string> environment;  // of clients, besides the usual

 private:
  core::Task<> handle(net::Exchange& exchange);
  core::Task<core::Result<>> answer(net::Exchange& exchange);

  core::Loop& loop_;
  core::SystemClock clock_;
  std::unique_ptr<net::Server> http_;
  std::string address_;
};

}  // namespace headrace::git::testing
