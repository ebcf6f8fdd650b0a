// actions/cache, with its halves actions/cache/save and actions/cache/restore. What is saved is packed as
// @actions/cache packs it, under the version that it computes, so that one finds what the other saved.
#include <algorithm>

#include "core/bytes.h"
#include "services/runner/download.h"
#include "services/runner/file_search.h"
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

constexpr size_t piece_bytes = 256 * 1024;
constexpr size_t said_max = 64;
constexpr std::string_view zstd = "zstd-without-long", gzip = "gzip";  // @actions/cache, CompressionMethod
constexpr std::string_view version_salt = "1.0";

// $1: a file with names, $2: the workspace, $3: how it is packed.
constexpr std::string_view pack_script = R"sh(if tar --version 2>/dev/null | grep -q GNU; then
  if [ "$3" = gzip ]; then exec tar --posix -z -P -C "$2" --no-unquote --verbatim-files-from -T "$1" -cf -; fi
  exec tar --posix --use-compress-program zstdmt -P -C "$2" --no-unquote --verbatim-files-from -T "$1" -cf -
fi
cd "$2" || exit 1
if [ "$3" = gzip ]; then exec tar -z -cf - -T "$1"; fi
tar -cf - -T "$1" | exec zstdmt -c
)sh";
constexpr std::string_view unpack_script = R"sh(mkdir -p "$1" && cd "$1" || exit 1
if tar --version 2>/dev/null | grep -q GNU; then
  if [ "$2" = gzip ]; then exec tar -z -P -xf -; fi
  exec tar --use-compress-program unzstd -P -xf -
fi
if [ "$2" = gzip ]; then exec tar -z -xf -; fi
unzstd -c | exec tar -xf -
)sh";
constexpr std::string_view method_script =
    "command -v zstdmt >/dev/null && command -v unzstd >/dev/null && echo zstd; true";

std::string version_of(const std::vector<std::string>& paths, std::string_view method) {
  std::string text;
  for (const auto& path : paths) text += path + "|";
  return core::sha256_hex(text + std::string(method) + "|" + std::string(version_salt));
}

std::string joined(const std::vector<std::string>& lines, std::string_view between) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : std::string(between)) + line;
  return text;
}

class CacheAction final : public Action {
 public:
  explicit CacheAction(CacheRole role) : role_(role) {}

  bool has(Stage stage) const override {
    return stage == Stage::main || (stage == Stage::post && role_ == CacheRole::both);
  }
  std::string condition(Stage stage) const override {
    return stage == Stage::post && !always_ ? "success()" : "always()";
  }
  std::string repository() const override { return "actions/cache"; }

  Task<Conclusion> run(Stage stage, StepRun& step) override {
    if (stage == Stage::post) {
      co_await save_quietly(step);
      co_return Conclusion::success;
    }
    check_inputs(step, {"path", "key", "restore-keys", "upload-chunk-size", "enableCrossOsArchive",
                        "fail-on-cache-miss", "lookup-only", "save-always"});
    show_action(step, step.with());
    key_ = input_of(step, "key");
    paths_ = paths_in(step);
    if (key_.empty() || paths_.empty())
      co_return step.fail("Input required and not supplied: " + std::string(key_.empty() ? "key" : "path"));
    always_ = input_of(step, "save-always") == "true";
    if (role_ == CacheRole::save) {
      co_await save_quietly(step);
      co_return Conclusion::success;
    }
    co_return co_await restore(step);
  }

 private:
  // "! a" is "!a", as the action reads it.
  static std::vector<std::string> paths_in(const StepRun& step) {
    auto paths = lines_of(step, "path");
    for (auto& path : paths)
      if (path.starts_with('!')) path = "!" + path.substr(std::min(path.size(), path.find_first_not_of(" \t", 1)));
    return paths;
  }

  Task<Result<std::string>> method(StepEngine& engine) {
    std::vector<std::string> none;
    auto said = co_await output_inside(engine, std::string(method_script), std::move(none), said_max);
    if (!said) co_return std::unexpected(said.error());
    co_return std::string(said->starts_with("zstd") ? zstd : gzip);
  }

  // ---- Restore

  Task<Conclusion> restore(StepRun& step) {
    bool lookup = input_of(step, "lookup-only") == "true";
    bool must = input_of(step, "fail-on-cache-miss") == "true";
    step.set_output("cache-primary-key", key_);
    auto more = lines_of(step, "restore-keys");
    auto found = co_await find(step, more, lookup);
    if (!found && found.error().code == Code::invalid) co_return step.fail(found.error().message);
    if (!found) step.warning("Failed to restore: " + found.error().message);
    std::string matched = found.value_or("");
    if (matched.empty()) {
      if (must)
        co_return step.fail("Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: " + key_);
      more.insert(more.begin(), key_);
      step.line("Cache not found for input keys: " + joined(more, ", "));
      co_return Conclusion::success;
    }
    matched_ = matched;
    bool exact = workflow::equal_in_any_case(matched, key_);
    step.set_output("cache-hit", exact ? "true" : "false");
    step.set_output("cache-matched-key", matched);
    step.line((lookup ? "Cache found and can be restored from key: " : "Cache restored from key: ") + matched);
    co_return Conclusion::success;
  }

