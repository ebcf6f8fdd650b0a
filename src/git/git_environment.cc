#include "git/git_environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "git/names.h"
#include "process/child.h"

namespace headrace::git {
namespace {

constexpr size_t protocol_bytes_max = 256;

using Setting = std::pair<std::string, std::string>;

std::vector<Setting> settings(const ServeOptions& options) {
  std::string hidden(hidden_refs);
  hidden.pop_back();
  return {
      {"core.hooksPath", options.hooks},
      {"core.logAllRefUpdates", "false"},
      // What a push was told is stored survives a power cut: objects, their packs, and the refs (git-config(1),
      // core.fsync; the folders are synced by sync_refs).
      {"core.fsync", "objects,pack-metadata,reference"},
      {"core.fsyncMethod", "batch"},
      {"gc.auto", "0"},
      {"maintenance.auto", "false"},
      {"receive.autogc", "false"},
      {"receive.advertisePushOptions", "true"},
      {"receive.maxInputSize", std::to_string(options.pack_bytes_max)},
      {"receive.unpackLimit", "1"},  // packs, whose one folder is synced, not files in 256
      {"receive.fsckObjects", "true"},
      {"receive.fsck.zeroPaddedFilemode", "ignore"},  // as index_pack_strict
      {"receive.fsck.missingSpaceBeforeDate", "ignore"},
      {"receive.fsck.badTimezone", "ignore"},
      {"transfer.hideRefs", hidden},
      {"uploadpack.allowFilter", "true"},
      {"uploadpack.allowAnySHA1InWant", "true"},
      {"pack.writeBitmapHashCache", "true"},
      {"repack.writeBitmaps", "true"},
  };
}

bool is_protocol_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("=:.-_/").find(c) != std::string_view::npos;
}

}  // namespace

std::string accepted_protocol(std::string_view header) {
  const bool good = header.size() <= protocol_bytes_max && std::ranges::all_of(header, is_protocol_character);
  return good ? std::string(header) : std::string();
}

std::vector<std::string> git_environment(const ServeOptions& options, std::string_view protocol) {
  auto environment = process::inherited_environment({"PATH", "LD_LIBRARY_PATH", "TMPDIR"});
  for (const auto* fixed : {"LC_ALL=C.UTF-8", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
                            "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ADVICE=0"})
    environment.emplace_back(fixed);
  if (const auto accepted = accepted_protocol(protocol); !accepted.empty())
    environment.push_back("GIT_PROTOCOL=" + accepted);
  const auto all = settings(options);
  environment.push_back(fmt::format("GIT_CONFIG_COUNT={}", all.size()));
  for (size_t index = 0; index < all.size(); ++index) {
    environment.push_back(fmt::format("GIT_CONFIG_KEY_{}={}", index, all[index].first));
    environment.push_back(fmt::format("GIT_CONFIG_VALUE_{}={}", index, all[index].second));
  }
  return environment;
}

}  // namespace headrace::git
