#include "services/runner/checkout_submodules.h"

#include <algorithm>

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t end = text.find(by);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_good_path(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.starts_with('-') || path.size() > submodule_word_max) return false;
  for (auto part : split(path, '/')) {
    std::string folded(part);
    std::ranges::transform(folded, folded.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    if (part.empty() || part == "." || part == ".." || folded == ".git" || part.find('\n') != part.npos) return false;
  }
  return true;
}

bool is_name(std::string_view text) {
  constexpr std::string_view good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text != "." && text != ".." && text.find_first_not_of(good) == std::string_view::npos;
}

std::string_view without_ending(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.ends_with(".git")) path.remove_suffix(4);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::optional<std::string> two_names(std::string_view path) {
  auto parts = split(without_ending(path), '/');
  if (parts.size() != 2 || !is_name(parts[0]) || !is_name(parts[1])) return {};
  return std::string(parts[0]) + "/" + std::string(parts[1]);
}

// "../lib" of "team/hello" is "team/lib", as git resolves it against the URL of `origin`.
std::optional<std::string> relative(std::string_view url, std::string_view parent) {
  auto at = split(parent, '/');
  for (auto part : split(without_ending(url), '/')) {
    if (part == ".") continue;
    if (part == "..") {
      if (at.empty()) return {};
      at.pop_back();
    } else {
      at.push_back(part);
    }
  }
  if (at.size() != 2 || !is_name(at[0]) || !is_name(at[1])) return {};
  return std::string(at[0]) + "/" + std::string(at[1]);
}

std::string_view after(std::string_view text, std::string_view front) {
  return text.starts_with(front) ? text.substr(front.size()) : std::string_view();
}

// "github.com" of https://github.com/, with its port where it names one.
std::string_view host_of(std::string_view server) {
  size_t scheme = server.find("://");
  if (scheme == std::string_view::npos) return {};
  server.remove_prefix(scheme + 3);
  return server.substr(0, server.find('/'));
}

}  // namespace

Result<std::vector<Submodule>> parse_submodules(std::string_view text) {
  std::vector<Submodule> all;
  for (auto entry : split(text, '\0')) {
    size_t newline = entry.find('\n');
    std::string_view key = entry.substr(0, newline), value;
    if (newline != std::string_view::npos) value = entry.substr(newline + 1);
    size_t dot = key.rfind('.');
    auto name = after(key.substr(0, dot), "submodule.");
    if (name.empty() || dot == std::string_view::npos) continue;
    auto known = std::ranges::find(all, name, &Submodule::name);
    if (known == all.end()) {
      if (all.size() >= submodules_max)
        return core::fail(Code::exhausted, "The repository has more than " + std::to_string(submodules_max) +
                                               " submodules; check out those you need in a `run` step.");
      known = all.insert(all.end(), Submodule{std::string(name), {}, {}});
    }
    if (key.substr(dot) == ".path") known->path = value;
    if (key.substr(dot) == ".url") known->url = value;
  }
  std::erase_if(all, [](const Submodule& one) { return one.path.empty() || one.url.empty(); });
  for (const auto& one : all)
    if (!is_good_path(one.path) || one.url.size() > submodule_word_max)
      return core::fail(Code::invalid, ".gitmodules: the submodule '" + one.name + "' has the path '" + one.path +
                                           "', which is no folder within the repository.");
  return all;
}

std::optional<std::string> submodule_repository(std::string_view url, std::string_view parent,
                                                const std::vector<std::string>& servers) {
  if (url.starts_with("./") || url.starts_with("../")) return relative(url, parent);
  for (std::string_view server : servers) {
    while (server.ends_with('/')) server.remove_suffix(1);
    if (server.empty()) continue;
    auto host = std::string(host_of(server));
    for (const std::string& front : {std::string(server) + "/", "https://" + host + "/", "http://" + host + "/",
                                     "git@" + host + ":", "ssh://git@" + host + "/"}) {
      if (host.empty() && front != std::string(server) + "/") continue;
      if (auto path = after(url, front); !path.empty()) return two_names(path);
    }
  }
  return {};
}

}  // namespace headrace::runner
