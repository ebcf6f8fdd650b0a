#include "services/repository/pushed_workflows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "workflow/workflow.h"

namespace headrace::repository {
namespace {

using core::Code;
using core::Result;

constexpr std::string_view branches = "refs/heads/";
constexpr std::string_view parents[] = {".github", ".headrace"};
constexpr std::string_view folder = "workflows";

using Files = std::map<std::string, std::string>;  // path -> blob

Result<std::vector<git::Entry>> entries(git::Repository& repository, const std::string& commit, std::string path) {
  auto found = repository.tree(commit, path);
  if (!found && found.error().code == Code::not_found) return std::vector<git::Entry>();
  return found;
}

// The tree of workflows within a parent folder; "" where there is none.
Result<std::string> folder_in(git::Repository& repository, const std::string& commit, std::string_view parent) {
  if (commit.empty()) return std::string();
  auto all = entries(repository, commit, std::string(parent));
  if (!all) return std::unexpected(all.error());
  for (auto& entry : *all)
    if (entry.name == folder && entry.kind == git::Kind::tree) return std::move(entry.id);
  return std::string();
}

Result<Files> files_in(git::Repository& repository, const std::string& commit, std::string_view parent) {
  Files files;
  if (commit.empty()) return files;
  const std::string path = fmt::format("{}/{}", parent, folder);
  auto all = entries(repository, commit, path);
  if (!all) return std::unexpected(all.error());
  for (auto& entry : *all) {
    std::string file = path + "/" + entry.name;
    const bool plain = entry.kind == git::Kind::file || entry.kind == git::Kind::executable;
    if (plain && workflow::is_workflow_path(file)) files.emplace(std::move(file), std::move(entry.id));
  }
  return files;
}

// Files whose content the commit has and the base has not under the same name.
Result<> add_changed(git::Repository& repository, const std::string& base, const std::string& commit,
                     std::set<std::pair<std::string, std::string>>& into) {
  for (auto parent : parents) {
    auto before = folder_in(repository, base, parent);
    auto after = folder_in(repository, commit, parent);
    if (!before || !after) return std::unexpected(before ? after.error() : before.error());
    if (after->empty() || *before == *after) continue;
    auto old_files = files_in(repository, base, parent);
    auto new_files = files_in(repository, commit, parent);
    if (!old_files || !new_files) return std::unexpected(old_files ? new_files.error() : old_files.error());
    for (auto& [path, blob] : *new_files) {
      auto old = old_files->find(path);
      if (old == old_files->end() || old->second != blob) into.emplace(path, blob);
    }
  }
  return {};
}

// What a new branch begins at, as far as this matters; "" where nothing is there yet.
std::string default_tip(git::Repository& repository, const std::string& ref) {
  auto name = repository.default_branch();
  if (!name || std::string(branches) + *name == ref) return {};
  return repository.resolve(std::string(branches) + *name).value_or("");
}

// It comes from the file, and goes to a terminal.
std::string printable(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

}  // namespace

Result<std::vector<std::string>> findings_in_workflows(git::Repository& repository,
                                                       const std::vector<events::SettledUpdate>& updates) {
  std::set<std::pair<std::string, std::string>> changed;
  for (const auto& update : updates) {
    if (!update.applied || !update.ref.starts_with(branches) || update.new_commit == events::no_commit) continue;
    std::string base = update.old_commit;
    if (base == events::no_commit) base = default_tip(repository, update.ref);
    if (auto added = add_changed(repository, base, update.new_commit, changed); !added)
      return std::unexpected(added.error());
    if (changed.size() >= pushed_workflows_max) break;
  }
  std::vector<std::string> lines;
  size_t more = 0, read = 0;
  for (const auto& [path, blob] : changed) {
    if (++read > pushed_workflows_max) break;
    auto content = repository.blob_by_id(blob, workflow::file_bytes_max + 1);
    if (!content) return std::unexpected(content.error());
    for (const auto& error : workflow::read(content->content, path).errors) {
      if (lines.size() == pushed_findings_max)
        ++more;
      else
        lines.push_back(printable(fmt::format("{}:{}:{}: {}", path, error.at.line, error.at.column, error.message)));
    }
  }
  if (more > 0) lines.push_back(fmt::format("{} more; headrace workflow check names all of them.", more));
  return lines;
}

}  // namespace headrace::repository
