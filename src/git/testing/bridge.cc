#include "git/testing/bridge.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "git/folder.h"
#include "net/server.h"

namespace headrace::git::testing {
namespace {

using core::Result;
using core::Task;

std::string fresh_folder() {
  std::string pattern = ::testing::TempDir() + "headrace-git-XXXXXX";
  core::require(::mkdtemp(pattern.data()) != nullptr, "a folder for the test can be made");
  return pattern;
}

ServeOptions with_hooks(ServeOptions options, const std::string& root) {
  options.hooks = root + "/hooks";
  return options;
}

Task<Result<size_t>> read_part(net::Exchange& exchange, std::span<std::byte> bytes) {
  co_return co_await exchange.read(bytes);
}

Task<Result<>> write_part(net::Exchange& exchange, std::string type, std::span<const std::byte> bytes) {
  if (!exchange.started()) {
    net::Headers headers;
    headers.add("Content-Type", type);
    if (auto started = co_await exchange.start(net::Status::ok, headers); !started) co_return started;
  }
  const std::string_view part(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  co_return co_await exchange.write(part);
}

net::Status status_of(core::Code code) {
  switch (code) {
    case core::Code::not_found: return net::Status::not_found;
    case core::Code::invalid: return net::Status::unprocessable_content;
    case core::Code::exhausted: return net::Status::unavailable;
    default: return net::Status::internal_error;
  }
}

}  // namespace

Task<Result<>> Recorder::accept(Push push, Say say) {
  accepted.push_back(std::move(push));
  if (before_answer) co_await before_answer();
  for (const auto& line : says) co_await say(line);
  if (!refuse.empty()) co_return core::fail(core::Code::denied, refuse);
  co_return Result<>{};
}

Task<> Recorder::received(Received received, Say say) {
  moved.push_back(std::move(received.changes));
  durable = received.durable;
  co_await say("received");
}

Bridge::Bridge(core::Loop& loop, ServeOptions options)
    : folder(fresh_folder()), server(loop.executor(), with_hooks(std::move(options), folder)), loop_(loop) {
  const auto ready = loop_.run(server.prepare());
  core::require(ready.has_value(), "the git server is ready");
  http_ = std::make_unique<net::Server>(loop_.executor(), clock_,
                                        [this](net::Exchange& exchange) { return handle(exchange); });
  address_ = http_->listen("127.0.0.1:0").value();
}

Bridge::~Bridge() {
  loop_.run(http_->shutdown(std::chrono::seconds(2)));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::string Bridge::path(const std::string& name) const { return folder + "/" + name + ".git"; }
std::string Bridge::url(const std::string& name) const { return "http://" + address_ + "/" + name + ".git"; }

std::string Bridge::make_repository(const std::string& name) {
  const auto made = create_bare(path(name), "main");
  core::require(made.has_value(), "a repository can be made");
  return url(name);
}

Task<> Bridge::handle(net::Exchange& exchange) {
  auto answered = co_await answer(exchange);
  if (answered || exchange.started()) co_return;
  auto sent = co_await exchange.respond(net::make_response(status_of(answered.error().code), answered.error().message));
  static_cast<void>(sent);
}

Task<Result<>> Bridge::answer(net::Exchange& exchange) {
  const auto& request = exchange.request();
  const std::string target(request.path);
  const size_t end = target.find(".git/");
  if (end == std::string::npos) co_return core::fail(core::Code::not_found, "There is no such page.");
  const auto action = target.substr(end + 5);
  const Request asked{folder + target.substr(0, end + 4), std::string(request.headers.get("Git-Protocol")),
                      request.headers.get("Content-Encoding") == "gzip"};
  requests.push_back(request.method_text + " " + action + (asked.gzip ? " gzip" : ""));
  const bool advertisement = action == "info/refs";
  const auto* wanted = request.parameter("service");
  const auto service = parse_service(advertisement && wanted != nullptr ? *wanted : action);
  if (!service) co_return std::unexpected(service.error());
  const ReadBody read = [&exchange](std::span<std::byte> bytes) { return read_part(exchange, bytes); };
  const WriteChunk write = [&exchange, type = content_type(*service, advertisement)](std::span<const std::byte> bytes) {
    return write_part(exchange, type, bytes);
  };
  Result<> done;
  if (route) {
    done = co_await route(target.substr(1, end - 1), *service, advertisement, asked, read, write);
  } else if (advertisement) {
    done = co_await server.advertise(*service, asked, write);
  } else if (*service == Service::upload_pack) {
    done = co_await server.upload_pack(asked, read, write);
  } else {
    done = co_await server.receive_pack(asked, *gatekeeper, read, write);
  }
  if (!done) co_return done;
  if (!exchange.started()) co_return co_await exchange.respond(net::make_response(net::Status::ok, ""));
  co_return co_await exchange.finish();
}

Task<Result<process::Ran>> Bridge::git_task(std::vector<std::string> arguments, std::string directory) {
  process::Spec spec;
  spec.argv = {"git"};
  for (auto& argument : arguments) spec.argv.push_back(std::move(argument));
  spec.environment = process::inherited_environment({"PATH"});
  for (const auto* fixed :
       {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org",
        "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C.UTF-8"})
    spec.environment.emplace_back(fixed);
  spec.environment.insert(spec.environment.end(), environment.begin(), environment.end());
  spec.directory = directory.starts_with('/') ? directory : folder + "/" + directory;
  process::RunLimits limits;
  limits.deadline = std::chrono::minutes(5);
  limits.output_bytes_max = size_t{64} << 20;
  std::string nothing;
  co_return co_await process::run(loop_.executor(), std::move(spec), std::move(nothing), limits);
}

process::Ran Bridge::git(std::vector<std::string> arguments, const std::string& directory) {
  auto ran = loop_.run(git_task(std::move(arguments), directory));
  EXPECT_TRUE(ran) << ran.error().message;
  return ran ? std::move(*ran) : process::Ran{};
}

std::string Bridge::good_git(std::vector<std::string> arguments, const std::string& directory) {
  auto ran = git(std::move(arguments), directory);
  EXPECT_TRUE(ran.exit.succeeded()) << ran.out << ran.err;
  while (ran.out.ends_with('\n')) ran.out.pop_back();
  return ran.out;
}

void Bridge::write(const std::string& file, const std::string& text) {
  const auto full = std::filesystem::path(folder) / file;
  std::filesystem::create_directories(full.parent_path());
  std::ofstream(full, std::ios::binary) << text;
}

std::string Bridge::commit(const std::string& clone, const std::string& file, const std::string& text) {
  write(clone + "/" + file, text);
  good_git({"add", "--all"}, clone);
  good_git({"commit", "-q", "-m", "change " + file}, clone);
  return good_git({"rev-parse", "HEAD"}, clone);
}

}  // namespace headrace::git::testing
