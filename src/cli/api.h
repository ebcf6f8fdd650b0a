// Api is the command line's way to a server: one request after the other, errors as the server worded them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "net/client.h"

namespace headrace::cli {

// Where the server is and who we are: HEADRACE_URL and HEADRACE_TOKEN, else what `headrace login` kept.
struct Access {
  std::string url;    // without a slash at the end
  std::string token;  // empty: nobody
};
core::Result<Access> find_access();
core::Result<> keep_access(
    const Access& access);  // for this user, 0600, in $XDG_CONFIG_HOME/headrace or ~/.config/headrace
core::Result<std::string> kept_token(std::string_view url);  // empty where there is none

class Api {
 public:
  explicit Api(Access access);
  ~Api();

  // The answer's JSON (null for 204). Errors: what the server said, with the code of its status; unavailable: no
  // answer.
  core::Result<core::json::value> get(const std::string& path);
  core::Result<core::json::value> post(const std::string& path, std::string body = {},
                                       std::string type = "application/json");
  core::Result<core::json::value> put(const std::string& path, std::string body);
  core::Result<core::json::value> patch(const std::string& path, std::string body);
  core::Result<core::json::value> remove(const std::string& path);

  // A stream of server-sent events, until `hear` says false or the stream ends for good. A lost connection is taken up
  // again after the last event heard, for at most `patience`.
  core::Result<> follow(const std::string& path, std::function<bool(const net::ServerSentEvent&)> hear,
                        std::chrono::seconds patience);
  // A body as it comes, from where the answer leads (302).
  core::Result<> download(const std::string& path, std::function<bool(std::string_view)> hear);
  // A body as it comes.
  core::Result<> stream(const std::string& path, std::function<bool(std::string_view)> hear);

  const Access& access() const { return access_; }

 private:
  struct Impl;
  core::Result<core::json::value> send(std::string method, const std::string& path, std::string body, std::string type);
  Access access_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::cli
