// actions/upload-artifact: files of the job as a zip, in a tar out of its surroundings and packed here.
#include <algorithm>
#include <charconv>

#include "archive/archive.h"
#include "core/bytes.h"
#include "services/runner/door.h"
#include "services/runner/file_search.h"
#include "services/runner/inside_program.h"
#include "services/runner/job_context.h"
#include "services/runner/native_actions.h"
#include "services/runner/toolkit_client.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
namespace json = core::json;

namespace {

constexpr size_t piece_bytes = 256 * 1024;
constexpr std::string_view forbidden = "\":<>|*?\r\n";  // @actions/artifact: in the name of a file

// Paths come from a file of names, one a line. What a link leads to is read, not the link, and a
// file of several names for each of them.
constexpr std::string_view pack_script = R"sh(if tar --version 2>/dev/null | grep -q GNU; then
exec tar --format=pax --no-recursion --no-unquote --verbatim-files-from -P -h --hard-dereference \
  -cf - -T "$1"; fi
exec tar -h -cf - -T "$1"
)sh";
constexpr std::string_view send_script = "exec cat -- \"$1\"";

struct Wish {
  std::string name, path, if_none;
  int64_t days = 0;
  int level = 6;
  bool overwrite = false, archive = true;
  Hidden hidden = Hidden::left_out;
};

Result<int64_t> number_of(const StepRun& step, std::string_view name, int64_t fallback, int64_t least, int64_t most) {
  std::string text = input_of(step, name);
  if (text.empty()) return fallback;
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    return core::fail(Code::invalid, "Invalid " + std::string(name) + ": '" + text + "'. Valid values are " +
                                         std::to_string(least) + " to " + std::to_string(most) + ".");
  return number;
}

Result<Wish> wish_of(const StepRun& step) {
  Wish wish;
  wish.name = input_of(step, "name", "artifact");
  wish.path = input_of(step, "path");
  if (wish.path.empty()) return core::fail(Code::invalid, "Input required and not supplied: path");
  wish.if_none = input_of(step, "if-no-files-found", "warn");
  if (wish.if_none != "warn" && wish.if_none != "error" && wish.if_none != "ignore")
    return core::fail(Code::invalid, "Unrecognized if-no-files-found input. Provided: " + wish.if_none +
                                         ". Available options: warn,error,ignore");
  auto days = number_of(step, "retention-days", 0, 0, 400);
  if (!days) return std::unexpected(days.error());
  wish.days = *days;
  auto level = number_of(step, "compression-level", 6, 0, 9);
  if (!level) return std::unexpected(level.error());
  wish.level = static_cast<int>(*level);
  auto hidden = truth_of(step, "include-hidden-files", false);
  auto overwrite = truth_of(step, "overwrite", false);
  auto archive = truth_of(step, "archive", true);
  for (const auto* one : {&hidden, &overwrite, &archive})
    if (!*one) return std::unexpected(one->error());
  wish.hidden = *hidden ? Hidden::included : Hidden::left_out;
  wish.overwrite = *overwrite;
  wish.archive = *archive;
  return wish;
}

// From the tar of the job to the zip of the artifact.
class Repacking final : public archive::TarSink {
 public:
  Repacking(int level, std::string root) : zip_(level), root_(std::move(root)) {
    if (!root_.ends_with('/')) root_ += '/';
  }
  Result<> begin(const archive::Entry& entry) override {
    archive::Entry packed = entry;
    std::string name = entry.name.starts_with('/') ? entry.name : "/" + entry.name;
    if (!name.starts_with(root_))
      return core::fail(Code::invalid,
                        "The rootDirectory: " + root_ + " is not a parent directory of the file: " + name);
    packed.name = name.substr(root_.size());
    ++files_;
    return zip_.begin(packed);
  }
  Result<> add(std::span<const std::byte> bytes) override {
    zip_.add(bytes);
    return {};
  }
  Result<> end() override {
    zip_.end();
    return {};
  }
  archive::ZipWriter& zip() { return zip_; }
  size_t files() const { return files_; }

 private:
  archive::ZipWriter zip_;
  std::string root_;
  size_t files_ = 0;
};

class UploadArtifact final : public Action {
 public:
  bool has(Stage stage) const override { return stage == Stage::main; }
  std::string repository() const override { return "actions/upload-artifact"; }

