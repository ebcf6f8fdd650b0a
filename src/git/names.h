// What names may look like: repositories, their owners, refs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace headrace::git {

inline constexpr size_t name_bytes_max = 100;                      // of an owner or a repository's own name
inline constexpr size_t ref_bytes_max = 1024;                      // of a full ref name
inline constexpr std::string_view hidden_refs = "refs/headrace/";  // ours: never shown, never pushed to

struct FullName {
  std::string owner;
  std::string name;
  bool operator==(const FullName&) const = default;
};

// "owner/name", each of A-Z a-z 0-9 . _ -, beginning with neither dot nor dash, not ending in ".git" or ".lock"; the
// owner none of reserved_names. Two names that differ in case only are different here, and the same to the repository
// service. invalid: says which part, and why.
core::Result<FullName> parse_full_name(std::string_view text);
core::Result<> check_owner(std::string_view owner);

// First path segments of our own pages and interfaces, sorted: no owner may take them. WEB, section 2.
std::span<const std::string_view> reserved_names();

// git-check-ref-format(1), rules 1 to 10, and at least "refs/x/y". invalid: names the rule.
core::Result<> check_ref(std::string_view ref);
bool is_commit_id(std::string_view text);  // 40 lower-case hexadecimal digits

std::string_view branch_of(std::string_view ref);  // "refs/heads/main" -> "main"; empty for what is no branch
std::string_view tag_of(std::string_view ref);

}  // namespace headrace::git
