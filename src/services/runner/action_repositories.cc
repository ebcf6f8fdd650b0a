#include "services/runner/action_repositories.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>

#include "core/bytes.h"
#include "process/child.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t printed_max = 64 * 1024;  // of a program inside that is asked something
constexpr size_t piece_bytes = 64 * 1024;

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

bool is_commit(std::string_view ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

// Nobody's configuration is read and nobody is asked for a password. The token goes by the environment.
std::vector<std::string> git_environment(const RepositoryPlace* place) {
  auto words = process::inherited_environment({"PATH", "LANG", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"});
  for (const char* word : {"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/",
                           "GIT_ALLOW_PROTOCOL=http:https:file", "LC_ALL=C"})
    words.emplace_back(word);
  std::vector<std::pair<std::string, std::string>> settings{{"safe.directory", "*"},
                                                            {"uploadpack.allowAnySHA1InWant", "true"},
                                                            {"uploadpack.allowFilter", "true"},
                                                            {"fetch.unpackLimit", "1"},
                                                            {"gc.auto", "0"},
                                                            {"transfer.fsckObjects", "false"}};
  if (place && !place->token.empty() && place->url.starts_with("http"))
    settings.emplace_back("http." + place->url + ".extraHeader",
                          "Authorization: Basic " + core::to_base64(core::as_bytes("x-access-token:" + place->token)));
  words.push_back("GIT_CONFIG_COUNT=" + std::to_string(settings.size()));
  for (size_t i = 0; i < settings.size(); ++i) {
    words.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + settings[i].first);
    words.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + settings[i].second);
  }
  return words;
}

Repositories::Repositories(core::Executor loop, std::string folder)
    : loop_(loop), folder_(std::move(folder)), freed_(loop) {}

// One fetch at a time into one mirror.
class Repositories::Turn {
 public:
  Turn(Repositories& all, std::string mirror) : all_(all), mirror_(std::move(mirror)) {}
  ~Turn() {
    if (!held_) return;
    all_.busy_.erase(mirror_);
    all_.freed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Task<> take() {
    while (all_.busy_.contains(mirror_)) co_await all_.freed_.wait();
    all_.busy_[mirror_] = 1;
    held_ = true;
  }

 private:
  Repositories& all_;
  std::string mirror_;
  bool held_ = false;
};

std::string Repositories::mirror_of(const RepositoryPlace& place, bool whole) const {
  if (place.here) return place.url;
  return folder_ + "/" + core::sha256_hex(place.url) + (whole ? ".git" : ".trees.git");
}

Task<Result<process::Ran>> Repositories::git(std::vector<std::string> words, const RepositoryPlace& place) {
  process::Spec spec;
  spec.argv = std::move(words);
  spec.argv.insert(spec.argv.begin(), "git");
  spec.environment = git_environment(&place);
  spec.directory = "/";
  process::RunLimits limits;
  limits.deadline = repository_fetch_max;
  std::string nothing;
  co_return co_await process::run(loop_, std::move(spec), std::move(nothing), limits);
}

Task<bool> Repositories::has(RepositoryPlace place, std::string commit, bool whole) {
  std::string mirror = mirror_of(place, whole);
  if (!is_commit(commit) || !std::filesystem::exists(mirror + "/HEAD")) co_return false;
  std::vector<std::string> words{"-C", mirror, "cat-file", "-e", commit + "^{commit}"};
  auto ran = co_await git(std::move(words), place);
  co_return ran && ran->exit.succeeded();
}

Task<bool> Repositories::is_branch(FetchedCommit found, std::string name) {
  RepositoryPlace nowhere;
  std::vector<std::string> words{"-C", found.mirror, "show-ref", "--verify", "--quiet", "refs/heads/" + name};
  auto ran = co_await git(std::move(words), nowhere);
  co_return ran && ran->exit.succeeded();
}

MirrorHold Repositories::hold_large(const RepositoryPlace& place, uint64_t bytes_min) {
  std::string mirror = mirror_of(place, true);
  std::error_code error;
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(mirror + "/objects/pack", error))
    bytes += entry.is_regular_file(error) ? entry.file_size(error) : 0;
  if (bytes == 0 || bytes < bytes_min) return nullptr;
  auto& held = held_[mirror];
  auto hold = held.lock();
  if (!hold) held = hold = std::make_shared<const std::string>(mirror);
  return hold;
}

Task<Result<std::string>> Repositories::refs(FetchedCommit found) {
  process::Spec spec;
  spec.argv = {"git",
               "-C",
               found.mirror,
               "for-each-ref",
               "--format=update %(if:equals=refs/heads)%(refname:rstrip=-2)%(then)refs/remotes/origin/"
               "%(refname:lstrip=2)%(else)%(refname)%(end) %(objectname)",
               "refs/heads",
               "refs/tags"};
  spec.environment = git_environment(nullptr);
  spec.directory = "/";
  process::RunLimits limits;
  limits.output_bytes_max = refs_bytes_max;
  std::string nothing;
  auto ran = co_await process::run(loop_, std::move(spec), std::move(nothing), limits);
  if (!ran) co_return std::unexpected(ran.error());
  if (!ran->exit.succeeded())
    co_return core::fail(Code::unavailable, "The branches of a mirror: " + last_line(ran->err));
  co_return std::move(ran->out);
}

Task<Result<>> Repositories::make(std::string mirror) {
  if (std::filesystem::exists(mirror + "/HEAD")) co_return Result<>{};
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) co_return std::unexpected(core::error_of_errno(error.value(), "making the folder of mirrors", folder_));
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  evict(mirror);
  RepositoryPlace nowhere;
  // Whatever our umask: a job that is shown the objects is another user. The folder above stays ours alone.
  std::vector<std::string> words{"init", "--quiet", "--bare", "--shared=0644", mirror};
  auto made = co_await git(std::move(words), nowhere);
  if (!made) co_return core::pass_on(made.error(), "making a mirror");
  if (!made->exit.succeeded())
    co_return core::fail(Code::unavailable, "A mirror could not be made: " + last_line(made->err), mirror);
  co_return Result<>{};
}

