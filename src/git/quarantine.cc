// What came with a push, before it is let in.
#include "git/folder.h"
#include "git/libgit.h"

namespace headrace::git {
namespace {

struct Search {
  git_odb* odb = nullptr;
  std::optional<LargestFile> largest;
};

int look_at(const git_oid* id, void* payload) {
  auto& search = *static_cast<Search*>(payload);
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (const int code = git_odb_read_header(&size, &type, search.odb, id); code != 0) return code;
  if (type == GIT_OBJECT_BLOB && (!search.largest || size > search.largest->bytes))
    search.largest = LargestFile{to_hex(*id), size};
  return 0;
}

}  // namespace

core::Result<std::optional<LargestFile>> largest_file(const std::string& quarantine) {
  start_libgit();
  git_odb* opened = nullptr;
  if (const int code = git_odb_open(&opened, quarantine.c_str()); code != 0)
    return std::unexpected(libgit_error(code, "opening " + quarantine));
  const OdbHandle odb(opened);
  Search search{odb.get(), {}};
  if (const int code = git_odb_foreach(odb.get(), look_at, &search); code != 0)
    return std::unexpected(libgit_error(code, "reading what was pushed"));
  return search.largest;
}

}  // namespace headrace::git
