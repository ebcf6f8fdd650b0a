// Submodules of a repository that a job checked out: what its .gitmodules says, and where that is had from. The text is
// foreign; nothing of it is believed but what has the right form. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

inline constexpr size_t submodules_max = 500;        // of one checkout, those within submodules counted
inline constexpr int submodule_depth_max = 10;       // submodules within each other
inline constexpr size_t submodule_word_max = 4'096;  // of a path or URL

struct Submodule {
  std::string name, path, url;
};

// Of `git config -z -f .gitmodules --get-regexp ...`: "submodule.NAME.path\nVALUE\0". One without a path or URL is left
// out, as git does. invalid: a path that is absolute, leads out of the repository or into .git; too many.
core::Result<std::vector<Submodule>> parse_submodules(std::string_view text);

// "owner/name" of a submodule's URL in the repository `parent` ("owner/name"): relative ("../lib.git"), or at one of
// `servers` ("https://github.com"), by http, https or as git@HOST:owner/name. Nothing: it is elsewhere.
std::optional<std::string> submodule_repository(std::string_view url, std::string_view parent,
                                                const std::vector<std::string>& servers);

}  // namespace headrace::runner
