#include "services/runner/file_search.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "services/runner/inside_program.h"
#include "services/runner/step_hash_files.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view magic = "*?[";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::string_view(" \t\r").contains(text.front())) text.remove_prefix(1);
  while (!text.empty() && std::string_view(" \t\r").contains(text.back())) text.remove_suffix(1);
  return text;
}

std::string normal(std::string_view path) {
  std::string text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

FilePattern pattern_of(std::string_view line, std::string_view workspace, std::string_view home) {
  FilePattern pattern;
  for (; line.starts_with('!'); line = trimmed(line.substr(1))) pattern.negated = !pattern.negated;
  pattern.folder = line.ends_with('/');
  std::string path(line);
  if (line == "~" || line.starts_with("~/"))
    path = std::string(home) + std::string(line.substr(1));
  else if (!line.starts_with('/'))
    path = std::string(workspace) + "/" + path;
  pattern.text = normal(path);
  pattern.literal = pattern.text.find_first_of(magic) == std::string::npos;
  return pattern;
}

// Up to the last slash before the first star.
std::string search_path_of(const FilePattern& pattern) {
  auto star = pattern.text.find_first_of(magic);
  if (star == std::string::npos) return pattern.text;
  auto slash = pattern.text.rfind('/', star);
  return slash == 0 ? "/" : pattern.text.substr(0, slash);
}

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || folder == "/" || (path.starts_with(folder) && path[folder.size()] == '/');
}

std::vector<std::string> words_between(std::string_view text, char end) {
  std::vector<std::string> words;
  while (!text.empty()) {
    auto at = text.find(end);
    if (at != 0) words.emplace_back(text.substr(0, at));
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  }
  return words;
}

// The path that all have in common, by whole names.
std::string common_front(const std::vector<std::string>& paths) {
  std::string front = paths.front();
  for (const auto& path : paths)
    while (!is_below(path, front)) front = front.rfind('/') == 0 ? "/" : front.substr(0, front.rfind('/'));
  return front;
}

}  // namespace

Result<FilePatterns> FilePatterns::parse(std::string_view lines, std::string_view workspace, std::string_view home) {
  FilePatterns all;
  for (const auto& raw : words_between(lines, '\n')) {
    auto line = trimmed(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (all.patterns_.size() >= search_patterns_max)
      return core::fail(Code::invalid, "There are more than " + std::to_string(search_patterns_max) + " patterns.");
    all.patterns_.push_back(pattern_of(line, workspace, home));
  }
  std::set<std::string> fronts;
  for (const auto& pattern : all.patterns_)
    if (!pattern.negated) fronts.insert(search_path_of(pattern));
  if (fronts.empty()) return core::fail(Code::invalid, "The input 'path' names nothing; it needs a pattern.");
  for (const auto& front : fronts) {
    bool within =
        std::ranges::any_of(fronts, [&](const std::string& other) { return other != front && is_below(front, other); });
    if (!within) all.search_paths_.push_back(front);
  }
  return all;
}

std::optional<size_t> FilePatterns::depth() const {
  size_t most = 0;
  for (const auto& pattern : patterns_) {
    if (pattern.negated) continue;
    if (pattern.text.contains("**")) return std::nullopt;
    auto front = search_path_of(pattern);
    auto below = std::string_view(pattern.text).substr(front == "/" ? 0 : front.size());
    most = std::max(most, static_cast<size_t>(std::ranges::count(below, '/')));
  }
  // A path that lies below another is looked for from there.
  for (const auto& pattern : patterns_)
    for (const auto& path : search_paths_)
      if (!pattern.negated && is_below(pattern.text, path))
        most = std::max(most, static_cast<size_t>(std::ranges::count(pattern.text, '/') -
                                                  (path == "/" ? 0 : std::ranges::count(path, '/'))));
  return most;
}

bool FilePatterns::matches(std::string_view path, Descendants descendants) const {
  bool in = false;
  for (const auto& pattern : patterns_) {
    if (in != pattern.negated) continue;
    bool matched = glob_matches(pattern.text, path) && !(pattern.folder && descendants == Descendants::with);
    if (descendants == Descendants::with)
      for (auto slash = path.rfind('/'); !matched && slash != 0 && slash != std::string_view::npos;
           slash = path.rfind('/', slash - 1))
        matched = glob_matches(pattern.text, path.substr(0, slash));
    if (matched || pattern.text == "/") in = !pattern.negated;
  }
  return in;
}

Task<Result<FoundFiles>> find_files(StepEngine& engine, FilePatterns patterns, Hidden hidden) {
  // Links are followed; those that lead nowhere or in circles are passed over.
  std::string script = hidden == Hidden::included ? "find -L \"$@\" -type f -print0"
                                                  : "find -L \"$@\" -name '.*' -prune -o -type f -print0";
  auto listed = co_await output_inside(engine, script + "; true", patterns.search_paths(), search_bytes_max);
  if (!listed) co_return std::unexpected(listed.error());
  FoundFiles found;
  for (auto& path : words_between(*listed, '\0'))
    if (patterns.matches(path, FilePatterns::Descendants::with)) found.files.push_back(std::move(path));
  std::ranges::sort(found.files);
  const auto& paths = patterns.search_paths();
  if (paths.size() > 1)
    found.root = common_front(paths);
  else if (found.files.size() == 1 && found.files.front() == paths.front())  // one file, named as it is
    found.root = paths.front().rfind('/') == 0 ? "/" : paths.front().substr(0, paths.front().rfind('/'));
  else
    found.root = paths.front();
  co_return found;
}

Task<Result<std::vector<std::string>>> find_paths(StepEngine& engine, FilePatterns patterns) {
  std::string script = "find -L \"$@\"";
  if (auto depth = patterns.depth()) script += " -maxdepth " + std::to_string(*depth);
  auto listed = co_await output_inside(engine, script + " -print0; true", patterns.search_paths(), search_bytes_max);
  if (!listed) co_return std::unexpected(listed.error());
  std::vector<std::string> found;
  const std::string workspace = engine.surroundings().inside().workspace;
  for (const auto& path : words_between(*listed, '\0'))
    if (patterns.matches(path, FilePatterns::Descendants::without)) {
      auto relative = std::filesystem::path(path).lexically_relative(workspace).string();
      found.push_back(relative.empty() ? path : relative);
    }
  std::ranges::sort(found);
  co_return found;
}

}  // namespace headrace::runner
