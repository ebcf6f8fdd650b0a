#include "git/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "git/libgit.h"
#include "git/names.h"
#include "git/pkt_line.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

constexpr size_t prefixes_max = 4096;
const std::string no_object(GIT_OID_HEXSZ, '0');

// Nothing for a ref that leads to no object: git leaves such a one out as well.
std::optional<ListedRef> listed(git_repository* repository, git_odb* odb, const git_reference* reference, Peel peel) {
  ListedRef ref{.name = git_reference_name(reference), .id = {}, .symbolic = {}, .peeled = {}};
  git_oid id;
  if (git_reference_type(reference) == GIT_REFERENCE_SYMBOLIC) {
    ref.symbolic = git_reference_symbolic_target(reference);
    if (git_reference_name_to_id(&id, repository, ref.name.c_str()) != 0) return std::nullopt;
  } else {
    id = *git_reference_target(reference);
  }
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &type, odb, &id) != 0) return std::nullopt;
  ref.id = to_hex(id);
  if (peel == Peel::no || type != GIT_OBJECT_TAG) return ref;
  git_object* found = nullptr;
  if (git_object_lookup(&found, repository, &id, GIT_OBJECT_TAG) != 0) return std::nullopt;
  const ObjectHandle tag(found);
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, tag.get(), GIT_OBJECT_ANY) != 0) return ref;
  const ObjectHandle end(peeled);
  ref.peeled = to_hex(*git_object_id(end.get()));
  return ref;
}

Result<> add_head(git_repository* repository, git_odb* odb, Listing& listing) {
  git_reference* found = nullptr;
  if (const int code = git_reference_lookup(&found, repository, "HEAD"); code != 0)
    return std::unexpected(libgit_error(code, "reading HEAD"));
  const ReferenceHandle head(found);
  if (const char* target = git_reference_symbolic_target(head.get()); target != nullptr) listing.head = target;
  if (auto ref = listed(repository, odb, head.get(), Peel::no)) listing.refs.push_back(std::move(*ref));
  return {};
}

Result<> add_refs(git_repository* repository, git_odb* odb, Peel peel, Listing& listing) {
  git_reference_iterator* started = nullptr;
  if (const int code = git_reference_iterator_new(&started, repository); code != 0)
    return std::unexpected(libgit_error(code, "listing refs"));
  const ReferenceIteratorHandle iterator(started);
  const auto first = static_cast<ptrdiff_t>(listing.refs.size());
  git_reference* next = nullptr;
  int code = 0;
  while ((code = git_reference_next(&next, iterator.get())) == 0) {
    const ReferenceHandle reference(next);
    if (std::string_view(git_reference_name(reference.get())).starts_with(hidden_refs)) continue;
    if (auto ref = listed(repository, odb, reference.get(), peel)) listing.refs.push_back(std::move(*ref));
    if (listing.refs.size() > listed_refs_max) return core::fail(Code::exhausted, "There are too many refs to list.");
  }
  if (code != GIT_ITEROVER) return std::unexpected(libgit_error(code, "listing refs"));
  std::sort(listing.refs.begin() + first, listing.refs.end(),
            [](const ListedRef& a, const ListedRef& b) { return a.name < b.name; });
  return {};
}

bool wanted(const ListedRef& ref, const LsRefs& asked) {
  return asked.prefixes.empty() ||
         std::ranges::any_of(asked.prefixes, [&](const std::string& prefix) { return ref.name.starts_with(prefix); });
}

bool take_argument(std::string_view text, LsRefs& asked) {
  constexpr std::string_view prefix = "ref-prefix ";
  if (text == "peel") return asked.peel = true;
  if (text == "symrefs") return asked.symrefs = true;
  if (text == "unborn") return asked.unborn = true;
  if (!text.starts_with(prefix) || asked.prefixes.size() >= prefixes_max) return false;
  asked.prefixes.emplace_back(text.substr(prefix.size()));
  return true;
}

bool is_harmless(std::string_view capability) {
  return capability == "object-format=sha1" || capability.starts_with("agent=") ||
         capability.starts_with("session-id=");
}

}  // namespace

