#include "services/runner/checkout.h"

#include <charconv>

#include "core/bytes.h"
#include "services/runner/action_source.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;

namespace {

constexpr size_t git_words_max = 64 * 1024;  // what a fetch may say

// Read by /bin/sh in the workspace. Values come by the environment, never as words of the script.
constexpr std::string_view begin_script = R"sh(set -e
command -v git >/dev/null || { echo "git is not installed where this job runs; actions/checkout needs it." >&2; exit 1; }
mkdir -p "$CHECKOUT_PATH"
cd "$CHECKOUT_PATH"
if [ "$CHECKOUT_SAFE" = true ]; then git config --global --add safe.directory "$(pwd)"; fi
if [ -d .git ]; then
  rm -f .git/index.lock .git/shallow.lock
  if [ "$CHECKOUT_CLEAN" = true ]; then git clean -ffdxq; git reset --quiet --hard HEAD 2>/dev/null || true; fi
  git checkout --quiet --detach 2>/dev/null || true
else
  git -c init.defaultBranch=main init --quiet .
fi
git remote remove origin 2>/dev/null || true
git remote add origin "$CHECKOUT_URL"
git config --local gc.auto 0
)sh";

constexpr std::string_view fetch_script =
    R"sh(cd "$CHECKOUT_PATH" && exec git -c protocol.fd.allow=always "$@" 7<&0 8>&1 </dev/null >/dev/null 2>"$CHECKOUT_SAID")sh";

constexpr std::string_view end_script = R"sh(set -e
cd "$CHECKOUT_PATH"
if [ -n "$CHECKOUT_SPARSE" ]; then
  if [ "$CHECKOUT_CONE" = true ]; then printf '%s\n' "$CHECKOUT_SPARSE" | git sparse-checkout set --cone --stdin
  else printf '%s\n' "$CHECKOUT_SPARSE" | git sparse-checkout set --no-cone --stdin; fi
else
  git sparse-checkout disable 2>/dev/null || true
