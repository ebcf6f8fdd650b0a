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

// refs/heads/a and refs/heads/a/b cannot both be: one is a file where the other wants a folder. A transaction of
// libgit2 would only see that of refs in files, not of packed ones.
Result<> has_room(git_repository* repository, const std::string& ref) {
  const auto taken = [&ref](std::string_view by) -> Result<> {
    return core::fail(Code::conflict, fmt::format("{} cannot be made while there is {}.", ref, by));
  };
  for (size_t end = ref.find('/', std::string_view("refs/x").size()); end != std::string::npos;
       end = ref.find('/', end + 1)) {
    git_oid id;
    const auto above = ref.substr(0, end);
    if (git_reference_name_to_id(&id, repository, above.c_str()) == 0) return taken(above);
  }
  git_reference_iterator* started = nullptr;
  if (const int code = git_reference_iterator_glob_new(&started, repository, (ref + "/*").c_str()); code != 0)
    return std::unexpected(libgit_error(code, "listing refs"));
  const ReferenceIteratorHandle iterator(started);
  const char* below = nullptr;
  return git_reference_next_name(&below, iterator.get()) == 0 ? taken(below) : Result<>();
}

// To set it would make it an ordinary one.
Result<> is_no_symbol(git_repository* repository, const std::string& ref) {
  git_reference* found = nullptr;
  if (git_reference_lookup(&found, repository, ref.c_str()) != 0) return {};
  const ReferenceHandle reference(found);
  if (git_reference_type(reference.get()) == GIT_REFERENCE_DIRECT) return {};
  return core::fail(Code::conflict, fmt::format("{} stands for another ref. Move that one.", ref));
}

// A branch leads to a commit (git-check-ref-format(1) does not say so, git-update-ref(1) holds to it).
Result<> check_target(git_repository* repository, const RefMove& move) {
  if (move.new_target == no_object) return {};
  const auto id = parse_id(move.new_target);
  if (!id) return std::unexpected(id.error());
  git_odb* opened = nullptr;
  if (const int code = git_repository_odb(&opened, repository); code != 0)
    return std::unexpected(libgit_error(code, "opening the objects"));
  const OdbHandle odb(opened);
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (const int code = git_odb_read_header(&size, &type, odb.get(), &*id); code != 0)
    return std::unexpected(libgit_error(code, "reading the target of " + move.ref));
  if (type == GIT_OBJECT_COMMIT || branch_of(move.ref).empty()) return {};
  return core::fail(Code::invalid, fmt::format("{} is a branch, and {} is no commit.", move.ref, move.new_target));
}

// Locks first: what is compared then stays so until the commit.
Result<> lock_and_compare(git_repository* repository, git_transaction* transaction, const RefMove& move) {
  if (auto good = check_ref(move.ref); !good) return good;
  if (const int code = git_transaction_lock_ref(transaction, move.ref.c_str()); code != 0) return busy(move.ref, code);
  if (auto plain = is_no_symbol(repository, move.ref); !plain) return plain;
  if (move.old_target.empty()) return {};
  const auto now = target_now(repository, move.ref);
  if (!now) return std::unexpected(now.error());
  if (*now == no_object && move.new_target != no_object)
    if (auto room = has_room(repository, move.ref); !room) return room;
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

// All or none.
Result<> move_together(git_repository* repository, std::span<const RefMove> moves) {
  git_transaction* begun = nullptr;
  if (const int code = git_transaction_new(&begun, repository); code != 0)
    return std::unexpected(libgit_error(code, "moving refs"));
  const TransactionHandle transaction(begun);
  for (const auto& move : moves) {
    if (auto good = check_target(repository, move); !good) return good;
    if (auto held = lock_and_compare(repository, transaction.get(), move); !held) return held;
  }
  for (const auto& move : moves)
    if (auto done = set(transaction.get(), move); !done) return done;
  if (const int code = git_transaction_commit(transaction.get()); code != 0)
    return std::unexpected(libgit_error(code, "moving refs"));
  return {};
}

Result<> make_durable(const std::string& path, std::span<const RefMove> moves) {
  std::vector<std::string> refs;
  bool deleted = false;
  for (const auto& move : moves) {
    refs.push_back(move.ref);
    deleted = deleted || move.new_target == no_object;
  }
  return sync_refs(path, refs, deleted);
}

}  // namespace

Result<> move_refs(const std::string& path, std::span<const RefMove> moves) {
  const auto repository = open_handle(path);
  if (!repository) return std::unexpected(repository.error());
  if (auto moved = move_together(repository->get(), moves); !moved) return moved;
  return make_durable(path, moves);
}

Result<std::vector<Result<>>> move_each(const std::string& path, std::span<const RefMove> moves) {
  const auto repository = open_handle(path);
  if (!repository) return std::unexpected(repository.error());
  std::vector<Result<>> outcomes;
  for (const auto& move : moves) outcomes.push_back(move_together(repository->get(), std::span(&move, 1)));
  if (auto durable = make_durable(path, moves); !durable) return std::unexpected(durable.error());
  return outcomes;
}

}  // namespace headrace::git
