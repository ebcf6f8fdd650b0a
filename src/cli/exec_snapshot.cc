// What a commit of the folder at hand would be, without changing anything in it.
#include <algorithm>
#include <filesystem>

#include "cli/exec_folder.h"
#include "cli/exec_workshop.h"
#include "process/run.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;
namespace fs = std::filesystem;

namespace {

class Snapshooter {
 public:
  Snapshooter(core::Executor loop, Folder folder, std::string into)
      : loop_(std::move(loop)), folder_(std::move(folder)), into_(std::move(into)) {}

  Task<Result<Snapshot>> take() {
    if (auto made = co_await make(); !made) co_return std::unexpected(made.error());
    auto tree = co_await tree_of_files();
    if (!tree) co_return std::unexpected(tree.error());
    Snapshot snapshot;
    snapshot.repository = into_;
    auto committed = co_await commit(*tree);
    if (!committed) co_return std::unexpected(committed.error());
    snapshot.commit = *committed;
    snapshot.changed = snapshot.commit != folder_.head;
    if (auto written = write_refs(snapshot.commit); !written) co_return std::unexpected(written.error());
    snapshot.before = co_await before(snapshot.commit);
    snapshot.changes = co_await changes_between(loop_, into_, snapshot.before, snapshot.commit);
    co_return snapshot;
  }

 private:
  // With the configuration of the folder: what is ignored and how files are filtered is its matter.
  Task<Result<std::string>> git(std::vector<std::string> words) {
    process::Spec spec;
    std::string verb = words.front();
    spec.argv = {"git", "--git-dir=" + into_, "--work-tree=" + folder_.root};
    if (folder_.git) spec.argv.insert(spec.argv.end(), {"-c", "include.path=" + folder_.config});
    for (const char* setting : {"core.fsmonitor=false", "core.safecrlf=false", "advice.addEmbeddedRepo=false"})
      spec.argv.insert(spec.argv.end(), {"-c", setting});
    spec.argv.insert(spec.argv.end(), words.begin(), words.end());
    spec.environment = environment_;
    spec.directory = folder_.root;
    process::RunLimits limits;
    limits.output_bytes_max = size_t{64} << 20;
    limits.deadline = snapshot_max;
    std::string nothing;
    auto ran = co_await process::run(loop_, std::move(spec), std::move(nothing), limits);
    if (!ran && ran.error().code == Code::unavailable)
      co_return core::fail(Code::unavailable,
                           "Looking at all files of " + folder_.root +
                               " took longer than 5 minutes. Name what is built or downloaded there in .gitignore.",
                           ran.error().message);
    if (!ran) co_return std::unexpected(ran.error());
    if (!ran->exit.succeeded()) {
      std::string why = ran->err;
      while (why.ends_with('\n')) why.pop_back();
      co_return core::fail(Code::unavailable, "git " + verb + " failed: " + why);
    }
    while (ran->out.ends_with('\n')) ran->out.pop_back();
    co_return std::move(ran->out);
  }

  // The index of the folder is copied, for it knows which files have not changed since.
  Task<Result<>> make() {
    environment_ = process::inherited_environment({"PATH", "HOME", "XDG_CONFIG_HOME", "USER"});
    for (const char* word : {"GIT_AUTHOR_DATE=", "GIT_COMMITTER_DATE="})
      environment_.push_back(word + ("@" + folder_.head_time + " +0000"));  // the same files, the same commit
    for (const char* who : {"AUTHOR", "COMMITTER"}) {
      environment_.push_back(std::string("GIT_") + who + "_NAME=" + folder_.actor);
      environment_.push_back(std::string("GIT_") + who +
                             "_EMAIL=" + (folder_.email.empty() ? "nobody@localhost" : folder_.email));
    }
    environment_.insert(environment_.end(), {"LC_ALL=C", "GIT_INDEX_FILE=" + into_ + "/exec-index"});
    std::error_code error;
    for (const char* name : {"", "/objects/info", "/refs/heads", "/refs/tags", "/info"})
      fs::create_directories(into_ + name, error);
    if (error) co_return std::unexpected(core::error_of_errno(error.value(), "making a repository", into_));
    if (auto written = put_file(into_ + "/config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"); !written)
      co_return written;
    if (auto written = put_file(into_ + "/HEAD", "ref: " + folder_.ref + "\n"); !written) co_return written;
    if (!folder_.git) co_return Result<>{};
    fs::copy_file(folder_.index, into_ + "/exec-index", error);  // a fresh repository has none
    fs::copy_file(folder_.shallow, into_ + "/shallow", error);   // most are whole
    fs::copy_file(folder_.exclude, into_ + "/info/exclude", fs::copy_options::overwrite_existing, error);
    co_return put_file(into_ + "/objects/info/alternates", folder_.objects + "\n");
  }

