// Refs written by libgit2: all of them locked, then compared, then moved.
#include <fmt/format.h>

#include "git/folder.h"
#include "git/libgit.h"
#include "git/names.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

const std::string no_object(GIT_OID_HEXSZ, '0');

Result<std::string> target_now(git_repository* repository, const std::string& ref) {
  git_oid id;
  const int code = git_reference_name_to_id(&id, repository, ref.c_str());
  if (code == GIT_ENOTFOUND) return no_object;
  if (code != 0) return std::unexpected(libgit_error(code, "reading " + ref));
  return to_hex(id);
}

std::unexpected<core::Error> busy(const std::string& ref, int code) {
  auto error = libgit_error(code, "locking " + ref);
  return core::fail(Code::conflict, fmt::format("{} is being moved by somebody else. Look again.", ref), error.detail);
}

// Locks first: what is compared then stays so until the commit.
Result<> lock_and_compare(git_repository* repository, git_transaction* transaction, const RefMove& move) {
  if (auto good = check_ref(move.ref); !good) return good;
  if (const int code = git_transaction_lock_ref(transaction, move.ref.c_str()); code != 0) return busy(move.ref, code);
  if (move.old_target.empty()) return {};
  const auto now = target_now(repository, move.ref);
  if (!now) return std::unexpected(now.error());
  if (*now == move.old_target) return {};
  return core::fail(Code::conflict, fmt::format("{} has moved: it is at {:.10} and was expected at {:.10}.", move.ref,
                                                *now, move.old_target));
}

Result<> set(git_transaction* transaction, const RefMove& move) {
  if (move.new_target == no_object) {
    const int code = git_transaction_remove(transaction, move.ref.c_str());
    if (code != 0) return std::unexpected(libgit_error(code, "deleting " + move.ref));
    return {};
  }
  const auto id = parse_id(move.new_target);
  if (!id) return std::unexpected(id.error());
  const int code = git_transaction_set_target(transaction, move.ref.c_str(), &*id, nullptr, nullptr);
  if (code != 0) return std::unexpected(libgit_error(code, "moving " + move.ref));
  return {};
}

}  // namespace

Result<> move_refs(const std::string& path, std::span<const RefMove> moves) {
  const auto repository = open_handle(path);
  if (!repository) return std::unexpected(repository.error());
  git_transaction* begun = nullptr;
  if (const int code = git_transaction_new(&begun, repository->get()); code != 0)
    return std::unexpected(libgit_error(code, "moving refs"));
  const TransactionHandle transaction(begun);
  std::vector<std::string> refs;
  for (const auto& move : moves) {
    if (auto held = lock_and_compare(repository->get(), transaction.get(), move); !held) return held;
    refs.push_back(move.ref);
  }
  for (const auto& move : moves)
    if (auto done = set(transaction.get(), move); !done) return done;
  if (const int code = git_transaction_commit(transaction.get()); code != 0)
    return std::unexpected(libgit_error(code, "moving refs"));
  return sync_refs(path, refs);
}

}  // namespace headrace::git
