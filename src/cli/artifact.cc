// `headrace artifact` and `headrace cache`.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "archive/archive.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "core/bytes.h"
#include "core/disk.h"
#include "net/url.h"
#include "process/descriptor.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace json = core::json;

namespace {

constexpr size_t piece_bytes = 256 * 1024;

std::string shown_size(int64_t bytes) {
  for (const auto& [size, unit] : {std::pair{int64_t{1} << 30, "GiB"}, {int64_t{1} << 20, "MiB"}, {1024, "KiB"}})
    if (bytes >= size) return std::to_string((bytes + size / 2) / size) + " " + unit;
  return std::to_string(bytes) + " B";
}

std::string size_of(const json::value& thing) {
  return shown_size(core::integer_at(thing, "size_in_bytes").value_or(0));
}

Result<std::string> actions_path(const std::string& given) {
  RunSelection of;
  of.repository = given;
  auto name = repository_here(of);
  if (!name) return std::unexpected(name.error());
  return "/api/v3/repos/" + *name + "/actions";
}

// The run of --run by its id, so that it can stand in a path; empty: any.
Result<ArtifactSelection> with_run(Api& api, ArtifactSelection options) {
  if (options.run.empty()) return options;
  RunSelection of;
  of.repository = options.repository;
  of.run = options.run;
  auto id = find_run(api, of);
  if (!id) return std::unexpected(id.error());
  options.run = *id;
  return options;
}

std::string list_path(const std::string& actions, const ArtifactSelection& options) {
  std::string path = actions + (options.run.empty() ? "" : "/runs/" + net::percent_encode(options.run)) +
                     "/artifacts?per_page=" + std::to_string(options.limit);
  if (!options.at.empty()) path += "&at=" + net::percent_encode(options.at);
  return path;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// By its number, or the newest of that name.
Result<json::value> find_artifact(Api& api, const std::string& actions, const ArtifactSelection& options) {
  if (is_number(options.artifact)) {
    auto found = api.get(actions + "/artifacts/" + options.artifact);
    if (found || found.error().code != Code::not_found) return found;
  }
  std::string path = actions + (options.run.empty() ? "" : "/runs/" + net::percent_encode(options.run)) +
                     "/artifacts?per_page=100&name=" + net::percent_encode(options.artifact);
  auto list = api.get(path);
  if (!list) return list;
  for (const auto& one : list->at("artifacts").as_array())
    if (!core::boolean_at(one, "expired").value_or(false)) return one;
  return core::fail(Code::not_found, "There is no artifact '" + options.artifact + "'" +
                                         (options.run.empty() ? "." : " in run " + options.run + ".") +
                                         " `headrace artifact list` shows those there are.");
}

// ---- Download

Result<> write_to(const std::string& path, Api& api, const std::string& from) {
  process::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return std::unexpected(core::error_of_errno(errno, "Writing", path));
  Result<> written;
  auto got = api.download(from, [&](std::string_view piece) {
    while (written && !piece.empty()) {
      ssize_t count = ::write(file.get(), piece.data(), piece.size());
      if (count < 0) written = std::unexpected(core::error_of_errno(errno, "Writing", path));
      if (count > 0) piece.remove_prefix(static_cast<size_t>(count));
    }
    return written.has_value();
  });
  return got ? written : got;
}

// A file of the zip, below the folder; no link in it is followed out.
Result<> unpack_one(archive::ZipReader& zip, size_t entry, const std::string& folder, const std::string& name) {
  std::filesystem::path path = std::filesystem::path(folder) / name;
  std::error_code error;
  bool folder_alone = zip.entries()[entry].folder;
  std::filesystem::create_directories(folder_alone ? path : path.parent_path(), error);
  if (error) return core::fail(Code::unavailable, path.string() + " cannot be made: " + error.message() + ".");
  auto real = std::filesystem::weakly_canonical(path.parent_path(), error).string();
  auto top = std::filesystem::weakly_canonical(folder, error).string();
  if (real != top && !real.starts_with(top + "/"))
    return core::fail(Code::invalid, path.string() + " leads out of " + folder + " by a link; remove that first.");
  if (folder_alone) return {};
  process::Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, zip.entries()[entry].mode & 0777));
  if (!file) return std::unexpected(core::error_of_errno(errno, "Writing", path.string()));
  if (auto sought = zip.seek(entry); !sought) return sought;
  std::vector<std::byte> piece(piece_bytes);
  while (true) {
    auto got = zip.read(piece);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return {};
    for (auto rest = std::span<const std::byte>(piece).first(*got); !rest.empty();) {
      ssize_t count = ::write(file.get(), rest.data(), rest.size());
      if (count < 0) return std::unexpected(core::error_of_errno(errno, "Writing", path.string()));
      rest = rest.subspan(static_cast<size_t>(count));
    }
  }
}