  Task<Result<std::string>> tree_of_files() {
    std::vector<std::string> add{"add", "--all", "--", "."};
    auto added = co_await git(std::move(add));
    if (!added) co_return added;
    std::vector<std::string> words{"write-tree"};
    co_return co_await git(std::move(words));
  }

  Task<Result<std::string>> commit(std::string tree) {
    if (!folder_.head.empty()) {
      std::vector<std::string> asking{"rev-parse", folder_.head + "^{tree}"};
      auto before = co_await git(std::move(asking));
      if (!before) co_return before;
      if (*before == tree) co_return folder_.head;
    }
    std::string message = folder_.title.empty() ? "Not committed" : folder_.title + " (and what is not committed)";
    std::vector<std::string> words{"commit-tree", "--no-gpg-sign", tree, "-m", message};
    if (!folder_.head.empty()) words.insert(words.end(), {"-p", folder_.head});
    co_return co_await git(std::move(words));
  }

  Result<> write_refs(const std::string& commit) const {
    std::string packed;
    for (const auto& [name, object] : folder_.refs)
      if (name != folder_.ref) packed += object + " " + name + "\n";
    if (auto written = put_file(into_ + "/packed-refs", packed); !written) return written;
    std::string own = into_ + "/" + folder_.ref;
    std::error_code error;
    fs::create_directories(fs::path(own).parent_path(), error);
    return put_file(own, commit + "\n");
  }

  Task<std::string> before(std::string commit) {
    if (!folder_.upstream.empty() && folder_.upstream != commit) co_return folder_.upstream;
    std::vector<std::string> asking{"rev-parse", "--verify", "--quiet", commit + "~1"};
    auto parent = co_await git(std::move(asking));
    co_return parent.value_or("");
  }

  core::Executor loop_;
  Folder folder_;
  std::string into_;
  std::vector<std::string> environment_;
};

}  // namespace

Task<Result<Snapshot>> take_snapshot(core::Executor loop, Folder folder, std::string into) {
  Snapshooter snapshooter(loop, std::move(folder), std::move(into));
  co_return co_await snapshooter.take();
}

Task<std::vector<Change>> changes_between(core::Executor loop, std::string repository, std::string from,
                                          std::string to) {
  std::vector<Change> changes;
  process::Spec spec;
  bool all = from.empty();                                     // the first commit of all
  if (all) from = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";  // git's name of the tree without files
  spec.argv = {"git", "--git-dir=" + repository, "diff-tree", "-r", "-z", "--name-status", "--no-renames", from, to};
  spec.environment = process::inherited_environment({"PATH", "HOME"});
  spec.directory = "/";
  process::RunLimits limits;
  limits.output_bytes_max = size_t{64} << 20;
  std::string nothing;
  auto ran = co_await process::run(loop, std::move(spec), std::move(nothing), limits);
  if (!ran || !ran->exit.succeeded()) co_return changes;
  std::string_view rest = ran->out;
  while (!rest.empty()) {
    auto kind = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(kind.size() + 1, rest.size()));
    auto path = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(path.size() + 1, rest.size()));
    if (!kind.empty()) changes.push_back({kind[0], std::string(path)});
  }
  co_return changes;
}

}  // namespace headrace::cli