  // The key that was found and, unless only looked for, restored; "" where there is none.
  Task<Result<std::string>> find(StepRun& step, std::vector<std::string> more, bool lookup) {
    auto client = ToolkitClient::open(step.engine());
    if (!client) co_return std::unexpected(client.error());
    auto how = co_await method(step.engine());
    if (!how) co_return std::unexpected(how.error());
    json::object asked;
    asked["key"] = key_;
    json::array keys;
    for (const auto& key : more) keys.emplace_back(key);
    asked["restore_keys"] = std::move(keys);
    asked["version"] = version_of(paths_, *how);
    auto answer = co_await (*client)->caches("GetCacheEntryDownloadURL", std::move(asked));
    if (!answer) co_return std::unexpected(answer.error());
    if (!core::boolean_at(*answer, "ok").value_or(false)) co_return std::string();
    std::string matched = core::string_at(*answer, "matched_key").value_or("");
    step.line("Cache hit for" + std::string(matched == key_ ? ": " : " restore-key: ") + matched);
    if (lookup) {
      step.line("Lookup only - skipping download");
      co_return matched;
    }
    Download download(step.engine(), pool_);
    auto fetched = co_await download.fetch(**client, core::string_at(*answer, "signed_download_url").value_or(""));
    if (!fetched) co_return std::unexpected(fetched.error());
    step.line("Cache Size: " + shown_size(download.size()));
    if (auto unpacked = co_await unpack(step, download, *how); !unpacked) co_return std::unexpected(unpacked.error());
    step.line("Cache restored successfully");
    co_return matched;
  }

  Task<Result<>> unpack(StepRun& step, Download& download, std::string how) {
    std::vector<std::string> arguments{step.engine().surroundings().inside().workspace, std::move(how)};
    auto tar =
        co_await InsideProgram::start(step.engine(), std::string(unpack_script), std::move(arguments), Input::pipe);
    if (!tar) co_return std::unexpected(tar.error());
    auto copied = co_await download.copy_to(**tar);
    (*tar)->close_in();
    auto finished = co_await (*tar)->finish();
    if (!finished) co_return core::fail(Code::unavailable, "Unpacking with tar: " + finished.error().message);
    co_return copied;
  }

  // ---- Save

  // What goes wrong with a cache is a warning: it is only ever for speed.
  Task<> save_quietly(StepRun& step) {
    if (!matched_.empty() && workflow::equal_in_any_case(matched_, key_)) {
      step.line("Cache hit occurred on the primary key " + key_ + ", not saving cache.");
      co_return;
    }
    auto saved = co_await save(step);
    if (saved) step.line("Cache saved with key: " + key_);
    if (!saved && saved.error().code == Code::conflict)
      step.line("Failed to save: Unable to reserve cache with key " + key_ + ": " + saved.error().message);
    if (!saved && saved.error().code != Code::conflict) step.warning("Failed to save: " + saved.error().message);
  }

  Task<Result<>> save(StepRun& step) {
    auto& engine = step.engine();
    const auto& inside = engine.surroundings().inside();
    auto patterns = FilePatterns::parse(joined(paths_, "\n"), inside.workspace, inside.home);
    if (!patterns) co_return std::unexpected(patterns.error());
    auto found = co_await find_paths(engine, *patterns);
    if (!found) co_return std::unexpected(found.error());
    if (found->empty())
      co_return core::fail(Code::invalid,
                           "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence "
                           "no cache is being saved.");
    auto client = ToolkitClient::open(engine);
    if (!client) co_return std::unexpected(client.error());
    auto how = co_await method(engine);
    if (!how) co_return std::unexpected(how.error());
    json::object asked;
    asked["key"] = key_;
    asked["version"] = version_of(paths_, *how);
    json::object finalizing = asked;
    auto created = co_await (*client)->caches("CreateCacheEntry", std::move(asked));
    if (!created) co_return std::unexpected(created.error());
    BlockUpload upload(**client, core::string_at(*created, "signed_upload_url").value_or(""));
    if (auto packed = co_await pack(step, *found, *how, upload); !packed) co_return packed;
    step.line("Cache Size: " + shown_size(upload.size()));
    finalizing["size_bytes"] = std::to_string(upload.size());
    auto saved = co_await (*client)->caches("FinalizeCacheEntryUpload", std::move(finalizing));
    if (!saved) co_return std::unexpected(saved.error());
    co_return Result<>{};
  }

  Task<Result<>> pack(StepRun& step, std::vector<std::string> paths, std::string how, BlockUpload& upload) {
    auto& engine = step.engine();
    std::string names = engine.place().temporary + "/_cache_paths";
    if (auto written = engine.surroundings().write(names, joined(paths, "\n") + "\n"); !written) co_return written;
    std::vector<std::string> arguments{engine.surroundings().to_inside(names).value_or(names),
                                       engine.surroundings().inside().workspace, std::move(how)};
    auto tar = co_await InsideProgram::start(engine, std::string(pack_script), std::move(arguments), Input::none);
    if (!tar) co_return std::unexpected(tar.error());
    std::vector<std::byte> piece(piece_bytes);
    while (true) {
      auto got = co_await (*tar)->read(piece);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) break;
      std::string_view part(reinterpret_cast<const char*>(piece.data()), *got);
      if (auto added = co_await upload.add(part); !added) co_return added;
    }
    if (auto finished = co_await (*tar)->finish(); !finished)
      co_return core::fail(Code::unavailable, "Packing with tar: " + finished.error().message);
    co_return co_await upload.finish();
  }

  CacheRole role_;
  std::string key_, matched_;
  std::vector<std::string> paths_;
  bool always_ = false;
  core::Pool pool_{"unpacking a cache", {.threads = 1}};
};

}  // namespace

std::unique_ptr<Action> make_cache(CacheRole role) { return std::make_unique<CacheAction>(role); }

}  // namespace headrace::runner