  Task<Conclusion> run(Stage, StepRun& step) override {
    check_inputs(step, {"name", "path", "if-no-files-found", "retention-days", "compression-level", "overwrite",
                        "include-hidden-files", "archive"});
    show_action(step, step.with());
    auto wish = wish_of(step);
    if (!wish) co_return step.fail(wish.error().message);
    const auto& inside = step.engine().surroundings().inside();
    auto patterns = FilePatterns::parse(wish->path, inside.workspace, inside.home);
    if (!patterns) co_return step.fail(patterns.error().message);
    auto found = co_await find_files(step.engine(), *patterns, wish->hidden);
    if (!found) co_return step.fail("Looking for files: " + found.error().message);
    if (found->files.empty()) co_return nothing(step, *wish);
    auto done = co_await upload(step, *wish, *found);
    if (!done) co_return step.fail(done.error().message);
    co_return Conclusion::success;
  }

 private:
  static Conclusion nothing(StepRun& step, const Wish& wish) {
    std::string sentence =
        "No files were found with the provided path: " + wish.path + ". No artifacts will be uploaded.";
    if (wish.if_none == "error") return step.fail(sentence);
    if (wish.if_none == "warn")
      step.warning(sentence);
    else
      step.line(sentence);
    return Conclusion::success;
  }

  static Result<> check(const Wish& wish, const FoundFiles& found) {
    if (!wish.archive && found.files.size() > 1)
      return core::fail(Code::invalid, "When 'archive' is set to false, only a single file can be uploaded. Found " +
                                           std::to_string(found.files.size()) + " files to upload.");
    for (const auto& file : found.files)
      if (file.find_first_of(forbidden) != std::string::npos)
        return core::fail(Code::invalid,
                          "The path for one of the files in artifact is not valid: " + core::to_valid_utf8(file) +
                              ". It contains one of \" : < > | * ? or a line break.");
    return {};
  }

  Task<Result<>> upload(StepRun& step, Wish wish, FoundFiles found) {
    if (auto checked = check(wish, found); !checked) co_return checked;
    if (!wish.archive) wish.name = found.files.front().substr(found.files.front().rfind('/') + 1);
    step.line("With the provided path, there will be " + std::to_string(found.files.size()) + " file" +
              (found.files.size() == 1 ? "" : "s") + " uploaded");
    auto client = ToolkitClient::open(step.engine());
    if (!client) co_return std::unexpected(client.error());
    auto url = co_await begin(step, **client, wish);
    if (!url) co_return std::unexpected(url.error());
    BlockUpload upload(**client, std::move(*url));
    Result<> sent;
    if (wish.archive)
      sent = co_await send_zip(step, wish, found, upload);
    else
      sent = co_await send_file(step, found.files.front(), upload);
    if (!sent) co_return std::unexpected(sent.error());
    json::object asked;
    asked["name"] = wish.name;
    asked["size"] = std::to_string(upload.size());
    step.line("Finalizing artifact upload");
    auto finalized = co_await (*client)->artifacts("FinalizeArtifact", std::move(asked));
    if (!finalized) co_return std::unexpected(finalized.error());
    co_return co_await tell(step, **client, wish, upload.size());
  }

  Task<Result<std::string>> begin(StepRun& step, ToolkitClient& client, Wish wish) {
    if (wish.overwrite) {
      json::object old;
      old["name"] = wish.name;
      auto deleted = co_await client.artifacts("DeleteArtifact", std::move(old));
      if (!deleted && deleted.error().code != Code::not_found)
        step.warning("Unable to delete artifact: " + deleted.error().message);
    }
    json::object asked;
    asked["name"] = wish.name;
    asked["version"] = 4;
    asked["mime_type"] = wish.archive ? "application/zip" : "application/octet-stream";
    if (wish.days > 0)
      asked["expires_at"] = core::format_time(step.engine().clock().now() + std::chrono::hours(24 * wish.days));
    auto created = co_await client.artifacts("CreateArtifact", std::move(asked));
    if (!created) co_return core::pass_on(created.error(), "creating an artifact");
    co_return core::string_at(*created, "signed_upload_url").value_or("");
  }

