// What a repository shows of its refs, as git itself would say it: the answer to `ls-refs` (gitprotocol-v2(5)) and the
// advertisements of versions 0 and 1 (gitprotocol-pack(5)), without starting a process. Hidden refs and refs to objects
// that are not there are left out, as git does.
//
// list_refs blocks; the rest is pure. Whatever is not answered here is left to git.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "git/serve.h"

namespace headrace::git {

inline constexpr size_t listed_refs_max = 20'000;               // beyond, git streams them
inline constexpr size_t ls_refs_bytes_max = size_t{64} * 1024;  // of a request that is looked at here

struct ListedRef {
  std::string name;
  std::string id;
  std::string symbolic;  // the ref it stands for; empty for an ordinary one
  std::string peeled;    // what an annotated tag comes down to
  bool operator==(const ListedRef&) const = default;
};
struct Listing {
  std::string head;             // what HEAD stands for, born or not
  std::vector<ListedRef> refs;  // HEAD first where it is born, the others by name
};

enum class Peel { no, yes };
// exhausted: more than listed_refs_max. unavailable: a repository that is read by git alone (shallow, or with
// alternates).
core::Result<Listing> list_refs(const std::string& path, Peel peel);

struct LsRefs {
  bool peel = false, symrefs = false, unborn = false;
  std::vector<std::string> prefixes;  // none: all refs
};
// A request of version 2 that is a whole and well-formed `ls-refs`; nothing for any other.
std::optional<LsRefs> parse_ls_refs(std::string_view request);
std::string answer_ls_refs(const Listing& listing, const LsRefs& asked);

// Version 0, or 1 where `announce` says so. What a client may ask of us is in offered_to().
enum class Announce { nothing, version_1 };
std::string old_advertisement(const Listing& listing, Service service, Announce announce);
std::string_view offered_to(Service service);  // capabilities, blank-separated, but for symref and agent

}  // namespace headrace::git
