// How git is run here: cut off from any configuration but the one below, whatever the machine or the user has.
#pragma once

#include <string>
#include <vector>

#include "git/serve.h"

namespace headrace::git {

// Never changed by what is in a repository's folder; so a new release brings new settings to old repositories.
std::vector<std::string> git_environment(const ServeOptions& options, std::string_view protocol);

// How strictly the objects of a push are looked at. What is ignored are sins of old importers, harmless, and in many
// histories.
inline constexpr std::string_view index_pack_strict =
    "--strict=zeroPaddedFilemode=ignore,missingSpaceBeforeDate=ignore,badTimezone=ignore";

// A value of the header Git-Protocol that git may be handed, or nothing: key=value pairs, colon-separated.
std::string accepted_protocol(std::string_view header);

}  // namespace headrace::git
