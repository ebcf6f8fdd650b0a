#include "server/demo.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <span>
#include <sstream>
#include <vector>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "process/run.h"
#include "server/demo_files.h"
#include "services/identity/identity.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
using identity::Caller;

namespace {

constexpr std::chrono::hours token_lasts{1};  // should it not come to be revoked
constexpr std::chrono::seconds run_patience{10};
constexpr std::chrono::milliseconds run_retry{20};

// A history of three commits, each of which stands.
struct Part {
  std::string_view title;
  bool (*has)(std::string_view path);
};
constexpr std::array<Part, 3> parts{{
    {"Say what this will be", [](std::string_view path) { return path == "README.md" || path == ".gitignore"; }},
    {"Count money in cents, and what a cart costs",
     [](std::string_view path) { return path != "README.md" && !path.starts_with("."); }},
    {"Build and test with every push", [](std::string_view path) { return path.starts_with(".github/"); }},
}};

constexpr std::array<std::string_view, 8> git_settings{"GIT_CONFIG_NOSYSTEM=1",
                                                       "GIT_CONFIG_GLOBAL=/dev/null",
                                                       "GIT_TERMINAL_PROMPT=0",
                                                       "LC_ALL=C.UTF-8",
                                                       "GIT_AUTHOR_NAME=Headrace demo",
                                                       "GIT_COMMITTER_NAME=Headrace demo",
                                                       "GIT_AUTHOR_EMAIL=demo@headrace.invalid",
                                                       "GIT_COMMITTER_EMAIL=demo@headrace.invalid"};

// The account that made it is what a second start knows it by.
Task<Result<bool>> account_is_there(Platform& platform) {
  auto users = co_await platform.identity.users();
  if (!users) co_return std::unexpected(users.error());
  co_return std::ranges::any_of(*users, [](const identity::User& user) { return user.name == demo_user; });
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// The folder that the push comes from, while it is made.
class Clone {
 public:
  Clone(Platform& platform, std::string folder) : platform_(platform), folder_(std::move(folder)) { remove(); }
  Clone(const Clone&) = delete;
  Clone& operator=(const Clone&) = delete;
  ~Clone() { remove(); }

  Task<Result<>> commit() {
    if (auto made = platform_.disk.make_directories(folder_); !made) co_return made;
    if (auto begun = co_await git("init -q -b main"); !begun) co_return begun;
    for (const Part& part : parts) {
      auto writing = [this, &part] { return write(part); };
      if (auto written = co_await core::blocking(platform_.git_reads, std::move(writing)); !written) co_return written;
      if (auto added = co_await git("add ."); !added) co_return added;
      if (auto made = co_await git("commit -q -m", part.title); !made) co_return made;
    }
    co_return Result<>{};
  }

  // The token goes by the environment, which nobody but this user may read; arguments may be read by all.
  Task<Result<>> push(const std::string& url, const std::string& token) {
    const auto basic = std::string(demo_user) + ":" + token;
    header_ = "Authorization: Basic " + core::to_base64(std::as_bytes(std::span(basic)));
    auto pushed = co_await git("push -q", url + "/" + std::string(demo_repository) + ".git", "main");
    header_.clear();
    co_return pushed;
  }

 private:
  Result<> write(const Part& part) {
    for (const DemoFile& file : demo_files()) {
      if (!part.has(file.path)) continue;
      const auto path = folder_ + "/" + std::string(file.path);
      if (auto made = platform_.disk.make_directories(path.substr(0, path.rfind('/'))); !made) return made;
      if (auto written = core::write_file(platform_.disk, path, file.text); !written) return written;
    }
    return {};
  }

  // A command and its options, and what they are given. Cut off from what the machine and the user have set for git.
  template <class... Given>
  Task<Result<>> git(const std::string& command, const Given&... given) {
    process::Spec spec;
    spec.argv = words("git " + command);
    (spec.argv.emplace_back(given), ...);
    return run(std::move(spec));
  }

  Task<Result<>> run(process::Spec spec) {
    spec.directory = folder_;
    spec.environment = process::inherited_environment({"PATH"});
    for (std::string_view set : git_settings) spec.environment.emplace_back(set);
    spec.environment.push_back("HOME=" + folder_);
    if (!header_.empty()) {
      spec.environment.emplace_back("GIT_CONFIG_COUNT=1");
      spec.environment.emplace_back("GIT_CONFIG_KEY_0=http.extraHeader");
      spec.environment.push_back("GIT_CONFIG_VALUE_0=" + header_);
    }
    const auto what = spec.argv[1];
    std::string nothing;
    auto ran =
        co_await process::run(platform_.loop.executor(), std::move(spec), std::move(nothing), process::RunLimits());
    if (!ran) co_return std::unexpected(ran.error());
    if (!ran->exit.succeeded())
      co_return core::fail(Code::unavailable, "git " + what + " of the demo: " + process::to_string(ran->exit),
                           ran->err);
    co_return Result<>{};
  }

  void remove() {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
    if (error) core::diagnose(core::Level::warning, "demo", "removing " + folder_ + ": " + error.message());
  }

  Platform& platform_;
  std::string folder_;
  std::string header_;
};

Task<Result<>> push_with_a_token(Platform& platform, Clone& clone, const std::string& url) {
  identity::TokenWish wish{.user = std::string(demo_user),
                           .name = "the push of the demo",
                           .scopes = {"repo:write"},
                           .expires_at = platform.clock.now() + token_lasts};
  auto token = co_await platform.identity.create_token(Caller::system(), std::move(wish));
  if (!token) co_return std::unexpected(token.error());
  auto pushed = co_await clone.push(url, token->secret);
  auto revoked = co_await platform.identity.revoke_token(Caller::system(), token->id);
  co_return pushed ? revoked : pushed;
}

Task<Result<>> push_files(Platform& platform, const std::string& url) {
  Clone clone(platform, platform.data + "/run/demo");
  if (auto committed = co_await clone.commit(); !committed) co_return committed;
  co_return co_await push_with_a_token(platform, clone, url);
}

Task<Result<std::string>> first_run(Platform& platform) {
  const auto give_up = platform.clock.steady() + run_patience;
  pipeline::RunQuery query;
  query.repository = demo_repository;
  query.number = 1;
  while (true) {
    auto page = co_await platform.pipeline.list(query);
    if (!page) co_return std::unexpected(page.error());
    if (!page->runs.empty())
      co_return "/" + std::string(demo_repository) + "/runs/" + std::to_string(page->runs.back().id);
    if (platform.clock.steady() > give_up)
      co_return core::fail(Code::unavailable, "No run began within 10 s of the push of the demo.");
    co_await platform.clock.sleep_for(run_retry);
  }
}

// The repository first, the account after it: so an account without the repository tells of one that was deleted.
Task<Result<std::optional<repository::Repo>>> repository_and_account(Platform& platform) {
  auto repository = co_await platform.repositories.find(std::string(demo_repository));
  if (!repository) co_return std::unexpected(repository.error());
  auto known = co_await account_is_there(platform);
  if (!known) co_return std::unexpected(known.error());
  if (*known) co_return std::move(*repository);
  if (!*repository) {
    auto owner = core::Actor::user(std::string(demo_user));
    auto made = co_await platform.repositories.create(std::move(owner), std::string(demo_repository));
    if (!made) co_return std::unexpected(made.error());
    *repository = std::move(*made);
  }
  auto user = co_await platform.identity.create_user(Caller::system(), std::string(demo_user), false);
  if (!user) co_return std::unexpected(user.error());
  co_return std::move(*repository);
}

Task<Result<>> push_first(Platform& platform, const std::string& url) {
  auto may_push = co_await platform.identity.grant(Caller::system(), std::string(demo_user), identity::Role::write,
                                                   std::string(demo_repository));
  if (!may_push) co_return may_push;
  co_return co_await push_files(platform, url);
}

}  // namespace

Task<Result<std::optional<std::string>>> prepare_demo(Platform& platform, std::string url) {
  auto repository = co_await repository_and_account(platform);
  if (!repository) co_return std::unexpected(repository.error());
  if (!*repository) co_return std::nullopt;
  auto refs = co_await platform.repositories.refs((*repository)->id);
  if (!refs) co_return std::unexpected(refs.error());
  if (refs->empty())
    if (auto pushed = co_await push_first(platform, url); !pushed) co_return std::unexpected(pushed.error());
  auto page = co_await first_run(platform);
  if (!page) co_return std::unexpected(page.error());
  co_return std::move(*page);
}

}  // namespace headrace::server