fi
case "$CHECKOUT_REF" in
  refs/heads/*) git checkout --quiet --force -B "${CHECKOUT_REF#refs/heads/}" "$CHECKOUT_COMMIT"
    git update-ref "refs/remotes/origin/${CHECKOUT_REF#refs/heads/}" "$CHECKOUT_COMMIT"
    git branch --quiet --set-upstream-to "origin/${CHECKOUT_REF#refs/heads/}" 2>/dev/null || true ;;
  refs/tags/*) git update-ref "$CHECKOUT_REF" "$CHECKOUT_COMMIT"
    git checkout --quiet --force --detach "$CHECKOUT_COMMIT" ;;
  *) git checkout --quiet --force --detach "$CHECKOUT_COMMIT" ;;
esac
if [ -n "$CHECKOUT_CREDENTIALS" ]; then
  printf '[http "%s/"]\n\textraheader = AUTHORIZATION: basic %s\n' "$CHECKOUT_SERVER" "$CHECKOUT_CREDENTIALS" >> .git/config
fi
git log -1 --format=%H
)sh";

constexpr std::string_view post_script = R"sh(cd "$CHECKOUT_PATH" 2>/dev/null || exit 0
git config --local --unset-all "http.$CHECKOUT_SERVER/.extraheader" 2>/dev/null
exit 0
)sh";

std::string given(const Variables& with, std::string_view name, std::string fallback = {}) {
  for (const auto& [key, value] : with)
    if (workflow::equal_in_any_case(key, name) && !value.empty()) return value;
  return fallback;
}

Result<bool> truth(const Variables& with, std::string_view name, bool fallback) {
  std::string text = given(with, name, fallback ? "true" : "false");
  if (workflow::equal_in_any_case(text, "true")) return true;
  if (workflow::equal_in_any_case(text, "false")) return false;
  return core::fail(Code::invalid, "The input '" + std::string(name) + "' of actions/checkout is '" + text +
                                       "'; it must be true or false.");
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

bool is_commit(std::string_view ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

class Checkout final : public Action {
 public:
  explicit Checkout(JobActions& actions) : actions_(actions) {}

  bool has(Stage stage) const override { return stage == Stage::main || (stage == Stage::post && persisted_); }
  std::string repository() const override { return "actions/checkout"; }

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    Variables nothing;
    if (stage == Stage::post) co_return co_await script(step, std::string(post_script), std::move(nothing));
    auto wish = parse_checkout(step.with(), step.engine().job());
    if (!wish) co_return step.fail(wish.error().message);
    show_action(step, step.with());
    if (wish->token != step.engine().order().grant.token && !wish->token.empty()) step.mask(wish->token);
    auto path = path_within(step.engine().surroundings().inside().workspace, wish->path);
    if (!path)
      co_return step.fail("Repository path '" + wish->path + "' is not under '" +
                          step.engine().surroundings().inside().workspace + "'.");
    auto found = co_await fetched(step, *wish);
    if (!found) co_return step.fail(found.error().message);
    bool plain = !wish->ref.empty() && !wish->ref.starts_with("refs/");
    if (plain && co_await actions_.repositories().is_branch(*found, wish->ref)) wish->ref = "refs/heads/" + wish->ref;
    around_ = environment(step, *wish, *path, found->commit);
    step.line("Syncing repository: " + wish->repository);
    auto began = co_await script(step, std::string(begin_script), std::move(nothing));
    if (began != Conclusion::success) co_return began;
    if (auto sent = co_await send(step, *wish, *found); !sent) co_return step.fail(sent.error().message);
    persisted_ = wish->persist && !wish->token.empty() && !server_.empty();
    Variables secret;
    if (persisted_) {
      std::string basic = core::to_base64(core::as_bytes("x-access-token:" + wish->token));
      step.mask(basic);
      secret.emplace_back("CHECKOUT_CREDENTIALS", std::move(basic));
    }
    auto ended = co_await script(step, std::string(end_script), std::move(secret));
    if (ended != Conclusion::success) co_return ended;
    step.set_output("ref", wish->ref);
    step.set_output("commit", found->commit);
    co_return Conclusion::success;
  }

 private:
  Task<Conclusion> script(StepRun& step, std::string text, Variables more) {
    StepCommand command;
    command.argv = {"/bin/sh", "-c", std::move(text)};
    command.environment = around_;
    for (auto& [name, value] : more) set(command.environment, std::move(name), std::move(value));
    for (const char* name : {"CHECKOUT_CREDENTIALS"})
      if (!find(command.environment, name)) set(command.environment, name, "");
    co_return co_await step.execute(std::move(command));
  }

  // The mirror with the commit in it.
  Task<Result<FetchedCommit>> fetched(StepRun& step, const CheckoutWish& wish) {
    auto places = actions_.places_of(step.engine().order(), wish.repository, !wish.own);
    std::string tried;
    for (auto place : places) {
      if (!place.open) place.token = wish.token;
      auto& mirrors = actions_.repositories();
      if (wish.own && !wish.commit.empty() && wish.depth > 0 && !wish.tags &&
          co_await mirrors.has(place, wish.commit, true))
        co_return FetchedCommit{mirrors.mirror_of(place, true), wish.commit};
      const std::string& wanted = wish.commit.empty() ? wish.ref : wish.commit;
      auto found = co_await mirrors.fetch(place, wanted, true);
      if (found) co_return found;
      tried += "\n  " + found.error().message;
    }
    co_return core::fail(Code::not_found,
                         "The repository '" + wish.repository + "' with '" +
                             (wish.commit.empty() ? wish.ref : wish.commit) +
                             "' cannot be had. Check its name, and that the token may read it. Tried:" +
                             (tried.empty() ? " nothing." : tried));
  }

  Variables environment(StepRun& step, const CheckoutWish& wish, const std::string& path, const std::string& commit) {
    const auto& grant = step.engine().order().grant;
    server_ = grant.server_url;
    while (server_.ends_with('/')) server_.pop_back();
    std::string sparse;
    for (const auto& line : wish.sparse) sparse += (sparse.empty() ? "" : "\n") + line;
    auto word = [](bool value) { return std::string(value ? "true" : "false"); };
    auto around = step.engine().surroundings().what();
    return {{"CHECKOUT_PATH", path},
            {"CHECKOUT_URL", server_.empty() ? "headrace:" + wish.repository : server_ + "/" + wish.repository},
            {"CHECKOUT_SERVER", server_},
            // On the host the files are ours, and its global configuration is the operator's.
            {"CHECKOUT_SAFE", word(wish.safe_directory && around != Surroundings::Kind::host)},
            {"CHECKOUT_CLEAN", word(wish.clean)},
            {"CHECKOUT_SPARSE", sparse},
            {"CHECKOUT_CONE", word(wish.cone)},
            {"CHECKOUT_REF", wish.ref},
            {"CHECKOUT_COMMIT", commit}};
  }

  // git fetch inside, git upload-pack of the mirror outside. git-remote-fd has its own use for descriptors 0 and 1.
  Task<Result<>> send(StepRun& step, const CheckoutWish& wish, const FetchedCommit& found) {
    auto& around = step.engine().surroundings();
    std::string said = step.engine().place().temporary + "/_checkout_said";
    if (auto written = around.write(said, ""); !written) co_return written;
    Command inside;
    inside.argv = {"/bin/sh", "-c",      std::string(fetch_script), "sh", "fetch",
                   "--quiet", "--force", "--no-recurse-submodules"};
    bool all = wish.depth == 0;
    if (!all) inside.argv.push_back("--depth=" + std::to_string(wish.depth));
    if (!wish.filter.empty()) inside.argv.push_back("--filter=" + wish.filter);
    inside.argv.emplace_back(wish.tags || all ? "--tags" : "--no-tags");
    inside.argv.insert(inside.argv.end(), {"fd::7,8", found.commit});
    if (all) inside.argv.emplace_back("+refs/heads/*:refs/remotes/origin/*");
    Variables environment = around.environment();
    for (const auto& [name, value] : around_) set(environment, name, value);
    set(environment, "CHECKOUT_SAID", around.to_inside(said).value_or(said));
    for (const auto& [name, value] : environment) inside.environment.push_back(name + "=" + value);
    std::vector<std::string> outside{"git", "upload-pack", "--strict", found.mirror};
    auto ran = co_await run_between(actions_.repositories(), around, std::move(inside), std::move(outside), true);
    if (!ran) co_return std::unexpected(ran.error());
    if (ran->exit.succeeded()) co_return Result<>{};
    auto words = around.read(said, git_words_max);
    co_return core::fail(Code::unavailable, "git fetch failed with " + process::to_string(ran->exit) + ": " +
                                                (words ? *words : words.error().message));
  }

  JobActions& actions_;
  Variables around_;
  std::string server_;
  bool persisted_ = false;
};

}  // namespace

Result<CheckoutWish> parse_checkout(const Variables& with, const JobContext& job) {
  CheckoutWish wish;
  wish.repository = given(with, "repository", job.github("repository"));
  wish.own = workflow::equal_in_any_case(wish.repository, job.github("repository"));
  wish.ref = given(with, "ref");
  if (!parse_action_name(wish.repository + "@x"))
    return core::fail(Code::invalid, "Invalid repository '" + wish.repository + "'. Expected format {owner}/{repo}.");
  if (wish.ref.empty() && wish.own) {
    wish.ref = job.github("ref");
    wish.commit = job.github("sha");
  }
  if (is_commit(wish.ref)) {
    wish.commit = wish.ref;
    wish.ref.clear();
  }
  wish.token = given(with, "token", job.github("token"));
  wish.path = given(with, "path", ".");
  std::string depth = given(with, "fetch-depth", "1");
  auto [end, error] = std::from_chars(depth.data(), depth.data() + depth.size(), wish.depth);
  if (error != std::errc() || end != depth.data() + depth.size() || wish.depth < 0)
    return core::fail(Code::invalid, "The input 'fetch-depth' of actions/checkout is '" + depth +
                                         "'; it must be a number, 0 for all history.");
  for (auto [name, into, fallback] : {std::tuple<const char*, bool*, bool>{"fetch-tags", &wish.tags, false},
                                      {"clean", &wish.clean, true},
                                      {"persist-credentials", &wish.persist, true},
                                      {"lfs", &wish.lfs, false},
                                      {"set-safe-directory", &wish.safe_directory, true},
                                      {"sparse-checkout-cone-mode", &wish.cone, true}}) {
    auto value = truth(with, name, fallback);
    if (!value) return std::unexpected(value.error());
    *into = *value;
  }
  wish.filter = given(with, "filter");
  wish.sparse = lines_of(given(with, "sparse-checkout"));
  wish.submodules = given(with, "submodules", "false");
  if (wish.lfs || wish.submodules != "false" || !given(with, "ssh-key").empty())
    return core::fail(Code::invalid,
                      "The inputs lfs, submodules and ssh-key of actions/checkout are not served by this "
                      "version. Leave them out, and fetch what they name in a `run` step.");
  return wish;
}

std::unique_ptr<Action> make_checkout(JobActions& actions) { return std::make_unique<Checkout>(actions); }

}  // namespace headrace::runner