  Task<Result<>> send_zip(StepRun& step, Wish wish, FoundFiles found, BlockUpload& upload) {
    auto& engine = step.engine();
    std::string list;
    for (const auto& file : found.files) list += file + "\n";
    std::string names = engine.place().temporary + "/_artifact_files";
    if (auto written = engine.surroundings().write(names, list); !written) co_return written;
    std::vector<std::string> arguments{engine.surroundings().to_inside(names).value_or(names)};
    auto tar = co_await InsideProgram::start(engine, std::string(pack_script), std::move(arguments), Input::none);
    if (!tar) co_return std::unexpected(tar.error());
    Repacking packing(wish.level, found.root);
    archive::TarReader reader(packing);
    std::vector<std::byte> piece(piece_bytes);
    while (true) {
      auto got = co_await (*tar)->read(piece);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) break;
      auto feed = [&reader, bytes = std::span(piece).first(*got)] { return reader.feed(bytes); };
      if (auto fed = co_await core::blocking(pool_, std::move(feed)); !fed) co_return fed;
      if (packing.zip().ready() < piece_bytes) continue;
      if (auto added = co_await upload.add(packing.zip().take()); !added) co_return added;
    }
    if (auto finished = co_await (*tar)->finish(); !finished)
      co_return core::fail(Code::unavailable, "Reading the files with tar: " + finished.error().message);
    if (auto whole = reader.finish(); !whole) co_return whole;
    if (packing.files() != found.files.size())
      co_return core::fail(Code::unavailable, "The tar of this job packed " + std::to_string(packing.files()) + " of " +
                                                  std::to_string(found.files.size()) +
                                                  " files: it cannot pack files of several names; GNU tar can.");
    packing.zip().finish();
    if (auto added = co_await upload.add(packing.zip().take()); !added) co_return added;
    co_return co_await upload.finish();
  }

  Task<Result<>> send_file(StepRun& step, std::string file, BlockUpload& upload) {
    std::vector<std::string> arguments{std::move(file)};
    auto cat =
        co_await InsideProgram::start(step.engine(), std::string(send_script), std::move(arguments), Input::none);
    if (!cat) co_return std::unexpected(cat.error());
    std::vector<std::byte> piece(piece_bytes);
    while (true) {
      auto got = co_await (*cat)->read(piece);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) break;
      std::string_view part(reinterpret_cast<const char*>(piece.data()), *got);
      if (auto added = co_await upload.add(part); !added) co_return added;
    }
    if (auto finished = co_await (*cat)->finish(); !finished) co_return finished;
    co_return co_await upload.finish();
  }

  // What came of it, from the server's own list: the number and the digest it computed.
  Task<Result<>> tell(StepRun& step, ToolkitClient& client, Wish wish, uint64_t size) {
    json::object asked;
    asked["name_filter"] = wish.name;
    auto listed = co_await client.artifacts("ListArtifacts", std::move(asked));
    if (!listed) co_return std::unexpected(listed.error());
    const auto* list = core::find(*listed, "artifacts");
    if (list == nullptr || !list->is_array() || list->get_array().empty())
      co_return core::fail(Code::unavailable, "The artifact was uploaded, but the server does not list it.");
    const auto& made = list->get_array().front();
    std::string id = core::string_at(made, "database_id").value_or("");
    std::string digest = core::string_at(made, "digest").value_or("");
    step.line("Artifact " + wish.name + " has been successfully uploaded! Final size is " + std::to_string(size) +
              " bytes. Artifact ID is " + id);
    auto& job = step.engine().job();
    std::string url = step.engine().order().grant.server_url + "/" + job.github("repository") + "/actions/runs/" +
                      job.github("run_id") + "/artifacts/" + id;
    if (step.engine().server().whole) step.line("Artifact download URL: " + url);
    step.set_output("artifact-id", std::move(id));
    step.set_output("artifact-digest", digest.substr(digest.find(':') + 1));
    step.set_output("artifact-url", std::move(url));
    co_return Result<>{};
  }

  core::Pool pool_{"packing an artifact", {.threads = 1}};
};

}  // namespace

std::unique_ptr<Action> make_upload_artifact() { return std::make_unique<UploadArtifact>(); }

}  // namespace headrace::runner