void Repositories::evict(const std::string& kept) {
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error))
    if (entry.path() != kept && !busy_.contains(entry.path()) && held_[entry.path()].expired())
      all.emplace_back(entry.last_write_time(error), entry.path());
  if (all.size() < mirrors_max) return;
  std::ranges::sort(all);
  for (size_t i = 0; i + mirrors_max <= all.size(); ++i) std::filesystem::remove_all(all[i].second, error);
}

// `shown`: "'main' of https://..."
Task<Result<FetchedCommit>> Repositories::look_up(std::string mirror, std::string name, std::string shown) {
  RepositoryPlace nowhere;
  std::vector<std::string> asking{"-C", mirror, "rev-parse", "--verify", "--quiet", name + "^{commit}"};
  auto told = co_await git(std::move(asking), nowhere);
  if (!told) co_return std::unexpected(told.error());
  FetchedCommit found{mirror, last_line(told->out)};
  if (!is_commit(found.commit)) co_return core::fail(Code::not_found, shown + " is no commit.");
  co_return found;
}

Task<Result<FetchedCommit>> Repositories::fetch(RepositoryPlace place, std::string ref, bool whole) {
  std::string mirror = mirror_of(place, whole);
  std::string shown = "'" + ref + "' of " + place.url;
  if (ref.empty()) ref = "HEAD";
  if (place.here && !ref.starts_with('-'))
    co_return co_await look_up(std::move(mirror), std::move(ref), std::move(shown));
  Turn turn(*this, mirror);
  co_await turn.take();
  if (auto made = co_await make(mirror); !made) co_return std::unexpected(made.error());
  std::error_code ignored;  // only the order of eviction
  std::filesystem::last_write_time(mirror, std::filesystem::file_time_type::clock::now(), ignored);
  FetchedCommit found{mirror, ref};
  if (place.open && co_await has(place, ref, whole)) co_return found;
  if (ref.starts_with('-') || ref.contains(':') || ref.contains('*'))
    co_return core::fail(Code::invalid, "'" + ref + "' is no name of a branch, tag or commit.");
  std::string kept = "refs/headrace/fetched";
  std::vector<std::string> words{"-C", mirror, "fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head"};
  if (!whole) words.emplace_back("--depth=1");
  words.insert(words.end(), {"--", place.url, "+" + ref + ":" + kept});
  if (whole) words.insert(words.end(), {"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"});
  auto ran = co_await git(std::move(words), place);
  if (!ran) co_return core::pass_on(ran.error(), "fetching " + place.url);
  if (!ran->exit.succeeded()) {
    std::string said = last_line(ran->err);
    bool absent = ran->err.contains("couldn't find remote ref") || ran->err.contains("not found") ||
                  ran->err.contains("does not appear to be a git repository") || ran->err.contains("not our ref") ||
                  ran->err.contains("could not read Username") || ran->err.contains("error: 403");
    co_return core::fail(absent ? Code::not_found : Code::unavailable, place.url + ": " + said);
  }
  co_return co_await look_up(std::move(mirror), std::move(kept), std::move(shown));
}

// ---- Into a job

namespace {

Task<> pass(process::Child& from, process::Child* to, std::string* kept) {
  std::array<std::byte, piece_bytes> piece;
  while (true) {
    auto got = co_await from.read(process::Stream::out, piece);
    if (!got || *got == 0) break;
    std::span<const std::byte> bytes(piece.data(), *got);
    if (kept && kept->size() < printed_max) kept->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (to == nullptr) continue;
    if (auto written = co_await to->write(bytes); !written) break;
  }
  if (to) to->close_in();
}

Task<> expire(core::Executor loop, process::Child& child) {
  core::Signal never(loop);
  bool woken = co_await never.wait_for(repository_pipe_max);
  if (!woken) auto ended = co_await child.end(std::chrono::seconds(1));
}

}  // namespace

Task<Result<InsideRan>> run_between(Repositories& repositories, Surroundings& around, Command inside,
                                    std::vector<std::string> outside, bool answers) {
  InsideRan ran;
  inside.input = !outside.empty();
  auto within = co_await around.run(std::move(inside));
  if (!within) co_return std::unexpected(within.error());
  std::unique_ptr<process::Child> without;
  if (!outside.empty()) {
    process::Spec spec;
    spec.argv = std::move(outside);
    spec.environment = git_environment(nullptr);
    spec.directory = "/";
    spec.out = process::Redirect::pipe();
    if (answers) spec.in = process::Redirect::pipe();
    auto started = process::spawn(repositories.loop(), std::move(spec));
    if (!started) co_return std::unexpected(started.error());
    without = std::move(*started);
  }
  core::Scope limit(repositories.loop()), passing(repositories.loop());
  limit.spawn("time-out of a pipe into a job", expire(repositories.loop(), **within));
  passing.spawn("out of a job", pass(**within, answers ? without.get() : nullptr, answers ? nullptr : &ran.out));
  if (without) passing.spawn("into a job", pass(*without, within->get(), nullptr));
  auto exit = co_await (*within)->wait();
  if (without) auto ended = co_await without->end(std::chrono::seconds(1));
  co_await limit.close();
  if (answers) co_await passing.close();
  co_await passing.until_idle();
  if (!exit) co_return std::unexpected(exit.error());
  ran.exit = *exit;
  co_return ran;
}

}  // namespace headrace::runner
