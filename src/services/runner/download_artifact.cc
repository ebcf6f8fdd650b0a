// actions/download-artifact: the zip comes to a file of the runner's, is compared with its digest, read here, and its
// files go into the job as a tar.
#include "archive/archive.h"
#include "core/bytes.h"
#include "services/runner/action_source.h"
#include "services/runner/download.h"
#include "services/runner/download_wish.h"
#include "services/runner/inside_program.h"
#include "services/runner/native_actions.h"
#include "services/runner/toolkit_client.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;
using events::Conclusion;
namespace json = core::json;

namespace {

constexpr std::string_view unpack_script = R"sh(mkdir -p "$1" && cd "$1" && exec tar -xf -
)sh";
constexpr std::string_view keep_script = R"sh(mkdir -p "$1" && cd "$1" && exec cat > "$2"
)sh";

class DownloadArtifact final : public Action {
 public:
  bool has(Stage stage) const override { return stage == Stage::main; }
  std::string repository() const override { return "actions/download-artifact"; }

  Task<Conclusion> run(Stage, StepRun& step) override {
    check_inputs(step, {"name", "artifact-ids", "path", "pattern", "merge-multiple", "github-token", "repository",
                        "run-id", "skip-decompress", "digest-mismatch"});
    show_action(step, step.with());
    auto wish = artifact_wish_of(step);
    if (!wish) co_return failed(step, wish.error());
    auto done = co_await download(step, *wish);
    if (!done) co_return failed(step, done.error());
    co_return Conclusion::success;
  }

 private:
  static Conclusion failed(StepRun& step, const core::Error& error) {
    return step.fail("Unable to download artifact(s): " + error.message);
  }

  static std::string destination(StepRun& step, const ArtifactWish& wish) {
    const auto& inside = step.engine().surroundings().inside();
    if (wish.path.empty()) return inside.workspace;
    if (wish.path.starts_with('~')) return inside.home + wish.path.substr(1);
    return wish.path.starts_with('/') ? wish.path : inside.workspace + "/" + wish.path;
  }

  Task<Result<>> download(StepRun& step, ArtifactWish wish) {
    auto client = ToolkitClient::open(step.engine());
    if (!client) co_return std::unexpected(client.error());
    Result<std::vector<ListedArtifact>> all;
    if (wish.token.empty())
      all = co_await list_own(**client);
    else
      all = co_await list_other(**client, wish);
    if (!all) co_return std::unexpected(all.error());
    auto chosen = choose_artifacts(step, wish, std::move(*all));
    if (!chosen) co_return std::unexpected(chosen.error());
    std::string place = destination(step, wish);
    bool one = !wish.name.empty() || wish.merge || (chosen->size() == 1 && !wish.folder_for_one);
    for (const auto& artifact : *chosen) {
      step.line("- " + artifact.name + " (ID: " + std::to_string(artifact.id) +
                ", Size: " + std::to_string(artifact.size) + ", Expected Digest: " + artifact.digest + ")");
      auto safe = archive::safe_name(artifact.name);
      if (!one && !safe) co_return core::fail(Code::invalid, "The name of an artifact leads elsewhere.");
      std::string to = one ? place : place + "/" + *safe;
      auto fetched = co_await fetch(step, **client, wish, artifact, std::move(to));
      if (!fetched) co_return fetched;
    }
    step.line("Total of " + std::to_string(chosen->size()) + " artifact(s) downloaded");
    step.set_output("download-path", std::move(place));
    step.line("Download artifact has finished successfully");
    co_return Result<>{};
  }

  // ---- Which

  Task<Result<std::vector<ListedArtifact>>> list_own(ToolkitClient& client) {
    json::object nothing;
    auto answer = co_await client.artifacts("ListArtifacts", std::move(nothing));
    co_return read_artifact_list(std::move(answer));
  }

  Task<Result<std::vector<ListedArtifact>>> list_other(ToolkitClient& client, ArtifactWish wish) {
    std::vector<ListedArtifact> all;
    if (!artifact_id_of(wish.run_id)) co_return core::fail(Code::invalid, "run-id '" + wish.run_id + "' is no number.");
    for (int page = 1; all.size() < listed_artifacts_max; ++page) {
      auto answer = co_await client.api("/repos/" + wish.repository + "/actions/runs/" + wish.run_id +
                                            "/artifacts?per_page=100&page=" + std::to_string(page),
                                        wish.token);
      auto some = read_artifact_list(std::move(answer));
      if (!some) co_return std::unexpected(some.error());
      if (some->empty()) break;
      all.insert(all.end(), some->begin(), some->end());
    }
    co_return all;
  }

  // ---- Its bytes

