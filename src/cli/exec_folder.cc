#include "cli/exec_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "core/disk.h"
#include "process/run.h"
#include "workflow/workflow.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/", remotes = "refs/remotes/origin/";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    auto end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The user's own git, with the user's configuration; but what a hook of git may have set is not for us.
std::vector<std::string> environment_of_user() {
  std::vector<std::string> words;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("GIT_")) words.emplace_back(*entry);
  words.insert(words.end(), {"GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"});
  return words;
}

struct Asking {
  std::string directory;
  std::vector<std::string> more;  // of the environment
};

Task<Result<process::Ran>> git(core::Executor loop, Asking asking, std::vector<std::string> words) {
  process::Spec spec;
  spec.argv = std::move(words);
  spec.argv.insert(spec.argv.begin(), "git");
  spec.environment = environment_of_user();
  spec.environment.insert(spec.environment.end(), asking.more.begin(), asking.more.end());
  spec.directory = std::move(asking.directory);
  process::RunLimits limits;
  limits.output_bytes_max = size_t{64} << 20;
  limits.deadline = snapshot_max;
  std::string nothing;
  co_return co_await process::run(loop, std::move(spec), std::move(nothing), limits);
}

// Its output without the last line feed; an error where it failed.
Task<Result<std::string>> said(core::Executor loop, Asking asking, std::vector<std::string> words) {
  std::string what = words.front();
  for (const auto& word : words)
    if (!word.starts_with('-')) {
      what = word;
      break;
    }
  auto ran = co_await git(loop, std::move(asking), std::move(words));
  if (!ran) co_return std::unexpected(ran.error());
  if (!ran->exit.succeeded()) {
    auto lines = lines_of(ran->err);
    co_return core::fail(Code::unavailable, "git " + what + " failed: " + (lines.empty() ? "" : lines.back()));
  }
  while (ran->out.ends_with('\n')) ran->out.pop_back();
  co_return std::move(ran->out);
}

std::string plain_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '-';
  return name.empty() || name == "." || name == ".." ? "folder" : name;
}

// Where there is no repository: the nearest folder above that has workflows, else `start` itself.
std::string root_without_git(const std::string& start) {
  for (fs::path at = start;; at = at.parent_path()) {
    std::error_code ignored;  // what cannot be looked at has none
    for (const char* folder : {".github/workflows", ".headrace/workflows"})
      if (fs::is_directory(at / folder, ignored)) return at.string();
    if (at == at.parent_path()) return start;
  }
}

void name_by_remote(Folder& folder, const std::string& remote) {
  auto [server, name] = parse_remote(remote);
  folder.server_url = server;
  folder.full_name = name.empty() ? "local/" + plain_name(fs::path(folder.root).filename().string()) : name;
}

Task<Result<>> read_configuration(core::Executor loop, Folder& folder) {
  Asking here{folder.root, {}};
  std::vector<std::string> words{"config", "--null", "--get-regexp", "^(remote\\.origin\\.url|user\\.(name|email))$"};
  auto ran = co_await git(loop, std::move(here), std::move(words));
  if (!ran) co_return std::unexpected(ran.error());
  std::string remote;
  std::string_view rest = ran->out;
  while (!rest.empty()) {
    auto entry = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    auto key = entry.substr(0, entry.find('\n'));
    auto value = std::string(entry.substr(std::min(key.size() + 1, entry.size())));
    if (key == "remote.origin.url" && remote.empty()) remote = value;
    if (key == "user.name") folder.actor = value;
    if (key == "user.email") folder.email = value;
  }
  if (const char* user = std::getenv("USER"); folder.actor.empty() && user != nullptr) folder.actor = user;
  if (folder.actor.empty()) folder.actor = "nobody";
  name_by_remote(folder, remote);
  co_return Result<>{};
}

struct RefLine {
  std::string object, name, target, commit;  // target: of a symbolic ref; commit: of an annotated tag
};

// All branches and tags, those of the remote where there is none of ours: what a clone would have.
Task<Result<>> read_refs(core::Executor loop, Folder& folder) {
  Asking here{folder.root, {}};
  std::vector<std::string> words{"for-each-ref", "--format=%(objectname)%09%(refname)%09%(symref)%09%(*objectname)",
                                 "refs/heads", "refs/tags", "refs/remotes/origin"};
  auto listed = co_await said(loop, std::move(here), std::move(words));
  if (!listed) co_return std::unexpected(listed.error());
  std::map<std::string, std::string> refs;
  std::string tag_here;
  std::vector<RefLine> of_remote;
  for (const std::string& line : lines_of(*listed)) {
    RefLine ref;
    std::string_view rest = line;
    for (std::string* part : {&ref.object, &ref.name, &ref.target, &ref.commit}) {
      *part = rest.substr(0, rest.find('\t'));
      rest.remove_prefix(std::min(part->size() + 1, rest.size()));
    }
    if (ref.name.starts_with(remotes)) {
      of_remote.push_back(std::move(ref));
      continue;
    }
    bool at_head = ref.name.starts_with(tags) && (ref.object == folder.head || ref.commit == folder.head);
    if (at_head && tag_here.empty()) tag_here = ref.name;
    refs[ref.name] = ref.object;
  }
  std::string own = folder.branch();
  for (const RefLine& ref : of_remote) {
    std::string name = ref.name.substr(remotes.size());
    if (name == "HEAD") {
      if (ref.target.starts_with(remotes)) folder.default_branch = ref.target.substr(remotes.size());
      continue;
    }
    if (name == own) folder.upstream = ref.object;
    refs.try_emplace(std::string(heads) + name, ref.object);
  }
  bool has_main = refs.contains(std::string(heads) + folder.default_branch);
  if (!has_main && refs.contains(std::string(heads) + "master")) folder.default_branch = "master";
  if (folder.ref.empty()) folder.ref = tag_here.empty() ? std::string(heads) + folder.default_branch : tag_here;
  for (const RefLine& ref : of_remote)
    if (ref.name == std::string(remotes) + folder.default_branch) folder.base = ref.object;
  auto base = refs.find(std::string(heads) + folder.default_branch);
  if (folder.base.empty() && base != refs.end()) folder.base = base->second;
  folder.refs.assign(refs.begin(), refs.end());
  co_return Result<>{};
}

