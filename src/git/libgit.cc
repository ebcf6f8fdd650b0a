#include "git/libgit.h"

#include <fmt/format.h>

#include "core/bytes.h"

namespace headrace::git {

using core::Code;

namespace {

constexpr ssize_t cache_bytes_max = ssize_t{8} << 20;  // of objects, over all repositories that are open

}  // namespace

void start_libgit() {
  static const bool started = [] {
    core::require(git_libgit2_init() > 0, "libgit2 starts");
    for (const auto level :
         {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA})
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, cache_bytes_max);
    return true;
  }();
  static_cast<void>(started);
}

namespace {

Code code_of(int number) {
  switch (number) {
    case GIT_ENOTFOUND: return Code::not_found;
    case GIT_EAMBIGUOUS:
    case GIT_EINVALIDSPEC:
    case GIT_EINVALID: return Code::invalid;
    case GIT_EEXISTS:
    case GIT_ELOCKED:
    case GIT_EMODIFIED: return Code::conflict;
    default: return Code::corrupt;
  }
}

std::string_view sentence_of(Code code) {
  switch (code) {
    case Code::not_found: return "There is no such thing in this repository.";
    case Code::invalid: return "This does not name one thing in the repository. Write the full name or more digits.";
    case Code::conflict: return "The repository is being changed by somebody else. Look again.";
    default: return "The repository cannot be read: its files may be damaged. An operator must look (git fsck).";
  }
}

}  // namespace

core::Error libgit_error(int number, std::string_view doing) {
  const git_error* last = git_error_last();
  const auto code = code_of(number);
  return {code, std::string(sentence_of(code)),
          fmt::format("{}: {} ({})", doing, last != nullptr ? last->message : "no message", number)};
}

std::string to_hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &id);
  return text;
}

core::Result<git_oid> parse_id(std::string_view hex) {
  git_oid id;
  if (hex.size() == GIT_OID_HEXSZ && git_oid_fromstrn(&id, hex.data(), hex.size()) == 0) return id;
  return core::fail(Code::invalid, "An object is named by 40 hexadecimal digits.");
}

std::string printable_utf8(std::string_view text) {
  if (core::is_utf8(text)) return std::string(text);
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    size_t length = 1;
    while (length < 4 && begin + length <= text.size() && !core::is_utf8(text.substr(begin, length))) ++length;
    const auto character = text.substr(begin, length);
    const bool good = character.size() == length && core::is_utf8(character);
    result += good ? character : std::string_view("\xEF\xBF\xBD");
    begin += good ? length : 1;
  }
  return result;
}

core::Result<RepositoryHandle> open_handle(const std::string& path) {
  start_libgit();
  git_repository* opened = nullptr;
  const int code =
      git_repository_open_ext(&opened, path.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, nullptr);
  if (code == 0) return RepositoryHandle(opened);
  auto error = libgit_error(code, "opening " + path);
  if (error.code == Code::not_found) error.message = "There is no such repository.";
  return std::unexpected(std::move(error));
}

core::Result<std::unique_ptr<Repository>> Repository::open(const std::string& path) {
  auto handle = open_handle(path);
  if (!handle) return std::unexpected(handle.error());
  return std::make_unique<LibgitRepository>(std::move(*handle));
}

}  // namespace headrace::git
