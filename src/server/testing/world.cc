#include "server/testing/world.h"

#include <stdlib.h>

#include <filesystem>

namespace headrace::server::testing {

World::World(First first) : first_(first) {
  auto name = (std::filesystem::temp_directory_path() / "headrace-server-XXXXXX").string();
  core::require(::mkdtemp(name.data()) != nullptr, "a folder for a test can be made");
  folder_ = name;
  start();
}

World::~World() {
  if (parts_) stop();
  std::filesystem::remove_all(folder_);
}

void World::start() {
  core::SystemDisk disk;
  auto ready = prepare_folder(disk, folder_);
  core::require(ready.has_value(), "the folder can be prepared");
  Options options;
  options.data = folder_;
  options.listen = "127.0.0.1:0";
  options.local_runner = false;
  if (first_ == First::token) options.bootstrap_token_file = folder_ + "/token";
  auto opened = Parts::open(std::move(options));
  if (!opened) throw std::runtime_error(opened.error().message + " " + opened.error().detail);
  parts_ = std::move(*opened);
  auto started = parts_->loop.run(parts_->start());
  if (!started) throw std::runtime_error(started.error().message + " " + started.error().detail);
  if (first_ == First::nobody) return;
  administrator = core::read_file(disk, folder_ + "/token").value();
  while (administrator.ends_with('\n')) administrator.pop_back();
}

void World::stop() {
  parts_->loop.run(parts_->stop());
  parts_.reset();
}

net::Response World::ask(net::ClientRequest request) {
  if (!request.headers.contains("Authorization")) request.headers.set("Authorization", "Bearer " + administrator);
  return send(std::move(request));
}

net::Response World::send(net::ClientRequest request) {
  net::Client client(parts_->loop.executor(), parts_->clock);
  const net::ClientRequest question = request;
  request.url = parts_->public_url + request.url;
  auto answer = parts_->loop.run(client.send(std::move(request)));
  if (!answer) throw std::runtime_error(answer.error().message);
  if (hearing()) hearing()(*parts_, question, *answer);
  return std::move(*answer);
}

World::Hearing& World::hearing() {
  static Hearing one;
  return one;
}

net::Response World::ask_as(const std::string& token, std::string method, const std::string& path, std::string body) {
  net::ClientRequest request{path, std::move(method), {}, std::move(body)};
  if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
  request.headers.set("Content-Type", "application/json");
  return send(std::move(request));
}

std::string World::token(const std::vector<std::string>& scopes, const std::string& user) {
  core::json::object wish{{"name", "test"}};
  if (!user.empty()) {
    post("/api/v1/users", core::to_text(core::json::object{{"name", user}}));  // 409 where it is there
    wish["user"] = user;
  }
  core::json::array list;
  for (const auto& scope : scopes) list.emplace_back(scope);
  wish["scopes"] = std::move(list);
  return core::string_at(json_of(post("/api/v1/tokens", core::to_text(wish))), "token").value();
}

core::json::value json_of(const net::Response& response) {
  auto value = core::parse_json(response.body);
  if (!value) throw std::runtime_error("no JSON: " + response.body.substr(0, 200));
  return std::move(*value);
}

std::string message_of(const net::Response& response) {
  auto value = json_of(response);
  const auto* error = core::find(value, "error");
  return core::string_at(error ? *error : value, "message").value_or("");
}

}  // namespace headrace::server::testing