  Task<Result<std::string>> address(ToolkitClient& client, ArtifactWish wish, ListedArtifact artifact) {
    if (!wish.token.empty())
      co_return co_await client.location(
          "/repos/" + wish.repository + "/actions/artifacts/" + std::to_string(artifact.id) + "/zip", wish.token);
    json::object asked;
    asked["name"] = artifact.name;
    auto answer = co_await client.artifacts("GetSignedArtifactURL", std::move(asked));
    if (!answer) co_return std::unexpected(answer.error());
    co_return core::string_at(*answer, "signed_url").value_or("");
  }

  Task<Result<>> fetch(StepRun& step, ToolkitClient& client, ArtifactWish wish, ListedArtifact artifact,
                       std::string to) {
    auto url = co_await address(client, wish, artifact);
    if (!url) co_return std::unexpected(url.error());
    Download download(step.engine(), pool_);
    if (auto fetched = co_await download.fetch(client, std::move(*url)); !fetched) co_return fetched;
    if (!artifact.digest.empty() && download.digest() != artifact.digest) {
      std::string sentence =
          "Artifact '" + artifact.name + "' digest validation failed. Please verify the integrity of the artifact.";
      if (wish.on_mismatch == "error") co_return core::fail(Code::corrupt, sentence);
      if (wish.on_mismatch == "warn") step.warning(sentence);
      if (wish.on_mismatch == "info") step.line(sentence);
    }
    if (wish.as_it_is || !download.is_zip()) co_return co_await put_as_it_is(step, download, artifact, std::move(to));
    co_return co_await unpack(step, download, std::move(to));
  }

  Task<Result<>> put_as_it_is(StepRun& step, Download& download, ListedArtifact artifact, std::string to) {
    std::string name = artifact.name + (download.is_zip() && !artifact.name.ends_with(".zip") ? ".zip" : "");
    std::vector<std::string> arguments{std::move(to), "./" + name};
    auto cat =
        co_await InsideProgram::start(step.engine(), std::string(keep_script), std::move(arguments), Input::pipe);
    if (!cat) co_return std::unexpected(cat.error());
    if (auto copied = co_await download.copy_to(**cat); !copied) co_return copied;
    (*cat)->close_in();
    co_return co_await (*cat)->finish();
  }

  Task<Result<>> unpack(StepRun& step, Download& download, std::string to) {
    auto open = [&download] { return archive::ZipReader::open(download.file()); };
    auto zip = co_await core::blocking(pool_, std::move(open));
    if (!zip) co_return std::unexpected(zip.error());
    std::vector<std::string> arguments{std::move(to)};
    auto tar =
        co_await InsideProgram::start(step.engine(), std::string(unpack_script), std::move(arguments), Input::pipe);
    if (!tar) co_return std::unexpected(tar.error());
    auto written = co_await write_files(step, **zip, **tar);
    (*tar)->close_in();
    auto finished = co_await (*tar)->finish();
    if (!finished) co_return core::fail(Code::unavailable, "Unpacking with tar: " + finished.error().message);
    co_return written;
  }

  Task<Result<>> write_files(StepRun& step, archive::ZipReader& zip, InsideProgram& tar) {
    std::vector<std::byte> piece(download_piece_bytes);
    for (size_t i = 0; i < zip.entries().size(); ++i) {
      archive::Entry entry = zip.entries()[i];
      auto name = archive::safe_name(entry.name);
      if (!name) {
        step.warning("A file of the artifact is left out, for its name leads out of the folder: '" +
                     core::to_valid_utf8(entry.name.substr(0, 200)) + "'.");
        continue;
      }
      entry.name = "./" + *name;
      entry.mode |= entry.folder ? 0700 : 0600;
      std::string header = archive::tar_header(entry);
      if (auto put = co_await tar.write(core::as_bytes(header)); !put) co_return put;
      if (entry.folder) continue;
      auto seek = [&zip, i] { return zip.seek(i); };
      if (auto sought = co_await core::blocking(pool_, std::move(seek)); !sought) co_return sought;
      while (true) {
        auto read = [&zip, &piece] { return zip.read(piece); };
        auto got = co_await core::blocking(pool_, std::move(read));
        if (!got) co_return std::unexpected(got.error());
        if (*got == 0) break;
        if (auto put = co_await tar.write(std::span(piece).first(*got)); !put) co_return put;
      }
      std::string padding = archive::tar_padding(entry.size);
      if (auto put = co_await tar.write(core::as_bytes(padding)); !put) co_return put;
    }
    std::string end = archive::tar_end();
    co_return co_await tar.write(core::as_bytes(end));
  }

  core::Pool pool_{"unpacking an artifact", {.threads = 1}};
};

}  // namespace

std::unique_ptr<Action> make_download_artifact() { return std::make_unique<DownloadArtifact>(); }

}  // namespace headrace::runner
