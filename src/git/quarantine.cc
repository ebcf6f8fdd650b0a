// What came with a push, before it is let in.
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "core/disk.h"
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

using core::Result;

Result<std::unique_ptr<Quarantine>> Quarantine::make(const std::string& repository) {
  std::string path = repository + "/objects/tmp_objdir-incoming-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return std::unexpected(core::error_of_errno(errno, "making a folder for a push", path));
  auto made = std::unique_ptr<Quarantine>(new Quarantine(repository, path));
  core::SystemDisk disk;
  if (auto packs = disk.make_directories(path + "/pack"); !packs) return std::unexpected(packs.error());
  return made;
}

Quarantine::~Quarantine() {
  std::error_code ignored;  // what stays is removed with the leftovers
  std::filesystem::remove_all(path_, ignored);
}

// The index last: a pack is there for readers once its index is.
Result<> Quarantine::let_in() {
  core::SystemDisk disk;
  auto names = disk.list(path_ + "/pack");
  if (!names) return std::unexpected(names.error());
  std::ranges::sort(*names, {}, [](const std::string& name) { return std::pair(name.ends_with(".idx"), name); });
  for (const auto& name : *names)
    if (auto moved =
            disk.rename(fmt::format("{}/pack/{}", path_, name), fmt::format("{}/objects/pack/{}", repository_, name));
        !moved)
      return moved;
  return disk.sync_directory(repository_ + "/objects/pack");
}

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
