// What is said of artifacts, which jobs keep for people and for other jobs, and of caches, which jobs keep for jobs
// like them. The bytes are in the artifact service's store; an event holds their digest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace headrace::events {

// A job has uploaded an artifact whole, and its bytes are on disk.
struct ArtifactPackaged {
  static constexpr std::string_view type = "dev.cdevents.artifact.packaged.0.3.0";
  std::string artifact = {};  // its purl: "pkg:generic/<owner>/<name>/<artifact>@<run>?checksum=sha256:..."
  std::string commit = {};    // what it was made of
  int64_t id = 0;
  std::string repository = {};
  std::string name = {};
  std::string run = {};
  int64_t run_id = 0;
  std::string job = {};
  std::string ref = {};
  std::string digest = {};  // "sha256:..."
  int64_t size = 0;         // bytes
  std::string media = {};   // media type
  core::Time expires = {};
  bool operator==(const ArtifactPackaged&) const = default;
};

// Everybody with the right may have it from now on. Said together with ArtifactPackaged.
struct ArtifactPublished {
  static constexpr std::string_view type = "dev.cdevents.artifact.published.0.3.0";
  std::string artifact = {};
  int64_t id = 0;
  std::string repository = {};
  std::string name = {};
  std::string run = {};
  bool operator==(const ArtifactPublished&) const = default;
};

// Somebody (the actor) was sent it. Once an address that was given out for it, however often it is asked.
struct ArtifactDownloaded {
  static constexpr std::string_view type = "dev.cdevents.artifact.downloaded.0.2.0";
  std::string artifact = {};
  int64_t id = 0;
  std::string repository = {};
  std::string name = {};
  bool operator==(const ArtifactDownloaded&) const = default;
};

struct ArtifactDeleted {
  static constexpr std::string_view type = "dev.cdevents.artifact.deleted.0.2.0";
  std::string artifact = {};
  int64_t id = 0;
  std::string repository = {};
  std::string name = {};
  std::string reason = {};  // "requested", "expired"
  bool operator==(const ArtifactDeleted&) const = default;
};

// A job has saved a cache.
struct CacheSaved {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-cache.saved.0.1.0";
  std::string cache = {};  // "<owner>/<name>/<id>"
  int64_t id = 0;
  std::string repository = {};
  std::string ref = {};      // whose jobs see it, besides those that may see its branch
  std::string key = {};      // as the workflow named it
  std::string version = {};  // of what and how it was packed: keys of another version are others
  std::string digest = {};
  int64_t size = 0;
  std::string run = {};
  std::string job = {};
  bool operator==(const CacheSaved&) const = default;
};

// A cache was found by a job. At most once an hour for each.
struct CacheUsed {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-cache.used.0.1.0";
  std::string cache = {};
  int64_t id = 0;
  std::string repository = {};
  bool operator==(const CacheUsed&) const = default;
};

struct CacheDeleted {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-cache.deleted.0.1.0";
  std::string cache = {};
  int64_t id = 0;
  std::string repository = {};
  std::string key = {};
  std::string reason = {};  // "requested", "unused" for too long, "room" made for another
  bool operator==(const CacheDeleted&) const = default;
};

}  // namespace headrace::events
