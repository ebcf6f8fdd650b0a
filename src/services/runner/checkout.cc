#include "services/runner/checkout.h"

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "services/runner/action_source.h"
#include "services/runner/checkout_scripts.h"
#include "services/runner/checkout_submodules.h"
#include "services/runner/door.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;

namespace {

constexpr size_t git_words_max = 64 * 1024;  // what a fetch may say

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

// One repository of a checkout: the one that was asked for, or a submodule.
struct Tree {
  CheckoutWish wish;
  std::string path;    // where it goes, as the job sees it
  FetchedCommit from;  // the mirror that has it
};

class Checkout final : public Action {
 public:
  explicit Checkout(JobActions& actions) : actions_(actions) {}

  bool has(Stage stage) const override { return stage == Stage::main || (stage == Stage::post && !persisted_.empty()); }
  std::string repository() const override { return "actions/checkout"; }

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    if (stage == Stage::post) co_return co_await forget_token(step);
    auto wish = parse_checkout(step.with(), step.engine().job());
    if (!wish) co_return step.fail(wish.error().message);
    show_action(step, step.with());
    if (wish->token != step.engine().order().grant.token && !wish->token.empty()) step.mask(wish->token);
    auto path = path_within(step.engine().surroundings().inside().workspace, wish->path);
    if (!path)
      co_return step.fail("Repository path '" + wish->path + "' is not under '" +
                          step.engine().surroundings().inside().workspace + "'.");
    on_host_ = step.engine().surroundings().what() == Surroundings::Kind::host;
    const JobDoor* door = step.engine().door();
    bool by_door = door != nullptr && step.engine().server().whole;
    server_ = by_door ? door->url() : step.engine().order().grant.server_url;  // as the job reaches it
    while (server_.ends_with('/')) server_.pop_back();
    Tree tree{std::move(*wish), std::move(*path), {}};
    if (auto found = co_await fetched(step, tree); !found) co_return step.fail(found.error().message);
    bool plain = !tree.wish.ref.empty() && !tree.wish.ref.starts_with("refs/");
    if (plain && co_await actions_.repositories().is_branch(tree.from, tree.wish.ref))
      tree.wish.ref = "refs/heads/" + tree.wish.ref;
    auto done = co_await check_out(step, tree);
    if (done != Conclusion::success) co_return done;
    if (tree.wish.submodules != Submodules::none) done = co_await check_out_submodules(step, tree, 1);
    if (done != Conclusion::success) co_return done;
    step.set_output("ref", tree.wish.ref);
    step.set_output("commit", tree.from.commit);
    co_return Conclusion::success;
  }

 private:
  // ---- One repository

  Task<Conclusion> check_out(StepRun& step, const Tree& tree) {
    step.line("Syncing repository: " + tree.wish.repository);
    Variables nothing;
    auto began = co_await script(step, tree, begin_script, std::move(nothing));
    if (began != Conclusion::success) co_return began;
    auto shared = co_await share(step, tree);
    if (!shared) co_return step.fail(shared.error().message);
    if (!*shared)
      if (auto sent = co_await send(step, tree); !sent) co_return step.fail(sent.error().message);
    Variables secret;
    if (tree.wish.persist && !tree.wish.token.empty() && !server_.empty()) {
      std::string basic = core::to_base64(core::as_bytes("x-access-token:" + tree.wish.token));
      step.mask(basic);
      secret.emplace_back("CHECKOUT_CREDENTIALS", std::move(basic));
      persisted_.push_back(tree);
    }
    auto ended = co_await script(step, tree, end_script, std::move(secret));
    if (ended != Conclusion::success || !tree.wish.lfs) co_return ended;
    Variables none;
    co_return co_await script(step, tree, large_files_script, std::move(none));
  }

  Task<Conclusion> forget_token(StepRun& step) {
    auto conclusion = Conclusion::success;
    for (auto tree = persisted_.rbegin(); tree != persisted_.rend(); ++tree) {
      Variables nothing;
      auto done = co_await script(step, *tree, post_script, std::move(nothing));
      if (done != Conclusion::success) conclusion = done;
    }
    co_return conclusion;
  }

  Task<Conclusion> script(StepRun& step, const Tree& tree, std::string_view text, Variables more) {
    StepCommand command;
    command.argv = {"/bin/sh", "-c", std::string(text)};
    command.environment = environment(tree);
    for (auto& [name, value] : more) set(command.environment, std::move(name), std::move(value));
    for (const char* name : {"CHECKOUT_CREDENTIALS"})
      if (!find(command.environment, name)) set(command.environment, name, "");
    co_return co_await step.execute(std::move(command));
  }

