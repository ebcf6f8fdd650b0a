// A whole platform in this process, on a folder of its own and a loopback port, with no runner; and a client to ask it.
// The loop runs while one asks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/json.h"
#include "net/client.h"
#include "server/parts.h"

namespace headrace::server::testing {

class World {
 public:
  enum class First { token, nobody };  // who may ask at first: an administrator by a token, or nobody yet
  explicit World(First first = First::token);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // An answer; the token is the administrator's, unless another ("": none) is given.
  net::Response ask(net::ClientRequest request);
  net::Response send(net::ClientRequest request);  // with the headers it has
  net::Response get(const std::string& path) { return ask({path, "GET", {}, {}}); }
  net::Response get_as(const std::string& token, const std::string& path) { return ask_as(token, "GET", path, {}); }
  net::Response post(const std::string& path, std::string body) {
    return ask_as(administrator, "POST", path, std::move(body));
  }
  net::Response ask_as(const std::string& token, std::string method, const std::string& path, std::string body);

  // A token with these scopes; of the administrator, or of an account that is made for it and has no role.
  std::string token(const std::vector<std::string>& scopes, const std::string& user = {});

  // Hears every question and its answer, of all worlds.
  using Hearing = std::function<void(Parts& parts, const net::ClientRequest& question, const net::Response& answer)>;
  static Hearing& hearing();

  void stop();   // as at SIGTERM
  void start();  // again, on the same folder
  Parts& parts() { return *parts_; }
  const std::string& folder() const { return folder_; }

  std::string administrator;  // a token

 private:
  First first_;
  std::string folder_;
  std::unique_ptr<Parts> parts_;
};

core::json::value json_of(const net::Response& response);  // breaks an invariant where it is none
std::string message_of(const net::Response& response);     // of {"error":{"message"}}, or under /api/v3 {"message"}

}  // namespace headrace::server::testing