Task<Result<>> read_head(core::Executor loop, Folder& folder) {
  Asking here{folder.root, {}};
  std::vector<std::string> words{"log", "-1", "--format=%H%n%ct%n%s", "--no-show-signature", "HEAD", "--"};
  auto ran = co_await git(loop, here, std::move(words));
  if (!ran) co_return std::unexpected(ran.error());
  auto lines = lines_of(ran->out);
  if (ran->exit.succeeded() && lines.size() >= 2) {
    folder.head = lines[0];
    folder.head_time = lines[1];
    folder.title = lines.size() > 2 ? lines[2] : "";
  }
  std::vector<std::string> asking{"symbolic-ref", "--quiet", "HEAD"};
  auto ref = co_await git(loop, here, std::move(asking));
  if (!ref) co_return std::unexpected(ref.error());
  folder.ref = ref->exit.succeeded() ? lines_of(ref->out).at(0) : "";
  co_return Result<>{};
}

}  // namespace

std::string Folder::branch() const { return ref.starts_with(heads) ? ref.substr(heads.size()) : ""; }

std::pair<std::string, std::string> parse_remote(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with(".git")) url.resize(url.size() - 4);
  std::string host, path, scheme = "https";
  if (auto colons = url.find("://"); colons != std::string::npos) {
    if (url.starts_with("http://")) scheme = "http";
    if (url.starts_with("file://")) return {};
    std::string rest = url.substr(colons + 3);
    auto slash = rest.find('/');
    if (slash == std::string::npos) return {};
    host = rest.substr(0, slash);
    path = rest.substr(slash + 1);
    bool web = url.starts_with("http");
    if (auto at = host.rfind('@'); at != std::string::npos) host = host.substr(at + 1);  // a password may stand there
    if (auto port = host.find(':'); !web && port != std::string::npos) host.resize(port);
  } else {
    auto colon = url.find(':');
    if (colon == std::string::npos || url.find('/') < colon) return {};  // a folder
    host = url.substr(0, colon);
    path = url.substr(colon + 1);
    if (auto at = host.rfind('@'); at != std::string::npos) host = host.substr(at + 1);
  }
  auto last = path.rfind('/');
  if (last == std::string::npos || last == 0 || last + 1 == path.size()) return {};
  auto before = path.rfind('/', last - 1);
  std::string owner = path.substr(before == std::string::npos ? 0 : before + 1);
  owner = owner.substr(0, owner.find('/'));
  return {scheme + "://" + host, plain_name(owner) + "/" + plain_name(path.substr(last + 1))};
}

Task<Result<Folder>> look_at_folder(core::Executor loop, std::string start) {
  Folder folder;
  Asking here{start, {}};
  std::vector<std::string> words{"rev-parse", "--path-format=absolute", "--show-toplevel"};
  for (const char* file : {"objects", "index", "shallow", "config", "info/exclude"})
    words.insert(words.end(), {"--git-path", file});
  auto ran = co_await git(loop, std::move(here), std::move(words));
  if (!ran && ran.error().code == Code::not_found)
    co_return core::fail(Code::not_found,
                         "There is no git on this machine, and jobs are given the folder by it. "
                         "Install it: apt-get install git.");
  if (!ran) co_return std::unexpected(ran.error());
  bool refused = ran->err.contains("dubious ownership");
  if (refused)
    co_return core::fail(Code::denied,
                         "git does not trust this folder, which belongs to another user. Trust it: git "
                         "config --global --add safe.directory " +
                             start);
  auto lines = lines_of(ran->out);
  folder.git = ran->exit.succeeded() && lines.size() >= 6;
  folder.root = folder.git ? lines[0] : root_without_git(start);
  if (folder.git) {
    folder.objects = lines[1];
    folder.index = lines[2];
    folder.shallow = lines[3];
    folder.config = lines[4];
    folder.exclude = lines[5];
    if (auto read = co_await read_head(loop, folder); !read) co_return std::unexpected(read.error());
    if (auto read = co_await read_refs(loop, folder); !read) co_return std::unexpected(read.error());
  }
  if (auto read = co_await read_configuration(loop, folder); !read) co_return std::unexpected(read.error());
  co_return folder;
}

Result<std::vector<pipeline::SourceFile>> workflow_files(const std::string& root) {
  core::SystemDisk disk;
  std::vector<pipeline::SourceFile> files;
  for (const char* folder : {".github/workflows", ".headrace/workflows"}) {
    auto names = disk.list(root + "/" + folder);
    if (!names && names.error().code == Code::not_found) continue;
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names) {
      std::string path = std::string(folder) + "/" + name;
      if (!workflow::is_workflow_path(path)) continue;
      auto text = core::read_file(disk, root + "/" + path, workflow::file_bytes_max + 1);
      if (!text) return std::unexpected(text.error());
      files.push_back({std::move(path), std::move(*text)});
    }
  }
  return files;
}

}  // namespace headrace::cli