  // A script that is asked something; nothing of it is in the log.
  Task<Result<InsideRan>> ask(StepRun& step, const Tree& tree, std::string_view text, Variables more,
                              std::vector<std::string> arguments) {
    auto& around = step.engine().surroundings();
    Command command;
    command.argv = {"/bin/sh", "-c", std::string(text), "sh"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    Variables words = around.environment();
    for (const auto& [name, value] : environment(tree)) set(words, name, value);
    for (const auto& [name, value] : more) set(words, name, value);
    for (const auto& [name, value] : words) command.environment.push_back(name + "=" + value);
    std::vector<std::string> alone;
    co_return co_await run_between(actions_.repositories(), around, std::move(command), std::move(alone), false);
  }

  // The mirror with the commit in it.
  Task<Result<>> fetched(StepRun& step, Tree& tree) {
    const auto& wish = tree.wish;
    const std::string& wanted = wish.commit.empty() ? wish.ref : wish.commit;
    auto places = actions_.places_of(step.engine().order(), wish.repository, !wish.own);
    std::string tried;
    for (auto place : places) {
      if (!place.open) place.token = wish.token;
      auto& mirrors = actions_.repositories();
      // What is here already is asked for again, unless it is the job's own or anybody's: another job may have brought
      // it, whose token may read more.
      bool known = (wish.own && wish.depth > 0 && !wish.tags) || (wish.submodule && place.open);
      if (known && !wish.commit.empty() && co_await mirrors.has(place, wish.commit, true)) {
        tree.from = {mirrors.mirror_of(place, true), wish.commit};
        co_return Result<>{};
      }
      auto found = co_await mirrors.fetch(place, wanted, true);
      if (found) {
        tree.from = std::move(*found);
        co_return Result<>{};
      }
      tried += "\n  " + found.error().message;
    }
    co_return core::fail(Code::not_found, "The repository '" + wish.repository + "'" +
                                              (wanted.empty() ? "" : " with '" + wanted + "'") +
                                              " cannot be had. Check its name, and that the token may read it. Tried:" +
                                              (tried.empty() ? " nothing." : tried));
  }

  Variables environment(const Tree& tree) const {
    const auto& wish = tree.wish;
    std::string sparse;
    for (const auto& line : wish.sparse) sparse += (sparse.empty() ? "" : "\n") + line;
    auto word = [](bool value) { return std::string(value ? "true" : "false"); };
    return {{"CHECKOUT_PATH", tree.path},
            {"CHECKOUT_URL", server_.empty() ? "headrace:" + wish.repository : server_ + "/" + wish.repository},
            {"CHECKOUT_SERVER", server_},
            // On the host the files are ours, and its global configuration is the operator's.
            {"CHECKOUT_SAFE", word(wish.safe_directory && !on_host_)},
            {"CHECKOUT_CLEAN", word(wish.clean)},
            {"CHECKOUT_SPARSE", sparse},
            {"CHECKOUT_CONE", word(wish.cone)},
            {"CHECKOUT_REF", wish.ref},
            {"CHECKOUT_COMMIT", tree.from.commit}};
  }

  // By naming the mirror's objects, where the job sees them; false where it has to be sent what it needs.
  Task<Result<bool>> share(StepRun& step, const Tree& tree) {
    const auto& place = step.engine().place();
    auto mount = std::ranges::find(place.mounts, tree.from.mirror + "/objects", &Mount::host);
    bool fits = tree.wish.depth == 0 || (tree.wish.depth == 1 && !tree.wish.tags);
    if (mount == place.mounts.end() || !fits) co_return false;
    if (step.engine().surroundings().to_inside(mount->host) != mount->inside) co_return false;  // it is not shown there
    Variables more{{"CHECKOUT_OBJECTS", mount->inside},
                   {"CHECKOUT_SHALLOW", tree.wish.depth > 0 ? "true" : "false"},
                   {"CHECKOUT_REFS", ""}};
    if (tree.wish.depth == 0) {
      auto refs = co_await actions_.repositories().refs(tree.from);
      if (!refs) co_return false;
      std::string file = place.temporary + "/_checkout_refs";
      auto& around = step.engine().surroundings();
      if (auto written = around.write(file, *refs); !written) co_return std::unexpected(written.error());
      set(more, "CHECKOUT_REFS", around.to_inside(file).value_or(file));
    }
    std::vector<std::string> none;
    auto ran = co_await ask(step, tree, share_script, std::move(more), std::move(none));
    if (!ran) co_return std::unexpected(ran.error());
    if (ran->exit.succeeded()) step.debug("The history is shared with the runner's mirror, read-only.");
    co_return ran->exit.succeeded();
  }

  // git fetch inside, git upload-pack of the mirror outside. git-remote-fd has its own use for descriptors 0 and 1.
  Task<Result<>> send(StepRun& step, const Tree& tree) {
    const auto& wish = tree.wish;
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
    inside.argv.insert(inside.argv.end(), {"fd::7,8", tree.from.commit});
    if (all) inside.argv.emplace_back("+refs/heads/*:refs/remotes/origin/*");
    Variables words = around.environment();
    for (const auto& [name, value] : environment(tree)) set(words, name, value);
    set(words, "CHECKOUT_SAID", around.to_inside(said).value_or(said));
    for (const auto& [name, value] : words) inside.environment.push_back(name + "=" + value);
    std::vector<std::string> outside{"git", "upload-pack", "--strict", tree.from.mirror};
    auto ran = co_await run_between(actions_.repositories(), around, std::move(inside), std::move(outside), true);
    if (!ran) co_return std::unexpected(ran.error());
    if (ran->exit.succeeded()) co_return Result<>{};
    auto told = around.read(said, git_words_max);
    co_return core::fail(Code::unavailable, "git fetch failed with " + process::to_string(ran->exit) + ": " +
                                                (told ? *told : told.error().message));
  }

  // ---- Submodules

  Task<Conclusion> check_out_submodules(StepRun& step, const Tree& parent, int depth) {
    if (depth > submodule_depth_max)
      co_return step.fail("The submodules of '" + parent.wish.repository + "' are nested more than " +
                          std::to_string(submodule_depth_max) + " deep.");
    Variables nothing;
    std::vector<std::string> none;
    auto told = co_await ask(step, parent, list_script, std::move(nothing), std::move(none));
    if (!told) co_return step.fail(told.error().message);
    auto all = parse_submodules(told->out);
    if (!all) co_return step.fail(all.error().message);
    for (const auto& one : *all) {
      auto done = co_await check_out_submodule(step, parent, one, depth);
      if (done != Conclusion::success) co_return done;
    }
    co_return Conclusion::success;
  }

  Task<Conclusion> check_out_submodule(StepRun& step, const Tree& parent, Submodule one, int depth) {
    Variables nothing;
    std::vector<std::string> path{one.path};
    auto wanted = co_await ask(step, parent, wanted_script, std::move(nothing), std::move(path));
    if (!wanted) co_return step.fail(wanted.error().message);
    std::string commit = wanted->out.substr(0, wanted->out.find('\n'));
    if (!is_commit(commit)) co_return Conclusion::success;  // it is in .gitmodules alone, which git passes over
    if (++submodules_ > submodules_max)
      co_return step.fail("The repository has more than " + std::to_string(submodules_max) + " submodules.");
    std::vector<std::string> servers{server_, step.engine().order().grant.server_url, actions_.upstream()};
    auto repository = submodule_repository(one.url, parent.wish.repository, servers);
    auto inside = path_within(parent.path, one.path);
    if (!repository || !inside)
      co_return step.fail("The submodule '" + one.name + "' is at " + one.url +
                          ", which is neither on this server nor at the upstream (--actions-upstream). Leave "
                          "submodules out, and fetch it in a `run` step.");
    Tree tree{parent.wish, std::move(*inside), {}};
    tree.wish.repository = std::move(*repository);
    tree.wish.ref.clear();
    tree.wish.commit = std::move(commit);
    tree.wish.own = false;
    tree.wish.submodule = true;
    tree.wish.sparse.clear();
    if (auto found = co_await fetched(step, tree); !found)
      co_return step.fail("The submodule '" + one.name + "': " + found.error().message);
    auto done = co_await check_out(step, tree);
    if (done != Conclusion::success) co_return done;
    Variables more{{"CHECKOUT_SUBMODULE", one.path}};
    done = co_await script(step, parent, absorb_script, std::move(more));
    if (done != Conclusion::success || tree.wish.submodules != Submodules::nested) co_return done;
    co_return co_await check_out_submodules(step, tree, depth + 1);
  }

  JobActions& actions_;
  std::string server_;
  bool on_host_ = false;
  std::vector<Tree> persisted_;  // those whose configuration has the token
  size_t submodules_ = 0;
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
  std::string submodules = given(with, "submodules", "false");
  if (workflow::equal_in_any_case(submodules, "true"))
    wish.submodules = Submodules::direct;
  else if (workflow::equal_in_any_case(submodules, "recursive"))
    wish.submodules = Submodules::nested;
  else if (!workflow::equal_in_any_case(submodules, "false"))
    return core::fail(Code::invalid, "The input 'submodules' of actions/checkout is '" + submodules +
                                         "'; it must be true, recursive or false.");
  if (!given(with, "ssh-key").empty())
    return core::fail(Code::invalid,
                      "The input ssh-key of actions/checkout is not served: repositories are fetched over HTTP. Give a "
                      "token that may read the repository in `token`.");
  return wish;
}

std::unique_ptr<Action> make_checkout(JobActions& actions) { return std::make_unique<Checkout>(actions); }

}  // namespace headrace::runner
