// What a client sends besides the path, read strictly: what is misspelled or of the wrong type is refused, never passed
// over, for a member that is passed over can mean more than was asked for (a token without end, a filter that lets all
// through).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "server/router.h"

namespace headrace::server {

enum class Kind { text, integer, boolean, list_of_text, any };

struct Member {
  std::string_view name;
  Kind kind;
};

// An object with no members but these, each of its kind (null counts as absent). invalid: names the member.
core::Result<> check_members(const core::json::value& value, const std::vector<Member>& members);

// The body as such an object; `exhausted` bodies have been answered 413 when this returns an error.
core::Task<core::Result<core::json::value>> read_object(Call& call, size_t bytes_max, std::vector<Member> members);
// The body; what is larger has been answered 413 when this returns an error.
core::Task<core::Result<std::string>> read_body(Call& call, size_t bytes_max);

// No query parameter but those the route has, none twice. Of our own API alone: GitHub's clients send more than is
// known here. invalid: names the parameter, and those there are.
core::Result<> check_query(const Route& route, const net::Request& request);
// A query parameter that is a number from least to most; `otherwise` where it is absent. invalid: names it.
core::Result<uint64_t> number_in(const Call& call, std::string_view name, uint64_t least, uint64_t most,
                                 uint64_t otherwise);
// "true", "false" or absent.
core::Result<bool> flag_in(const Call& call, std::string_view name);
// Digits only, no sign.
std::optional<uint64_t> number_of(std::string_view text);

}  // namespace headrace::server