Result<int64_t> unpack(const std::string& file, const std::string& folder) {
  core::SystemDisk disk;
  auto opened = disk.open(file, core::Disk::Open::read);
  if (!opened) return std::unexpected(opened.error());
  auto zip = archive::ZipReader::open(**opened);
  if (!zip) return std::unexpected(zip.error());
  int64_t files = 0;
  for (size_t i = 0; i < (*zip)->entries().size(); ++i) {
    const auto& entry = (*zip)->entries()[i];
    auto name = archive::safe_name(entry.name);
    if (!name)
      return core::fail(Code::invalid, "The artifact has a file whose name leads out of the folder: '" +
                                           core::to_valid_utf8(entry.name.substr(0, 200)) +
                                           "'. Take it as it is with --zip.");
    if (auto done = unpack_one(**zip, i, folder, *name); !done) return std::unexpected(done.error());
    files += entry.folder ? 0 : 1;
  }
  return files;
}

Result<json::value> download(Api& api, const ArtifactSelection& options) {
  auto actions = actions_path(options.repository);
  if (!actions) return std::unexpected(actions.error());
  auto artifact = find_artifact(api, *actions, options);
  if (!artifact) return artifact;
  std::string name = core::string_at(*artifact, "name").value_or("");
  std::string folder = options.folder.empty() ? "." : options.folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return core::fail(Code::unavailable, folder + " cannot be made: " + error.message() + ".");
  auto safe = archive::safe_name(name + ".zip");
  if (!safe) return core::fail(Code::invalid, "The name of the artifact leads out of the folder.");
  std::string file = folder + "/" + *safe + (options.zip ? "" : ".part");
  std::string from = *actions + "/artifacts/" + number(*artifact, "id") + "/zip";
  if (auto written = write_to(file, api, from); !written) return std::unexpected(written.error());
  json::object answer{{"artifact", name}, {"id", artifact->at("id")}, {"path", file}};
  if (options.zip) return answer;
  auto files = unpack(file, folder);
  ::unlink(file.c_str());
  if (!files) return std::unexpected(files.error());
  answer["path"] = folder;
  answer["files"] = *files;
  return answer;
}

}  // namespace

int artifact_list(const ArtifactSelection& options, bool as_json) {
  auto actions = actions_path(options.repository);
  if (!actions) return report(actions.error(), as_json);
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto chosen = with_run(api, options);
        if (!chosen) return std::unexpected(chosen.error());
        return api.get(list_path(*actions, *chosen));
      },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"ID", "NAME", "SIZE", "RUN", "BRANCH", "EXPIRES"}};
        for (const auto& one : answer.at("artifacts").as_array())
          rows.push_back({number(one, "id"), words(one, "name"), size_of(one), number(one.at("workflow_run"), "id"),
                          words(one.at("workflow_run"), "head_branch"),
                          core::boolean_at(one, "expired").value_or(false) ? "expired" : words(one, "expires_at")});
        print(table(rows));
      });
}

int artifact_download(const ArtifactSelection& options, bool as_json) {
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto chosen = with_run(api, options);
        if (!chosen) return std::unexpected(chosen.error());
        return download(api, *chosen);
      },
      [](const json::value& answer) {
        auto files = core::integer_at(answer, "files");
        print_line(words(answer, "artifact") + ": " +
                   (files ? std::to_string(*files) + (*files == 1 ? " file in " : " files in ") : "kept as ") +
                   words(answer, "path"));
      });
}

int artifact_delete(const ArtifactSelection& options, bool as_json) {
  auto actions = actions_path(options.repository);
  if (!actions) return report(actions.error(), as_json);
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto chosen = with_run(api, options);
        if (!chosen) return std::unexpected(chosen.error());
        auto artifact = find_artifact(api, *actions, *chosen);
        if (!artifact) return artifact;
        auto gone = api.remove(*actions + "/artifacts/" + number(*artifact, "id"));
        if (!gone) return gone;
        return json::object{{"artifact", artifact->at("name")}, {"id", artifact->at("id")}};
      },
      [](const json::value& answer) {
        print_line("deleted " + words(answer, "artifact") + " (" + number(answer, "id") + ")");
      });
}

int cache_list(const CacheSelection& options, bool as_json) {
  auto actions = actions_path(options.repository);
  if (!actions) return report(actions.error(), as_json);
  std::string path = *actions + "/caches?per_page=" + std::to_string(options.limit);
  if (!options.key.empty()) path += "&key=" + net::percent_encode(options.key);
  if (!options.ref.empty()) path += "&ref=" + net::percent_encode(options.ref);
  return asked(
      as_json, [&](Api& api) { return api.get(path); },
      [](const json::value& answer) {
        std::vector<std::vector<std::string>> rows{{"ID", "KEY", "REF", "SIZE", "CREATED", "LAST USED"}};
        for (const auto& one : answer.at("actions_caches").as_array())
          rows.push_back({number(one, "id"), words(one, "key"), words(one, "ref"), size_of(one),
                          words(one, "created_at"), words(one, "last_accessed_at")});
        print(table(rows));
      });
}

int cache_delete(const CacheSelection& options, bool as_json) {
  auto actions = actions_path(options.repository);
  if (!actions) return report(actions.error(), as_json);
  std::string path = *actions + "/caches?key=" + net::percent_encode(options.key);
  if (!options.ref.empty()) path += "&ref=" + net::percent_encode(options.ref);
  return asked(
      as_json, [&](Api& api) { return api.remove(path); },
      [](const json::value& answer) {
        for (const auto& one : answer.at("actions_caches").as_array())
          print_line("deleted " + words(one, "key") + " of " + words(one, "ref") + " (" + size_of(one) + ")");
      });
}

}  // namespace headrace::cli