Result<Listing> list_refs(const std::string& path, Peel peel) {
  std::error_code error;
  if (std::filesystem::exists(path + "/shallow", error) ||
      std::filesystem::exists(path + "/objects/info/alternates", error))
    return core::fail(Code::unavailable, "This repository is read by git alone.", path);
  const auto repository = open_handle(path);
  if (!repository) return std::unexpected(repository.error());
  git_odb* opened = nullptr;
  if (const int code = git_repository_odb(&opened, repository->get()); code != 0)
    return std::unexpected(libgit_error(code, "opening the objects"));
  const OdbHandle odb(opened);
  Listing listing;
  if (auto added = add_head(repository->get(), odb.get(), listing); !added) return std::unexpected(added.error());
  if (auto added = add_refs(repository->get(), odb.get(), peel, listing); !added) return std::unexpected(added.error());
  return listing;
}

// gitprotocol-v2(5): command, capabilities, delimiter, arguments, flush.
std::optional<LsRefs> parse_ls_refs(std::string_view request) {
  LsRefs asked;
  enum class Part { command, capabilities, arguments } part = Part::command;
  for (;;) {
    const auto packet = first_packet(request);
    if (!packet || !*packet) return std::nullopt;
    request.remove_prefix((*packet)->bytes);
    auto text = (*packet)->text;
    if (text.ends_with('\n')) text.remove_suffix(1);
    switch ((*packet)->kind) {
      case Packet::Kind::flush:
        if (part == Part::command || !request.empty()) return std::nullopt;
        return asked;
      case Packet::Kind::delimiter:
        if (part != Part::capabilities) return std::nullopt;
        part = Part::arguments;
        break;
      case Packet::Kind::data:
        if (part == Part::command && text != "command=ls-refs") return std::nullopt;
        if (part == Part::capabilities && !is_harmless(text)) return std::nullopt;
        if (part == Part::arguments && !take_argument(text, asked)) return std::nullopt;
        if (part == Part::command) part = Part::capabilities;
        break;
      case Packet::Kind::response_end: return std::nullopt;
    }
  }
}

std::string answer_ls_refs(const Listing& listing, const LsRefs& asked) {
  std::string answer;
  const bool born = !listing.refs.empty() && listing.refs.front().name == "HEAD";
  const ListedRef head{.name = "HEAD", .id = {}, .symbolic = {}, .peeled = {}};
  if (asked.unborn && asked.symrefs && !born && !listing.head.empty() && wanted(head, asked))
    answer += to_packet(fmt::format("unborn HEAD symref-target:{}\n", listing.head));
  for (const auto& ref : listing.refs) {
    if (!wanted(ref, asked)) continue;
    std::string line = fmt::format("{} {}", ref.id, ref.name);
    if (asked.symrefs && !ref.symbolic.empty()) line += " symref-target:" + ref.symbolic;
    if (asked.peel && !ref.peeled.empty()) line += " peeled:" + ref.peeled;
    answer += to_packet(line + "\n");
  }
  return answer + std::string(flush_packet);
}

std::string_view offered_to(Service service) {
  return service == Service::receive_pack
             ? "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options "
               "object-format=sha1"
             : "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative "
               "no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done "
               "filter object-format=sha1";
}

std::string old_advertisement(const Listing& listing, Service service, Announce announce) {
  const bool fetch = service == Service::upload_pack;
  std::string capabilities(offered_to(service));
  if (fetch && !listing.refs.empty() && listing.refs.front().name == "HEAD" && !listing.head.empty())
    capabilities += " symref=HEAD:" + listing.head;
  capabilities += " agent=headrace";
  std::string answer = announce == Announce::version_1 ? to_packet("version 1\n") : std::string();
  bool first = true;
  const auto add = [&](std::string_view id, std::string_view name) {
    std::string line = fmt::format("{} {}", id, name);
    if (std::exchange(first, false)) line += '\0' + capabilities;
    answer += to_packet(line + "\n");
  };
  for (const auto& ref : listing.refs) {
    if (!fetch && ref.name == "HEAD") continue;
    add(ref.id, ref.name);
    if (fetch && !ref.peeled.empty()) add(ref.peeled, ref.name + "^{}");
  }
  if (first && !fetch) add(no_object, "capabilities^{}");
  return answer + std::string(flush_packet);
}

}  // namespace headrace::git
